//! What is kept of an item's events: how popular it is by several half-lives, how many events there were, the first and the last.
//!
//! A row has 12 words of 32 bits: `[hours, sum, sum, sum]` as `f32` ([`popularity`], one time for all windows), how often the item was counted
//! as one of a pair by its own events (`f32`), a word that is 0, and as `u64`, low word first, the number of events, the time of the first and
//! of the last in ms since 1970. Rows of one item, and a row and a change to it, are put together in any order.

use crate::{blend, popularity};

/// Words of a row.
pub const WIDTH: usize = 12;

/// Half-lives in hours, by window.
pub type HalfLives = [f32; blend::WINDOWS];

const SUMS: usize = 1;
const PAIRED: usize = 4;
const EVENTS: usize = 6;
const FIRST: usize = 8;
const LAST: usize = 10;

/// What one or several events add.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ItemEvent {
    /// Hours since 2000, no later than is believed of it.
    pub hours: f32,
    /// As how many events it counts for popularity.
    pub weight: f32,
    /// The weight of the pairs that it was counted in.
    pub paired: f32,
    /// Its time in ms since 1970.
    pub time_ms: u64,
}

impl ItemEvent {
    /// As a row.
    #[must_use]
    pub fn to_words(self) -> [u32; WIDTH] {
        let mut row = [0; WIDTH];
        row[0] = self.hours.to_bits();
        row[SUMS..PAIRED].fill(self.weight.to_bits());
        row[PAIRED] = self.paired.to_bits();
        set(&mut row, EVENTS, 1);
        set(&mut row, FIRST, self.time_ms);
        set(&mut row, LAST, self.time_ms);
        row
    }
}

/// Adds `delta` to `row`.
pub fn merge(row: &mut [u32], delta: &[u32], half_lives: &HalfLives) {
    let (Some(row), Some(delta)) = (row.as_mut_array::<WIDTH>(), delta.as_array::<WIDTH>()) else { return };
    let mut hours = f32::from_bits(row[0]);
    for (window, half_life) in half_lives.iter().enumerate() {
        let mut sum = popular(row, window);
        popularity::merge(&mut sum, popular(delta, window), *half_life);
        hours = sum[popularity::HOURS];
        row[SUMS + window] = sum[popularity::SUM].to_bits();
    }
    row[0] = hours.to_bits();
    row[PAIRED] = (f32::from_bits(row[PAIRED]) + f32::from_bits(delta[PAIRED])).to_bits();
    let first = [get(row, FIRST), get(delta, FIRST)].into_iter().filter(|time| *time != 0).min();
    set(row, EVENTS, get(row, EVENTS).wrapping_add(get(delta, EVENTS)));
    set(row, FIRST, first.unwrap_or(0));
    set(row, LAST, get(row, LAST).max(get(delta, LAST)));
}

/// How popular the item is in a window, as a row of [`popularity`].
#[must_use]
pub fn popular(row: &[u32], window: usize) -> [f32; popularity::WIDTH] {
    let value = |place: usize| f32::from_bits(row.get(place).copied().unwrap_or(0));
    [value(0), value(SUMS + window)]
}

/// About the total of the item's neighbours ([`crate::neighbours::total`]): each pair has two items, and each item is as often the later as
/// the earlier one.
#[must_use]
pub fn paired(row: &[u32]) -> f32 {
    2.0 * f32::from_bits(row.get(PAIRED).copied().unwrap_or(0))
}

/// Number of events.
#[must_use]
pub fn events(row: &[u32]) -> u64 {
    get(row, EVENTS)
}

/// Time of the first event in ms since 1970.
#[must_use]
pub fn first(row: &[u32]) -> u64 {
    get(row, FIRST)
}

/// Time of the last event in ms since 1970.
#[must_use]
pub fn last(row: &[u32]) -> u64 {
    get(row, LAST)
}

/// The parts of a blend that popularity makes, at a time.
#[must_use]
pub fn parts(row: &[u32], hours: f32, half_lives: &HalfLives) -> [f32; blend::WINDOWS] {
    std::array::from_fn(|window| blend::of_count(popularity::at(popular(row, window), hours, half_lives[window])))
}

fn get(row: &[u32], place: usize) -> u64 {
    row.get(place..place + 2).map_or(0, |pair| u64::from(pair[0]) | u64::from(pair[1]) << 32)
}

fn set(row: &mut [u32; WIDTH], place: usize, value: u64) {
    (row[place], row[place + 1]) = (value as u32, (value >> 32) as u32);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HALF_LIVES: HalfLives = [24.0, 48.0, 96.0];

    fn merged(events: &[ItemEvent]) -> [u32; WIDTH] {
        let mut row = [0; WIDTH];
        for event in events {
            merge(&mut row, &event.to_words(), &HALF_LIVES);
        }
        row
    }

    #[test]
    fn events_add_up_in_each_window() {
        let event = |hours, weight, time_ms| ItemEvent { hours, weight, paired: 1.5, time_ms };
        let row = merged(&[event(100.0, 4.0, 5 << 32), event(148.0, 1.0, 7 << 32)]);
        assert_eq!(popular(&row, 0), [148.0, 2.0]);
        assert_eq!(popular(&row, 1), [148.0, 3.0]);
        assert_eq!((paired(&row), events(&row), first(&row), last(&row)), (6.0, 2, 5 << 32, 7 << 32));
        let parts = parts(&row, 196.0, &HALF_LIVES);
        assert_eq!(parts[..2], [blend::of_count(0.5), blend::of_count(1.5)]);
        assert_eq!((popular(&[], 0), events(&[])), ([0.0, 0.0], 0));
    }

    proptest! {
        #[test]
        fn any_order_and_grouping_is_the_same_and_zero_changes_nothing(
            list in prop::collection::vec((200_000_u32..200_500, 1_u32..9, 1_u64..1_000), 1..12), cut in 0_usize..12,
        ) {
            let event = |&(hours, weight, time_ms): &(u32, u32, u64)| {
                ItemEvent { hours: hours as f32, weight: weight as f32, paired: weight as f32, time_ms }
            };
            let events: Vec<ItemEvent> = list.iter().map(event).collect();
            let (left, right) = events.split_at(cut.min(events.len()));
            let (mut grouped, plain) = (merged(right), merged(&events));
            merge(&mut grouped, &merged(left), &HALF_LIVES);
            merge(&mut grouped, &[0; WIDTH], &HALF_LIVES);
            prop_assert_eq!(&grouped[PAIRED..], &plain[PAIRED..]);
            for window in 0..blend::WINDOWS {
                let ([hours, sum], [plain_hours, plain_sum]) = (popular(&grouped, window), popular(&plain, window));
                prop_assert_eq!(hours, plain_hours);
                prop_assert!((sum - plain_sum).abs() <= 1e-3 * plain_sum);
            }
        }
    }
}
