//! Which items users turn to after an item: for each item a bounded list of others, with how often they came within the next few
//! events of the same user. Counted as events come, in both the order and the company of what a user does.
//!
//! A row is `[total, slots × (key low, key high, weight)]`: words of 32 bits, of which `total` and the weights are `f32`. Key 0 marks a free
//! slot. `total` is the weight of all that was ever counted, in a slot or not. When all slots are taken, a newcomer takes the place of the
//! lightest with a probability of its share of both their weights, and takes its weight over: so the weights stay unbiased estimates, and
//! a row of few slots keeps the heaviest of many thousand. The probability is drawn from the row and the key, so that the same changes in
//! the same order make the same row.
//!
//! An item's list lies in chunks, each a row of its own that begins with the item's key ([`chunk_key`], [`CHUNK_WIDTH`]), so that one more
//! pair rewrites little. A neighbour belongs to the chunk that its key says ([`chunk_of`]), and newcomers compete within it.
//!
//! Sources: Ben Basat, Einziger, Friedman, Kassner, "Randomized Admission Policy for Efficient Top-k and Frequency Estimation", INFOCOM
//! 2017; Sarwar, Karypis, Konstan, Riedl, "Item-Based Collaborative Filtering Recommendation Algorithms", WWW 2001.

use crate::error::{Error, in_range};
use crate::noise::mix;

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// Neighbours that an item has at most, 16 to 1024, rounded up to a multiple of 16.
    pub slots: usize,
    /// With how many of the user's last items an event is counted as a pair, 0 to 64; with 0 nothing is counted.
    pub pairs: usize,
    /// The user's last items that a worker knows, in order; 1 to 64 and no fewer than `pairs`.
    pub history: usize,
    /// What is added to totals before they are compared, 0 to 1e6.
    pub damping: f32,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self { slots: 128, pairs: 2, history: 4, damping: 20.0 }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("neighbours.slots", values.slots as f64, CHUNK_SLOTS as f64, 1024.0)?;
    in_range("neighbours.pairs", values.pairs as f64, 0.0, 64.0)?;
    in_range("neighbours.history", values.history as f64, values.pairs.max(1) as f64, 64.0)?;
    in_range("neighbours.damping", values.damping.into(), 0.0, 1e6)?;
    Ok(())
}

/// Where a row has the weight of all that was counted.
pub const TOTAL: usize = 0;
/// So many of a user's items speak for others when lists are made, the last ones first: on `MovieLens` 100K lists of all that a user
/// had are twice as good as those of the last sixteen.
pub const COMPANY: usize = 256;
/// Words of a slot.
pub const SLOT_WORDS: usize = 3;

/// Slots of a chunk.
pub const CHUNK_SLOTS: usize = 16;
/// Words of a chunk's row: the item's key, then a row of [`CHUNK_SLOTS`] slots.
pub const CHUNK_WIDTH: usize = 2 + width(CHUNK_SLOTS);

impl Settings {
    /// Chunks that an item has at most.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        self.0.slots.div_ceil(CHUNK_SLOTS) as u32
    }
}

/// Number of the chunk, of so many, that has a neighbour.
#[must_use]
pub fn chunk_of(neighbour: u64, chunks: u32) -> u32 {
    // Keys are spread already, but shards take their lowest or highest bits.
    (mix(neighbour) % u64::from(chunks.max(1))) as u32
}

/// Key of the row that has chunk `number` of an item. Never 0.
#[must_use]
pub fn chunk_key(item: u64, number: u32) -> u64 {
    mix(mix(item).wrapping_add(u64::from(number)).wrapping_add(1)).max(1)
}

/// The item that a chunk belongs to, and its row; none of a row that is empty.
#[must_use]
pub fn chunk(words: &[u32]) -> Option<(u64, &[u32])> {
    let ([low, high], row) = words.split_first_chunk()?;
    let item = u64::from(*low) | u64::from(*high) << 32;
    (item != 0).then_some((item, row))
}

/// Counts a neighbour of `item` in the words of the chunk that it belongs to.
pub fn count_in_chunk(words: &mut [u32], item: u64, neighbour: Neighbour) {
    if let Some((key, row)) = words.split_first_chunk_mut() {
        *key = [item as u32, (item >> 32) as u32];
        count(row, neighbour);
    }
}

/// Words of a row of so many slots.
#[must_use]
pub const fn width(slots: usize) -> usize {
    1 + SLOT_WORDS * slots
}

/// One item of a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its key, never 0.
    pub item: u64,
    /// How often it came, as far as is known.
    pub weight: f32,
}

impl Neighbour {
    /// From a slot of a row.
    #[must_use]
    pub fn from_words(slot: &[u32; SLOT_WORDS]) -> Self {
        Self { item: u64::from(slot[0]) | u64::from(slot[1]) << 32, weight: f32::from_bits(slot[2]) }
    }

    /// As a slot of a row.
    #[must_use]
    pub fn to_words(self) -> [u32; SLOT_WORDS] {
        [self.item as u32, (self.item >> 32) as u32, self.weight.to_bits()]
    }
}

/// The weight of all that was counted of this row.
#[must_use]
pub fn total(row: &[u32]) -> f32 {
    row.first().map_or(0.0, |total| f32::from_bits(*total))
}

/// The neighbours in a row, in any order.
pub fn neighbours(row: &[u32]) -> impl Iterator<Item = Neighbour> + '_ {
    let slots = row.get(1..).unwrap_or_default().as_chunks::<SLOT_WORDS>().0;
    slots.iter().map(Neighbour::from_words).filter(|neighbour| neighbour.item != 0)
}

/// Counts `item` as a neighbour once more, with a weight above 0. Key 0 is no item.
pub fn count(row: &mut [u32], Neighbour { item, weight }: Neighbour) {
    let Some((head, slots)) = row.split_first_mut().filter(|_| item != 0) else { return };
    let total = f32::from_bits(*head) + weight;
    *head = total.to_bits();
    let slots = slots.as_chunks_mut::<SLOT_WORDS>().0;
    let key = [item as u32, (item >> 32) as u32];
    let (mut lightest, mut least) = (0, f32::INFINITY);
    for (place, slot) in slots.iter_mut().enumerate() {
        let own = f32::from_bits(slot[2]);
        if slot[..2] == key {
            slot[2] = (own + weight).to_bits();
            return;
        }
        // A free slot is the lightest: its weight is 0.
        if own < least {
            (lightest, least) = (place, own);
        }
    }
    let Some(slot) = slots.get_mut(lightest) else { return };
    let sum = least + weight;
    let random = mix(item ^ u64::from(total.to_bits()).rotate_left(32)) >> 40;
    if random as f32 * (least + weight) < weight * (1_u32 << 24) as f32 {
        *slot = Neighbour { item, weight: sum }.to_words();
    }
}

/// How strongly two items belong together: `weight` / ((total of the one + damping)^½ · (total of the other + damping)^½), the cosine
/// of their users where everything is known. The damping keeps two items that were seen once from being the closest of all.
#[must_use]
pub fn affinity(weight: f32, total: f32, other_total: f32, damping: f32) -> f32 {
    weight / ((total + damping) * (other_total + damping)).sqrt()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn counted(slots: usize, items: impl IntoIterator<Item = u64>) -> Vec<u32> {
        let mut row = vec![0; width(slots)];
        items.into_iter().for_each(|item| count(&mut row, Neighbour { item, weight: 1.0 }));
        row
    }

    fn found(row: &[u32]) -> HashMap<u64, f32> {
        neighbours(row).map(|neighbour| (neighbour.item, neighbour.weight)).collect()
    }

    #[test]
    fn few_neighbours_are_counted_exactly() {
        let row = counted(3, [7, 1 << 40, 7, 9, 0, 7]);
        assert_eq!(found(&row), [(7, 3.0), (1 << 40, 1.0), (9, 1.0)].into());
        assert_eq!(total(&row), 5.0, "an item 0 is none");
        assert_eq!(row[1..4], [7, 0, 3.0_f32.to_bits()]);
        assert_eq!((neighbours(&[]).count(), total(&[])), (0, 0.0));
    }

    #[test]
    fn the_heaviest_of_many_are_kept_and_their_weights_are_about_right() {
        // Eight items come a hundred times each among ten thousand that come once.
        let items = (0..10_800_u64).map(|event| if event % 27 < 2 { 1 + event % 8 } else { 1_000 + event });
        let row = counted(32, items);
        let found = found(&row);
        let often: Vec<f32> = (1..=8).map(|item| found.get(&item).copied().unwrap_or_default()).collect();
        assert!(often.iter().all(|weight| (60.0..180.0).contains(weight)), "{often:?}");
        assert_eq!(found.len(), 32);
        assert_eq!(total(&row), 10_800.0);
    }

    #[test]
    fn affinity_is_a_damped_cosine() {
        assert_eq!(affinity(6.0, 4.0, 9.0, 0.0), 1.0);
        assert_eq!(affinity(1.0, 0.0, 0.0, 10.0), 0.1);
    }

    #[test]
    fn chunks_say_whose_they_are_and_divide_neighbours_among_them() {
        let mut words = vec![0; CHUNK_WIDTH];
        assert_eq!(chunk(&words), None);
        count_in_chunk(&mut words, 7 << 33, Neighbour { item: 9, weight: 2.0 });
        let (item, row) = chunk(&words).unwrap();
        assert_eq!((item, total(row), found(row)), (7 << 33, 2.0, [(9, 2.0)].into()));
        assert_eq!((chunk(&[1]), width(CHUNK_SLOTS) + 2), (None, CHUNK_WIDTH));
        let counts = (1..=8_000_u64).fold([0; 8], |mut counts, key| {
            counts[chunk_of(key, 8) as usize] += 1;
            counts
        });
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
        assert_eq!((chunk_of(5, 1), chunk_of(5, 0)), (0, 0));
        let keys: std::collections::HashSet<u64> =
            (1..2_000).flat_map(|item| (0..8).map(move |number| chunk_key(item, number))).collect();
        assert_eq!(keys.len(), 1_999 * 8);
        // Stored rows are found by these for ever.
        assert_eq!(chunk_key(1, 0), crate::seen::chunk_key(1, 0));
        let values = HyperParameters { slots: 100, ..HyperParameters::default() };
        assert_eq!(Settings::try_from(values).unwrap().chunks(), 7);
    }

    proptest! {
        #[test]
        fn no_more_is_known_than_was_counted_and_the_same_changes_make_the_same_row(
            items in prop::collection::vec(1_u64..40, 0..300), slots in 0_usize..20,
        ) {
            let row = counted(slots, items.iter().copied());
            let found = found(&row);
            let distinct: std::collections::HashSet<_> = items.iter().collect();
            prop_assert_eq!(found.len(), slots.min(distinct.len()));
            prop_assert_eq!(total(&row), items.len() as f32);
            prop_assert!(found.values().sum::<f32>() <= items.len() as f32 + 1e-3);
            prop_assert_eq!(&row, &counted(slots, items.iter().copied()));
            if distinct.len() <= slots {
                for (item, weight) in found {
                    prop_assert_eq!(items.iter().filter(|other| **other == item).count() as f32, weight);
                }
            }
        }
    }
}
