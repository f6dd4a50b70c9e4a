//! A learner whose rows depend on the order of all events: whoever misses one change is wrong for good.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{ByRule, Pulls, Rule, Schema, TableSpec, Workspace, words};

/// Pulled as it is on the shard.
const PLAIN: u8 = 0;
/// Pulled with all that was pushed before.
const LATEST: u8 = 1;
/// Kept by the worker.
const CACHED: u8 = 2;
/// Pulled when the row of [`CACHED`] is there, which names the row.
const NAMED: u8 = 3;

struct Chains([TableSpec; 4]);

impl Schema for Chains {
    fn tables(&self) -> &[TableSpec] {
        &self.0
    }
}

/// What comes after `row` when an event says `number`.
fn next(row: &[u32], number: u64) -> [u32; 2] {
    words::from_u64(words::u64_at(row, 0).wrapping_mul(3).wrapping_add(number))
}

#[derive(Clone, Copy)]
struct Chain;

/// Key, number, and the slots of the key's rows.
type Event = (u64, u64, [u32; 4]);

impl WorkerLogic for Chain {
    type Event = Event;

    fn on_recv(&mut self, batch: &mut Batch<Event>, pulls: &mut Pulls<'_>) {
        for (key, _, slots) in &mut batch.events {
            *slots = [pulls.pull(PLAIN, *key), pulls.pull_latest(LATEST, *key), pulls.pull(CACHED, *key), 0];
        }
    }

    fn pull_more(&mut self, batch: &mut Batch<Event>, pulls: &mut Pulls<'_>) {
        for (_, _, slots) in &mut batch.events {
            let name = words::u64_at(pulls.row(CACHED, slots[2]), 0);
            slots[3] = pulls.pull(NAMED, name);
        }
    }

    fn on_pull_recv(&mut self, batch: &mut Batch<Event>, work: &mut Workspace) {
        for &(_, number, slots) in &batch.events {
            for (table, slot) in [PLAIN, LATEST, CACHED].into_iter().zip(slots) {
                let row = work.row_mut(table, slot);
                row.copy_from_slice(&next(row, number));
            }
            words::add_u64(work.row_mut(NAMED, slots[3]), &[1, 0]);
        }
    }
}

impl Model for Chain {
    type Worker = Self;
    type Server = ByRule;

    fn schema(&self) -> Arc<dyn Schema> {
        let table = |id, name, rule, cached| TableSpec { id, name, width: 2, rule, cached, named: false };
        Arc::new(Chains([
            table(PLAIN, "plain", Rule::AddU64, false),
            table(LATEST, "latest", Rule::Replace, false),
            table(CACHED, "cached", Rule::Replace, true),
            table(NAMED, "named", Rule::AddU64, false),
        ]))
    }

    fn worker(&self) -> Self {
        Self
    }

    fn server(&self) -> ByRule {
        ByRule
    }
}

/// The keys of one partition are in no other.
fn events(seed: u64, sources: u64) -> Vec<Vec<(u64, u64)>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut source = |source| (0..120).map(|_| (source + sources * random.u64(1..6), random.u64(1..9))).collect();
    (0..sources).map(&mut source).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Rows that are kept, and rows pulled with all that was pushed before, are exact however much is in flight and
    /// whatever fails; with one batch in flight all rows are.
    #[test]
    fn rows_that_depend_on_the_order_are_exact(
        seed in any::<u64>(),
        (workers, shards, sources) in (1..3_u32, 1..4_u32, 1..4_u64),
        (crash_worker, crash_shard, move_source, lose_message) in (0..4_u32, 0..8_u32, 0..4_u32, 0..60_u32),
        (events_in_batch, by_one, in_flight, cached_rows) in (1..9_usize, any::<bool>(), 1..4_usize, 1..20_usize),
    ) {
        let input = events(seed, sources);
        let mut plan = Plan::small(seed, workers, shards);
        plan.faults = Faults { crash_worker, crash_shard, move_source, lose_message };
        plan.batch.events = if by_one { 1 } else { events_in_batch };
        plan.worker.limits.in_flight = in_flight;
        plan.worker.cached_rows = cached_rows;
        let decode = |&(key, number): &(u64, u64), batch: &mut Batch<Event>| batch.events.push((key, number, [0; 4]));
        let outcome = run(&Chain, &input, &plan, decode).unwrap();
        let mut expected = BTreeMap::<u64, [u32; 2]>::new();
        for &(key, number) in input.iter().flatten() {
            let row = expected.entry(key).or_default();
            *row = next(row, number);
        }
        if plan.batch.events == 1 {
            check_named(&input, &outcome)?;
        }
        for (key, row) in expected {
            for table in [LATEST, CACHED] {
                prop_assert_eq!(outcome.row(table, key), Some(row.as_slice()), "table {}, {:?}", table, plan);
            }
            if in_flight == 1 {
                prop_assert_eq!(outcome.row(PLAIN, key), Some(row.as_slice()), "{:?}", plan);
            }
        }
    }
}

/// Of batches of one event each names what its key's row was before it.
fn check_named(input: &[Vec<(u64, u64)>], outcome: &Outcome) -> Result<(), TestCaseError> {
    let (mut rows, mut expected) = (BTreeMap::<u64, [u32; 2]>::new(), BTreeMap::<u64, u64>::new());
    for &(key, number) in input.iter().flatten() {
        let row = rows.entry(key).or_default();
        *expected.entry(words::u64_at(row, 0)).or_default() += 1;
        *row = next(row, number);
    }
    for (name, count) in expected {
        prop_assert_eq!(outcome.row(NAMED, name).map(|row| words::u64_at(row, 0)), Some(count), "{}", name);
    }
    Ok(())
}

#[test]
fn words_go_with_their_batch() {
    let mut batcher = crate::Batcher::<()>::new(0, crate::Position::default(), Plan::small(1, 1, 1).batch);
    batcher.batch().words.extend([1, 2, 3]);
    let batch = batcher.cut();
    assert_eq!((batch.words.as_slice(), batcher.batch().words.len()), ([1, 2, 3].as_slice(), 0));
}
