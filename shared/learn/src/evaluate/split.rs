//! A part of each user's events is kept back; lists made after the rest was learned are held against it.

use super::progressive::positives;
use super::{Errors, Event, ItemSet, ListQuality, Model, Relevant, Size};
use crate::noise::Noise;
use crate::ranking::positive;
use crate::top_k::TopK;

/// Tells the numbers of the split from those of anything else that is drawn.
const NOISE: u8 = 8;

/// Which events are kept back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Of each user's, so many at random, the same for the same seed.
    Random,
    /// Of each user's, the last.
    Time,
}

/// How events are split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Length of lists.
    pub k: usize,
    /// Which events of the part kept back say what a good list has.
    pub relevant: Relevant,
    /// Which events count as choices.
    pub positive: positive::Rule,
    /// Which are kept back.
    pub order: Order,
    /// The part that is kept back, from 0 to 1.
    pub test_share: f64,
    /// Of what is drawn.
    pub seed: u64,
}

/// Events in two parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// What is learned, in time order.
    pub train: Vec<Event>,
    /// What is kept back, in time order.
    pub test: Vec<Event>,
    /// Of which the relevant ones, by user: numbers of items, each once.
    relevant: Vec<Vec<u32>>,
}

impl Split {
    /// Splits events in time order. Of each user at least one is learned.
    #[must_use]
    pub fn new(events: &[Event], size: Size, options: &Options) -> Self {
        let mut by_user = vec![Vec::new(); size.users];
        events.iter().enumerate().for_each(|(place, event)| by_user[event.user as usize].push(place));
        let mut is_test = vec![false; events.len()];
        for (user, places) in by_user.iter_mut().enumerate() {
            if options.order == Order::Random {
                shuffle(places, &mut Noise::new(options.seed, NOISE, user as u64));
            }
            let kept = ((places.len() as f64 * (1.0 - options.test_share)).round() as usize).max(1);
            places.iter().skip(kept).for_each(|place| is_test[*place] = true);
        }
        let (mut train, mut test, mut relevant) = (Vec::new(), Vec::new(), vec![Vec::new(); size.users]);
        let choices = positives(events, size, options.positive);
        for ((event, is_test), choice) in events.iter().zip(is_test).zip(choices) {
            if is_test {
                test.push(*event);
                if choice || options.relevant == Relevant::All {
                    relevant[event.user as usize].push(event.item);
                }
            } else {
                train.push(*event);
            }
        }
        for items in &mut relevant {
            items.sort_unstable();
            items.dedup();
        }
        Self { train, test, relevant }
    }
}

fn shuffle(places: &mut [usize], noise: &mut Noise) {
    for last in (1..places.len()).rev() {
        let other = (u128::from(noise.next()) * (last as u128 + 1)) >> 64;
        places.swap(last, other as usize);
    }
}

/// What a model came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// How far predicted ratings of the part kept back were off.
    pub errors: Errors,
    /// The list of each user with something relevant: the same users for every model. Empty if it makes no lists.
    pub each: Vec<ListQuality>,
    /// Part of the items learned that are in any list.
    pub coverage: f64,
    /// How unusual what is in lists is: the mean of -log2 of the part of users who had the item.
    pub novelty: f64,
}

impl Outcome {
    /// The mean of a value over all users' lists; NaN of none.
    pub fn mean(&self, value: impl Fn(&ListQuality) -> f64) -> f64 {
        self.each.iter().map(value).sum::<f64>() / self.each.len() as f64
    }
}

/// Learns one part and is held against the other. `on_event` is called after each event learned and each list.
pub fn run(model: &mut dyn Model, split: &Split, size: Size, options: &Options, on_event: &dyn Fn()) -> Outcome {
    let mut had = vec![ItemSet::default(); size.users];
    let mut users_of = vec![0_u32; size.items];
    for event in &split.train {
        model.learn(event);
        users_of[event.item as usize] += u32::from(had[event.user as usize].insert(event.item));
        on_event();
    }
    let mut outcome = Outcome::default();
    for event in &split.test {
        if let (Some(rating), Some(predicted)) = (event.rating, model.predict(event.user, event.item)) {
            outcome.errors.add(rating - predicted);
        }
    }
    let now = split.train.last().map_or(0, |event| event.time_ms);
    let (mut scores, mut listed, mut novelty, mut items_listed) =
        (vec![0.0; size.items], ItemSet::default(), 0.0, 0_u64);
    let mut distinct = 0_u64;
    for (user, relevant) in split.relevant.iter().enumerate().filter(|(_, relevant)| !relevant.is_empty()) {
        if !model.scores(user as u32, now, &mut scores) {
            return outcome;
        }
        let list = list(&scores, options.k, |item| users_of[item as usize] > 0 && !had[user].contains(item));
        for item in &list {
            distinct += u64::from(listed.insert(*item));
            items_listed += 1;
            novelty -= (f64::from(users_of[*item as usize]) / size.users as f64).log2();
        }
        let is_relevant = |item: u32| relevant.binary_search(&item).is_ok();
        outcome.each.push(ListQuality::of(&list, options.k, relevant.len(), is_relevant));
        on_event();
    }
    outcome.coverage = distinct as f64 / users_of.iter().filter(|users| **users > 0).count() as f64;
    outcome.novelty = novelty / items_listed as f64;
    outcome
}

fn list(scores: &[f32], k: usize, is_candidate: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut top = TopK::new(k);
    for (item, score) in scores.iter().enumerate() {
        if top.would_take(item as u64, *score) && is_candidate(item as u32) {
            top.offer(item as u64, *score);
        }
    }
    top.into_sorted().into_iter().map(|scored| scored.key as u32).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options(order: Order) -> Options {
        let positive = positive::Rule::default();
        Options { k: 2, relevant: Relevant::All, positive, order, test_share: 0.25, seed: 1 }
    }

    fn events(users: u32, each: u32) -> Vec<Event> {
        let event = |number: u32| Event {
            user: number % users,
            item: number / users,
            rating: Some(3.0),
            weight: 1.0,
            time_ms: number.into(),
        };
        (0..users * each).map(event).collect()
    }

    #[test]
    fn the_last_quarter_of_each_user_is_kept_back_by_time() {
        let events = events(2, 8);
        let split = Split::new(&events, Size { users: 2, items: 8 }, &options(Order::Time));
        assert_eq!(split.relevant, [[6, 7], [6, 7]]);
        assert_eq!((split.train.len(), split.test.len()), (12, 4));
    }

    /// Knows what will come.
    struct Oracle;

    impl Model for Oracle {
        fn predict(&mut self, _user: u32, _item: u32) -> Option<f32> {
            None
        }

        fn scores(&mut self, _user: u32, _time_ms: i64, scores: &mut [f32]) -> bool {
            scores.iter_mut().enumerate().for_each(|(item, score)| *score = item as f32);
            true
        }

        fn learn(&mut self, _event: &Event) {}
    }

    #[test]
    fn lists_hold_what_was_learned_of_others_and_not_had() {
        let mut events = events(4, 8);
        // Items 6 and 7 are known to user 3 alone, whose events are all learned.
        events.retain(|event| event.user < 3 || event.item >= 6);
        let size = Size { users: 4, items: 8 };
        let mut split = Split::new(&events, size, &options(Order::Time));
        split.relevant[3].clear();
        split.train.extend(events.iter().filter(|event| event.user == 3));
        let outcome = run(&mut Oracle, &split, size, &options(Order::Time), &|| ());
        assert_eq!(outcome.each.len(), 3);
        assert!((outcome.mean(|list| list.ndcg) - 1.0).abs() < 1e-9);
        // Two of eight items; each was had by one of four users.
        assert!((outcome.coverage - 0.25).abs() < 1e-9 && (outcome.novelty - 2.0).abs() < 1e-9, "{outcome:?}");
        assert!(outcome.errors.rmse().is_nan());
    }

    proptest! {
        #[test]
        fn a_random_split_keeps_every_event_once(users in 1_u32..6, each in 1_u32..30, seed in any::<u64>()) {
            let (events, size) = (events(users, each), Size { users: users as usize, items: each as usize });
            let options = Options { seed, ..options(Order::Random) };
            let split = Split::new(&events, size, &options);
            let mut all: Vec<_> = split.train.iter().chain(&split.test).map(|event| event.time_ms).collect();
            all.sort_unstable();
            prop_assert_eq!(all, events.iter().map(|event| event.time_ms).collect::<Vec<_>>());
            prop_assert!(split.train.is_sorted_by_key(|event| event.time_ms));
            let expected = ((f64::from(each) * 0.75).round() as usize).max(1) * users as usize;
            prop_assert_eq!(split.train.len(), expected);
            prop_assert_eq!(&split, &Split::new(&events, size, &options));
        }
    }
}
