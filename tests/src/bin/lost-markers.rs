//! What a broker that loses transaction markers does to a transactional producer, and that the first transaction of
//! weir's producers, which is aborted, undoes it.
//!
//! ```sh
//! WEIR_TEST_KAFKA=4.3.1 cargo run -p weir-tests --bin lost-markers
//! ```
//! Producers leave transactions open, a lone broker is killed and started again, and each name begins anew: half of them
//! as weir does, half without the aborted transaction. Ends with exit code 0 when something was torn without it (Kafka
//! 4.3.1, KAFKA-20734) and nothing with it.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Parser;
use weir_kafka::{AbortFirst, Connection, Isolation, OutRecord, Transaction, Transactional};
use weir_tests::{Broker, topic, try_wait_until, wait_until};

const PATIENCE: Duration = Duration::from_mins(1);
/// How long a record that is committed may take to be seen, before it counts as hidden.
const SEEN: Duration = Duration::from_secs(15);
/// More than a client sends in one record: refused before it leaves, so that its transaction stays as it is.
const TOO_LARGE: usize = 2_500_000;

/// Kills a broker with transactions open, and counts what is torn without weir's first transaction and with it.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often the broker is killed, at most: it ends once something was torn.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Producers of each kind, each with a partition of its own.
    #[arg(long, default_value_t = 20)]
    producers: u32,
}

/// Whether a producer's start aborts a transaction first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Bare,
    AbortFirst,
}

/// What readers of committed records saw at the end, as partitions.
#[derive(Debug, Default)]
struct Torn {
    /// Records of the dead transaction, as if committed.
    raised: usize,
    /// Nothing of what was committed afterwards.
    hidden: usize,
}

/// Producers of one kind and their topic.
struct Producers {
    brokers: String,
    topic: Arc<str>,
    start: Start,
    count: u32,
}

fn main() -> ExitCode {
    let Arguments { rounds, producers } = Arguments::parse();
    let mut broker = Broker::private();
    for round in 1..=rounds {
        let kinds = [Start::Bare, Start::AbortFirst].map(|start| Producers::create(&broker, start, producers));
        kinds.iter().for_each(Producers::leave_open);
        broker.kill();
        broker.restart();
        let [bare, first] = kinds.map(|kind| kind.torn());
        println!(
            "round {round}, of {producers} partitions each: without the first transaction {bare:?}, with it {first:?}"
        );
        if first.is_any() {
            println!("the first transaction did not help");
            return ExitCode::FAILURE;
        }
        if bare.is_any() {
            return ExitCode::SUCCESS;
        }
    }
    println!("this broker lost no marker");
    ExitCode::FAILURE
}

impl Torn {
    fn is_any(&self) -> bool {
        self.raised + self.hidden > 0
    }
}

impl Producers {
    fn create(broker: &Broker, start: Start, count: u32) -> Self {
        let name = broker.topic("markers");
        topic::create(broker.brokers(), &name, count);
        Self { brokers: broker.brokers().to_owned(), topic: name.into(), start, count }
    }

    /// Each commits a record, and leaves another one in a transaction that nobody ends. They expire at different
    /// moments around the broker's start.
    fn leave_open(&self) {
        thread::scope(|scope| {
            for partition in 0..self.count {
                scope.spawn(move || {
                    let mut producer = self.producer(partition);
                    producer.run(&transaction(vec![self.record(partition, "first")])).expect("it is committed");
                    let never = self.record(partition, &"x".repeat(TOO_LARGE));
                    let refused = producer.run(&transaction(vec![self.record(partition, "dead"), never]));
                    assert!(refused.is_err(), "such a record cannot be sent");
                    let arrived = || self.ends(partition, Isolation::ReadUncommitted) > 2;
                    wait_until("the open record arrives", PATIENCE, || arrived().then_some(()));
                });
            }
        });
    }

    /// Every name begins again and commits one record more; what can be read then.
    fn torn(&self) -> Torn {
        thread::scope(|scope| {
            for partition in 0..self.count {
                scope.spawn(move || {
                    let after = transaction(vec![self.record(partition, "after")]);
                    wait_until("a record is committed", PATIENCE * 2, || self.producer(partition).run(&after).ok());
                });
            }
        });
        let all_seen = || (0..self.count).all(|p| self.hides_nothing(p)).then_some(());
        let _ = try_wait_until(SEEN, all_seen);
        let hidden = (0..self.count).filter(|partition| !self.hides_nothing(*partition)).count();
        let read = topic::read_all(&self.brokers, &self.topic);
        let raised = read.iter().filter(|record| record.payload.as_deref() == Some(b"dead")).count();
        Torn { raised, hidden }
    }

    fn producer(&self, partition: u32) -> Transactional {
        let partitions = if self.start == Start::Bare { vec![] } else { vec![(Arc::clone(&self.topic), partition)] };
        let (name, timeout) = (format!("{}-{partition}", self.topic), Duration::from_secs(5 + u64::from(partition)));
        let connection = Connection::new(&self.brokers, "weir-tests");
        let started = Transactional::start(&connection, &name, timeout, &AbortFirst { partitions, group: None });
        started.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn record(&self, partition: u32, payload: &str) -> OutRecord {
        OutRecord::new(Arc::clone(&self.topic), Some(partition), Some(b"key".to_vec()), Some(payload.into()))
    }

    fn hides_nothing(&self, partition: u32) -> bool {
        self.ends(partition, Isolation::ReadCommitted) == self.ends(partition, Isolation::ReadUncommitted)
    }

    fn ends(&self, partition: u32, isolation: Isolation) -> u64 {
        let marks = topic::admin(&self.brokers).watermarks(&self.topic, partition, isolation);
        marks.unwrap_or_else(|error| panic!("{}: {error}", self.topic)).end
    }
}

fn transaction(records: Vec<OutRecord>) -> Transaction {
    Transaction { records, offsets: None }
}
