//! A generation begins with the rows of a file while the model serves, and goes on from the log.

use weir_tests::counting::{Counter, check_exact};
use weir_tests::{Broker, Cluster, Random, Role, kills};

use crate::commands::{done, refused};
use crate::life::{wait_contained, wait_served, write};

const EVENTS: usize = 2_000;

#[test]
fn a_generation_begins_with_a_file_and_goes_on_from_the_log() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("model.weir").to_string_lossy().into_owned();
    let deployment = kills::deployment(Broker::shared(), "imported");
    let mut counter = Counter::new(Random::new(23), 100, 50);
    let mut cluster = Cluster::start(deployment.clone(), 1, 1);
    write(&deployment, &mut counter, EVENTS);
    wait_contained(&mut cluster);
    // Shards agree while nobody learns.
    cluster.retire("worker-1");
    done(&deployment, &["export", "counting", &file]);
    cluster.add(Role::Worker, "worker-2");
    cluster.wait_ready();
    write(&deployment, &mut counter, EVENTS / 2);

    refused(
        &deployment,
        &["import-model", &file, "--new-generation", "--set", "server.shards=2"],
        "shards is 3, expected 2",
    );
    assert!(!done(&deployment, &["models"]).contains("g2"), "what does not fit begins nothing");
    let said = done(&deployment, &["import-model", &file, "--new-generation"]);
    assert!(said.contains("generation g2 of model counting begins with"), "{said}");
    done(&deployment, &["train", "counting", "--follow", "g2"]);
    done(&deployment, &["promote", "counting", "g2"]);
    wait_served(&cluster.rest(), "g2");
    write(&deployment, &mut counter, EVENTS / 2);
    wait_contained(&mut cluster);
    check_exact(&cluster.rest(), &counter.tally());
}
