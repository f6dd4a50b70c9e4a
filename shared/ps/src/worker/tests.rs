use super::*;
use crate::{ByRule, NameRef, Output, PullAnswer, Rule, Shard, TableSpec, words};

/// One cached table of rows of two `f32`.
struct OneTable([TableSpec; 1]);

impl Schema for OneTable {
    fn tables(&self) -> &[TableSpec] {
        &self.0
    }

    fn initial(&self, _: u8, key: u64, row: &mut [u32]) {
        words::f32s_mut(row).copy_from_slice(&[0.1, key as f32]);
    }
}

fn schema() -> Arc<dyn Schema> {
    Arc::new(OneTable([TableSpec { id: 0, name: "rows", width: 2, rule: Rule::AddF32, cached: true, named: true }]))
}

/// What an event does to the row of its key.
#[derive(Clone, Copy)]
enum Event {
    Scale(u64, f32),
    Forget(u64),
}

/// Emits each row as it finds it, then changes it.
struct Scaling;

impl WorkerLogic for Scaling {
    type Event = (Event, NameRef, u32);

    fn on_recv(&mut self, batch: &mut Batch<Self::Event>, pulls: &mut Pulls<'_>) {
        for (event, name, slot) in &mut batch.events {
            let (Event::Scale(key, _) | Event::Forget(key)) = *event;
            *slot = pulls.pull_named(0, key, *name);
        }
    }

    fn on_pull_recv(&mut self, batch: &mut Batch<Self::Event>, work: &mut Workspace) {
        for &(event, _, slot) in &batch.events {
            let value = Some(work.row(0, slot).iter().flat_map(|word| word.to_le_bytes()).collect());
            work.output(Output { stream: "found", key: None, value, headers: Vec::new() });
            match event {
                Event::Scale(_, by) => words::f32s_mut(work.row_mut(0, slot)).iter_mut().for_each(|value| *value *= by),
                Event::Forget(key) => work.forget(0, key),
            }
        }
    }
}

/// A worker and its only shard, one event a batch.
struct Pair {
    worker: Worker<Scaling>,
    shard: Shard<ByRule>,
    next: u64,
    offset: u64,
}

impl Pair {
    fn new() -> Self {
        let settings = WorkerSettings {
            partitioner: Partitioner::Hash { shards: 1 },
            limits: PullLimits { in_flight: 9, unapplied: 9, history_share: 0 },
            cached_rows: 9,
            cache_max_age_ms: u64::MAX,
            pull_timeout_ms: 1_000,
            reply_to: 0,
            frame_bytes: 10_000,
        };
        let mut worker = Worker::new(Scaling, schema(), settings, 1);
        worker.assign(0, Position::online(0), false);
        Self { worker, shard: Shard::new(0, ByRule, schema(), 9, 1_000), next: 0, offset: 0 }
    }

    fn read(&mut self, event: Event) {
        let (first, next) = (Position::online(self.next), Position::online(self.next + 1));
        self.next += 1;
        let range = SourceRange { source: 0, first, next };
        let mut batch = Batch {
            range,
            events: Vec::new(),
            names: crate::Names::default(),
            words: Vec::new(),
            outputs: Vec::new(),
            shared_slots: Vec::new(),
            repeated: 0,
        };
        let name = batch.names.push("seven");
        batch.events.push((event, name, 0));
        self.worker.on_batch(batch, 0).unwrap();
        for pull in self.worker.take_pulls() {
            let PullAnswer::Ready(reply) = self.shard.on_pull(pull, 0) else { panic!("it waits for nothing") };
            self.worker.on_reply(&reply).unwrap();
        }
    }

    /// Commits what is finished in one step, applies it, and gives the rows that were found.
    fn commit(&mut self) -> Vec<Vec<u32>> {
        let mut step = self.worker.take_step(usize::MAX).unwrap();
        let push = step.pushes.remove(0);
        let count = push.parts.len() as u16;
        for (number, part) in push.parts.iter().enumerate() {
            self.shard.apply(self.offset, (number as u16, count), &push.ranges, part).unwrap();
            self.offset += 1;
        }
        let words = |output: Output| {
            let bytes = output.value.unwrap_or_default();
            bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
        };
        step.outputs.into_iter().map(words).collect()
    }

    fn row(&self, key: u64) -> Option<&[u32]> {
        self.shard.rows().table(0).unwrap().get(key)
    }
}

#[test]
fn a_row_that_is_forgotten_in_the_step_that_names_it_is_gone() {
    let mut pair = Pair::new();
    pair.read(Event::Scale(7, 2.0));
    pair.read(Event::Forget(7));
    pair.commit();
    assert_eq!(pair.row(7), None);
    // It may come back, with its name.
    pair.read(Event::Forget(7));
    pair.read(Event::Scale(7, 3.0));
    pair.commit();
    let table = pair.shard.rows().table(0).unwrap();
    assert_eq!(table.slot(7).and_then(|slot| table.name(slot)), Some("seven"));
    assert_eq!(words::f32s(table.get(7).unwrap())[1], 21.0);
}

#[test]
fn a_cached_row_is_the_shards_to_the_last_bit() {
    let mut pair = Pair::new();
    let mut found: Option<Vec<u32>> = None;
    for by in [1e-3, 3.3, 0.7, 1e9, 1e-9, 1.1, 0.3, 1e20, 1e-20, 0.9, 1.7] {
        pair.read(Event::Scale(7, by));
        let now = pair.commit().remove(0);
        if let Some(before) = found {
            assert_eq!(now, before, "before it was scaled by {by}");
        }
        found = pair.row(7).map(<[u32]>::to_vec);
    }
}
