//! The example `count_min` as a process on a real Kafka, killed in between: the sketch is the one computed directly.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use weir_tests::weir::{covered, example, wait_contained};
use weir_tests::{Broker, Client, Event, Process, Producer, Random, place, ports, topic, try_wait_until, wait_until};

const PATIENCE: Duration = Duration::from_mins(1);
const MESSAGES: usize = 4_000;
/// As the example has it: rows, and counters in a row.
const SHAPE: (u64, u64) = (4, 1 << 13);

type Counts<K> = BTreeMap<K, u64>;

/// One instance of the example, with what it keeps from start to start.
struct Example {
    topic: String,
    prefix: String,
    port: u16,
    data: tempfile::TempDir,
}

#[test]
fn the_sketch_survives_a_kill_and_is_the_one_computed_directly() {
    let broker = Broker::shared();
    let (topic, prefix) = (broker.topic("messages"), broker.topic("sketch"));
    let example = Example { topic, prefix, port: ports::reserve(), data: tempfile::tempdir().expect("a directory") };
    topic::create(broker.brokers(), &example.topic, 4);
    let producer = Producer::new(broker.brokers(), &example.topic);
    let texts = texts();
    let (first, second) = texts.split_at(MESSAGES / 2);

    let mut process = example.start();
    wait_ready(&mut process, &example.rest());
    write(&producer, first);
    wait_until("something is learned", PATIENCE, || (learned(&example) > 0).then_some(()));
    write(&producer, second);
    process.kill();
    let mut process = example.start();
    wait_ready(&mut process, &example.rest());
    let ends = topic::ends(broker.brokers(), &example.topic);
    wait_contained(&example.rest(), "count-min", &example.topic, &ends, PATIENCE);

    let (words, found) = (words(&texts), sketch(&example.rest()));
    assert_eq!(found, directly(&words), "{} messages", texts.len());
    for (word, count) in &words {
        let estimate = keys(word).iter().map(|key| found[key]).min();
        assert!(estimate >= Some(*count), "{word}: {estimate:?} is less than {count}");
    }
    check_answer(&example, &words);
}

/// What the example says when it is asked.
fn check_answer(example: &Example, words: &Counts<String>) {
    let (word, count) = words.iter().max_by_key(|(_, count)| **count).expect("there are words");
    let mut command = Command::new(binary());
    let output = command.args(["--rest", &format!("127.0.0.1:{}", example.port), "--ask", word]).output();
    let said = String::from_utf8(output.expect("it runs").stdout).expect("text");
    assert_eq!(said.trim(), format!("{word}: {count}"), "a word that is this frequent has a counter almost of its own");
}

impl Example {
    fn start(&self) -> Process {
        Process::start("count-min", &place::log_dir().join("count_min.log"), &binary(), |command| {
            command.args(["--brokers", Broker::shared().brokers()]).env("WEIR_TOPICS__MESSAGES", &self.topic);
            command.env("WEIR_PREFIX", &self.prefix).env("WEIR_DATA_DIR", self.data.path());
            command.env("WEIR_LISTEN", format!("127.0.0.1:{}", self.port));
        })
    }

    fn rest(&self) -> Client {
        Client::new(self.port)
    }
}

fn binary() -> std::path::PathBuf {
    example("count_min")
}

fn wait_ready(process: &mut Process, rest: &Client) {
    let ready = try_wait_until(PATIENCE, || {
        assert!(process.exit_status().is_none(), "it ended: {}", process.log_tail());
        rest.try_get("/health/ready").filter(|answer| answer.status == 200)
    });
    assert!(ready.is_some(), "it is not ready: {}", process.log_tail());
}

fn learned(example: &Example) -> u64 {
    let offsets = covered(&example.rest(), "count-min", &example.topic);
    offsets.iter().filter_map(|offsets| offsets.as_array()).flatten().filter_map(Value::as_u64).sum()
}

/// Some words are far more frequent than others; some messages have none.
fn texts() -> Vec<String> {
    let mut random = Random::new(11);
    let mut text = || (0..random.below(9)).map(|_| format!("w{}", random.skewed(3_000))).collect::<Vec<_>>().join(" ");
    (0..MESSAGES).map(|_| text()).collect()
}

fn write(producer: &Producer, texts: &[String]) {
    let event = |(number, text): (usize, &String)| {
        let id = format!("m{number}");
        Event::keyed(&id, &json!({"id": id, "text": text}))
    };
    let broken = Event::raw(0, "no message");
    drop(producer.send(texts.iter().enumerate().map(event).chain([broken])));
}

fn words(texts: &[String]) -> Counts<String> {
    let mut counts = Counts::new();
    for word in texts.iter().flat_map(|text| text.split_whitespace()) {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts
}

fn keys(word: &str) -> Vec<u64> {
    (0..SHAPE.0).map(|row| row * SHAPE.1 + weir_wire::key(row, word) % SHAPE.1 + 1).collect()
}

fn directly(words: &Counts<String>) -> Counts<u64> {
    let mut counts = Counts::new();
    for (word, count) in words {
        for key in keys(word) {
            *counts.entry(key).or_default() += count;
        }
    }
    counts
}

/// The whole table, page by page.
fn sketch(rest: &Client) -> Counts<u64> {
    let (mut counts, mut after) = (Counts::new(), String::new());
    loop {
        let page = rest.get(&format!("/v1/models/count-min/tables/counters?limit=1000{after}")).expect(200);
        for row in page["rows"].as_array().expect("rows") {
            let key = row["key"].as_str().and_then(|key| key.parse().ok()).expect("a key");
            assert!(counts.insert(key, row["values"][0].as_u64().expect("a count")).is_none(), "{row} is there twice");
        }
        let Some(next) = page["next"].as_str() else { return counts };
        after = format!("&after={next}");
    }
}
