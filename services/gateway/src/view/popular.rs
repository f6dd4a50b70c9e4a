//! What is popular, for users of whom nothing is known and for those who ask for it.

use weir_learn::top_k::Scored;
use weir_learn::{blend, item_events, popularity};
use weir_models::recommender::{ITEMS, POPULARITY};
use weir_ps::RowTable;

use super::View;
use super::choice::{Allowed, Choice, Keys};
use super::orders::Orders;
use super::recommend::Taste;
use crate::catalogue::Moment;

/// By which window what is popular is listed: the longest.
pub(super) const WINDOW: usize = blend::WINDOWS - 1;

/// The most popular items of a choice, best first, equal ones by their keys; scores are the decayed sums as they are at `now_hours`.
/// Items whose id is not known yet are left out.
pub(super) fn popular(
    view: &View,
    orders: &Orders,
    taste: Taste,
    choice: &Choice,
    allowed: &Allowed<'_>,
    now_hours: f32,
) -> Vec<Scored> {
    view.listed(orders.most_popular(), (WINDOW, taste.half_lives_hours[WINDOW]), choice, allowed, now_hours)
}

impl View {
    /// The most popular items of a choice by any window, best first, equal ones by their keys, as they are at the moment. Items are kept in the
    /// order of the longest window; for another one it sorts all of them.
    pub(crate) fn most_popular(&self, taste: Taste, window: usize, choice: &Choice, moment: Moment<'_>) -> Vec<Scored> {
        let allowed = choice.allowed_but(Keys::default(), moment);
        let now_hours = popularity::hours(moment.now_ms, moment.now_ms);
        let Some(orders) = &self.orders else { return Vec::new() };
        if window == WINDOW {
            return popular(self, orders, taste, choice, &allowed, now_hours);
        }
        let half_life = taste.half_lives_hours[window];
        // By what no sum is too small for: after a few hundred half-lives the sums themselves are 0.
        let place = |(key, _, row): (u64, _, &[u32])| {
            let order = popularity::order(item_events::popular(row, window), half_life);
            (order > f64::NEG_INFINITY).then_some((order, key))
        };
        let rows = self.table(POPULARITY).into_iter().flat_map(RowTable::iter);
        let mut places: Vec<(f64, u64)> = rows.filter_map(place).collect();
        places.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        let keys = places.into_iter().map(|(_, key)| key);
        self.listed(keys, (window, half_life), choice, &allowed, now_hours)
    }

    /// A choice of items that are in order, with their decayed sums.
    fn listed(
        &self,
        keys: impl Iterator<Item = u64>,
        (window, half_life): (usize, f32),
        choice: &Choice,
        allowed: &Allowed<'_>,
        now_hours: f32,
    ) -> Vec<Scored> {
        let scored = |key| {
            let row = item_events::popular(self.row(POPULARITY, key)?, window);
            // A row may be of a moment after this process's clock.
            let score = popularity::at(row, now_hours.max(row[popularity::HOURS]), half_life);
            Some(Scored { key, score })
        };
        let wanted = |key: &u64| allowed.contains(*key) && self.name(ITEMS, *key).is_some();
        keys.filter(wanted).skip(choice.offset).take(choice.k).filter_map(scored).collect()
    }
}
