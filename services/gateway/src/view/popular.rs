//! What is popular, for users of whom nothing is known and for those who ask for it.

use weir_learn::top_k::{Scored, TopK};
use weir_learn::{blend, item_events, popularity};
use weir_models::recommender::{ITEMS, POPULARITY};

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
    let scored = |key| {
        let row = item_events::popular(view.row(POPULARITY, key)?, WINDOW);
        // A row may be of a moment after this process's clock.
        let score = popularity::at(row, now_hours.max(row[popularity::HOURS]), taste.half_lives_hours[WINDOW]);
        Some(Scored { key, score })
    };
    let wanted = |key: &u64| allowed.contains(*key) && view.name(ITEMS, *key).is_some();
    orders.most_popular().filter(wanted).skip(choice.offset).take(choice.k).filter_map(scored).collect()
}

impl View {
    /// The most popular items of a choice by any window, best first, equal ones by their keys, as they are at the moment. It reads the rows of
    /// all items, but for the longest window, by which items are in order.
    pub(crate) fn most_popular(&self, taste: Taste, window: usize, choice: &Choice, moment: Moment<'_>) -> Vec<Scored> {
        let allowed = choice.allowed_but(Keys::default(), moment);
        let now_hours = popularity::hours(moment.now_ms, moment.now_ms);
        match (&self.orders, self.table(POPULARITY)) {
            (Some(orders), Some(_)) if window == WINDOW => popular(self, orders, taste, choice, &allowed, now_hours),
            (Some(_), Some(rows)) => {
                let half_life = taste.half_lives_hours[window];
                let mut top = TopK::new(choice.reach());
                for (key, _, row) in rows.iter() {
                    let row = item_events::popular(row, window);
                    let score = popularity::at(row, now_hours.max(row[popularity::HOURS]), half_life);
                    if score > 0.0
                        && top.would_take(key, score)
                        && allowed.contains(key)
                        && self.name(ITEMS, key).is_some()
                    {
                        top.offer(key, score);
                    }
                }
                top.into_sorted().into_iter().skip(choice.offset).collect()
            }
            _ => Vec::new(),
        }
    }
}
