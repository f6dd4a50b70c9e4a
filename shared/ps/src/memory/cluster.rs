//! The seeded scheduler.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::{
    Error, Outcome, Plan,
    nodes::{Event, ShardNode, WorkerNode},
};
use crate::{Batch, Model, Output, Pull, PullAnswer, Reply, WorkerError};

/// Scheduler steps without any progress after which a run counts as dead.
const PATIENCE: u64 = 100_000;

/// Messages delivered in one scheduler step: more than workers that crash all the time can ask for, or the run would
/// drown in questions of the dead.
const DELIVERIES: usize = 8;

pub(super) struct Cluster<'a, M: Model, R, D> {
    model: &'a M,
    input: &'a [Vec<R>],
    plan: &'a Plan,
    decode: D,
    random: Rng,
    workers: Vec<WorkerNode<M>>,
    shards: Vec<ShardNode<M>>,
    committed: BTreeMap<u32, u64>,
    owners: BTreeMap<u32, usize>,
    pulls: Vec<Pull>,
    replies: Vec<Reply>,
    outputs: Vec<Output>,
    instances: u64,
    steps: u64,
    last_progress: u64,
    faults: u64,
}

impl<'a, M: Model, R, D: Fn(&R, &mut Batch<Event<M>>)> Cluster<'a, M, R, D> {
    pub(super) fn new(model: &'a M, input: &'a [Vec<R>], plan: &'a Plan, decode: D) -> Self {
        let shards = plan.worker.partitioner.shards();
        let mut cluster = Self {
            model,
            input,
            plan,
            decode,
            random: Rng::with_seed(plan.seed),
            workers: Vec::new(),
            shards: (0..shards).map(|number| ShardNode::new(model, number)).collect(),
            committed: (0..input.len() as u32).map(|source| (source, 0)).collect(),
            owners: BTreeMap::new(),
            pulls: Vec::new(),
            replies: Vec::new(),
            outputs: Vec::new(),
            instances: 0,
            steps: 0,
            last_progress: 0,
            faults: 0,
        };
        for _ in 0..plan.workers {
            let node = cluster.new_worker();
            cluster.workers.push(node);
        }
        (0..input.len()).for_each(|source| cluster.give(source as u32, source % plan.workers as usize));
        cluster
    }

    pub(super) fn run(mut self) -> Result<Outcome, Error> {
        while !self.is_done() {
            self.steps += 1;
            if self.steps - self.last_progress > PATIENCE {
                return Err(Error::StandsStill(self.steps));
            }
            self.fault();
            match self.random.u8(..8) {
                0 | 1 => self.read()?,
                2 => (0..DELIVERIES).for_each(|_| self.deliver_pull()),
                3 => (0..DELIVERIES).try_for_each(|_| self.deliver_reply())?,
                4 => self.commit(),
                5 | 6 => self.apply()?,
                _ => self.publish_or_tick(),
            }
        }
        let (mut shards, mut published, outputs) = (Vec::new(), Vec::new(), self.outputs);
        for node in self.shards {
            shards.push(node.shard.into_rows());
            published.push(node.published);
        }
        Ok(Outcome { shards, published, outputs, steps: self.steps, faults: self.faults })
    }

    fn is_done(&self) -> bool {
        let read = |(&source, &next): (&u32, &u64)| next == self.input[source as usize].len() as u64;
        self.committed.iter().all(read) && self.shards.iter().all(|node| !node.unread() && !node.shard.has_news())
    }

    fn new_worker(&mut self) -> WorkerNode<M> {
        self.instances += 1;
        WorkerNode::new(self.model, self.plan.worker, self.instances)
    }

    fn give(&mut self, source: u32, worker: usize) {
        let committed = self.committed.get(&source).copied().unwrap_or_default();
        self.owners.insert(source, worker);
        self.workers[worker].assign(source, committed, self.plan.batch);
    }

    fn chance(&mut self, in_thousand: u32) -> bool {
        let met = self.random.u32(..1_000) < in_thousand;
        self.faults += u64::from(met);
        met
    }

    fn fault(&mut self) {
        let faults = self.plan.faults;
        if self.chance(faults.crash_worker) {
            let worker = self.random.usize(..self.workers.len());
            self.workers[worker] = self.new_worker();
            let sources = self.owners.iter().filter(|(_, owner)| **owner == worker).map(|(&source, _)| source);
            for source in sources.collect::<Vec<_>>() {
                self.give(source, worker);
            }
        }
        if self.chance(faults.crash_shard) {
            let shard = self.random.usize(..self.shards.len());
            self.shards[shard].crash(self.model);
        }
        if self.chance(faults.move_source) {
            self.move_source();
        }
        if self.chance(faults.lose_message) {
            let lost = self.random.bool();
            if lost {
                self.pick_pull().is_some()
            } else {
                self.pick_reply().is_some()
            };
        }
    }

    /// As a rebalance does: what the old owner has finished is committed, the rest is dropped.
    fn move_source(&mut self) {
        let source = self.random.u32(..self.input.len() as u32);
        let (old, new) = (self.owners[&source], self.random.usize(..self.workers.len()));
        self.workers[old].revoke(source);
        self.commit_worker(old);
        self.give(source, new);
    }

    fn read(&mut self) -> Result<(), WorkerError> {
        let source = self.random.u32(..self.input.len() as u32);
        let node = &mut self.workers[self.owners[&source]];
        let (room, records) = (node.worker.room(source), &self.input[source as usize]);
        let Some(batcher) = node.batchers.get_mut(&source) else { return Ok(()) };
        let at = batcher.batch().range.next.sequence;
        let drained = at as usize >= records.len();
        if !drained && !batcher.is_full() {
            (self.decode)(&records[at as usize], batcher.batch());
            // The next record is always the expected one: it was just asked for.
            batcher.advance(at, 1, self.steps).unwrap_or_default();
        }
        if room > 0 && batcher.is_due(drained, self.steps) {
            let batch = batcher.cut();
            node.worker.on_batch(batch, self.steps)?;
        }
        let pulls = node.worker.take_pulls();
        self.pulls.extend(pulls);
        Ok(())
    }

    fn pick_pull(&mut self) -> Option<Pull> {
        let index = self.random.usize(..self.pulls.len().max(1));
        (index < self.pulls.len()).then(|| self.pulls.swap_remove(index))
    }

    fn pick_reply(&mut self) -> Option<Reply> {
        let index = self.random.usize(..self.replies.len().max(1));
        (index < self.replies.len()).then(|| self.replies.swap_remove(index))
    }

    fn deliver_pull(&mut self) {
        let Some(pull) = self.pick_pull() else { return };
        let node = &mut self.shards[pull.shard as usize];
        if let PullAnswer::Ready(reply) = node.shard.on_pull(pull, self.steps) {
            self.replies.push(reply);
        }
    }

    fn deliver_reply(&mut self) -> Result<(), WorkerError> {
        let Some(reply) = self.pick_reply() else { return Ok(()) };
        for node in &mut self.workers {
            node.worker.on_reply(&reply)?;
        }
        Ok(())
    }

    fn commit(&mut self) {
        let worker = self.random.usize(..self.workers.len());
        self.commit_worker(worker);
    }

    fn commit_worker(&mut self, worker: usize) {
        while let Some(mut step) = self.workers[worker].worker.take_step(10_000) {
            self.last_progress = self.steps;
            self.shards.iter_mut().for_each(|node| node.append(&mut step));
            self.outputs.append(&mut step.outputs);
            self.committed.extend(step.ranges.iter().map(|range| (range.source, range.next.sequence)));
        }
    }

    fn apply(&mut self) -> Result<(), Error> {
        let shard = self.random.usize(..self.shards.len());
        let node = &mut self.shards[shard];
        node.apply_next()?;
        self.replies.extend(node.shard.release(self.steps));
        Ok(())
    }

    fn publish_or_tick(&mut self) {
        let shard = self.random.usize(..self.shards.len());
        self.shards[shard].publish();
        let worker = self.random.usize(..self.workers.len());
        let worker = &mut self.workers[worker].worker;
        worker.tick(self.steps);
        self.pulls.extend(worker.take_pulls());
    }
}
