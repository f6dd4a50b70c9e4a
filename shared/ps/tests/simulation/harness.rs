//! Runs many seeds, and says how to see the one that fails again.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{
    environment::Trace,
    process::Failure,
    rules::Rules,
    seen::{Seen, Sight},
    world::run,
};

/// Lines of a failing run's trace that are printed at once.
const LAST_LINES: usize = 40;

/// A run that failed.
#[derive(Clone, Debug)]
pub(crate) struct CounterExample {
    pub(crate) seed: u64,
    pub(crate) failure: Failure,
}

impl CounterExample {
    /// The command that repeats it.
    pub(crate) fn command(&self, rules: Rules) -> String {
        let without: Vec<String> = rules.without.iter().map(|rule| format!("{rule:?}")).collect();
        let without =
            if without.is_empty() { String::new() } else { format!("WEIR_SIM_WITHOUT={} ", without.join(",")) };
        format!("{without}WEIR_SIM_SEED={} cargo test -p weir-ps --test simulation one_seed -- --nocapture", self.seed)
    }

    /// What happened last, and how to see all of it.
    pub(crate) fn report(&self, rules: Rules) -> String {
        let lines = run(self.seed, rules, Trace::kept()).trace;
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        format!("{last}\nseed {}: {}\nthe whole of it: {}", self.seed, self.failure, self.command(rules))
    }
}

/// Runs seeds on all cores until one fails that `counts`; returns what was seen, and that one.
pub(crate) fn search(
    seeds: Range<u64>,
    rules: Rules,
    counts: impl Fn(&Failure) -> bool + Sync,
) -> (Seen, Option<CounterExample>) {
    let (next, found) = (AtomicU64::new(seeds.start), Mutex::new((Seen::default(), None)));
    let work = || {
        let mut seen = Seen::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let outcome = run(seed, rules, Trace::default());
            seen.add_run(&outcome.seen);
            let Some(failure) = outcome.failure.or_else(|| is_empty(&outcome.seen)).filter(&counts) else { continue };
            next.store(seeds.end, Ordering::Relaxed);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            let earlier: &Option<CounterExample> = &found.1;
            if earlier.as_ref().is_none_or(|earlier| seed < earlier.seed) {
                found.1 = Some(CounterExample { seed, failure });
            }
        }
        found.lock().unwrap_or_else(PoisonError::into_inner).0.merge(&seen);
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A run that shows nothing would be none.
fn is_empty(seen: &Seen) -> Option<Failure> {
    let enough = seen.times(Sight::StepCommitted) >= 5
        && seen.times(Sight::Published) >= 5
        && seen.times(Sight::BarrierChecked) >= 3
        && seen.faults() > 0;
    (!enough).then(|| Failure::StandsStill("hardly anything has happened in this run".to_owned()))
}
