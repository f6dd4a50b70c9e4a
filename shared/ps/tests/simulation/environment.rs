//! What surrounds a simulated process: the cluster, the time, chance, and who watches.

use std::{collections::BTreeMap, fmt::Display, rc::Rc};

use fastrand::Rng;
use weir_ps::{BatchLimits, Partitioner, PullLimits, WorkerSettings};

use crate::{
    faults::Chances,
    group::{Group, Role},
    log::Partition,
    record::{Place, Record, Topic},
    rules::Rules,
    seen::{Seen, Sight},
    transactions::Transaction,
};

/// How a run is laid out, drawn from its seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) workers: u32,
    pub(crate) servers: u32,
    pub(crate) shards: u32,
    pub(crate) sources: u32,
    pub(crate) events: usize,
    pub(crate) batch: BatchLimits,
    pub(crate) worker: WorkerSettings,
    /// About how many bytes of pushes a worker commits at once.
    pub(crate) step_bytes: usize,
}

/// Partitions of the replies topic: fewer than workers, so that some share one.
pub(crate) const REPLY_PARTITIONS: u32 = 2;
/// How long the changelog keeps a tombstone at least.
pub(crate) const TOMBSTONE_MS: u64 = 600;

impl Layout {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let shards = random.u32(2..=3);
        let worker = WorkerSettings {
            partitioner: Partitioner::Hash { shards },
            limits: PullLimits { in_flight: random.usize(1..=3), unapplied: random.usize(2..=6), history_share: 0 },
            cached_rows: random.usize(1..=20),
            cache_max_age_ms: if random.u8(..3) == 0 { random.u64(20..300) } else { u64::MAX },
            pull_timeout_ms: 60,
            reply_to: 0,
            frame_bytes: random.usize(80..=400),
        };
        let batch = BatchLimits { events: random.usize(1..=8), bytes: usize::MAX, wait_ms: 10, history_share: 0 };
        Self {
            workers: random.u32(2..=3),
            servers: random.u32(2..=3),
            shards,
            sources: random.u32(2..=3),
            events: random.usize(100..=250),
            batch,
            worker,
            step_bytes: random.usize(100..=1_000),
        }
    }
}

/// One line per step that says who did what; kept only where somebody will read it.
#[derive(Debug, Default)]
pub(crate) struct Trace(Option<Vec<String>>);

impl Trace {
    pub(crate) fn kept() -> Self {
        Self(Some(Vec::new()))
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.unwrap_or_default()
    }
}

pub(crate) struct Environment {
    pub(crate) layout: Layout,
    pub(crate) rules: Rules,
    pub(crate) chances: Chances,
    pub(crate) random: Rng,
    pub(crate) step: u64,
    pub(crate) now_ms: u64,
    pub(crate) seen: Seen,
    pub(crate) trace: Trace,
    pub(crate) transactions: BTreeMap<u64, Transaction>,
    logs: [Vec<Partition>; 5],
    groups: [Group; 2],
    instances: u64,
}

impl Environment {
    pub(crate) fn new(layout: Layout, chances: Chances, rules: Rules, random: Rng, trace: Trace) -> Self {
        let logs = [layout.sources, layout.shards, layout.shards, layout.shards, REPLY_PARTITIONS];
        let producers = u64::from(layout.workers + layout.servers);
        Self {
            layout,
            rules,
            chances,
            random,
            step: 0,
            now_ms: 0,
            seen: Seen::default(),
            trace,
            transactions: (0..producers).map(|producer| (producer, Transaction::default())).collect(),
            logs: logs.map(|count| (0..count).map(|_| Partition::default()).collect()),
            groups: [Group::new(layout.sources), Group::new(layout.shards)],
            instances: 0,
        }
    }

    pub(crate) fn log(&mut self, (topic, partition): Place) -> &mut Partition {
        &mut self.logs[topic as usize][partition as usize]
    }

    pub(crate) fn logs(&self) -> impl Iterator<Item = &Partition> {
        self.logs.iter().flatten()
    }

    pub(crate) fn group(&mut self, role: Role) -> &mut Group {
        &mut self.groups[role as usize]
    }

    /// Appends a record outside of any transaction.
    pub(crate) fn append(&mut self, place: Place, record: Record) {
        self.log(place).append(None, Rc::new(record));
    }

    /// A number that no other process has.
    pub(crate) fn next_instance(&mut self) -> u64 {
        self.instances += 1;
        self.instances
    }

    pub(crate) fn one_in(&mut self, many: u32) -> bool {
        self.random.u32(..many) == 0
    }

    /// True so many times in 1,000.
    pub(crate) fn chance(&mut self, in_thousand: u32) -> bool {
        in_thousand > 0 && self.random.u32(..1_000) < in_thousand
    }

    pub(crate) fn saw(&mut self, sight: Sight) {
        self.seen.note(sight);
    }

    /// Adds a line to the trace.
    pub(crate) fn say<W: Display>(&mut self, who: impl FnOnce() -> W, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.trace.0 {
            lines.push(format!("{:>5} {:>5} ms  {:<13} {}", self.step, self.now_ms, who().to_string(), what()));
        }
    }

    /// Bounds of what nobody reads again, so that a run does not keep all its questions.
    pub(crate) fn trim(&mut self) {
        for topic in [Topic::Pulls, Topic::Replies] {
            for log in &mut self.logs[topic as usize] {
                let end = log.stable_end();
                log.delete_before(end.saturating_sub(2_000));
            }
        }
    }
}
