//! The shard's side: tables add by their rules, items share what was learned side by side, and users' seen items are lists
//! in chunks.

use weir_learn::seen::{self, Chunk, Chunks, Ring};
use weir_learn::{item_events, mf, neighbours, ranking};
use weir_ps::{LetGo, Op, RowTable, Section, ServerLogic, ServerOutput, ShardRows, words};

use super::bounds::Looks;
use super::rows::Mark;
use super::{
    ACTIVITY, ITEM_EVENTS, ITEMS, NEIGHBOURS, PAIRS, POPULARITY, Pair, RecommenderSettings, RowParts, SEEN, SEEN_HEADS,
    schema::{ACTIVITY_WIDTH, SEEN_HEAD_WIDTH},
};

/// A delta of the table [`SEEN_HEADS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeenChange {
    /// The user has seen this item.
    Append(u64),
    /// The item no longer counts as seen.
    Remove(u64),
}

impl SeenChange {
    pub(super) fn to_words(self) -> [u32; SEEN_HEAD_WIDTH] {
        let (item, instruction) = match self {
            Self::Append(item) => (item, 0),
            Self::Remove(item) => (item, 1),
        };
        let [low, high] = words::from_u64(item);
        [low, high, instruction]
    }

    fn from_words(delta: &[u32]) -> Self {
        let item = words::u64_at(delta, 0);
        if delta.get(2) == Some(&1) { Self::Remove(item) } else { Self::Append(item) }
    }
}

/// Applies pushes of the recommender.
#[derive(Clone, Copy, Debug)]
pub struct RecommenderServer {
    settings: RecommenderSettings,
    parts: RowParts,
    ring: Ring,
    looks: Looks,
}

impl RecommenderServer {
    /// With these settings.
    #[must_use]
    pub fn new(settings: RecommenderSettings) -> Self {
        let parts = RowParts::new(&settings.factors, &settings.ranking);
        Self { settings, parts, ring: Ring::for_items(settings.seen_items), looks: Looks::default() }
    }

    /// What it was made with.
    pub(super) fn settings(&self) -> &RecommenderSettings {
        &self.settings
    }

    /// Adds to an item's row what a batch has learned of it, shortened by what others have learned since the batch read it.
    fn learn_item(&self, row: &mut [u32], pushed: &[u32]) {
        let parts = self.parts;
        let (ratings, ranking, _) = parts.item_mut(row);
        if let Some(count) = parts.read(pushed, Mark::Count) {
            mf::add(&self.settings.factors, count, ratings, parts.ratings(pushed));
        }
        if let Some(sum) = parts.read(pushed, Mark::Sum) {
            ranking::add_item(&self.settings.ranking, sum, ranking, parts.item_ranking(pushed));
        }
    }

    pub(super) fn change(&self, rows: &mut ShardRows, user: u64, change: SeenChange) {
        let mut head = head(rows, user);
        let Some(table) = rows.table_mut(SEEN) else { return };
        let mut chunks = UserChunks { table, user };
        match change {
            SeenChange::Append(item) => {
                if self.ring.append(&mut head, &mut chunks, item).is_none() {
                    return;
                }
            }
            SeenChange::Remove(item) => {
                self.ring.remove(head, &mut chunks, item);
                return;
            }
        }
        if let Some(row) = rows.row_mut(SEEN_HEADS, user) {
            row[..seen::HEAD_WIDTH].copy_from_slice(&head);
        }
    }

    /// Counts one pair in the chunk of this key.
    pub(super) fn count_pair(rows: &mut ShardRows, chunk: u64, pair: Pair) {
        if let Some(row) = rows.row_mut(NEIGHBOURS, chunk) {
            neighbours::count_in_chunk(row, pair.item, pair.neighbour);
        }
    }

    /// Adds what happened to an item.
    pub(super) fn count_item(&self, rows: &mut ShardRows, item: u64, events: &[u32]) {
        if let Some(row) = rows.row_mut(POPULARITY, item) {
            item_events::merge(row, events, &self.settings.half_lives_hours);
        }
    }

    pub(super) fn forget(&self, rows: &mut ShardRows, user: u64) {
        let chunks = self.ring.chunks_in_use(seen::appends(head(rows, user)));
        if let Some(table) = rows.table_mut(SEEN) {
            (0..chunks).map(|number| seen::chunk_key(user, number)).for_each(|key| table.remove(key));
        }
        if let Some(table) = rows.table_mut(SEEN_HEADS) {
            table.remove(user);
        }
    }
}

impl ServerLogic for RecommenderServer {
    fn apply(&mut self, rows: &mut ShardRows, section: &Section, _: &mut Vec<ServerOutput>) {
        match (section.table, section.op) {
            (SEEN_HEADS, Op::Delete) => section.keys.iter().for_each(|&user| self.forget(rows, user)),
            (SEEN_HEADS, Op::Add) => {
                for (&user, delta) in section.keys.iter().zip(section.words.chunks_exact(SEEN_HEAD_WIDTH)) {
                    self.change(rows, user, SeenChange::from_words(delta));
                }
            }
            (ACTIVITY, Op::Add) => {
                let times = section.words.chunks_exact(ACTIVITY_WIDTH).map(|delta| words::u64_at(delta, 1));
                times.for_each(|time_ms| self.looks.see(time_ms));
                rows.apply_by_rule(section);
            }
            (ITEMS, Op::Add) => {
                for (&item, pushed) in section.keys.iter().zip(section.words.chunks_exact(self.parts.item_width())) {
                    if let Some(row) = rows.row_mut(ITEMS, item) {
                        self.learn_item(row, pushed);
                    }
                }
            }
            (PAIRS, Op::Add) => {
                for (&chunk, pair) in section.keys.iter().zip(section.words.as_chunks().0) {
                    Self::count_pair(rows, chunk, Pair::from_words(pair));
                }
            }
            (ITEM_EVENTS, Op::Add) => {
                for (&item, events) in section.keys.iter().zip(section.words.chunks_exact(item_events::WIDTH)) {
                    self.looks.see(item_events::last(events));
                    self.count_item(rows, item, events);
                }
            }
            _ => rows.apply_by_rule(section),
        }
    }

    fn sweep(&mut self, rows: &mut ShardRows, let_go: &mut Vec<LetGo>) {
        let mut looks = self.looks;
        looks.sweep(self, &self.settings, rows, let_go);
        self.looks = looks;
    }
}

fn head(rows: &ShardRows, user: u64) -> [u32; seen::HEAD_WIDTH] {
    let row = rows.table(SEEN_HEADS).and_then(|table| table.get(user));
    row.and_then(|row| row.first_chunk().copied()).unwrap_or_default()
}

/// One user's chunk rows.
struct UserChunks<'a> {
    table: &'a mut RowTable,
    user: u64,
}

impl Chunks for UserChunks<'_> {
    fn chunk(&self, number: u32) -> Option<&Chunk> {
        self.table.get(seen::chunk_key(self.user, number))?.as_array()
    }

    fn chunk_mut(&mut self, number: u32) -> &mut Chunk {
        let row = self.table.entry(seen::chunk_key(self.user, number), |_| {});
        let Some(chunk) = row.as_mut_array() else { unreachable!("the table's rows are chunks") };
        chunk
    }
}
