//! Processes that are stopped in good order, that come and go, and that stand still while others take their place.

use std::time::{Duration, Instant};

use weir_tests::counting::{Counter, check_exact};
use weir_tests::trial::PATIENCE;
use weir_tests::{Broker, Cluster, Instance, Producer, Role, Trial, open_transaction, topic, wait_until};

use crate::{EVENTS_PER_SECOND, deployment, random};

const SHARDS: usize = 3;
const PARTITIONS: usize = 4;
/// How long an orderly stop may take.
const STOP: Duration = Duration::from_secs(10);
const ALL: [&str; 6] = ["server-1", "server-2", "server-3", "worker-1", "worker-2", "worker-3"];

#[test]
fn counts_are_exact_through_stops_scaling_and_zombies() {
    let deployment = deployment(Broker::shared(), "processes");
    let mut trial = Trial::start(deployment, 1, 1, random(1), EVENTS_PER_SECOND);
    trial.fault("SIGTERM and a start of each process", |trial| {
        for name in ["server-1", "worker-1", "gateway-1"] {
            stop_and_start(trial.instance(name));
        }
    });
    trial.fault("from one server and worker to three", |trial| {
        for name in ["server-2", "server-3", "worker-2", "worker-3"] {
            let role = if name.starts_with("server") { Role::Server } else { Role::Worker };
            trial.cluster().add(role, name);
        }
        wait_until("all have a share", PATIENCE, || {
            ALL.iter().all(|name| share(trial.instance(name)) > 0).then_some(())
        });
        check_nothing_was_refused(trial, &ALL);
    });
    let pushes = trial.cluster().deployment().internal_topic("counting", "pushes");
    trial.fault("a worker stands still inside a transaction, is replaced, and wakes up", |trial| {
        drop(open_transaction::pause_inside(trial, "worker-2", &pushes));
        zombie(trial, "worker-2");
    });
    trial.fault("a server stands still, is replaced, and wakes up", |trial| {
        trial.instance("server-2").pause();
        zombie(trial, "server-2");
    });
    trial.fault("a worker is killed inside a transaction and restarted in place", |trial| {
        let open = open_transaction::pause_inside(trial, "worker-2", &pushes);
        trial.instance("worker-2").kill();
        let killed = Instant::now();
        trial.instance("worker-2").start();
        let hidden = open.wait_ended(trial);
        println!("pushes of others were hidden for {hidden:.1?}, {:.1?} of it after the start", killed.elapsed());
        trial.instance("worker-2").wait_ready();
    });
    trial.fault("a worker is killed inside a transaction and does not come back", |trial| {
        let open = open_transaction::pause_inside(trial, "worker-3", &pushes);
        trial.instance("worker-3").kill();
        println!("pushes of others were hidden for {:.1?}", open.wait_ended(trial));
        trial.instance("worker-3").start();
        trial.instance("worker-3").wait_ready();
    });
    let stay = ["server-1", "worker-1"];
    let failed = failures(&mut trial, &stay);
    trial.fault("from three servers and workers to one", |trial| {
        for name in ALL.iter().filter(|name| !stay.contains(name)) {
            trial.cluster().retire(name);
        }
        wait_until("one has all", PATIENCE, || owns_all(trial, &stay).then_some(()));
        assert_eq!(failures(trial, &stay), failed, "a hand-over in good order has cost transactions");
    });
    drop(trial.finish());
}

/// All is published and nothing was due to be stored yet: the store must have the last state all the same.
#[test]
fn an_idle_server_that_is_stopped_has_stored_its_last_state() {
    let deployment = deployment(Broker::shared(), "idle").with("SERVER__STORE_INTERVAL_MS", 3_600_000);
    let mut cluster = Cluster::start(deployment, 1, 1);
    let (brokers, input) = (cluster.deployment().brokers().to_owned(), cluster.deployment().ratings_topic().to_owned());
    let mut counter = Counter::new(random(6), 300, 100);
    for _ in 0..2 {
        let producer = Producer::new(&brokers, &input);
        let _ = producer.send((0..3_000).map(|_| counter.event()));
        cluster.wait_contained("counting", &topic::ends(&brokers, &input), PATIENCE);
        stop_and_start(cluster.instance("server-1"));
    }
    let _ = Producer::new(&brokers, &input).send((0..3_000).map(|_| counter.event()));
    cluster.wait_contained("counting", &topic::ends(&brokers, &input), PATIENCE);
    check_exact(&cluster.rest(), &counter.tally());
}

fn stop_and_start(instance: &mut Instance) {
    let before = instance.log().lines().count();
    let status = instance.terminate_within(STOP);
    assert!(status.success(), "{}: {status}", instance.name());
    instance.start();
    instance.wait_ready();
    if instance.role() == Role::Server {
        check_restored_from_store(instance, before);
    }
}

/// Each shard came from its store alone: after a stop in good order there is nothing to read again.
fn check_restored_from_store(server: &Instance, lines_before: usize) {
    let log = server.log();
    let restored: Vec<&str> = log.lines().skip(lines_before).filter(|line| line.contains("shard restored")).collect();
    assert_eq!(restored.len(), SHARDS, "{log}");
    let more: Vec<_> = restored.iter().filter(|line| !line.contains("changelog_records=0")).collect();
    assert!(more.is_empty(), "what was stored was not the last state: {more:?}");
}

/// Shards or source partitions of one process.
fn share(instance: &Instance) -> usize {
    instance.owned(match instance.role() {
        Role::Server => "weir_server_push_log_first_offset",
        _ => "weir_worker_committed_offset",
    })
}

/// Whether these processes have all shards and all source partitions between them.
fn owns_all(trial: &mut Trial, names: &[&str]) -> bool {
    let mut of = |role: &str| -> usize {
        let named = names.iter().filter(|name| name.starts_with(role));
        named.map(|name| share(trial.instance(name))).sum()
    };
    (of("server"), of("worker")) == (SHARDS, PARTITIONS)
}

/// Failed transactions and failed roles of these processes.
fn failures(trial: &mut Trial, names: &[&str]) -> f64 {
    let of = |instance: &mut Instance| {
        instance.metric_with("weir_transactions_total", "failed") + instance.metric("weir_role_restarts_total")
    };
    names.iter().map(|name| of(trial.instance(name))).sum()
}

fn check_nothing_was_refused(trial: &mut Trial, names: &[&str]) {
    for name in names {
        let failed = failures(trial, &[name]);
        assert_eq!(failed, 0.0, "{name} had transactions refused: {}", trial.instance(name).log());
    }
}

/// It stands still for longer than its session, until others have all that it had; then it goes on where it stood, with
/// whatever it had in hand. That is refused, and it begins anew.
fn zombie(trial: &mut Trial, name: &str) {
    let others: Vec<&str> = ALL.into_iter().filter(|other| *other != name).collect();
    wait_until("others have taken over", PATIENCE, || owns_all(trial, &others).then_some(()));
    trial.let_pass(EVENTS_PER_SECOND);
    trial.instance(name).resume();
    wait_until("it has noticed, and has started over", PATIENCE, || {
        let instance = trial.instance(name);
        (instance.is_ready() && instance.metric("weir_role_restarts_total") > 0.0).then_some(())
    });
    wait_until("it has a share again", PATIENCE, || (share(trial.instance(name)) > 0).then_some(()));
}
