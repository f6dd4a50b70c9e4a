//! Every event in time order: the rating predicted, the item looked for in the order of all others, and only then learned.

use super::{Errors, Event, ItemSet, Model, Ranks, Relevant, Size, rank};
use crate::ranking::{self, positive};

/// How events are evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Length of lists.
    pub k: usize,
    /// Which events' items are looked for.
    pub relevant: Relevant,
    /// Which events count as choices.
    pub positive: positive::Rule,
    /// Whether items that the user has had are left out of the order. An event of an item that the user has had is then not looked for.
    pub leave_out_known: bool,
    /// At most so many events' items are looked for, spread evenly over all that would be: to put all items in order is what costs.
    pub most_ranked: usize,
    /// Events of the beginning that are learned and not counted.
    pub warm_up: usize,
    /// Parts of equal numbers of events that are reported by themselves.
    pub windows: usize,
}

/// What a model came to over a part of the events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Events of the part.
    pub events: usize,
    /// Time of the last of them, in milliseconds since 1970.
    pub until_ms: i64,
    /// How far predicted ratings were off.
    pub errors: Errors,
    /// Where items stood.
    pub ranks: Ranks,
}

/// What a model came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// How far predicted ratings were off.
    pub errors: Errors,
    /// Where items stood.
    pub ranks: Ranks,
    /// The same part by part.
    pub windows: Vec<Window>,
    /// The rank of each event's item that was looked for, in order: the same events for every model.
    pub each: Vec<Option<usize>>,
}

/// Evaluates a model on events in time order. `on_event` is called after each of them.
pub fn run(model: &mut dyn Model, events: &[Event], size: Size, options: &Options, on_event: &dyn Fn()) -> Outcome {
    let wanted = wanted(events, size, options);
    let mut known = ItemSet::default();
    let mut had = vec![ItemSet::default(); size.users];
    let mut scores = vec![0.0; size.items];
    let per_window = events.len().saturating_sub(options.warm_up).div_ceil(options.windows.max(1)).max(1);
    let mut outcome = Outcome::default();
    for (place, event) in events.iter().enumerate() {
        if let Some(counted) = place.checked_sub(options.warm_up) {
            let window = counted / per_window;
            outcome.windows.resize_with(outcome.windows.len().max(window + 1), Window::default);
            let window = &mut outcome.windows[window];
            window.events += 1;
            window.until_ms = event.time_ms;
            if let (Some(rating), Some(predicted)) = (event.rating, model.predict(event.user, event.item)) {
                window.errors.add(rating - predicted);
            }
            if wanted[place] && model.scores(event.user, event.time_ms, &mut scores) {
                let had = &had[event.user as usize];
                let candidate = |item: usize| {
                    known.contains(item as u32) && !(options.leave_out_known && had.contains(item as u32))
                };
                let rank = rank(&scores, event.item as usize, candidate);
                window.ranks.add(rank, options.k);
                outcome.each.push(rank);
            }
        }
        model.learn(event);
        known.insert(event.item);
        had[event.user as usize].insert(event.item);
        on_event();
    }
    for window in &outcome.windows {
        outcome.errors.merge(&window.errors);
        outcome.ranks.merge(&window.ranks);
    }
    outcome
}

/// Which events' items are looked for.
fn wanted(events: &[Event], size: Size, options: &Options) -> Vec<bool> {
    let positives = positives(events, size, options.positive);
    let mut had = vec![ItemSet::default(); size.users];
    let mut wanted: Vec<bool> = events
        .iter()
        .zip(positives)
        .enumerate()
        .map(|(place, (event, positive))| {
            let new = had[event.user as usize].insert(event.item);
            let relevant = positive || options.relevant == Relevant::All;
            place >= options.warm_up && relevant && (new || !options.leave_out_known)
        })
        .collect();
    let count = wanted.iter().filter(|wanted| **wanted).count();
    let most = options.most_ranked.min(count);
    for (seen, wanted) in wanted.iter_mut().filter(|wanted| **wanted).enumerate() {
        // Of every count / most the one with which another share is full.
        *wanted = (seen + 1) * most / count > seen * most / count;
    }
    wanted
}

/// Which of events in time order count as choices of their users.
#[must_use]
pub fn positives(events: &[Event], size: Size, rule: positive::Rule) -> Vec<bool> {
    let mut heads = vec![[0.0; ranking::USER_FACTORS]; size.users];
    events.iter().map(|event| positive::classify(rule, event.rating, &mut heads[event.user as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Predicts 3 and ranks items by how often they came.
    #[derive(Default)]
    struct Counts(Vec<f32>);

    impl Model for Counts {
        fn predict(&mut self, _user: u32, _item: u32) -> Option<f32> {
            Some(3.0)
        }

        fn scores(&mut self, _user: u32, _time_ms: i64, scores: &mut [f32]) -> bool {
            scores.iter_mut().enumerate().for_each(|(item, score)| *score = self.0.get(item).copied().unwrap_or(0.0));
            true
        }

        fn learn(&mut self, event: &Event) {
            self.0.resize(self.0.len().max(event.item as usize + 1), 0.0);
            self.0[event.item as usize] += 1.0;
        }
    }

    fn event(user: u32, item: u32, rating: f32) -> Event {
        Event { user, item, rating: Some(rating), weight: 1.0, time_ms: i64::from(user) }
    }

    fn options() -> Options {
        Options {
            k: 10,
            relevant: Relevant::All,
            positive: positive::Rule::default(),
            leave_out_known: true,
            most_ranked: usize::MAX,
            warm_up: 0,
            windows: 2,
        }
    }

    #[test]
    fn each_event_is_looked_for_among_what_is_known_before_it() {
        let events = [event(0, 0, 3.0), event(1, 1, 5.0), event(1, 0, 1.0), event(2, 0, 3.0), event(2, 0, 3.0)];
        let size = Size { users: 3, items: 2 };
        let outcome = run(&mut Counts::default(), &events, size, &options(), &|| ());
        // Unknown, unknown, the only one left, first by count; the last one was had.
        assert_eq!(outcome.each, [None, None, Some(1), Some(1)]);
        assert_eq!(outcome.errors.count(), 5);
        assert!((outcome.errors.mae() - 0.8).abs() < 1e-9);
        assert_eq!(outcome.windows.iter().map(|window| window.events).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(outcome.windows[1].until_ms, 2);
        let outcome =
            run(&mut Counts::default(), &events, size, &Options { leave_out_known: false, ..options() }, &|| ());
        assert_eq!(outcome.each, [None, None, Some(1), Some(1), Some(1)]);
    }

    #[test]
    fn few_are_looked_for_evenly_and_none_of_the_warm_up() {
        let events: Vec<Event> = (0..100).map(|number| event(number, number % 7, 3.0)).collect();
        let size = Size { users: 100, items: 7 };
        let options = Options { most_ranked: 9, warm_up: 10, ..options() };
        let wanted = wanted(&events, size, &options);
        let places: Vec<usize> = (0..100).filter(|place| wanted[*place]).collect();
        assert_eq!(places, [19, 29, 39, 49, 59, 69, 79, 89, 99]);
        assert_eq!(run(&mut Counts::default(), &events, size, &options, &|| ()).errors.count(), 90);
    }

    #[test]
    fn positives_are_those_of_the_rule() {
        let events = [event(0, 0, 3.0), event(0, 1, 1.0), event(0, 2, 4.0)];
        let size = Size { users: 1, items: 3 };
        assert_eq!(positives(&events, size, positive::Rule::default()), [true, false, true]);
        let options = Options { relevant: Relevant::Positives, ..options() };
        assert_eq!(wanted(&events, size, &options), [true, false, true]);
    }
}
