//! What the recommender's rows say about users and items.

use weir_learn::seen::Ring;
use weir_learn::top_k::{Scored, TopK};
use weir_learn::{GlobalMean, mf, popularity, ranking};
use weir_models::recommender::{ACTIVITY, ITEMS, MEAN, MEAN_KEY, RowParts, USERS};
use weir_ps::words;

use super::View;
use super::choice::{Allowed, Choice};
use super::orders::Orders;
use super::popular::popular;

/// What reading the recommender's rows depends on besides the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taste {
    /// Hours after which an event counts half for popularity.
    pub(crate) half_life_hours: f32,
    /// The ring of items that a user has seen.
    pub(crate) ring: Ring,
    /// Where rows of users and items have what.
    pub(crate) parts: RowParts,
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Recommendation {
    /// The item's id.
    pub(crate) item: String,
    /// How high the item stands for the user, or how popular it is now.
    pub(crate) score: f32,
}

/// What a list is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// What the user has chosen.
    Personal,
    /// What everybody does.
    Popular,
}

/// What a user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Number of events.
    pub(crate) events: u64,
    /// Time of the last one in milliseconds since 1970.
    pub(crate) last_event: u64,
}

impl View {
    /// The items of `choice` that are best for a user, best first; equal scores are ordered by key. A user who has chosen nothing yet gets
    /// what is popular at `now_ms`.
    pub(crate) fn recommend(&self, taste: Taste, user: u64, choice: &Choice, now_ms: i64) -> (Source, Vec<Scored>) {
        let allowed = choice.allowed(self, taste.ring, user);
        let row = self.row(USERS, user).map(|row| taste.parts.user_ranking(row)).filter(|row| ranking::is_known(row));
        let source = if row.is_some() { Source::Personal } else { Source::Popular };
        let Some(orders) = &self.orders else { return (source, Vec::new()) };
        let scored = if let Some(row) = row {
            personal(orders, row, choice, &allowed)
        } else {
            let now_hours = popularity::hours(now_ms, now_ms);
            popular(self, orders, taste.half_life_hours, choice, &allowed, now_hours)
        };
        (source, scored)
    }

    /// Items by their ids; those that are no more are left out.
    pub(crate) fn named(&self, scored: &[Scored]) -> Vec<Recommendation> {
        let named = |scored: &Scored| {
            Some(Recommendation { item: self.name(ITEMS, scored.key)?.to_owned(), score: scored.score })
        };
        scored.iter().filter_map(named).collect()
    }

    /// The predicted ratings of pairs of user and item. Whoever is not known has the row that everyone begins with.
    pub(crate) fn predict(&self, parts: RowParts, pairs: &[(u64, u64)]) -> Vec<f32> {
        let mean = self.mean();
        let (mut user_row, mut item_row) = (Vec::new(), Vec::new());
        let mut predict = |(user, item): &(u64, u64)| {
            user_row.clear();
            item_row.clear();
            self.rows.read(USERS, *user, &mut user_row);
            self.rows.read(ITEMS, *item, &mut item_row);
            mf::predict(mean, parts.ratings(&user_row), parts.ratings(&item_row))
        };
        pairs.iter().map(&mut predict).collect()
    }

    /// What a user did; none of whom there is no event.
    pub(crate) fn activity(&self, user: u64) -> Option<Activity> {
        let row = self.row(ACTIVITY, user)?;
        let activity = Activity { events: words::u64_at(row, 0), last_event: words::u64_at(row, 1) };
        (activity.events > 0).then_some(activity)
    }

    fn mean(&self) -> f32 {
        let row = self.row(MEAN, MEAN_KEY).and_then(|row| row.as_array());
        row.map_or(0.0, |row| GlobalMean::from_words(*row).mean())
    }
}

/// The items of a choice that rank highest for the user of this row.
pub(super) fn personal(orders: &Orders, user_row: &[f32], choice: &Choice, allowed: &Allowed<'_>) -> Vec<Scored> {
    let Some((index, query)) = orders.ranked(user_row) else { return Vec::new() };
    let mut top = TopK::new(choice.reach());
    // A few items are looked up rather than looked for.
    if let Some(only) = &choice.only {
        for key in only.iter().filter(|key| allowed.contains(*key)) {
            index.score(query, key).into_iter().for_each(|score| top.offer(key, score));
        }
    } else {
        index.offer(query, &mut top, |key| allowed.contains(key));
    }
    top.into_sorted().into_iter().skip(choice.offset).collect()
}
