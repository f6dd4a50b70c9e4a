//! What the recommender costs an event without Kafka, step by step, in one thread:
//! `cargo run --release -p weir-models --example learn_speed -- [FACTORS [EVENTS [BATCH]]]`
//!
//! Ratings as those of `weir bench ratings`: 45,000 users at random, 49,000 items of which few are popular. Each batch goes its whole
//! way before the next one begins: decoded, pulled, learned, pushed, applied, and now and then published.

use std::{
    env,
    error::Error,
    time::{Duration, Instant},
};

use weir_models::frames::{decode_pull, decode_push, decode_reply, encode_pull, encode_push, encode_reply};
use weir_models::recommender::{RecommenderModel, RecommenderServer, RecommenderWorker};
use weir_models::{Decoder, Input, recommender_settings};
use weir_ps::{
    BatchLimits, Batcher, Model, Partitioner, Position, PullAnswer, PullLimits, Schema, Shard, Worker, WorkerSettings,
};
use weir_runtime::Settings;
use weir_wire::{Frame, frame};

const SHARDS: u32 = 3;
const SOURCES: u32 = 4;
const USERS: u64 = 45_000;
const ITEMS: f64 = 49_000.0;
const MODEL: u32 = 7;
/// Batches between two publications: about as a busy server does it.
const PUBLISH_EVERY: usize = 40;
const STEPS: [&str; 7] = ["decode", "ask", "answer", "learn", "push", "apply", "publish"];

struct Pipe {
    model: RecommenderModel,
    schema: std::sync::Arc<dyn Schema>,
    worker: Worker<RecommenderWorker>,
    shards: Vec<Shard<RecommenderServer>>,
    offsets: Vec<u64>,
    spent: [Duration; STEPS.len()],
    push_bytes: usize,
    reply_bytes: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |place: usize, default: usize| arguments.get(place).map_or(Ok(default), |text| text.parse::<usize>());
    let (factors, events, batch) = (number(0, 10)?, number(1, 1_000_000)?, number(2, 8_192)?);
    let mut settings = Settings::default();
    settings.recommender.factors = factors as u16;
    settings.recommender.ranking.factors = factors as u16;
    let mut pipe = Pipe::new(RecommenderModel::new(recommender_settings(&settings)?));
    let mut random = fastrand::Rng::with_seed(1);
    let limits = BatchLimits { events: batch, bytes: usize::MAX, wait_ms: 0, history_share: 0 };
    let mut batchers: Vec<_> = (0..SOURCES).map(|source| Batcher::new(source, Position::online(0), limits)).collect();
    for number in 0..events / batch {
        let records: Vec<String> = (0..batch).map(|_| record(&mut random)).collect();
        pipe.run(&mut batchers[number % SOURCES as usize], &records)?;
        if number % PUBLISH_EVERY == PUBLISH_EVERY - 1 {
            pipe.publish()?;
        }
    }
    pipe.report((events / batch * batch) as f64);
    Ok(())
}

fn record(random: &mut fastrand::Rng) -> String {
    let (user, item, stars) = (random.u64(..USERS), ITEMS.powf(random.f64()) as u64, random.u32(1..=10));
    format!(r#"{{"user":"u{user}","item":"i{item}","rating":{}}}"#, f64::from(stars) / 2.0)
}

impl Pipe {
    fn new(model: RecommenderModel) -> Self {
        let settings = WorkerSettings {
            partitioner: Partitioner::Hash { shards: SHARDS },
            limits: PullLimits { in_flight: 3, unapplied: 16, history_share: 0 },
            cached_rows: 1_000_000,
            cache_max_age_ms: u64::MAX,
            pull_timeout_ms: 500,
            reply_to: 0,
            frame_bytes: 900_000,
        };
        let mut worker = Worker::new(model.worker(), model.schema(), settings, 1);
        (0..SOURCES).for_each(|source| worker.assign(source, Position::online(0), false));
        let shard = |number| Shard::new(number, model.server(), model.schema(), 1_000, 1_000);
        Self {
            worker,
            shards: (0..SHARDS).map(shard).collect(),
            schema: model.schema(),
            model,
            offsets: vec![0; SHARDS as usize],
            spent: [Duration::ZERO; STEPS.len()],
            push_bytes: 0,
            reply_bytes: 0,
        }
    }

    fn run(
        &mut self,
        batcher: &mut Batcher<weir_models::recommender::RecommenderEvent>,
        records: &[String],
    ) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        let first = batcher.batch().range.next.sequence;
        for (number, record) in records.iter().enumerate() {
            let (offset, timestamp_ms) = (first + number as u64, 1_700_000_000_000);
            let input = Input { key: None, payload: Some(record.as_bytes()), timestamp_ms, offset };
            self.model.decode(input, batcher.batch())?;
            batcher.advance(offset, record.len(), 0).map_err(|_| "the batch went back")?;
        }
        let batch = batcher.cut();
        let began = self.lap(0, began);
        self.worker.on_batch(batch, 0)?;
        let pulls: Result<Vec<_>, _> = self.worker.take_pulls().iter().map(|pull| encode_pull(MODEL, pull)).collect();
        let began = self.lap(1, began);
        let replies = pulls?.iter().map(|pull| self.answer(pull)).collect::<Result<Vec<_>, _>>()?;
        let began = self.lap(2, began);
        for reply in &replies {
            self.reply_bytes += reply.len();
            let Frame::Reply(reply) = Frame::parse(reply)? else { return Err("not a reply".into()) };
            self.worker.on_reply(&decode_reply(0, &reply))?;
        }
        let mut began = self.lap(3, began);
        while let Some(step) = self.worker.take_step(8 << 20) {
            for (shard, push) in step.pushes.iter().enumerate() {
                let frames = encode_push(MODEL, shard as u32, push)?;
                began = self.lap(4, began);
                frames.iter().try_for_each(|frame| self.apply(shard, frame))?;
                began = self.lap(5, began);
            }
        }
        Ok(())
    }

    fn answer(&mut self, pull: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
        let Frame::Pull(pull) = Frame::parse(pull)? else { return Err("not a pull".into()) };
        let pull = decode_pull(&*self.schema, &pull)?;
        let PullAnswer::Ready(reply) = self.shards[pull.shard as usize].on_pull(pull, 0) else {
            return Err("a pull waits".into());
        };
        Ok(encode_reply(MODEL, &*self.schema, &reply)?)
    }

    fn apply(&mut self, shard: usize, frame: &[u8]) -> Result<(), Box<dyn Error>> {
        self.push_bytes += frame.len();
        let Frame::Push(push) = Frame::parse(frame)? else { return Err("not a push".into()) };
        let (ranges, part) = decode_push(&*self.schema, &push)?;
        self.shards[shard].apply(self.offsets[shard], (push.head.part, push.head.parts), &ranges, &part)?;
        self.offsets[shard] += 1;
        Ok(())
    }

    fn publish(&mut self) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        for (number, shard) in self.shards.iter_mut().enumerate() {
            let publication = shard.take_publication();
            for (id, (changed, _)) in publication.tables.iter().enumerate() {
                let Some(table) = shard.rows().table(id as u8) else { continue };
                for slot in changed.iter().filter_map(|&key| table.slot(key)) {
                    let mut value = Vec::new();
                    frame::encode_row(&mut value, MODEL, number as u32, table.name(slot), table.row(slot))?;
                    std::hint::black_box(value);
                }
            }
        }
        self.lap(6, began);
        Ok(())
    }

    fn lap(&mut self, step: usize, began: Instant) -> Instant {
        let now = Instant::now();
        self.spent[step] += now - began;
        now
    }

    fn report(&self, events: f64) {
        for (name, spent) in STEPS.iter().zip(self.spent) {
            println!("{name:8} {:6.0} ns an event", spent.as_nanos() as f64 / events);
        }
        let total: Duration = self.spent.iter().sum();
        println!("in all   {:6.0} ns an event", total.as_nanos() as f64 / events);
        println!(
            "pushes {:.0}, replies {:.0} bytes an event",
            self.push_bytes as f64 / events,
            self.reply_bytes as f64 / events
        );
    }
}
