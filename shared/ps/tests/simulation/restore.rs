//! How shards come back: the store, then the changelog until its barrier is the one that the group has committed.

use std::collections::BTreeMap;

use weir_ps::{Barrier, ByRule, Restored, Shard};

use crate::{
    environment::Environment,
    group::Role,
    learner::schema,
    process::End,
    record::{Record, Topic},
    rules::Rule,
    seen::Sight,
    store::Disk,
};

/// How long a server waits for pending offsets, and for the barrier that belongs to the committed one.
const PATIENCE_MS: u64 = 1_500;
/// Changelog records read in one step.
const RECORDS: usize = 40;
/// Pulls that a shard may hold, and for how long.
const HELD: (usize, u64) = (6, 400);

/// One shard while its changelog is read.
struct Tail {
    shard: Shard<ByRule>,
    position: u64,
    barrier: Option<Barrier>,
    /// Where the push log began before the changelog was read: what is deleted later is below a later barrier.
    push_first: u64,
    ended: bool,
}

/// A shard that is back, and where its push log goes on.
pub(crate) struct Back {
    pub(crate) shard: Shard<ByRule>,
    pub(crate) push_next: u64,
}

/// Shards on their way back.
pub(crate) struct Restoring {
    tails: BTreeMap<u32, Tail>,
    since_ms: u64,
    /// When the first look-up of the committed offsets returned.
    looked_up_ms: Option<u64>,
    /// Whether the barriers are those that are committed.
    whole: bool,
}

impl Restoring {
    pub(crate) fn begin(env: &mut Environment, disk: &mut Disk, shards: &[u32]) -> Self {
        let tails = shards.iter().map(|&shard| (shard, Tail::load(env, disk, shard))).collect();
        Self { tails, since_ms: env.now_ms, looked_up_ms: None, whole: false }
    }

    /// Reads on; returns the shards once they are whole.
    pub(crate) fn step(&mut self, env: &mut Environment) -> Result<Option<BTreeMap<u32, Back>>, End> {
        if self.whole {
            let tails = std::mem::take(&mut self.tails).into_iter();
            return tails
                .map(|(number, tail)| Ok((number, tail.finish(env, number)?)))
                .collect::<Result<_, _>>()
                .map(Some);
        }
        let mut unfinished = self.tails.iter_mut().filter(|(_, tail)| !tail.ended);
        if let Some((&number, tail)) = unfinished.next() {
            tail.ended = tail.read(env, number);
            return Ok(None);
        }
        let shards: Vec<u32> = self.tails.keys().copied().collect();
        let stable = env.rules.hold(Rule::StableOffsets);
        let Some(committed) = env.group(Role::Server).committed(&shards, stable) else {
            env.saw(Sight::OffsetsPending);
            let waited_ms = env.now_ms - self.since_ms;
            return if waited_ms > PATIENCE_MS { End::restart("offsets pending") } else { Ok(None) };
        };
        let deadline_ms = *self.looked_up_ms.get_or_insert(env.now_ms) + PATIENCE_MS;
        for (tail, committed) in self.tails.values_mut().zip(&committed) {
            let barrier = tail.barrier.as_ref().map(|barrier| barrier.push_next);
            match Restored::of(barrier, *committed) {
                Restored::Whole => {}
                Restored::Behind if env.now_ms < deadline_ms => {
                    env.saw(Sight::RestoreWaitsForMarker);
                    tail.ended = false;
                }
                _ => {
                    return Err(End::refused(format!(
                        "barrier {barrier:?}, but the group has committed {committed:?}"
                    )));
                }
            }
        }
        self.whole = self.tails.values().all(|tail| tail.ended);
        Ok(None)
    }
}

impl Tail {
    fn load(env: &mut Environment, disk: &mut Disk, number: u32) -> Self {
        let mut tail = Self {
            shard: Shard::new(number, ByRule, schema(), HELD.0, HELD.1),
            position: env.log((Topic::Changelog, number)).start(),
            barrier: None,
            push_first: env.log((Topic::Pushes, number)).start(),
            ended: false,
        };
        let Some(meta) = disk.meta(number).cloned() else {
            env.saw(Sight::RestoreFromChangelog);
            return tail;
        };
        if meta.is_too_old(env.now_ms) || meta.changelog_next > env.log((Topic::Changelog, number)).stable_end() {
            env.saw(Sight::StoreTooOld);
            disk.discard(number);
            return tail;
        }
        env.saw(Sight::RestoreFromStore);
        disk.load(number, &mut tail.shard);
        (tail.position, tail.barrier) = (meta.changelog_next, Some(meta.barrier));
        tail
    }

    /// Takes records in; returns whether the end was reached.
    fn read(&mut self, env: &mut Environment, number: u32) -> bool {
        let log = env.log((Topic::Changelog, number));
        for _ in 0..RECORDS {
            let Ok(Some((_, record))) = log.read(&mut self.position) else { return true };
            match &*record {
                Record::Row { table, key, row } => {
                    let Some(rows) = self.shard.rows_mut().table_mut(*table) else { continue };
                    match row {
                        Some(row) => rows.put(*key, row.name.as_deref(), &row.words),
                        None => rows.remove(*key),
                    }
                }
                Record::Barrier(barrier) => self.barrier = Some(barrier.clone()),
                _ => {}
            }
        }
        false
    }

    fn finish(mut self, env: &mut Environment, number: u32) -> Result<Back, End> {
        if !env.rules.hold(Rule::BeginningFirst) {
            self.push_first = env.log((Topic::Pushes, number)).start();
        }
        let barrier = self.barrier.unwrap_or_default();
        let (push_next, first) = (barrier.push_next, self.push_first);
        if push_next < first {
            let why = format!("push log of shard {number} begins at {first}, needed from {push_next} on");
            return Err(End::refused(why));
        }
        let ids: Vec<u8> = self.shard.rows().tables().map(|(id, _)| id).collect();
        for id in ids {
            if let Some(table) = self.shard.rows_mut().table_mut(id) {
                table.clear_published();
            }
        }
        self.shard.restore(barrier);
        Ok(Back { shard: self.shard, push_next })
    }
}
