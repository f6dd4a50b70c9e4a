//! How many users and items are remembered, and for how long: those that were not seen for longest go first.
//!
//! Times are those of the events, which are never later than their records. A shard goes by the latest that it has seen, so a backlog is
//! forgotten as it would have been while it came. It looks before it publishes, so that whoever is gone is gone with a barrier, and begins anew with
//! the next event. Workers keep rows of users too; how they learn that one is gone is [`Kept`]'s matter.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use weir_learn::{item_events, neighbours};
use weir_ps::{LetGo, RowTable, ShardRows, words};

use super::server::RecommenderServer;
use super::{ACTIVITY, EVENT_IDS, ITEMS, LAST_ITEMS, NEIGHBOURS, POPULARITY, RecommenderSettings, USERS};

/// Users or items that go at once at most: each is a handful of rows in a publication.
const MOST_AT_ONCE: usize = 5_000;
/// Part of the age, and of the room, by which a shard lets more go than it has to, so that it looks at all rows so much less often.
const SLACK: u64 = 64;
/// Part of the age after which a worker does not rely on the rows that it keeps any more.
const KEPT: u64 = 4;

/// What a shard remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Users.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Milliseconds after which whoever was not seen is forgotten; none: never.
    pub age_ms: Option<u64>,
}

/// When a shard has to look at its rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looks {
    /// The latest event, in milliseconds since 1970.
    latest_ms: u64,
    /// The time of events from which on users are to be looked at again because of their age, likewise.
    users_due: u64,
    items_due: u64,
}

/// Keys of what is to go.
#[derive(Debug, Default, PartialEq, Eq)]
struct Leaving {
    aged: Vec<u64>,
    crowded_out: Vec<u64>,
}

impl Looks {
    /// An event of this time was learned.
    pub(super) fn see(&mut self, time_ms: u64) {
        self.latest_ms = self.latest_ms.max(time_ms);
    }

    /// Lets go what has to go.
    pub(super) fn sweep(
        &mut self,
        server: &RecommenderServer,
        settings: &RecommenderSettings,
        rows: &mut ShardRows,
        let_go: &mut Vec<LetGo>,
    ) {
        let Bounds { users, items, age_ms } = settings.bounds;
        let count = |table| rows.table(table).map_or(0, RowTable::len);
        let (has_users, has_items) = (count(ACTIVITY), count(ITEMS));
        if has_users > users || is_due(age_ms, self.users_due, self.latest_ms) {
            let seen = rows.table(ACTIVITY).into_iter().flat_map(RowTable::iter);
            let seen = seen.map(|(key, _, row)| (key, words::u64_at(row, 1))).collect();
            let leaving = leaving(seen, users, age_ms, self.latest_ms);
            self.users_due = next_look(&leaving, age_ms, self.latest_ms);
            leaving.keys().for_each(|user| remove_user(server, rows, user));
            leaving.tell("users", let_go);
        }
        if has_items > items || is_due(age_ms, self.items_due, self.latest_ms) {
            let last = |item| rows.table(POPULARITY).and_then(|table| table.get(item)).map_or(0, item_events::last);
            let seen = rows.table(ITEMS).into_iter().flat_map(RowTable::iter);
            let seen = seen.map(|(key, ..)| (key, last(key))).collect();
            let leaving = leaving(seen, items, age_ms, self.latest_ms);
            self.items_due = next_look(&leaving, age_ms, self.latest_ms);
            leaving.keys().for_each(|item| remove_item(settings, rows, item));
            leaving.tell("items", let_go);
        }
        bound_neighbours(settings, rows, let_go);
    }
}

fn is_due(age_ms: Option<u64>, due_ms: u64, latest_ms: u64) -> bool {
    age_ms.is_some() && latest_ms > 0 && latest_ms >= due_ms
}

/// When to look again because of the age: with the next publication if not all went.
fn next_look(leaving: &Leaving, age_ms: Option<u64>, latest_ms: u64) -> u64 {
    if leaving.aged.len() >= MOST_AT_ONCE { 0 } else { latest_ms + age_ms.unwrap_or_default() / SLACK }
}

/// Who goes, of keys and the times when they were seen last: of equal times those with the smaller keys first.
fn leaving(mut seen: Vec<(u64, u64)>, most: usize, age_ms: Option<u64>, latest_ms: u64) -> Leaving {
    let mut leaving = Leaving::default();
    let excess = match seen.len().saturating_sub(most) {
        0 => 0,
        excess => (excess + most / SLACK as usize).min(MOST_AT_ONCE),
    };
    // Of what was only ever disliked, or drawn to compare, no time is known: it goes first where room is needed.
    let is_aged = |last: u64| last > 0 && age_ms.is_some_and(|age| last.saturating_add(age) < latest_ms);
    if excess == 0 {
        seen.retain(|(_, last)| is_aged(*last));
    }
    let oldest = MOST_AT_ONCE.min(seen.len());
    if oldest == 0 {
        return leaving;
    }
    let rank = |(key, last): &(u64, u64)| (*last, *key);
    seen.select_nth_unstable_by_key(oldest - 1, rank);
    seen.truncate(oldest);
    seen.sort_unstable_by_key(rank);
    for (place, (key, last)) in seen.into_iter().enumerate() {
        if is_aged(last) {
            leaving.aged.push(key);
        } else if place < excess {
            leaving.crowded_out.push(key);
        }
    }
    leaving
}

impl Leaving {
    fn keys(&self) -> impl Iterator<Item = u64> {
        self.aged.iter().chain(&self.crowded_out).copied()
    }

    fn tell(&self, what: &'static str, let_go: &mut Vec<LetGo>) {
        let why = [("age", self.aged.len()), ("room", self.crowded_out.len())];
        let some = why.into_iter().filter(|(_, count)| *count > 0);
        let_go.extend(some.map(|(why, count)| LetGo { what, why, count: count as u64 }));
    }
}

fn remove_user(server: &RecommenderServer, rows: &mut ShardRows, user: u64) {
    server.forget(rows, user);
    remove(rows, [USERS, ACTIVITY, EVENT_IDS, LAST_ITEMS], user);
}

/// Of its neighbours those that this shard has; the others go when there are too many of them.
fn remove_item(settings: &RecommenderSettings, rows: &mut ShardRows, item: u64) {
    remove(rows, [ITEMS, POPULARITY], item);
    for number in 0..settings.neighbours.chunks() {
        remove(rows, [NEIGHBOURS], neighbours::chunk_key(item, number));
    }
}

fn remove<const N: usize>(rows: &mut ShardRows, tables: [u8; N], key: u64) {
    for table in tables {
        if let Some(table) = rows.table_mut(table) {
            table.remove(key);
        }
    }
}

/// Keeps as many lists of neighbours as the items may have in all; those of which least is known go first.
fn bound_neighbours(settings: &RecommenderSettings, rows: &mut ShardRows, let_go: &mut Vec<LetGo>) {
    let most = settings.bounds.items.saturating_mul(settings.neighbours.chunks() as usize);
    let Some(table) = rows.table(NEIGHBOURS).filter(|table| table.len() > most) else { return };
    let known = |row| neighbours::chunk(row).map_or(0.0, |(_, row)| neighbours::total(row));
    // Totals are not below 0, and such floats are in the order of their bits.
    let known = table.iter().map(|(key, _, row)| (key, u64::from(known(row).to_bits()))).collect();
    let leaving = leaving(known, most, None, 0);
    leaving.keys().for_each(|chunk| remove(rows, [NEIGHBOURS], chunk));
    leaving.tell("neighbours", let_go);
}

/// What a worker thinks of the rows that it keeps between batches.
///
/// A row that it keeps of somebody whom a shard has forgotten must not be learned on. Nobody tells a worker who is gone, but nobody goes before
/// the age is over: whoever was not seen for a part of it is pulled anew. That holds as long as partitions of the input are read no further apart
/// than the rest of the age.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// By source partition the latest event, and that when all that is kept was pulled or used last.
    sources: BTreeMap<u32, (u64, u64)>,
}

impl Kept {
    /// Whether a batch of this source partition, whose latest event is of that time, is to begin with rows from the shards alone.
    pub(super) fn are_old(&mut self, bounds: &Bounds, source: u32, latest: u64) -> bool {
        let Some(age_ms) = bounds.age_ms else { return false };
        let (seen, since) = self.sources.entry(source).or_insert((latest, latest));
        *seen = latest.max(*seen);
        let old = *seen > *since + age_ms / KEPT;
        if old {
            *since = *seen;
        }
        old
    }
}
