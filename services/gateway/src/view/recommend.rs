//! What the recommender's rows say about users and items.

use weir_learn::seen::{Ring, chunk_items, chunk_key};
use weir_learn::top_k::TopK;
use weir_learn::{GlobalMean, mf, popularity, ranking};
use weir_models::recommender::{ACTIVITY, ITEMS, MEAN, MEAN_KEY, RowParts, SEEN, SEEN_HEADS, USERS};
use weir_ps::words;

use super::View;
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

/// Keys of the items that a user has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Vec<u64>);

impl Seen {
    fn of(view: &View, ring: Ring, user: u64) -> Self {
        let appends = view.row(SEEN_HEADS, user).map_or(0, |head| words::u64_at(head, 0));
        let chunks = (0..ring.chunks_in_use(appends)).filter_map(|number| view.row(SEEN, chunk_key(user, number)));
        let mut keys: Vec<u64> = chunks.filter_map(|chunk| chunk.as_array()).flat_map(chunk_items).collect();
        keys.sort_unstable();
        Self(keys)
    }

    pub(super) fn contains(&self, item: u64) -> bool {
        self.0.binary_search(&item).is_ok()
    }
}

impl View {
    /// The best `k` items for a user, best first, without those that the user has seen; equal scores are ordered by
    /// key. A user who has chosen nothing yet gets what is popular at `now_ms`.
    pub(crate) fn recommend(&self, taste: Taste, user: u64, k: usize, now_ms: i64) -> (Source, Vec<Recommendation>) {
        let seen = Seen::of(self, taste.ring, user);
        let row = self.row(USERS, user).map(|row| taste.parts.user_ranking(row)).filter(|row| ranking::is_known(row));
        if let Some(row) = row {
            return (Source::Personal, self.personal(taste.parts, row, &seen, k));
        }
        let now_hours = popularity::hours(now_ms, now_ms);
        (Source::Popular, popular(self, taste.half_life_hours, &seen, k, now_hours))
    }

    fn personal(&self, parts: RowParts, user_row: &[f32], seen: &Seen, k: usize) -> Vec<Recommendation> {
        let Some(items) = self.table(ITEMS) else { return Vec::new() };
        let mut top = TopK::new(k);
        for slot in (0..items.slots()).filter(|slot| items.occupied(*slot)) {
            let score = ranking::score(user_row, parts.item_ranking(items.row(slot)));
            let key = items.key(slot);
            // The dear tests come last: few rows get that far.
            if top.would_take(key, score) && items.name(slot).is_some() && !seen.contains(key) {
                top.offer(key, score);
            }
        }
        let named = |chosen: &weir_learn::top_k::Scored| {
            Some(Recommendation { item: self.name(ITEMS, chosen.key)?.to_owned(), score: chosen.score })
        };
        top.into_sorted().iter().filter_map(named).collect()
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
