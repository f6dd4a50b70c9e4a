//! What is popular, for users of whom nothing is known.

use weir_learn::popularity;
use weir_learn::top_k::Scored;
use weir_models::recommender::{ITEMS, POPULARITY};
use weir_ps::words;

use super::View;
use super::choice::{Allowed, Choice};
use super::orders::Orders;

/// The most popular items of a choice, best first, equal ones by their keys; scores are the decayed sums as they are at `now_hours`.
/// Items whose id is not known yet are left out.
pub(super) fn popular(
    view: &View,
    orders: &Orders,
    half_life_hours: f32,
    choice: &Choice,
    allowed: &Allowed<'_>,
    now_hours: f32,
) -> Vec<Scored> {
    let scored = |key| {
        let row: [f32; popularity::WIDTH] = *words::f32s(view.row(POPULARITY, key)?).as_array()?;
        // A row may be of a moment after this process's clock.
        let score = popularity::at(row, now_hours.max(row[popularity::HOURS]), half_life_hours);
        Some(Scored { key, score })
    };
    let wanted = |key: &u64| allowed.contains(*key) && view.name(ITEMS, *key).is_some();
    orders.most_popular().filter(wanted).skip(choice.offset).take(choice.k).filter_map(scored).collect()
}
