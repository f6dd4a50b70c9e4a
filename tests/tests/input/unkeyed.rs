//! A topic that is not keyed by user: a user's events come through all partitions, to several workers at once.

use std::collections::BTreeMap;

use weir_tests::counting::{Counter, Tally, check_counts};
use weir_tests::http::segment;
use weir_tests::{Broker, Client, Cluster, Deployment, Event, Load, Producer, Random, Role, alone, topic, wait_until};

use crate::PATIENCE;

const PARTITIONS: u32 = 4;

#[test]
fn a_topic_that_is_not_keyed_by_user_gives_the_same_counts() {
    let _alone = alone();
    let deployment = Deployment::new(Broker::shared(), "unkeyed").with("MODELS", "counting,recommender");
    let deployment = deployment.with("KAFKA__PARTITIONS", PARTITIONS).with("WORKER__KEYED_BY_USER", false);
    let mut cluster = Cluster::start(deployment, 2, 2);
    let counter = Counter::new(Random::new(11), 200, 100);
    let producer = Producer::new(cluster.deployment().brokers(), cluster.deployment().ratings_topic());
    let load = Load::start(producer, 2_000, spread(&counter));
    wait_until("events are written", PATIENCE, || (load.written() > 4_000).then_some(()));
    // Whoever takes over has a cache that is empty, whoever stays one that is not.
    let worker = cluster.instances().iter_mut().find(|instance| instance.role() == Role::Worker).expect("a worker");
    worker.kill();
    worker.start();
    let goal = load.written() + 4_000;
    wait_until("more events are written", PATIENCE, || (load.written() > goal).then_some(()));
    let written = load.stop();
    let ends = topic::ends(cluster.deployment().brokers(), cluster.deployment().ratings_topic());
    assert!(ends.iter().all(|end| *end > written / u64::from(PARTITIONS) / 2), "not spread: {ends:?}");
    for model in ["counting", "recommender"] {
        cluster.wait_contained(model, &ends, PATIENCE);
    }
    let tally = counter.tally();
    check_counts(&cluster.rest(), &tally);
    check_events(&cluster.rest(), &tally);
}

/// Events in partitions by turns, whoever their users are.
fn spread(counter: &Counter) -> impl FnMut() -> Event + Send + use<> {
    let (mut counter, mut turn) = (counter.clone(), 0);
    move || {
        turn = (turn + 1) % PARTITIONS;
        Event { partition: Some(turn), ..counter.event() }
    }
}

/// The recommender's events of each user, and in all.
fn check_events(rest: &Client, tally: &Tally) {
    let events = |user: &String| {
        let answer = rest.get(&format!("/v1/users/{}", segment(user))).expect(200);
        (user.clone(), answer["events"].as_u64().expect("a count"))
    };
    let found: BTreeMap<String, u64> = tally.users.keys().map(events).collect();
    assert_eq!(found, tally.users);
    let models = rest.get("/v1/models").expect(200);
    let model =
        models["models"].as_array().and_then(|models| models.iter().find(|model| model["name"] == "recommender"));
    assert_eq!(model.expect("it is served")["events"], tally.users.values().sum::<u64>());
}
