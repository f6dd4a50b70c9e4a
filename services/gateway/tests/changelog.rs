//! A gateway on a real Kafka, with a changelog that the test writes in a shard's place.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use weir_gateway::{Gateway, materialise};
use weir_kafka::{AbortFirst, Connection, OutRecord, Partitions, TopicSpec, Transaction, Transactional};
use weir_models::{ExpectedLayout, Named, describe, descriptions};
use weir_ps::{Partitioner, counting};
use weir_runtime::{Context, Health, Metrics, Registry, Settings, Shutdown, Supervisor, bind};
use weir_tests::{Broker, Client, topic, wait_until};
use weir_wire::frame::{BARRIER_KEY, Position, SourceDone, encode_barrier, encode_row, row_key};

const PATIENCE: Duration = Duration::from_mins(1);
const SHARDS: u32 = 2;

/// A gateway in this process.
struct Process {
    context: Context,
    rest: Client,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Process {
    fn start(settings: &Settings) -> Self {
        let context = Context {
            settings: Arc::new(settings.clone()),
            instance: "test".into(),
            metrics: Arc::new(Metrics::new(Registry::new()).expect("metrics")),
            health: Health::new(),
            shutdown: Shutdown::new(),
        };
        let listener = bind("listen", "127.0.0.1:0").expect("a port");
        let rest = Client::new(listener.local_addr().expect("an address").port());
        let started = context.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let mut supervisor = Supervisor::new(started.clone());
            let models = descriptions(&started.settings)?;
            let gateway = Gateway::new(&started, models)?;
            weir_gateway::start(&mut supervisor, &gateway, runtime.handle(), listener, materialise)?;
            supervisor.join()
        });
        Self { context, rest, thread: Some(thread) }
    }

    fn wait_ready(&self) {
        wait_until("ready", PATIENCE, || self.rest.try_get("/health/ready").filter(|answer| answer.status == 200));
    }

    fn wait_not_ready(&self, reason: &str) {
        wait_until(reason, PATIENCE, || {
            self.rest.try_get("/health/ready").filter(|answer| answer.body.contains(reason))
        });
    }

    /// How it ended.
    fn join(mut self) -> anyhow::Result<()> {
        self.thread.take().expect("not joined yet").join().expect("no panic")
    }

    fn stop(self) {
        self.context.shutdown.request();
        self.join().expect("a clean end");
    }
}

/// Writes what shards of the counting model would.
struct Shards {
    transactional: Transactional,
    topic: Arc<str>,
    hash: u32,
    layout: ExpectedLayout,
    seed: u64,
}

impl Shards {
    fn new(settings: &Settings) -> Self {
        let description = describe(Named::Counting, settings).expect("settings");
        let topic: Arc<str> = description.topics(&settings.prefix).parameters.into();
        let connection = Connection::new(&settings.brokers, "shards");
        let partitions = (0..SHARDS).map(|shard| (Arc::clone(&topic), shard)).collect();
        let first = AbortFirst { partitions, group: None };
        let transactional = Transactional::start(&connection, &settings.prefix, Duration::from_secs(10), &first);
        let cluster_id = topic::admin(&settings.brokers).cluster_id().to_owned();
        let layout = description.layout(&cluster_id);
        let (hash, seed) = (description.hash(), description.seed);
        Self { transactional: transactional.expect("a producer"), topic, hash, layout, seed }
    }

    fn commit(&mut self, records: Vec<OutRecord>) {
        self.transactional.run(&Transaction { records, offsets: None }).expect("committed");
    }

    fn user(&self, id: &str, count: Option<u64>) -> OutRecord {
        let key = weir_wire::key(self.seed, id);
        let shard = Partitioner::Hash { shards: SHARDS }.shard(key);
        let value = count.map(|count| {
            let mut value = Vec::new();
            encode_row(&mut value, self.hash, shard, Some(id), &weir_ps::words::from_u64(count)).expect("a row");
            value
        });
        self.record(shard, &row_key(counting::USERS, key), value)
    }

    fn barriers(&self, offsets: &[u64], shards: u32) -> Vec<OutRecord> {
        let mut layout = self.layout.written().clone();
        layout.shards = shards;
        let layout = layout.to_json().expect("JSON");
        let done = |(source, next): (usize, &u64)| SourceDone {
            source: source as u32,
            position: Position { pass: 0, sequence: *next },
            parts_done: 0,
        };
        let sources: Vec<_> = offsets.iter().enumerate().map(done).collect();
        let barrier = |shard| {
            let mut value = Vec::new();
            encode_barrier(&mut value, self.hash, shard, 0, &sources, &layout).expect("a barrier");
            self.record(shard, &BARRIER_KEY, Some(value))
        };
        (0..SHARDS).map(barrier).collect()
    }

    fn record(&self, shard: u32, key: &[u8], value: Option<Vec<u8>>) -> OutRecord {
        OutRecord::new(Arc::clone(&self.topic), Some(shard), Some(key.to_vec()), value)
    }
}

fn settings(label: &str) -> Settings {
    let broker = Broker::shared();
    let mut settings = Settings { brokers: broker.brokers().to_owned(), ..Settings::default() };
    settings.models = vec!["counting".into()];
    settings.prefix = broker.topic(label);
    settings.topics.ratings = broker.topic(&format!("ratings-{label}"));
    settings.server.shards = SHARDS;
    settings.gateway.at_least_timeout_ms = 3_000;
    settings
}

fn create_topics(settings: &Settings) {
    topic::create(&settings.brokers, &settings.topics.ratings, 2);
    let spec = TopicSpec {
        name: format!("{}.counting.g1.parameters", settings.prefix),
        partitions: Partitions::Exactly(SHARDS),
        replication: 1,
        compact: true,
        settings: std::collections::BTreeMap::new(),
    };
    topic::admin(&settings.brokers).ensure_topics(&[spec]).expect("created");
}

fn users(rest: &Client) -> Vec<(String, u64)> {
    let page = rest.get("/v1/models/counting/tables/users").expect(200);
    let row = |row: &Value| Some((row["id"].as_str()?.to_owned(), row["values"][0].as_u64()?));
    let mut users: Vec<_> = page["rows"].as_array().expect("rows").iter().filter_map(row).collect();
    users.sort();
    users
}

#[test]
fn a_changelog_becomes_answers_and_follows() {
    let settings = settings("follow");
    let process = Process::start(&settings);
    process.wait_not_ready("is not there yet");
    let _ = process.rest.get("/health/live").expect(200);
    create_topics(&settings);
    process.wait_ready();
    let ratings = &settings.topics.ratings;
    let model = |rest: &Client| rest.get("/v1/models").expect(200)["models"][0].clone();
    assert_eq!(model(&process.rest)["offsets"][ratings], json!([0, 0]));

    let mut shards = Shards::new(&settings);
    let rows = [shards.user("a", Some(3)), shards.user("b", Some(4)), shards.user("c", Some(5))];
    shards.commit([&rows[..], &shards.barriers(&[7, 5], SHARDS)].concat());
    let at_least = format!("at_least={ratings}:0:6&at_least={ratings}:1:4");
    let _ = process.rest.get(&format!("/v1/models?{at_least}")).expect(200);
    assert_eq!(users(&process.rest), [("a".into(), 3), ("b".into(), 4), ("c".into(), 5)]);
    assert_eq!((&model(&process.rest)["events"], &model(&process.rest)["rows"]), (&json!(12), &json!(3)));

    let foreign = shards.record(0, b"foreign", Some(b"not a frame".to_vec()));
    let changed = vec![foreign, shards.user("a", Some(30)), shards.user("b", None)];
    shards.commit([changed, shards.barriers(&[8, 5], SHARDS)].concat());
    let _ = process.rest.get(&format!("/v1/models?at_least={ratings}:0:7")).expect(200);
    let expected = [("a".into(), 30), ("c".into(), 5)];
    assert_eq!(users(&process.rest), expected);
    assert!(process.rest.get("/metrics").body.contains("weir_frames_skipped_total{"), "the foreign frame is counted");
    let problem = process.rest.get(&format!("/v1/models?at_least={ratings}:0:8")).problem(503);
    assert_eq!(problem["covered"][ratings], json!([8, 5]));
    process.stop();

    // The log ends in a transaction's marker, which is never seen as a record.
    let again = Process::start(&settings);
    again.wait_ready();
    assert_eq!(users(&again.rest), expected);
    assert_eq!((&model(&again.rest)["offsets"][ratings], &model(&again.rest)["events"]), (&json!([8, 5]), &json!(35)));
    again.stop();
}

#[test]
fn another_layout_ends_the_process_with_what_to_do() {
    let settings = settings("layout");
    create_topics(&settings);
    let process = Process::start(&settings);
    process.wait_ready();
    let mut shards = Shards::new(&settings);
    shards.commit(shards.barriers(&[1, 1], SHARDS + 1));
    let error = format!("{:#}", process.join().expect_err("fatal"));
    assert!(error.contains("shards is 3, expected 2") && error.contains("server.shards"), "{error}");
}

#[test]
fn ratings_are_written_keyed_by_user_and_acknowledged_in_order() {
    let settings = settings("produce");
    create_topics(&settings);
    let process = Process::start(&settings);
    process.wait_ready();
    let event = |number: usize| json!({"user": format!("u{}", number % 7), "item": "i", "rating": number, "more": 1});
    let events: Vec<Value> = (0..500).map(event).collect();
    let accepted = process.rest.post("/v1/ratings", &json!(events)).expect(202)["accepted"].clone();
    let accepted = accepted.as_array().expect("a list");
    let written = topic::read_all(&settings.brokers, &settings.topics.ratings);
    assert_eq!((accepted.len(), written.len()), (500, 500));
    for (event, place) in events.iter().zip(accepted) {
        assert_eq!(place["topic"], *settings.topics.ratings);
        let found = written
            .iter()
            .find(|seen| place["partition"] == seen.place.partition && place["offset"] == seen.place.offset);
        let found = found.expect("where it is said to be");
        assert_eq!(found.key.as_deref(), event["user"].as_str().map(str::as_bytes));
        let payload: Value = serde_json::from_slice(found.payload.as_deref().expect("a value")).expect("JSON");
        assert_eq!(payload, *event, "as it came, unknown fields included");
    }
    let single = process.rest.post("/v1/ratings", &json!({"user": "u1", "item": "i"})).expect(202);
    assert_eq!(single["accepted"].as_array().map(Vec::len), Some(1));
    process.stop();
}
