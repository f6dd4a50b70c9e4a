//! kill -9 in every phase of a generation's life: each event counts once in each generation, and who serves is as decided.

use weir_tests::counting::{Counter, check_exact};
use weir_tests::{Broker, Cluster, Random, kills};

use crate::commands::done;
use crate::life::{serving, wait_contained, wait_served, write};

const EVENTS: usize = 20_000;
/// Events written between two phases.
const BETWEEN: usize = 500;

#[test]
fn kill_9_in_each_phase_costs_nothing_but_time() {
    let deployment = kills::deployment(Broker::shared(), "killed");
    let mut counter = Counter::new(Random::new(22), 300, 150);
    let mut cluster = Cluster::start(deployment.clone(), 1, 1);
    write(&deployment, &mut counter, EVENTS);
    wait_contained(&mut cluster);

    // Training: whoever learns and keeps it dies right after the beginning, then again wherever it has come to.
    done(&deployment, &["train", "counting", "--detach", "--set", "server.shards=2"]);
    for name in ["worker-1", "server-1", "worker-1"] {
        kill(&mut cluster, name);
        write(&deployment, &mut counter, BETWEEN);
    }
    let said = done(&deployment, &["train", "counting", "--follow", "g2"]);
    assert!(said.contains("generation g2 of model counting has caught up"), "{said}");
    // A shadow.
    kill(&mut cluster, "server-1");
    write(&deployment, &mut counter, BETWEEN);
    done(&deployment, &["promote", "counting", "g2"]);
    // Promoted: whoever is started again serves what was decided, and nothing else before.
    cluster.restart_gateway();
    wait_answers(&cluster);
    assert_eq!(serving(&cluster.rest()), "g2", "it has never served another one");
    kill(&mut cluster, "worker-1");
    write(&deployment, &mut counter, BETWEEN);
    wait_contained(&mut cluster);
    check_exact(&cluster.rest(), &counter.tally());
    // Rolled back, and everything dies.
    done(&deployment, &["rollback", "counting"]);
    cluster.kill_all();
    write(&deployment, &mut counter, BETWEEN);
    cluster.start_all();
    wait_served(&cluster.rest(), "g1");
    wait_contained(&mut cluster);
    check_exact(&cluster.rest(), &counter.tally());
}

fn kill(cluster: &mut Cluster, name: &str) {
    cluster.instance(name).kill();
    cluster.instance(name).start();
    cluster.instance(name).wait_ready();
}

/// Waits until the gateway has a model to answer from.
fn wait_answers(cluster: &Cluster) {
    let rest = cluster.rest();
    weir_tests::wait_until("the gateway answers", weir_tests::trial::PATIENCE, || {
        rest.try_get("/v1/models/counting/tables/users?limit=1").filter(|answer| answer.status == 200).map(drop)
    });
}
