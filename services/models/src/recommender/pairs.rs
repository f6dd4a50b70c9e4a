//! Pairs of items that a user turned to one after the other, and the last items that they are made with.

use weir_learn::history;
use weir_learn::neighbours::{self, Neighbour};
use weir_ps::{Workspace, words};

use super::{LAST_ITEMS, PAIRS, RecommenderEvent, RecommenderSettings};

/// Words before the places of a row of [`LAST_ITEMS`]: the hours since 2000 of the last event, as `f32`.
const HEAD: usize = 1;

/// A row of [`LAST_ITEMS`].
#[derive(Clone, Copy, Debug)]
pub struct LastItems<'a>(&'a [u32]);

impl<'a> LastItems<'a> {
    /// Words of a row for so many items.
    #[must_use]
    pub const fn width(items: usize) -> usize {
        HEAD + 2 * items
    }

    /// Of a row.
    #[must_use]
    pub fn new(row: &'a [u32]) -> Self {
        Self(row)
    }

    /// The items, the last one first ([`history`]).
    pub fn items(self) -> impl Iterator<Item = u64> + 'a {
        history::items(self.0.get(HEAD..).unwrap_or_default())
    }

    /// When the last event was, in hours since 2000; none where there was none.
    #[must_use]
    pub fn hours(self) -> Option<f32> {
        self.items().next()?;
        Some(f32::from_bits(*self.0.first()?))
    }
}

/// What is pushed to [`PAIRS`] under the key of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Whose list the chunk is of.
    pub item: u64,
    /// Which other item came, and as how often it counts.
    pub neighbour: Neighbour,
}

impl Pair {
    /// Words of a pair.
    pub const WIDTH: usize = 5;

    pub(super) fn to_words(self) -> [u32; Self::WIDTH] {
        let ([low, high], [other_low, other_high, weight]) = (words::from_u64(self.item), self.neighbour.to_words());
        [low, high, other_low, other_high, weight]
    }

    pub(super) fn from_words([low, high, neighbour @ ..]: &[u32; Self::WIDTH]) -> Self {
        let item = u64::from(*low) | u64::from(*high) << 32;
        Self { item, neighbour: Neighbour::from_words(neighbour) }
    }
}

/// What an event adds to a user's last items and to pairs.
pub(super) struct Turned {
    pub(super) item: u64,
    pub(super) hours: f32,
    pub(super) weight: f32,
}

impl Turned {
    /// Notes the item in the user's row and gives each pair to `pair`, under the key of its chunk; returns the pairs' weight.
    pub(super) fn note(
        &self,
        settings: &neighbours::Settings,
        row: &mut [u32],
        mut pair: impl FnMut(u64, Pair),
    ) -> f32 {
        let Some((hours, places)) = row.split_first_mut() else { return 0.0 };
        let before = history::items(places).next();
        *hours = if before.is_some() { f32::from_bits(*hours).max(self.hours).to_bits() } else { self.hours.to_bits() };
        // The same once more says nothing of what goes together.
        if before == Some(self.item) {
            return 0.0;
        }
        let (chunks, mut weight) = (settings.chunks(), 0.0);
        for other in history::items(places).take(settings.values().pairs).filter(|other| *other != self.item) {
            for (item, other) in [(self.item, other), (other, self.item)] {
                let chunk = neighbours::chunk_key(item, neighbours::chunk_of(other, chunks));
                pair(chunk, Pair { item, neighbour: Neighbour { item: other, weight: self.weight } });
            }
            weight += self.weight;
        }
        history::push(places, self.item);
        weight
    }
}

/// Pushes an event's pairs and returns their weight.
pub(super) fn push_pairs(settings: &RecommenderSettings, event: &RecommenderEvent, work: &mut Workspace) -> f32 {
    let settings = &settings.neighbours;
    if settings.values().pairs == 0 {
        return 0.0;
    }
    let turned = Turned { item: event.item, hours: event.hours, weight: event.weight };
    // Room for the most that settings allow, off the heap.
    let mut pairs = [(0, None); 2 * 64];
    let mut count = 0;
    let weight = turned.note(settings, work.row_mut(LAST_ITEMS, event.last_slot), |chunk, pair| {
        if let Some(place) = pairs.get_mut(count) {
            *place = (chunk, Some(pair));
            count += 1;
        }
    });
    for (chunk, pair) in pairs.iter().take(count).filter_map(|(chunk, pair)| Some((*chunk, (*pair)?))) {
        work.push(PAIRS, chunk, &pair.to_words());
    }
    weight
}

/// Takes an item out of a user's last ones.
pub(super) fn remove(row: &mut [u32], item: u64) {
    if let Some(places) = row.get_mut(HEAD..) {
        history::remove(places, item);
    }
}

/// Hours between a user's last event and this moment; very many where there was none.
pub(super) fn since(last: LastItems<'_>, hours: f32) -> f32 {
    last.hours().map_or(f32::INFINITY, |last| hours - last)
}

#[cfg(test)]
mod tests {
    use weir_learn::popularity;

    use super::*;

    #[test]
    fn each_pair_is_counted_for_both_of_its_items() {
        let settings = neighbours::Settings::default();
        let mut row = vec![0; LastItems::width(4)];
        let mut turn = |item, hours| {
            let mut pairs = Vec::new();
            let weight = Turned { item, hours, weight: 2.0 }.note(&settings, &mut row, |chunk, pair| {
                let number = neighbours::chunk_of(pair.neighbour.item, settings.chunks());
                assert_eq!(chunk, neighbours::chunk_key(pair.item, number));
                assert_eq!(Pair::from_words(&pair.to_words()), pair);
                pairs.push((pair.item, pair.neighbour.item, pair.neighbour.weight));
            });
            (weight, pairs)
        };
        assert_eq!(turn(7, 100.0), (0.0, vec![]));
        assert_eq!(turn(7, 101.0), (0.0, vec![]), "the same again");
        assert_eq!(turn(8, 90.0), (2.0, vec![(8, 7, 2.0), (7, 8, 2.0)]));
        let both = vec![(9, 8, 2.0), (8, 9, 2.0), (9, 7, 2.0), (7, 9, 2.0)];
        assert_eq!(turn(9, 102.0), (4.0, both));
        assert_eq!(turn(8, 103.0).1, [(8, 9, 2.0), (9, 8, 2.0)], "no pair with itself, and only the last two");
        assert_eq!(LastItems::new(&row).items().collect::<Vec<_>>(), [8, 9, 7]);
        assert_eq!((LastItems::new(&row).hours(), since(LastItems::new(&row), 104.0)), (Some(103.0), 1.0));
        remove(&mut row, 9);
        assert_eq!(LastItems::new(&row).items().collect::<Vec<_>>(), [8, 7]);
        let none = LastItems::new(&[]);
        assert_eq!((none.hours(), since(none, 5.0)), (None, f32::INFINITY));
        assert_eq!(popularity::decay(f32::INFINITY, 24.0), 0.0, "so nothing is left of what nobody did");
    }
}
