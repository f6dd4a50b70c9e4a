//! weir's exactly-once promise, shown on the pure core: the product's own state machines, driven as the services drive
//! them, over a simulated cluster with Kafka's semantics, by a seeded scheduler that lets anything go wrong at any step.
//!
//! Simulated are the logs ([`log`]: transactions with markers that are written one by one, last stable offset,
//! deletion, compaction), the transaction coordinator ([`transactions`]: epochs, fencing, time-outs, lost markers), the
//! groups ([`group`]: static members, generations, sessions, pending offsets), the drivers ([`worker`], [`server`],
//! [`restore`], [`gateway`]) and their stores ([`store`]). What is measured is the counting learner, at the shards and
//! at a gateway that materialises the changelog: counts, and sums that only an exact cache makes exact.
//!
//! ```sh
//! cargo test -p weir-ps --test simulation -- --nocapture
//! WEIR_SIM_SEEDS=100000 WEIR_SIM_FROM=10000 cargo test -p weir-ps --test simulation every_seed -- --nocapture
//! WEIR_SIM_SEED=123 cargo test -p weir-ps --test simulation one_seed -- --nocapture
//! WEIR_SIM_WITHOUT=AtLeast WEIR_SIM_SEED=123 cargo test -p weir-ps --test simulation one_seed -- --nocapture
//! ```

mod environment;
mod faults;
mod gateway;
mod group;
mod harness;
mod learner;
mod log;
mod process;
mod producer;
mod publishing;
mod record;
mod restore;
mod rules;
mod seen;
mod server;
mod slot;
mod store;
mod take_over;
mod transactions;
mod worker;
mod world;

use std::{env, time::Instant};

use environment::Trace;
use harness::search;
use process::Failure;
use rules::{Rule, Rules};

/// Seeds of a usual run.
const SEEDS: u64 = 10_000;

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {value:?}")))
}

#[test]
fn every_seed_counts_exactly_whatever_goes_wrong() {
    let from = setting("WEIR_SIM_FROM").unwrap_or(0);
    let (began, rules, seeds) = (Instant::now(), Rules::default(), setting("WEIR_SIM_SEEDS").unwrap_or(SEEDS));
    let (seen, found) = search(from..from + seeds, rules, |_| true);
    println!("{seen}in {:.1} s", began.elapsed().as_secs_f32());
    if let Some(found) = found {
        panic!("{}", found.report(rules));
    }
    if seeds >= SEEDS {
        assert_eq!(seen.missing(), [], "what the simulation is made for did not happen");
    }
}

#[test]
fn one_seed() {
    let without = env::var("WEIR_SIM_WITHOUT").unwrap_or_default();
    let named = |name: &str| Rule::named(name).unwrap_or_else(|| panic!("no rule {name}, there are {:?}", Rule::ALL));
    let without: Vec<Rule> = without.split(',').filter(|name| !name.is_empty()).map(named).collect();
    let rules = Rules { without: without.leak() };
    let seed = setting("WEIR_SIM_SEED").unwrap_or(1);
    let outcome = world::run(seed, rules, Trace::kept());
    if setting("WEIR_SIM_SEED").is_some() {
        outcome.trace.iter().for_each(|line| println!("{line}"));
    }
    assert_eq!(outcome.failure, None, "seed {seed}");
    assert!(outcome.trace.len() > 500, "a trace says what happened");
    assert!(world::run(seed, rules, Trace::kept()).trace == outcome.trace, "the same seed takes the same way");
}

/// Without a rule some run must go wrong in the way that `counts`.
fn check_without(without: &'static [Rule], within: u64, counts: impl Fn(&Failure) -> bool + Sync) {
    let rules = Rules { without };
    let (seen, found) = search(0..within, rules, counts);
    let Some(found) = found else { panic!("no counter-example without {without:?} in {} seeds", seen.seeds) };
    println!("without {without:?}, {} seeds: {}\n    {}", seen.seeds, found.failure, found.command(rules));
}

fn is_wrong(failure: &Failure) -> bool {
    matches!(failure, Failure::Wrong(_))
}

#[test]
fn without_fencing_of_producers_it_fails() {
    check_without(&[Rule::ProducerFencing], 2_000, |_| true);
}

#[test]
fn without_fencing_of_workers_it_fails() {
    check_without(&[Rule::WorkerFencing], 2_000, |_| true);
}

#[test]
fn without_fencing_of_servers_it_fails() {
    check_without(&[Rule::ServerFencing], 2_000, |_| true);
}

#[test]
fn without_stores_at_barriers_it_counts_wrong() {
    check_without(&[Rule::StoreAtBarrier], 2_000, is_wrong);
}

#[test]
fn without_at_least_reads_after_a_take_over_it_counts_wrong() {
    check_without(&[Rule::AtLeast], 4_000, is_wrong);
}

#[test]
fn without_waiting_for_pending_offsets_it_fails() {
    check_without(&[Rule::StableOffsets], 2_000, |_| true);
}

#[test]
fn without_aborting_first_it_fails() {
    check_without(&[Rule::AbortFirst], 2_000, |_| true);
}

/// A bug that the simulation found: a member that others have overtaken called the push log torn, for good.
#[test]
fn without_looking_again_an_overtaken_worker_gives_up_for_good() {
    check_without(&[Rule::LookAgain], 6_000, |_| true);
}

/// Another one: a server that others have overtaken while it restored missed push records that they had deleted.
#[test]
fn without_looking_at_the_beginning_first_an_overtaken_server_gives_up_for_good() {
    check_without(&[Rule::BeginningFirst], 6_000, |_| true);
}

/// As long as everything else holds there is never a gap to be found. So zombies may commit here: the check turns what
/// they do into a refusal, without it they are counted.
#[test]
fn without_the_gap_check_what_it_refuses_is_counted() {
    let (_, unnoticed) = search(0..1_000, Rules { without: &[Rule::WorkerFencing] }, is_wrong);
    assert!(unnoticed.is_none(), "the gap check let something pass: {unnoticed:?}");
    check_without(&[Rule::WorkerFencing, Rule::GapCheck], 2_000, is_wrong);
}
