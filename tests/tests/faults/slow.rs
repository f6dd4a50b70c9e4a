//! Processes that are slow or far behind: the others wait for them within their bounds, and they catch up.

use weir_tests::slowed::Slowed;
use weir_tests::{Broker, Trial};

use crate::{EVENTS_PER_SECOND, deployment, random};

/// `worker.in_flight` and `worker.unapplied_batches` for each of the input's 4 partitions.
const MOST_IN_FLIGHT: f64 = 3.0 * 4.0;
const MOST_UNAPPLIED: f64 = 16.0 * 4.0;
/// More than any process takes whose queues are bounded, and less than a backlog of this test would take.
const MOST_MEMORY: u64 = 400 << 20;
const FAR: usize = 30_000;

#[test]
fn counts_are_exact_and_memory_is_bounded_where_a_part_is_slow() {
    let mut trial = Trial::start(deployment(Broker::shared(), "slow"), 2, 2, random(8), EVENTS_PER_SECOND);
    trial.fault("a slow server", |trial| slow(trial, "server-1"));
    trial.fault("a slow gateway", |trial| slow(trial, "gateway-1"));
    trial.fault("a worker that falls far behind", |trial| {
        for name in ["worker-1", "worker-2"] {
            trial.instance(name).kill();
        }
        trial.let_pass(FAR);
        trial.instance("worker-1").start();
        trial.instance("worker-1").wait_ready();
        trial.instance("worker-2").start();
        trial.instance("worker-2").wait_ready();
    });
    for instance in trial.cluster().instances() {
        let memory = instance.peak_memory();
        println!("{}: {} MiB at most", instance.name(), memory >> 20);
        assert!(memory < MOST_MEMORY, "{} took {memory} bytes", instance.name());
    }
    drop(trial.finish());
}

fn slow(trial: &mut Trial, name: &str) {
    let slowed = Slowed::start(trial.instance(name));
    for _ in 0..4 {
        trial.let_pass(EVENTS_PER_SECOND);
        for worker in ["worker-1", "worker-2"] {
            let worker = trial.instance(worker);
            let in_flight = worker.metric("weir_worker_batches_in_flight");
            let unapplied = worker.metric("weir_worker_batches_unapplied");
            assert!(in_flight <= MOST_IN_FLIGHT && unapplied <= MOST_UNAPPLIED, "{in_flight} and {unapplied} batches");
        }
    }
    drop(slowed);
}
