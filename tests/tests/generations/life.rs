//! The whole life of a generation under load: trained from the log, a shadow, promoted, rolled back, retired.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;
use weir_tests::counting::{Counter, check_exact};
use weir_tests::trial::PATIENCE;
use weir_tests::{Broker, Client, Cluster, Deployment, Producer, Random, kills, topic, wait_until};

use crate::commands::{done, refused};

const EVENTS: usize = 5_000;
/// Events between two steps of the life.
const BETWEEN: usize = 500;

#[test]
fn a_generation_lives_under_load_and_answers_never_mix() {
    let deployment = kills::deployment(Broker::shared(), "life");
    let mut counter = Counter::new(Random::new(21), 200, 100);
    let mut cluster = Cluster::start(deployment.clone(), 1, 1);
    write(&deployment, &mut counter, EVENTS);
    wait_contained(&mut cluster);

    let (stop, rest) = (AtomicBool::new(false), cluster.rest());
    let seen = thread::scope(|scope| {
        let reader = scope.spawn(|| read_throughout(&rest, &stop));
        let (mut load, deployment, stop) = (counter.clone(), &deployment, &stop);
        let writer = scope.spawn(move || {
            // As fast as the broker acknowledges twenty at a time.
            let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
            while !stop.load(Ordering::Acquire) {
                assert_eq!(producer.send((0..20).map(|_| load.event())).len(), 20);
            }
        });
        let said = done(deployment, &["train", "counting", "--set", "server.shards=2"]);
        assert!(said.contains("generation g2") && said.contains("has caught up"), "{said}");
        assert_eq!(serving(&rest), "g1", "a shadow answers nobody");
        done(deployment, &["promote", "counting", "g2"]);
        wait_served(&rest, "g2");
        done(deployment, &["rollback", "counting"]);
        wait_served(&rest, "g1");
        done(deployment, &["promote", "counting", "g2"]);
        wait_served(&rest, "g2");
        stop.store(true, Ordering::Release);
        writer.join().expect("it writes");
        reader.join().expect("every answer is whole")
    });
    assert_eq!(seen, ["g1", "g2"].map(str::to_owned).into());
    // Both have learned everything exactly once.
    wait_contained(&mut cluster);
    check_exact(&cluster.rest(), &counter.tally());
    done(&deployment, &["rollback", "counting"]);
    wait_served(&cluster.rest(), "g1");
    wait_contained(&mut cluster);
    check_exact(&cluster.rest(), &counter.tally());

    done(&deployment, &["retire", "counting", "g2"]);
    refused(&deployment, &["promote", "counting", "g2"], "g2 is retired");
    for topic in ["pushes", "pulls", "replies", "parameters"]
        .map(|kind| deployment.internal_topic("counting", kind).replace(".g1.", ".g2."))
    {
        let admin = topic::admin(deployment.brokers());
        wait_until(&format!("{topic} is gone"), PATIENCE, || {
            admin.partition_count(&topic).expect("an answer").is_none().then_some(())
        });
    }
    let stores = cluster.instance("server-1").data_dir().join("shards");
    let left = || std::fs::read_dir(&stores).map_or(0, Iterator::count);
    wait_until("only the stores of g1 are left", PATIENCE, || (left() == 1).then_some(()));
    write(&deployment, &mut counter, BETWEEN);
    wait_contained(&mut cluster);
    check_exact(&cluster.rest(), &counter.tally());
}

/// Reads all the time and checks each answer by itself and against the one before it. The generations that answered.
fn read_throughout(rest: &Client, stop: &AtomicBool) -> BTreeSet<String> {
    let (mut seen, mut before): (BTreeSet<String>, Option<(String, u64)>) = (BTreeSet::new(), None);
    while !stop.load(Ordering::Acquire) {
        let table = rest.get("/v1/models/counting/tables/users?limit=1000").expect(200);
        let generation = text(&table["model"]["generation"]);
        let (contained, counted) = (contained(&table), counted(&table));
        assert!(counted >= contained, "{generation}: {counted} events counted, {contained} contained: {table}");
        if let Some((same, least)) = &before
            && *same == generation
        {
            assert!(contained >= *least, "{generation} goes back from {least} to {contained}");
        }
        seen.insert(generation.clone());
        before = Some((generation, contained));
        // What tells the generations apart, beside their names, is how many shards they have.
        let model = listed(rest);
        let shards = if text(&model["generation"]) == "g1" { 3 } else { 2 };
        assert_eq!(model["shards"], shards, "{model}");
    }
    seen
}

/// How many events an answer says that it contains.
fn contained(table: &Value) -> u64 {
    let offsets = table["model"]["offsets"].as_object().and_then(|topics| topics.values().next());
    let offsets = offsets.and_then(Value::as_array).unwrap_or_else(|| panic!("no offsets in {table}"));
    offsets.iter().filter_map(Value::as_u64).sum()
}

fn counted(table: &Value) -> u64 {
    let rows = table["rows"].as_array().unwrap_or_else(|| panic!("no rows in {table}"));
    rows.iter().filter_map(|row| row["values"][0].as_u64()).sum()
}

fn listed(rest: &Client) -> Value {
    rest.get("/v1/models").expect(200)["models"][0].clone()
}

pub(crate) fn serving(rest: &Client) -> String {
    text(&listed(rest)["generation"])
}

pub(crate) fn wait_served(rest: &Client, generation: &str) {
    wait_until(&format!("{generation} serves"), PATIENCE, || (serving(rest) == generation).then_some(()));
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

pub(crate) fn write(deployment: &Deployment, counter: &mut Counter, count: usize) {
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    assert_eq!(producer.send((0..count).map(|_| counter.event())).len(), count);
}

pub(crate) fn wait_contained(cluster: &mut Cluster) {
    let deployment = cluster.deployment().clone();
    let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
    cluster.wait_contained("counting", &ends, PATIENCE);
}
