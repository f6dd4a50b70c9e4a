//! The recommender's tables.

use weir_learn::{GlobalMean, blend, item_events, mf, neighbours, ranking, seen};
use weir_ps::{MergeRule, Rule, Schema, TableSpec, repeats, words};

use super::{
    ACTIVITY, BLEND, EVENT_IDS, ITEM_EVENTS, ITEMS, LAST_ITEMS, LastItems, MEAN, NEIGHBOURS, PAIRS, POPULARITY, Pair,
    RecommenderSettings, RowParts, SEEN, SEEN_HEADS, USERS,
};

/// Width of a row of [`SEEN_HEADS`]; as a delta its words are an item's key and an instruction.
pub(super) const SEEN_HEAD_WIDTH: usize = seen::HEAD_WIDTH + 1;

/// Width of a row of [`ACTIVITY`]: the number of events, and the time of the last one.
pub(super) const ACTIVITY_WIDTH: usize = 4;

/// 2: rows of users and items have a part that ranks, those of items marks. 3: repeats teach nothing. 4: what goes together
/// and how lists are put together is learned too.
const VERSION: u32 = 4;

/// What the recommender's rows look like.
pub struct RecommenderSchema {
    tables: [TableSpec; 13],
    settings: RecommenderSettings,
    parts: RowParts,
}

impl RecommenderSchema {
    /// The tables under these settings.
    #[must_use]
    pub fn new(settings: &RecommenderSettings) -> Self {
        let half_lives = settings.half_lives_hours;
        let merge = MergeRule::new(move |row, delta| item_events::merge(row, delta, &half_lives));
        let last_items = LastItems::width(settings.neighbours.values().history);
        let table = |id, name, width, rule| TableSpec { id, name, width, rule, cached: false, named: false };
        let parts = RowParts::new(&settings.factors, &settings.ranking);
        let tables = [
            TableSpec { cached: true, named: true, ..table(USERS, "users", parts.user_width(), Rule::AddF32) },
            // Added by the server's own logic, which knows what was learned side by side.
            TableSpec { named: true, ..table(ITEMS, "items", parts.item_width(), Rule::AddF32) },
            table(MEAN, "mean", GlobalMean::WIDTH, Rule::AddU64),
            table(ACTIVITY, "activity", ACTIVITY_WIDTH, Rule::Merge(MergeRule::new(merge_activity))),
            table(POPULARITY, "popularity", item_events::WIDTH, Rule::Merge(merge.clone())),
            table(SEEN_HEADS, "seen_heads", SEEN_HEAD_WIDTH, Rule::Own),
            table(SEEN, "seen", seen::CHUNK_WIDTH, Rule::Own),
            repeats::table(EVENT_IDS),
            TableSpec { cached: true, ..table(LAST_ITEMS, "last_items", last_items, Rule::Replace) },
            table(NEIGHBOURS, "neighbours", neighbours::CHUNK_WIDTH, Rule::Own),
            table(BLEND, "blend", blend::WIDTH, Rule::AddF32),
            table(ITEM_EVENTS, "item_events", item_events::WIDTH, Rule::Merge(merge)),
            table(PAIRS, "pairs", Pair::WIDTH, Rule::Own),
        ];
        Self { tables, settings: *settings, parts }
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
            BLEND => {
                words::f32s_mut(row).copy_from_slice(&self.settings.blend.initial());
                return;
            }
            _ => return,
        };
        let RecommenderSettings { factors, ranking, seed, .. } = &self.settings;
        let (ratings_part, ranking_part) = match side {
            mf::Side::User => self.parts.user_mut(row),
            mf::Side::Item => {
                let (ratings_part, ranking_part, _) = self.parts.item_mut(row);
                (ratings_part, ranking_part)
            }
        };
        mf::initial(factors, *seed, side, key, ratings_part);
        ranking::initial(ranking, *seed, side, key, ranking_part);
    }

    /// The widths alone do not say how a row is divided.
    fn settings(&self) -> Vec<(&'static str, u64)> {
        let RecommenderSettings { factors, ranking, neighbours, .. } = &self.settings;
        vec![
            ("recommender.factors", factors.values().factors as u64),
            ("recommender.ranking.factors", ranking.values().factors as u64),
            ("recommender.neighbours.slots", neighbours.values().slots as u64),
        ]
    }

    fn version(&self) -> u32 {
        VERSION
    }
}

/// Events add up, and the last one is the latest.
fn merge_activity(row: &mut [u32], delta: &[u32]) {
    words::set_u64(row, 0, words::u64_at(row, 0).wrapping_add(words::u64_at(delta, 0)));
    words::set_u64(row, 1, words::u64_at(row, 1).max(words::u64_at(delta, 1)));
}
