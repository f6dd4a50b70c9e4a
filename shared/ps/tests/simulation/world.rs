//! The seeded scheduler: who takes the next step, and what goes wrong before it.

use std::fmt::Display;

use fastrand::Rng;

use crate::{
    environment::{Environment, Layout, TOMBSTONE_MS, Trace},
    faults::Chances,
    gateway::Gateway,
    group::Role,
    learner::{Input, KEYS, Rows},
    process::{End, Failure},
    record::Topic,
    rules::Rules,
    seen::{Seen, Sight},
    server::ServerProcess,
    slot::Slot,
    store::Disk,
    worker::WorkerProcess,
};

/// Scheduler steps after the last fault within which everything must be learned; a run needs about 3,000.
const PATIENCE: u64 = 60_000;
/// Steps that a finished run goes on for, so that whoever comes back late can still do harm.
const AFTERWARDS: u64 = 400;
/// Steps between looks whether everything is learned.
const LOOK: u64 = 16;
/// Things that a process does in one step.
const BURST: std::ops::RangeInclusive<u8> = 1..=6;
/// Copies of data directories that may be brought back.
const COPIES: usize = 3;

/// What a run came to.
pub(crate) struct Outcome {
    /// What was wrong, if anything was.
    pub(crate) failure: Option<Failure>,
    pub(crate) seen: Seen,
    pub(crate) trace: Vec<String>,
}

pub(crate) struct World {
    pub(crate) env: Environment,
    pub(crate) workers: Vec<Slot<WorkerProcess>>,
    pub(crate) servers: Vec<Slot<ServerProcess>>,
    pub(crate) disks: Vec<Disk>,
    /// Old copies: whose and what.
    pub(crate) copies: Vec<(usize, Disk)>,
    pub(crate) gateway: Gateway,
    input: Input,
    /// Steps with faults in them; the input comes in within about two thirds of them.
    faulty_steps: u64,
}

/// Runs one seed from its beginning to its end.
pub(crate) fn run(seed: u64, rules: Rules, trace: Trace) -> Outcome {
    World::new(seed, rules, trace).run()
}

impl World {
    fn new(seed: u64, rules: Rules, trace: Trace) -> Self {
        let mut random = Rng::with_seed(seed);
        let (layout, chances) = (Layout::draw(&mut random), Chances::draw(&mut random));
        let input = Input::draw(&layout, &mut random);
        let faulty_steps = random.u64(1_500..=4_000);
        let mut env = Environment::new(layout, chances, rules, random, trace);
        env.say(|| "seed", || format!("{seed}: {layout:?} {chances:?}"));
        input.begin(&mut env);
        Self {
            env,
            workers: (0..layout.workers).map(|_| Slot::new()).collect(),
            servers: (0..layout.servers).map(|_| Slot::new()).collect(),
            disks: vec![Disk::default(); layout.servers as usize],
            copies: Vec::new(),
            gateway: Gateway::default(),
            input,
            faulty_steps,
        }
    }

    fn run(mut self) -> Outcome {
        let failure = self.until_done().err();
        let mut seen = self.env.seen;
        (seen.seeds, seen.steps, seen.events) = (1, self.env.step, self.env.layout.events as u64);
        Outcome { failure, seen, trace: self.env.trace.into_lines() }
    }

    fn until_done(&mut self) -> Result<(), Failure> {
        let middle = self.env.random.u64(self.faulty_steps / 2..self.faulty_steps);
        while self.env.step < self.faulty_steps {
            if self.env.step == middle {
                self.fault_of_all();
            }
            self.fault();
            self.step()?;
        }
        self.calm();
        let patience = self.env.step + PATIENCE;
        while !self.env.step.is_multiple_of(LOOK) || !self.is_done() {
            self.step()?;
            if self.env.step > patience {
                let why = format!("not everything is learned {PATIENCE} steps after the last fault");
                return Err(Failure::StandsStill(why));
            }
        }
        let done = self.env.step;
        self.env.say(|| "scheduler", || "everything is learned".to_owned());
        while self.env.step < done + AFTERWARDS || !self.is_done() {
            self.step()?;
            if self.env.step > patience + AFTERWARDS {
                return Err(Failure::StandsStill("what was learned is not there any more".to_owned()));
            }
        }
        self.check()
    }

    /// No more faults: whoever is paused goes on.
    fn calm(&mut self) {
        self.env.chances = Chances::default();
        self.workers.iter_mut().for_each(Slot::resume);
        self.servers.iter_mut().for_each(Slot::resume);
        while self.input.feed(&mut self.env) {}
        self.env.say(|| "scheduler", || "no more faults".to_owned());
    }

    fn step(&mut self) -> Result<(), Failure> {
        self.env.step += 1;
        self.env.now_ms += self.env.random.u64(..2);
        let feeds = self.env.random.u64(..self.faulty_steps * 2 / 3) < self.env.layout.events as u64;
        if feeds {
            self.input.feed(&mut self.env);
        }
        let end = match self.env.random.u8(..12) {
            0 | 1 => {
                self.broker();
                Ok(())
            }
            2 => self.gateway.step(&mut self.env, &self.input),
            3..=6 => self.worker(),
            _ => self.server(),
        };
        match end {
            Err(End::Failed(failure)) => {
                self.env.say(|| "***", || failure.to_string());
                Err(failure)
            }
            Err(End::Restart(_)) | Ok(()) => Ok(()),
        }
    }

    /// What the broker does by itself.
    fn broker(&mut self) {
        let env = &mut self.env;
        for _ in 0..env.random.u8(1..=4) {
            if !env.write_marker() {
                break;
            }
        }
        env.time_out_transactions();
        let now_ms = env.now_ms;
        for role in [Role::Worker, Role::Server] {
            let expired = env.group(role).expire(now_ms);
            if expired > 0 {
                env.seen.add(Sight::SessionExpired, expired as u64);
                env.say(|| "broker", || format!("the {role:?}s' group removes {expired} members"));
            }
        }
        if env.one_in(30) {
            let shard = env.random.u32(..env.layout.shards);
            let active = env.random.u64(1..20);
            let (removed, tombstones) = env.log((Topic::Changelog, shard)).compact(now_ms, TOMBSTONE_MS, active);
            env.seen.add(Sight::Compacted, removed);
            env.seen.add(Sight::TombstoneGone, tombstones);
            env.trim();
        }
    }

    fn worker(&mut self) -> Result<(), End> {
        let name = self.env.random.u32(..self.env.layout.workers);
        let slot = &mut self.workers[name as usize];
        if slot.is_to_start(self.env.now_ms) {
            let process = WorkerProcess::start(&mut self.env, name);
            self.env.say(|| &process, || "starts".to_owned());
            slot.put(process);
        }
        let Some(index) = slot.pick(&mut self.env) else { return Ok(()) };
        let process = slot.process(index);
        let burst = self.env.random.u8(BURST);
        let end = (0..burst).try_for_each(|_| process.step(&mut self.env));
        ended(slot, index, &mut self.env, end)
    }

    fn server(&mut self) -> Result<(), End> {
        let name = self.env.random.u32(..self.env.layout.servers);
        let slot = &mut self.servers[name as usize];
        if slot.is_to_start(self.env.now_ms) {
            let process = ServerProcess::start(&mut self.env, name, name as usize);
            self.env.say(|| &process, || "starts".to_owned());
            slot.put(process);
        }
        let Some(index) = slot.pick(&mut self.env) else { return Ok(()) };
        let process = slot.process(index);
        let burst = self.env.random.u8(BURST);
        let end = (0..burst).try_for_each(|_| process.step(&mut self.env, &mut self.disks[process.disk]));
        ended(slot, index, &mut self.env, end)
    }

    /// Keeps a copy of a data directory, to be brought back later.
    pub(crate) fn copy_disk(&mut self) {
        let disk = self.env.random.usize(..self.env.layout.servers as usize);
        if !self.disks[disk].is_empty() {
            self.copies.truncate(COPIES - 1);
            self.copies.insert(0, (disk, self.disks[disk].clone()));
        }
    }

    fn is_done(&self) -> bool {
        let read = |number: u32| {
            let positions = self.gateway.positions(number).unwrap_or_default();
            (0..self.input.sources()).all(|source| positions.get(&source).copied() == self.input.end(source))
        };
        (0..self.env.layout.shards).all(read) && self.owned_rows().is_some()
    }

    /// All rows as their owners have them; none while a shard has no owner that has read everything.
    fn owned_rows(&self) -> Option<Rows> {
        let mut rows = Rows::default();
        let mut owned = 0;
        for process in self.servers.iter().filter_map(Slot::current) {
            for (_, shard) in process.shards() {
                let read = |source| shard.applied(source) == self.input.end(source);
                if !(0..self.input.sources()).all(read) {
                    return None;
                }
                owned += 1;
                for (id, table) in shard.rows().tables() {
                    table.iter().for_each(|(key, _, row)| rows.set(id, key, Some(weir_ps::words::u64_at(row, 0))));
                }
            }
        }
        (owned == self.env.layout.shards).then_some(rows)
    }

    /// What the gateways and the shards have at the end must be exact.
    fn check(&mut self) -> Result<(), Failure> {
        for number in 0..self.env.layout.shards {
            if let Err(End::Failed(failure)) = self.gateway.check(&mut self.env, &self.input, number) {
                return Err(failure);
            }
        }
        let ends = (0..self.input.sources()).filter_map(|source| Some((source, self.input.end(source)?)));
        let expected = self.input.fold(&ends.collect());
        match self.owned_rows().unwrap_or_default().difference(&expected, |key| key < KEYS) {
            None => Ok(()),
            Some(difference) => Err(Failure::Wrong(format!("the shards at the end: {difference}"))),
        }
    }
}

fn ended<P: Display>(slot: &mut Slot<P>, index: usize, env: &mut Environment, end: Result<(), End>) -> Result<(), End> {
    match end {
        Err(End::Restart(why)) => {
            env.say(|| slot.process(index).to_string(), || format!("ends: {why}"));
            slot.end(index, env);
            Ok(())
        }
        Err(End::Failed(Failure::Refused(why))) => Err(End::refused(format!("{}: {why}", slot.process(index)))),
        other => other,
    }
}
