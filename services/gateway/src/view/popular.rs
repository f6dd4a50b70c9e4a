//! What is popular, for users of whom nothing is known.

use weir_learn::top_k::Scored;
use weir_learn::{blend, item_events, popularity};
use weir_models::recommender::{ITEMS, POPULARITY};

use super::View;
use super::choice::{Allowed, Choice};
use super::orders::Orders;
use super::recommend::Taste;

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
