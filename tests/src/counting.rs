//! The counting learner as seen from outside: events whose counts are known, and its tables as the gateway has them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::http::{Client, segment};
use crate::random::Random;
use crate::topic::Event;

/// Counts by id.
pub type Counts = BTreeMap<String, u64>;

const PAGE: usize = 1_000;

/// What was written, counted by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events of each item.
    pub items: Counts,
    /// Events of each user.
    pub users: Counts,
}

/// Makes events and counts them.
#[derive(Clone, Debug)]
pub struct Counter {
    tally: Arc<Mutex<Tally>>,
    random: Random,
    users: usize,
    items: usize,
}

impl Tally {
    /// What the third table holds: a user's n-th event pushes n, so n events push n(n+1)/2.
    #[must_use]
    pub fn sums(&self) -> Counts {
        self.users.iter().map(|(user, count)| (user.clone(), count * (count + 1) / 2)).collect()
    }

    /// Counts one event.
    pub fn add(&mut self, user: &str, item: &str) {
        *self.users.entry(user.to_owned()).or_default() += 1;
        *self.items.entry(item.to_owned()).or_default() += 1;
    }
}

impl Counter {
    /// Events of so many users and items, some far more often than others.
    #[must_use]
    pub fn new(random: Random, users: usize, items: usize) -> Self {
        Self { tally: Arc::default(), random, users, items }
    }

    /// The next event, keyed by its user.
    pub fn event(&mut self) -> Event {
        let user = format!("user-{}", self.random.skewed(self.users));
        let item = format!("item-{}", self.random.skewed(self.items));
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).add(&user, &item);
        Event::keyed(&user, &json!({"user": user, "item": item, "rating": 1}))
    }

    /// What has been made so far, by this counter and its clones.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A whole table of a model, page by page: each row's first number by its id.
///
/// # Panics
/// When the gateway does not answer as promised, or a row is there twice.
#[must_use]
pub fn table(rest: &Client, model: &str, name: &str) -> Counts {
    let mut counts = Counts::new();
    let mut after = String::new();
    loop {
        let page = rest.get(&format!("/v1/models/{model}/tables/{name}?limit={PAGE}{after}")).expect(200);
        let rows = page["rows"].as_array().unwrap_or_else(|| panic!("no rows in {page}"));
        assert!(rows.len() <= PAGE, "{} rows on a page of {PAGE}", rows.len());
        for row in rows {
            let (id, value) = row_of(row);
            assert!(counts.insert(id, value).is_none(), "{row} is there twice");
        }
        match &page["next"] {
            Value::Null => return counts,
            Value::String(key) => after = format!("&after={}", segment(key)),
            key => after = format!("&after={key}"),
        }
    }
}

fn row_of(row: &Value) -> (String, u64) {
    let id = row["id"].as_str().unwrap_or_else(|| panic!("{row} has no id"));
    let value = row["values"][0].as_u64().unwrap_or_else(|| panic!("{row} has no count"));
    (id.to_owned(), value)
}

/// Checks the three tables against what was written.
///
/// # Panics
/// When a count differs; the message names the first few.
#[track_caller]
pub fn check_exact(rest: &Client, tally: &Tally) {
    check_exact_among(rest, tally, |_| true);
}

/// Checks each user's events as the recommender has counted them beside what it learned.
///
/// # Panics
/// When a count differs; the message names the first few.
#[track_caller]
pub fn check_recommender(rest: &Client, tally: &Tally) {
    check_table("activity", &table(rest, "recommender", "activity"), &tally.users, |_: &str| true);
}

/// Checks those rows of the three tables whose ids are `among` the ones that no event is on its way for.
///
/// # Panics
/// When a count differs; the message names the first few.
#[track_caller]
pub fn check_exact_among(rest: &Client, tally: &Tally, among: impl Fn(&str) -> bool) {
    check_table("items", &table(rest, "counting", "items"), &tally.items, &among);
    check_table("users", &table(rest, "counting", "users"), &tally.users, &among);
    check_table("sums", &table(rest, "counting", "sums"), &tally.sums(), &among);
}

/// Checks items and users alone: what stays exact where a user's events come through several partitions, so that
/// several workers, or one with a cache of some age, count them at a time.
///
/// # Panics
/// When a count differs; the message names the first few.
#[track_caller]
pub fn check_counts(rest: &Client, tally: &Tally) {
    check_table("items", &table(rest, "counting", "items"), &tally.items, |_| true);
    check_table("users", &table(rest, "counting", "users"), &tally.users, |_| true);
}

#[track_caller]
fn check_table(name: &str, found: &Counts, expected: &Counts, among: impl Fn(&str) -> bool) {
    let mut ids: Vec<&String> = found.keys().chain(expected.keys()).filter(|id| among(id)).collect();
    ids.sort_unstable();
    ids.dedup();
    let count = ids.len();
    let differs = ids.into_iter().filter(|id| found.get(*id) != expected.get(*id));
    let wrong: Vec<String> =
        differs.map(|id| format!("{id}: {:?}, not {:?}", found.get(id), expected.get(id))).collect();
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("; ");
    assert!(wrong.is_empty(), "{} of {count} {name} are wrong: {shown}", wrong.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_worked_out_by_hand() {
        let mut tally = Tally::default();
        for item in ["a", "b", "a"] {
            tally.add("u", item);
        }
        tally.add("v", "a");
        assert_eq!(tally.items, Counts::from([("a".into(), 3), ("b".into(), 1)]));
        assert_eq!(tally.sums(), Counts::from([("u".into(), 6), ("v".into(), 1)]));
    }

    #[test]
    fn a_counter_counts_what_it_makes() {
        let mut counter = Counter::new(Random::new(3), 5, 7);
        let made = (0..100).map(|_| counter.event()).filter(|event| event.key.is_some()).count();
        let tally = counter.tally();
        assert_eq!((made, tally.users.values().sum(), tally.items.values().sum()), (100, 100_u64, 100_u64));
    }
}
