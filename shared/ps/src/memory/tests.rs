use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{counting::*, words};

type Record = (u64, u64);

/// Events of `users` users with `items` items, each user in one source partition only.
fn events(seed: u64, sources: u64, count: u64) -> Vec<Vec<Record>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut input = vec![Vec::new(); sources as usize];
    for _ in 0..count {
        let user = random.u64(1..40);
        input[(user % sources) as usize].push((user, random.u64(1..30)));
    }
    input
}

fn decode(&(user, item): &Record, batch: &mut Batch<CountingEvent>) {
    let (user_name, item_name) = (batch.names.push(&format!("u{user}")), batch.names.push(&format!("i{item}")));
    batch.events.push(CountingEvent::new((user, user_name), (item, item_name)));
}

fn counts(input: &[Vec<Record>], key: impl Fn(&Record) -> u64) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    input.iter().flatten().for_each(|record| *counts.entry(key(record)).or_default() += 1);
    counts
}

fn table(shards: &[ShardRows], id: u8) -> BTreeMap<u64, u64> {
    let rows = shards.iter().filter_map(|rows| rows.table(id)).flat_map(crate::RowTable::iter);
    rows.map(|(key, _, row)| (key, words::u64_at(row, 0))).collect()
}

fn check(input: &[Vec<Record>], plan: &Plan) -> Outcome {
    let outcome = run(&CountingModel, input, plan, decode).unwrap_or_else(|error| panic!("{plan:?}: {error}"));
    check_exact(input, plan, &outcome);
    outcome
}

/// Every record of `input` counted once.
fn check_exact(input: &[Vec<Record>], plan: &Plan, outcome: &Outcome) {
    let users = counts(input, |record| record.0);
    let sums: BTreeMap<u64, u64> = users.iter().map(|(&user, n)| (user, n * (n + 1) / 2)).collect();
    for shards in [&outcome.shards, &outcome.published] {
        assert_eq!(table(shards, ITEMS), counts(input, |record| record.1), "items, {plan:?}");
        assert_eq!(table(shards, USERS), users, "users, {plan:?}");
        assert_eq!(table(shards, SUMS), sums, "sums, {plan:?}");
        let named = shards.iter().filter_map(|rows| rows.table(USERS)).flat_map(crate::RowTable::iter);
        named.for_each(|(key, name, _)| assert_eq!(name, Some(format!("u{key}").as_str()), "{plan:?}"));
    }
}

/// Each record with an id of its own, and some of them soon again. The ids begin at 1: as hashes, 0 and 1 are the same.
fn with_repeats(seed: u64, records: &[Record]) -> Vec<(Record, u64)> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut sent = Vec::new();
    for (id, &record) in (1..).zip(records) {
        sent.push((record, id));
        while random.u8(..4) == 0 {
            sent.push(sent[sent.len() - 1 - random.usize(..sent.len().min(8))]);
        }
    }
    sent
}

fn decode_with_id(&(record, id): &(Record, u64), batch: &mut Batch<CountingEvent>) {
    decode(&record, batch);
    if let Some(event) = batch.events.last_mut() {
        *event = event.with_id(Some(id));
    }
}

#[test]
fn any_number_of_workers_and_shards_counts_exactly() {
    for workers in 1..=3 {
        for shards in 1..=4 {
            check(&events(1, 5, 400), &Plan::small(7, workers, shards));
        }
    }
}

#[test]
fn the_same_seed_takes_the_same_way() {
    let input = events(2, 3, 300);
    let mut plan = Plan::small(11, 2, 3);
    plan.faults = Faults { crash_worker: 5, crash_shard: 5, move_source: 5, lose_message: 20 };
    assert_eq!(check(&input, &plan).steps, check(&input, &plan).steps);
    assert!(check(&input, &plan).faults > 0);
}

#[test]
fn a_partition_with_much_more_than_the_cache_holds_counts_exactly() {
    let mut plan = Plan::small(3, 1, 2);
    plan.worker.cached_rows = 2;
    check(&events(4, 1, 600), &plan);
}

#[test]
fn a_cache_that_is_refreshed_all_the_time_counts_exactly() {
    let mut plan = Plan::small(3, 2, 2);
    plan.worker.cache_max_age_ms = 20;
    check(&events(5, 2, 400), &plan);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever crashes, moves or gets lost: counts, and sums that need an exact cache, are exact.
    #[test]
    fn counts_are_exact_under_faults(
        seed in any::<u64>(),
        (workers, shards, sources) in (1..4_u32, 1..4_u32, 1..5_u64),
        (crash_worker, crash_shard, move_source, lose_message) in (0..4_u32, 0..8_u32, 0..4_u32, 0..60_u32),
        (cached_rows, in_flight, max_age) in (1..60_usize, 1..5_usize, prop_oneof![Just(u64::MAX), 1..200_u64]),
        history_share in prop_oneof![Just(0), Just(1), Just(8)],
    ) {
        let mut plan = Plan::small(seed, workers, shards);
        plan.faults = Faults { crash_worker, crash_shard, move_source, lose_message };
        plan.worker.cached_rows = cached_rows;
        plan.worker.limits.in_flight = in_flight;
        plan.worker.limits.history_share = history_share;
        plan.worker.cache_max_age_ms = max_age;
        check(&events(seed, sources, 250), &plan);
    }

    /// What is sent twice with the same id counts once, however workers and shards fail in between.
    #[test]
    fn repeats_do_not_count_under_faults(
        seed in any::<u64>(),
        (workers, shards, sources) in (1..4_u32, 1..4_u32, 1..5_u64),
        (crash_worker, crash_shard, move_source, lose_message) in (0..4_u32, 0..8_u32, 0..4_u32, 0..60_u32),
        (cached_rows, in_flight) in (1..60_usize, 1..5_usize),
    ) {
        let mut plan = Plan::small(seed, workers, shards);
        plan.faults = Faults { crash_worker, crash_shard, move_source, lose_message };
        (plan.worker.cached_rows, plan.worker.limits.in_flight) = (cached_rows, in_flight);
        let input = events(seed, sources, 200);
        let sent: Vec<_> = input.iter().map(|records| with_repeats(seed, records)).collect();
        let outcome = run(&CountingModel, &sent, &plan, decode_with_id).unwrap();
        check_exact(&input, &plan, &outcome);
    }
}
