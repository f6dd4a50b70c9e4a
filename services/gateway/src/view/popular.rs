//! What is popular, for users of whom nothing is known.

use weir_learn::popularity;
use weir_models::recommender::{ITEMS, POPULARITY};
use weir_ps::words;

use super::View;
use super::recommend::{Recommendation, Seen};

/// An item on its way to the list.
struct Candidate {
    /// Orders rows of different times; exact where the decayed sums of old ones would all be 0.
    order: f64,
    key: u64,
    row: [f32; popularity::WIDTH],
}

/// The `k` most popular items that are not in `seen`, best first, equal ones by their keys; scores are the decayed sums
/// as they are at `now_hours`. Items whose id is not known yet are left out.
pub(super) fn popular(view: &View, half_life_hours: f32, seen: &Seen, k: usize, now_hours: f32) -> Vec<Recommendation> {
    let mut candidates = candidates(view, half_life_hours, seen);
    let best_first =
        |left: &Candidate, right: &Candidate| right.order.total_cmp(&left.order).then(left.key.cmp(&right.key));
    if k < candidates.len() {
        candidates.select_nth_unstable_by(k, best_first);
        candidates.truncate(k);
    }
    candidates.sort_unstable_by(best_first);
    let recommendation = |Candidate { key, row, .. }: &Candidate| {
        // A row may be of a moment after this process's clock.
        let score = popularity::at(*row, now_hours.max(row[popularity::HOURS]), half_life_hours);
        Some(Recommendation { item: view.name(ITEMS, *key)?.to_owned(), score })
    };
    candidates.iter().filter_map(recommendation).collect()
}

fn candidates(view: &View, half_life_hours: f32, seen: &Seen) -> Vec<Candidate> {
    let rows = view.table(POPULARITY).into_iter().flat_map(weir_ps::RowTable::iter);
    let candidate = |(key, _, row): (u64, Option<&str>, &[u32])| {
        let row = *words::f32s(row).as_array()?;
        let order = popularity::order(row, half_life_hours);
        let wanted = order > f64::NEG_INFINITY && !seen.contains(key) && view.name(ITEMS, key).is_some();
        wanted.then_some(Candidate { order, key, row })
    };
    rows.filter_map(candidate).collect()
}
