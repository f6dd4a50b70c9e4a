//! How good a recommender is on events of the past, without the services: each model learns from the same events in time order by the
//! same formulas as a worker does.
//!
//! Two protocols. [`progressive`]: every event is first predicted and then learned, as life does it. [`split`]: a part of each user's
//! events is kept back, the rest is learned in time order, and lists are held against what was kept back, as published tables have it.
//! Users and items are numbers from 0 without holes, so that rows lie side by side. How well two classes are told apart is in [`classes`].

pub mod classes;
mod errors;
mod lists;
pub mod messages;
pub mod models;
pub mod progressive;
mod ranks;
pub mod significance;
pub mod split;

pub use errors::Errors;
pub use lists::{ListQuality, discount};
pub use ranks::{DEPTHS, Ranks, rank};

/// One event of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Number of the user.
    pub user: u32,
    /// Number of the item.
    pub item: u32,
    /// The rating; none of implicit feedback.
    pub rating: Option<f32>,
    /// As how many events it counts, above 0.
    pub weight: f32,
    /// Milliseconds since 1970.
    pub time_ms: i64,
}

/// How many users and items there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Users, numbered from 0.
    pub users: usize,
    /// Items, numbered from 0.
    pub items: usize,
}

/// Something that is evaluated: it learns events one by one, in order, and is asked in between.
pub trait Model: Send {
    /// The rating that this user will give to this item; none of a model that does not predict ratings.
    fn predict(&mut self, user: u32, item: u32) -> Option<f32>;

    /// Writes how high each item stands for the user at this time: the higher, the better. False if the model puts no items in order.
    fn scores(&mut self, user: u32, time_ms: i64, scores: &mut [f32]) -> bool;

    /// Learns an event.
    fn learn(&mut self, event: &Event);
}

/// Which events say what a good list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relevant {
    /// Every one.
    All,
    /// Those that count as choices ([`crate::ranking::positive`]).
    Positives,
}

/// Items that are set apart, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct ItemSet(Vec<u64>);

impl ItemSet {
    pub(crate) fn contains(&self, item: u32) -> bool {
        self.0.get(item as usize / 64).is_some_and(|word| word >> (item % 64) & 1 == 1)
    }

    /// Puts an item in; whether it was new.
    pub(crate) fn insert(&mut self, item: u32) -> bool {
        let (word, bit) = (item as usize / 64, 1 << (item % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }
}
