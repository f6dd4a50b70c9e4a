//! A recommender that begins trained: the rows that shards have after events that were all learned at once.

use std::sync::Arc;

use weir_learn::evaluate::Event;
use weir_learn::item_events::ItemEvent;
use weir_learn::offline::{choices, ratings};
use weir_learn::{GlobalMean, popularity, ranking};
use weir_ps::{Partitioner, Schema, ShardRows, words};

use super::pairs::Turned;
use super::rows::RowParts;
use super::server::SeenChange;
use super::{
    ACTIVITY, ITEMS, LAST_ITEMS, MEAN, MEAN_KEY, RecommenderSchema, RecommenderServer, RecommenderSettings, USERS,
};

/// What was trained on.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// Events in time order, their users and items by number.
    pub events: &'a [Event],
    /// Users' ids by number.
    pub users: &'a [String],
    /// Items' ids by number.
    pub items: &'a [String],
}

/// What came out; rows by the same numbers.
#[derive(Clone, Copy, Debug)]
pub struct Learned<'a> {
    /// What predicts ratings; none where nothing was rated.
    pub ratings: Option<&'a ratings::Trained>,
    /// What puts items in order.
    pub choices: &'a choices::Trained,
}

/// The rows of every shard: what was learned, and everything else that a user's and an item's events leave behind, as if
/// they had come one by one.
#[must_use]
pub fn trained(
    settings: &RecommenderSettings,
    partitioner: Partitioner,
    past: Past<'_>,
    learned: Learned<'_>,
) -> Vec<ShardRows> {
    let schema = Arc::new(RecommenderSchema::new(settings));
    let rows = || ShardRows::new(Arc::clone(&schema) as Arc<dyn Schema>);
    let mut shards = Shards {
        parts: RowParts::new(&settings.factors, &settings.ranking),
        seed: settings.hash_seed,
        rows: (0..partitioner.shards()).map(|_| rows()).collect(),
        partitioner,
    };
    shards.put_users(settings, past, learned);
    shards.put_items(settings, past, learned);
    let server = RecommenderServer::new(*settings);
    for event in past.events {
        shards.count(&server, &schema, past, event);
    }
    shards.rows
}

struct Shards {
    parts: RowParts,
    seed: u64,
    partitioner: Partitioner,
    rows: Vec<ShardRows>,
}

impl Shards {
    fn key(&self, id: &str) -> u64 {
        weir_wire::key(self.seed, id)
    }

    /// The rows of the shard that owns this key.
    fn of(&mut self, key: u64) -> &mut ShardRows {
        let shard = self.partitioner.shard(key) as usize;
        &mut self.rows[shard]
    }

    /// A row with its id, as it begins.
    fn named(&mut self, table: u8, id: &str) -> Option<&mut [u32]> {
        let key = self.key(id);
        let rows = self.of(key);
        rows.name(table, key, id);
        rows.row_mut(table, key)
    }

    fn put_users(&mut self, settings: &RecommenderSettings, past: Past<'_>, learned: Learned<'_>) {
        let mut given = vec![[0.0; 2]; past.users.len()];
        for (event, rating) in past.events.iter().filter_map(|event| Some((event, event.rating?))) {
            let [count, sum] = &mut given[event.user as usize];
            (*count, *sum) = (*count + 1.0, *sum + rating);
        }
        let (parts, width) = (self.parts, settings.ranking.user_width());
        let choices = learned.choices.users.chunks_exact(width);
        for (((number, id), given), choices) in past.users.iter().enumerate().zip(given).zip(choices) {
            let Some(row) = self.named(USERS, id) else { return };
            let (ratings, ranking) = parts.user_mut(row);
            copy(ratings, learned.ratings.map(|trained| &*trained.users), number);
            ranking.copy_from_slice(choices);
            [ranking[ranking::USER_RATINGS], ranking[ranking::USER_RATING_SUM]] = given;
        }
    }

    fn put_items(&mut self, settings: &RecommenderSettings, past: Past<'_>, learned: Learned<'_>) {
        let (parts, width) = (self.parts, settings.ranking.item_width());
        for ((number, id), choices) in past.items.iter().enumerate().zip(learned.choices.items.chunks_exact(width)) {
            let Some(row) = self.named(ITEMS, id) else { return };
            let (ratings, ranking, _) = parts.item_mut(row);
            copy(ratings, learned.ratings.map(|trained| &*trained.items), number);
            ranking.copy_from_slice(choices);
        }
    }

    /// What an event changes besides the factors.
    fn count(&mut self, server: &RecommenderServer, schema: &RecommenderSchema, past: Past<'_>, event: &Event) {
        let user = self.key(&past.users[event.user as usize]);
        let item = self.key(&past.items[event.item as usize]);
        if let Some(rating) = event.rating {
            self.add(schema, (MEAN, MEAN_KEY), &GlobalMean::of(rating).to_words());
        }
        let hours = popularity::hours(event.time_ms, event.time_ms);
        let time_ms = event.time_ms.max(0) as u64;
        let mut pairs = Vec::new();
        let turned = Turned { item, hours, weight: event.weight };
        let paired = self.of(user).row_mut(LAST_ITEMS, user).map_or(0.0, |row| {
            turned.note(&server.settings().neighbours, row, |chunk, pair| pairs.push((chunk, pair)))
        });
        for (chunk, pair) in pairs {
            RecommenderServer::count_pair(self.of(chunk), chunk, pair);
        }
        let events = ItemEvent { hours, weight: event.weight, paired, time_ms };
        server.count_item(self.of(item), item, &events.to_words());
        let [low, high] = words::from_u64(time_ms);
        self.add(schema, (ACTIVITY, user), &[1, 0, low, high]);
        server.change(self.of(user), user, SeenChange::Append(item));
    }

    fn add(&mut self, schema: &RecommenderSchema, (table, key): (u8, u64), delta: &[u32]) {
        let spec = &schema.tables()[usize::from(table)];
        if let Some(row) = self.of(key).row_mut(table, key) {
            spec.merge(row, delta);
        }
    }
}

/// The row of this number; without any it stays as it begins.
fn copy(row: &mut [f32], rows: Option<&[f32]>, number: usize) {
    let width = row.len();
    if let Some(trained) = rows.and_then(|rows| rows.get(number * width..(number + 1) * width)) {
        row.copy_from_slice(trained);
    }
}

#[cfg(test)]
mod tests;
