//! Which shard a row is on, chosen by a setting: every event still counts once, and rows that were placed by one rule
//! are not read by another.

use std::time::Duration;

use weir_tests::counting::{Counter, check_exact};
use weir_tests::{Broker, Cluster, Deployment, Producer, Random, Role, alone, topic};

const PATIENCE: Duration = Duration::from_mins(1);
const SHARDS: usize = 3;

#[test]
fn ranges_count_exactly_and_are_not_taken_for_hashes() {
    let _alone = alone();
    let deployment = Deployment::new(Broker::shared(), "ranges").with("MODELS", "counting");
    let deployment = deployment.with("SERVER__SHARDS", SHARDS).with("SERVER__PARTITIONER", "range");
    let mut cluster = Cluster::start(deployment.clone(), 1, 1);
    let mut counter = Counter::new(Random::new(5), 300, 100);
    write(&deployment, &mut counter, 5_000);
    finish(&mut cluster, &counter);
    cluster.kill_all();
    cluster.start_all();
    write(&deployment, &mut counter, 5_000);
    finish(&mut cluster, &counter);
    cluster.kill_all();

    let hashed = deployment.with("SERVER__PARTITIONER", "hash");
    for role in [Role::Server, Role::Gateway] {
        check_refused(&hashed, role);
    }
}

fn write(deployment: &Deployment, counter: &mut Counter, events: usize) {
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    drop(producer.send((0..events).map(|_| counter.event())));
}

fn finish(cluster: &mut Cluster, counter: &Counter) {
    let ends = topic::ends(cluster.deployment().brokers(), cluster.deployment().ratings_topic());
    cluster.wait_contained("counting", &ends, PATIENCE);
    check_exact(&cluster.rest(), &counter.tally());
}

/// A role under another partitioner than the model's ends by itself, and says what to do.
#[track_caller]
fn check_refused(deployment: &Deployment, role: Role) {
    let mut instance = deployment.start(role, &format!("{}-1", role.as_str()));
    let status = instance.wait_for_exit(PATIENCE);
    assert!(status.code().is_some_and(|code| code != 0), "{role:?}: {status}");
    let log = instance.log();
    let last = log.lines().last().unwrap_or_default();
    for part in ["partitioner is \"range\", expected \"hash\"", "setting server.partitioner", "under another prefix"] {
        assert!(last.contains(part), "{role:?} does not say {part}: {last}");
    }
    println!("{role:?}: {last}");
}
