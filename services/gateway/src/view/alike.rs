//! Which items and users are alike, and what is known of an item.

use weir_learn::ranking::{ITEM_FACTORS, USER_FACTORS};
use weir_learn::top_k::{Scored, TopK};
use weir_learn::{item_events, mf, popularity};
use weir_models::recommender::{ITEMS, POPULARITY, USERS};

use super::View;
use super::popular::WINDOW;
use super::recommend::Taste;

/// What the model knows of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct KnownItem {
    /// Ratings that were learned, by their weights.
    pub(crate) ratings: f32,
    /// Events, each counted as much as is left of it.
    pub(crate) popularity: f32,
    /// Events.
    pub(crate) events: u64,
    /// Time of the first one in milliseconds since 1970.
    pub(crate) first_event: Option<u64>,
    /// Time of the last one, likewise.
    pub(crate) last_event: Option<u64>,
}

impl View {
    /// What is known of an item at `now_ms`; none of whom there is no event.
    pub(crate) fn known_item(&self, taste: Taste, item: u64, now_ms: i64) -> Option<KnownItem> {
        self.name(ITEMS, item)?;
        let ratings = taste.parts.ratings(self.row(ITEMS, item)?)[mf::COUNT];
        let events = self.row(POPULARITY, item).unwrap_or_default();
        let time = |time: u64| Some(time).filter(|time| *time > 0);
        let row = item_events::popular(events, WINDOW);
        let hours = popularity::hours(now_ms, now_ms).max(row[popularity::HOURS]);
        Some(KnownItem {
            ratings,
            popularity: popularity::at(row, hours, taste.half_lives_hours[WINDOW]),
            events: item_events::events(events),
            first_event: time(item_events::first(events)),
            last_event: time(item_events::last(events)),
        })
    }

    /// The `k` items whose factors in the model that ranks point most nearly the same way as this one's: the cosine, exactly, over
    /// all items that may be shown; equal ones by key. None where nothing is known of the item.
    pub(crate) fn similar_items(
        &self,
        taste: Taste,
        item: u64,
        k: usize,
        shows: impl Fn(u64) -> bool,
    ) -> Option<Vec<Scored>> {
        self.similar(ITEMS, item, k, shows, |row| &taste.parts.item_ranking(row)[ITEM_FACTORS..])
    }

    /// The same of users.
    pub(crate) fn similar_users(&self, taste: Taste, user: u64, k: usize) -> Option<Vec<Scored>> {
        self.similar(USERS, user, k, |_| true, |row| &taste.parts.user_ranking(row)[USER_FACTORS..])
    }

    fn similar(
        &self,
        table: u8,
        key: u64,
        k: usize,
        takes: impl Fn(u64) -> bool,
        factors: impl Fn(&[u32]) -> &[f32],
    ) -> Option<Vec<Scored>> {
        self.name(table, key)?;
        let own = factors(self.row(table, key)?);
        let mut top = TopK::new(k);
        for (other, name, row) in self.table(table)?.iter() {
            if other == key || name.is_none() {
                continue;
            }
            // The catalogue is asked for those only that would be in the list.
            let score = cosine(own, factors(row));
            if top.would_take(other, score) && takes(other) {
                top.offer(other, score);
            }
        }
        Some(top.into_sorted())
    }

    /// Users by their ids with their scores.
    pub(crate) fn named_users(&self, scored: &[Scored]) -> Vec<(String, f32)> {
        let named = |scored: &Scored| Some((self.name(USERS, scored.key)?.to_owned(), scored.score));
        scored.iter().filter_map(named).collect()
    }
}

/// The cosine of the angle between two vectors; not a number, which no list takes, where one of them is 0.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let products = one.iter().zip(other).fold([0.0_f32; 3], |[both, ones, others], (one, other)| {
        [both + one * other, ones + one * one, others + other * other]
    });
    products[0] / (products[1] * products[2]).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_are_of_directions_alone() {
        assert_eq!(cosine(&[1.0, 0.0], &[5.0, 0.0]).to_bits(), 1.0_f32.to_bits());
        assert_eq!(cosine(&[3.0, 4.0], &[-4.0, 3.0]).to_bits(), 0.0_f32.to_bits());
        assert_eq!(cosine(&[3.0, 4.0], &[-3.0, -4.0]).to_bits(), (-1.0_f32).to_bits());
        assert!(cosine(&[0.0, 0.0], &[1.0, 0.0]).is_nan());
    }
}
