//! The parts of a cluster in memory, and what outlives their crashes.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Barrier, BatchLimits, Batcher, Model, Part, Position, Schema, Shard, ShardRows, SourceRange, Step, Worker,
    WorkerLogic, WorkerSettings,
};

pub(super) type Event<M> = <<M as Model>::Worker as WorkerLogic>::Event;

/// A worker and its readers.
pub(super) struct WorkerNode<M: Model> {
    pub(super) worker: Worker<M::Worker>,
    pub(super) batchers: BTreeMap<u32, Batcher<Event<M>>>,
}

impl<M: Model> WorkerNode<M> {
    pub(super) fn new(model: &M, settings: WorkerSettings, instance: u64) -> Self {
        let worker = Worker::new(model.worker(), model.schema(), settings, instance);
        Self { worker, batchers: BTreeMap::new() }
    }

    pub(super) fn assign(&mut self, source: u32, committed: u64, limits: BatchLimits) {
        let position = Position::online(committed);
        self.worker.assign(source, position, committed > 0);
        self.batchers.insert(source, Batcher::new(source, position, limits));
    }

    pub(super) fn revoke(&mut self, source: u32) {
        self.worker.revoke(source);
        self.batchers.remove(&source);
    }
}

/// One record of a push log.
pub(super) struct PushRecord {
    number: u16,
    count: u16,
    ranges: Arc<[SourceRange]>,
    part: Part,
}

/// A shard, its push log, and the state that its changelog holds.
pub(super) struct ShardNode<M: Model> {
    pub(super) shard: Shard<M::Server>,
    pub(super) log: Vec<PushRecord>,
    pub(super) published: ShardRows,
    published_barrier: Barrier,
    schema: Arc<dyn Schema>,
    number: u32,
}

impl<M: Model> ShardNode<M> {
    pub(super) fn new(model: &M, number: u32) -> Self {
        let schema = model.schema();
        Self {
            shard: empty(model, number, &schema),
            log: Vec::new(),
            published: ShardRows::new(Arc::clone(&schema)),
            published_barrier: Barrier::default(),
            schema,
            number,
        }
    }

    pub(super) fn append(&mut self, step: &mut Step) {
        let push = &mut step.pushes[self.number as usize];
        let ranges: Arc<[SourceRange]> = push.ranges.as_slice().into();
        let count = push.parts.len() as u16;
        for (number, part) in std::mem::take(&mut push.parts).into_iter().enumerate() {
            self.log.push(PushRecord { number: number as u16, count, ranges: Arc::clone(&ranges), part });
        }
    }

    pub(super) fn unread(&self) -> bool {
        self.shard.barrier().push_next < self.log.len() as u64
    }

    pub(super) fn apply_next(&mut self) -> Result<(), crate::Torn> {
        let offset = self.shard.barrier().push_next;
        match self.log.get(offset as usize) {
            Some(record) => self.shard.apply(offset, (record.number, record.count), &record.ranges, &record.part),
            None => Ok(()),
        }
    }

    pub(super) fn publish(&mut self) {
        let publication = self.shard.take_publication();
        for (id, (changed, deleted)) in publication.tables.iter().enumerate() {
            let (Some(rows), Some(copy)) = (self.shard.rows().table(id as u8), self.published.table_mut(id as u8))
            else {
                continue;
            };
            for &key in deleted {
                copy.remove(key);
            }
            for slot in changed.iter().filter_map(|&key| rows.slot(key)) {
                copy.put(rows.key(slot), rows.name(slot), rows.row(slot));
            }
        }
        self.published_barrier = publication.barrier;
    }

    pub(super) fn crash(&mut self, model: &M) {
        self.shard = empty(model, self.number, &self.schema);
        for (id, copy) in self.published.tables() {
            if let Some(table) = self.shard.rows_mut().table_mut(id) {
                copy.iter().for_each(|(key, name, row)| table.put(key, name, row));
                table.clear_changes();
            }
        }
        self.shard.restore(self.published_barrier.clone());
    }
}

fn empty<M: Model>(model: &M, number: u32, schema: &Arc<dyn Schema>) -> Shard<M::Server> {
    Shard::new(number, model.server(), Arc::clone(schema), 100, 1_000)
}
