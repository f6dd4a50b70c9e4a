//! The counting learner through all roles on a real Kafka: whatever is killed, every event counts once.
//!
//! Counts alone would not notice a worker that counts right and remembers wrong; the third table would, because a user's
//! n-th event must push exactly n.

use std::time::Duration;

use serde_json::Value;
use weir_tests::counting::{Counter, check_exact};
use weir_tests::weir::covered;
use weir_tests::{
    Broker, Cluster, Deployment, Event, Instance, Load, Producer, Random, Role, alone, topic, wait_until,
};

const KILLS: usize = 20;
const EVENTS_PER_SECOND: usize = 3_000;
/// A killed worker's open transaction hides what others committed for 11 s at most; restores come on top.
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn counts_are_exact_after_twenty_kills_under_load() {
    let _alone = alone();
    let mut random = Random::from_environment();
    let mut cluster = Cluster::start(deployment("kills"), 2, 2);
    let counter = Counter::new(Random::new(random.next()), 2_000, 500);
    let load = Load::start(producer(&cluster), EVENTS_PER_SECOND, events(&counter));
    for number in 1..=KILLS {
        kill_and_restart_one(&mut cluster, &load, &mut random, number);
    }
    let written = load.stop();
    println!("{written} events under {KILLS} kills");
    finish(&mut cluster, &counter);
    assert_eq!(counter.tally().users.values().sum::<u64>(), written);
}

#[test]
fn counts_are_exact_after_everything_is_killed_and_lost() {
    let _alone = alone();
    let mut cluster = Cluster::start(deployment("losses"), 2, 2);
    let counter = Counter::new(Random::new(7), 500, 200);
    let producer = producer(&cluster);
    let mut event = events(&counter);
    drop(producer.send((0..30_000).map(|_| event())));
    wait_until("the first events are learned", PATIENCE, || (learned(&cluster) > 0).then_some(()));
    cluster.kill_all();
    drop(producer.send((0..10_000).map(|_| event())));
    cluster.start_all();
    finish(&mut cluster, &counter);

    cluster.kill_all();
    cluster.delete_data();
    cluster.start_all();
    check_exact(&cluster.rest(), &counter.tally());
    // The servers' own rows must be right too, not only what the gateway reads from the changelog.
    drop(producer.send((0..10_000).map(|_| event())));
    finish(&mut cluster, &counter);
    for role in [Role::Server, Role::Worker] {
        let idle = cluster.of(role).find(|instance| share_of_work(instance) == 0.0);
        assert!(idle.is_none(), "{} has no share of the work", idle.map_or("", |instance| instance.name()));
    }
}

fn deployment(label: &str) -> Deployment {
    let deployment = Deployment::new(Broker::shared(), label).with("MODELS", "counting");
    deployment.with("KAFKA__PARTITIONS", 4).with("SERVER__SHARDS", 3)
}

fn producer(cluster: &Cluster) -> Producer {
    Producer::new(cluster.deployment().brokers(), cluster.deployment().ratings_topic())
}

fn events(counter: &Counter) -> impl FnMut() -> Event + Send + use<> {
    let mut counter = counter.clone();
    move || counter.event()
}

/// Kills one process, starts it in place after a while, and lets some load pass. Sometimes it may recover, sometimes
/// the next one is killed while it still does.
fn kill_and_restart_one(cluster: &mut Cluster, load: &Load, random: &mut Random, number: usize) {
    let count = cluster.instances().len();
    let victim = &mut cluster.instances()[random.below(count)];
    let (down, recover) = (random.below(EVENTS_PER_SECOND), random.below(3) > 0);
    let name = victim.name().to_owned();
    println!("kill {number}: {name}, down for {down} events, {}", if recover { "recovers" } else { "and on" });
    victim.kill();
    wait_for_load(load, down);
    victim.start();
    if recover {
        victim.wait_ready();
    }
    wait_for_load(load, random.below(2 * EVENTS_PER_SECOND));
}

fn wait_for_load(load: &Load, events: usize) {
    let goal = load.written() + events as u64;
    wait_until("the load goes on", PATIENCE, || (load.written() >= goal).then_some(()));
}

/// Waits until everything written is contained, and compares every row.
fn finish(cluster: &mut Cluster, counter: &Counter) {
    let ends = topic::ends(cluster.deployment().brokers(), cluster.deployment().ratings_topic());
    let tally = counter.tally();
    assert_eq!(ends.iter().sum::<u64>(), tally.users.values().sum::<u64>(), "events that were not written once");
    cluster.wait_contained("counting", &ends, PATIENCE);
    check_exact(&cluster.rest(), &tally);
}

/// Events that the gateway's model contains.
fn learned(cluster: &Cluster) -> u64 {
    let offsets = covered(&cluster.rest(), "counting", cluster.deployment().ratings_topic());
    offsets.iter().filter_map(|offsets| offsets.as_array()).flatten().filter_map(Value::as_u64).sum()
}

fn share_of_work(instance: &Instance) -> f64 {
    match instance.role() {
        Role::Server => instance.metric("weir_server_applied_rows_total"),
        _ => instance.metric("weir_worker_events_total"),
    }
}
