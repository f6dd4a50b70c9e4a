//! The recommender's tables.

use weir_learn::{GlobalMean, mf, popularity, seen};
use weir_ps::{MergeRule, Rule, Schema, TableSpec, words};

use super::{ACTIVITY, ITEMS, MEAN, POPULARITY, RecommenderSettings, SEEN, SEEN_HEADS, USERS};

/// Width of a row of [`SEEN_HEADS`]; as a delta its words are an item's key and an instruction.
pub(super) const SEEN_HEAD_WIDTH: usize = seen::HEAD_WIDTH + 1;

/// What the recommender's rows look like.
pub struct RecommenderSchema {
    tables: [TableSpec; 7],
    factors: mf::Settings,
    seed: u64,
}

impl RecommenderSchema {
    /// The tables under these settings.
    #[must_use]
    pub fn new(settings: &RecommenderSettings) -> Self {
        let half_life_hours = settings.half_life_hours;
        let popularity = MergeRule::new(move |row, delta| merge_popularity(row, delta, half_life_hours));
        let table = |id, name, width, rule| TableSpec { id, name, width, rule, cached: false, named: false };
        let width = settings.factors.width();
        let tables = [
            TableSpec { cached: true, named: true, ..table(USERS, "users", width, Rule::AddF32) },
            TableSpec { named: true, ..table(ITEMS, "items", width, Rule::AddF32) },
            table(MEAN, "mean", GlobalMean::WIDTH, Rule::AddU64),
            table(ACTIVITY, "activity", 4, Rule::Merge(MergeRule::new(merge_activity))),
            table(POPULARITY, "popularity", popularity::WIDTH, Rule::Merge(popularity)),
            table(SEEN_HEADS, "seen_heads", SEEN_HEAD_WIDTH, Rule::Own),
            table(SEEN, "seen", seen::CHUNK_WIDTH, Rule::Own),
        ];
        Self { tables, factors: settings.factors, seed: settings.seed }
    }
}

impl Schema for RecommenderSchema {
    fn tables(&self) -> &[TableSpec] {
        &self.tables
    }

    fn initial(&self, table: u8, key: u64, row: &mut [u32]) {
        let side = match table {
            USERS => mf::Side::User,
            ITEMS => mf::Side::Item,
            _ => return,
        };
        mf::initial(&self.factors, self.seed, side, key, words::f32s_mut(row));
    }
}

/// Events add up, and the last one is the latest.
fn merge_activity(row: &mut [u32], delta: &[u32]) {
    words::set_u64(row, 0, words::u64_at(row, 0).wrapping_add(words::u64_at(delta, 0)));
    words::set_u64(row, 1, words::u64_at(row, 1).max(words::u64_at(delta, 1)));
}

fn merge_popularity(row: &mut [u32], delta: &[u32], half_life_hours: f32) {
    if let (Some(row), Some(&delta)) = (words::f32s_mut(row).as_mut_array(), words::f32s(delta).as_array()) {
        popularity::merge(row, delta, half_life_hours);
    }
}
