//! A broker that dies, that is restarted, or that stands still: roles wait and go on.

use std::time::{Duration, Instant};

use weir_tests::trial::PATIENCE;
use weir_tests::weir::wait_not_ready;
use weir_tests::{Broker, Trial, wait_until};

use crate::{EVENTS_PER_SECOND, check_refused, deployment, random};

const PAUSE: Duration = Duration::from_secs(5);

#[test]
fn counts_are_exact_through_faults_of_the_broker() {
    let mut broker = Broker::private();
    let mut trial = Trial::start(deployment(&broker, "broker"), 2, 2, random(5), EVENTS_PER_SECOND);
    trial.cluster().let_calls_hang();
    trial.fault("kill -9 of the broker", |trial| {
        broker.kill();
        notice(trial);
        broker.restart();
        recover(trial);
    });
    trial.fault("a broker that stands still for 5 s", |_| {
        broker.pause();
        let began = Instant::now();
        // Not for something to happen: the time is the fault.
        wait_until("the pause is over", PATIENCE, || (began.elapsed() >= PAUSE).then_some(()));
        broker.resume();
    });
    trial.fault("an orderly restart of the broker", |trial| {
        broker.stop();
        notice(trial);
        broker.restart();
        recover(trial);
    });
    let mut cluster = trial.finish();
    cluster.kill_all();
    broker.replace();
    for name in ["server-1", "worker-1"] {
        cluster.instance(name).start();
        let said = ["belongs to kafka cluster", "the logs of one mean nothing in the other", "empty data directory"];
        check_refused(cluster.instance(name), "another cluster at the same address", &said);
    }
    cluster.delete_data();
    cluster.deployment().create_topics();
    cluster.start_all();
}

/// Every process says that it cannot go on, and goes on living.
fn notice(trial: &mut Trial) {
    for instance in trial.cluster().instances() {
        wait_not_ready(instance, PATIENCE);
        assert!(instance.exit_status().is_none(), "{} has ended", instance.name());
    }
}

/// Nobody but a supervisor has to help. On a machine that is busy, librdkafka may take longer over a broker that has
/// gone than the watchdog allows.
fn recover(trial: &mut Trial) {
    trial.cluster().wait_ready();
}
