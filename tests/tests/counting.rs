//! The counting learner through all roles on a real Kafka: whatever is killed, every event counts once.
//!
//! Counts alone would not notice a worker that counts right and remembers wrong; the third table would, because a user's
//! n-th event must push exactly n.

use serde_json::Value;
use weir_tests::counting::{Counter, check_exact};
use weir_tests::trial::PATIENCE;
use weir_tests::weir::covered;
use weir_tests::{Broker, Cluster, Event, Instance, Producer, Random, Role, Trial, alone, kills, topic, wait_until};

const KILLS: usize = 20;
const EVENTS_PER_SECOND: usize = 3_000;

#[test]
fn counts_are_exact_after_twenty_kills_under_load() {
    let _alone = alone();
    let mut random = Random::from_environment();
    let of_stream = Random::new(random.next());
    let deployment = kills::deployment(Broker::shared(), "kills").with("MODELS", "counting,recommender");
    let mut trial = Trial::start(deployment, 2, 2, of_stream, EVENTS_PER_SECOND);
    for number in 1..=KILLS {
        let kill = kills::kill_one(&mut trial, EVENTS_PER_SECOND, &mut random);
        println!("kill {number}: {kill}");
        if number == KILLS / 2 {
            trial.check();
        }
    }
    drop(trial.finish());
}

#[test]
fn counts_are_exact_after_everything_is_killed_and_lost() {
    let _alone = alone();
    let mut cluster = Cluster::start(kills::deployment(Broker::shared(), "losses"), 2, 2);
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

fn producer(cluster: &Cluster) -> Producer {
    Producer::new(cluster.deployment().brokers(), cluster.deployment().ratings_topic())
}

fn events(counter: &Counter) -> impl FnMut() -> Event + Send + use<> {
    let mut counter = counter.clone();
    move || counter.event()
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
