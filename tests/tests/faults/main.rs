//! Exactly once on the real thing: whatever happens to processes, their directories, the group's offsets, the logs and
//! the broker, every event counts once. All of it under a load that goes on, with bad events and garbage in it.
//!
//! Each test is one deployment that goes through several faults, with an exact check after each.

mod broker;
mod disk;
mod logs;
mod offsets;
mod processes;
mod slow;
mod stores;

use weir_tests::trial::PATIENCE;
use weir_tests::{Broker, Deployment, Instance, Random, kills};

const EVENTS_PER_SECOND: usize = 2_000;

/// A deployment of the counting learner whose workers forget rows all the time: what they pull must be exact too.
fn deployment(broker: &Broker, label: &str) -> Deployment {
    kills::deployment(broker, label).with("WORKER__CACHED_ROWS", 200)
}

fn random(of_test: u64) -> Random {
    Random::new(Random::from_environment().next() ^ of_test)
}

/// The process ends by itself, and its last words say what is wrong and what to do.
#[track_caller]
fn check_refused(instance: &mut Instance, when: &str, parts: &[&str]) {
    let status = instance.wait_for_exit(PATIENCE);
    assert!(status.code().is_some_and(|code| code != 0), "{when}: {status}");
    let log = instance.log();
    let last = log.lines().last().unwrap_or_default();
    let missing: Vec<_> = parts.iter().filter(|part| !last.contains(**part)).collect();
    assert!(missing.is_empty(), "{when}: {missing:?} is not in {last}");
    println!("{when}: {last}");
    instance.kill();
}
