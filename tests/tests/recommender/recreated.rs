//! An input topic that is deleted and created anew under its name: what was learned from the old one is not mixed with
//! what is in the new one, whether a server runs meanwhile or starts later.

use std::time::Duration;

use serde_json::json;
use weir_tests::{Broker, Cluster, Deployment, Event, Instance, Producer, Role, alone, topic, wait_until};

const PATIENCE: Duration = Duration::from_mins(1);
const RATINGS: usize = 200;
const USERS: usize = 20;

#[test]
fn a_topic_created_anew_is_not_taken_for_the_one_before() {
    let _alone = alone();
    let deployment = Deployment::new(Broker::shared(), "recreated").with("SERVER__SHARDS", 2);
    let deployment = deployment.with("SERVER__STORE_INTERVAL_MS", 100);
    let mut cluster = Cluster::start(deployment.clone(), 1, 1);
    write(&deployment);
    let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
    cluster.wait_contained("recommender", &ends, PATIENCE);

    let [server, rest @ ..] = cluster.instances() else { panic!("a cluster has a server") };
    rest.iter_mut().for_each(Instance::kill);
    recreate(&deployment);
    write(&deployment);
    let worker = rest.iter_mut().find(|instance| instance.role() == Role::Worker).expect("a cluster has a worker");
    worker.start();
    check_refused(server, "while it ran, a worker asked where to begin");

    server.start();
    check_refused(server, "started with its store");
    assert!(server.log().contains("other_topics"), "its store was not discarded: {}", server.log());
    server.kill();
    server.delete_data();
    server.start();
    check_refused(server, "started from the changelog");
    assert!(worker.exit_status().is_none(), "the worker only waits for a server");
    cluster.kill_all();

    // What the refusal advises; the data directories stay.
    let anew = deployment.with("PREFIX", Broker::shared().topic("weir-anew"));
    let mut cluster = Cluster::start(anew, 1, 1);
    cluster.wait_contained("recommender", &ends, PATIENCE);
    for number in 0..USERS {
        let known = cluster.rest().get(&format!("/v1/users/user-{number}")).expect(200);
        assert_eq!(known["events"], RATINGS / USERS, "{known}");
    }
}

fn write(deployment: &Deployment) {
    let event = |number| {
        let user = format!("user-{}", number % USERS);
        Event::keyed(&user, &json!({"user": user, "item": format!("item-{}", number % 7), "rating": 4}))
    };
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    drop(producer.send((0..RATINGS).map(event)));
}

fn recreate(deployment: &Deployment) {
    let (admin, input) = (topic::admin(deployment.brokers()), deployment.ratings_topic());
    admin.delete_topic(input).expect("the topic is deleted");
    wait_until("the topic is gone", PATIENCE, || admin.partition_count(input).ok()?.is_none().then_some(()));
    deployment.create_topics();
}

/// The server ends by itself, and its last words name the topic and the way out.
#[track_caller]
fn check_refused(server: &mut Instance, when: &str) {
    let status = server.wait_for_exit(PATIENCE);
    assert!(status.code().is_some_and(|code| code != 0), "{when}: {status}");
    let log = server.log();
    let last = log.lines().last().unwrap_or_default();
    let parts = ["topic ratings-recreated", "was deleted and created anew", "begin a new generation", "another prefix"];
    let missing: Vec<_> = parts.iter().filter(|part| !last.contains(**part)).collect();
    assert!(missing.is_empty(), "{when}: {missing:?} is not in {last}");
    println!("{when}: {last}");
}
