//! From events to what is trained on.

use std::collections::HashMap;

use super::blocks::Rating;
use crate::evaluate::progressive::positives;
use crate::evaluate::{Event, Size};
use crate::ranking::positive;

/// Ratings in two parts, each pair of user and item once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ratings {
    /// To be learned.
    pub learned: Vec<Rating>,
    /// To be held out, so that training knows when to end.
    pub held_out: Vec<Rating>,
}

impl Ratings {
    /// The last rating of each pair. Of every `each`-th the second part has one, of none if that is 0.
    #[must_use]
    pub fn of(events: &[Event], each: usize) -> Self {
        let last: HashMap<(u32, u32), f32> =
            events.iter().filter_map(|event| Some(((event.user, event.item), event.rating?))).collect();
        let mut pairs: Vec<_> = last.into_iter().collect();
        pairs.sort_unstable_by_key(|(pair, _)| *pair);
        let mut parts = Self::default();
        for (place, ((user, item), rating)) in pairs.into_iter().enumerate() {
            let is_held_out = each > 0 && place % each == each - 1;
            let part = if is_held_out { &mut parts.held_out } else { &mut parts.learned };
            part.push(Rating { user, item, rating });
        }
        parts
    }
}

/// Pairs (user, item) of the events in time order that are choices by this rule.
#[must_use]
pub fn choices(events: &[Event], size: Size, rule: positive::Rule) -> Vec<(u32, u32)> {
    let chosen = events.iter().zip(positives(events, size, rule)).filter(|(_, is_choice)| *is_choice);
    chosen.map(|(event, _)| (event.user, event.item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(user: u32, item: u32, rating: Option<f32>) -> Event {
        Event { user, item, rating, weight: 1.0, time_ms: 0 }
    }

    #[test]
    fn the_last_rating_of_a_pair_counts_and_every_so_many_are_held_out() {
        let events = [event(0, 1, Some(1.0)), event(1, 1, Some(3.0)), event(0, 1, Some(5.0)), event(0, 2, None)];
        let rating = |user, item, rating| Rating { user, item, rating };
        assert_eq!(
            Ratings::of(&events, 2),
            Ratings { learned: vec![rating(0, 1, 5.0)], held_out: vec![rating(1, 1, 3.0)] }
        );
        assert_eq!(Ratings::of(&events, 0).learned.len(), 2);
        assert_eq!(Ratings::of(&[], 10), Ratings::default());
    }

    #[test]
    fn choices_are_those_of_the_rule() {
        let events = [event(0, 0, Some(3.0)), event(0, 1, Some(1.0)), event(0, 2, None)];
        let size = Size { users: 1, items: 3 };
        assert_eq!(choices(&events, size, positive::Rule::default()), [(0, 0), (0, 2)]);
    }
}
