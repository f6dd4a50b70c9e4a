//! Committed offsets that expire or that an operator resets: weir knows better without them, and refuses wrong ones.

use weir_tests::{Broker, Trial, operator};

use crate::{EVENTS_PER_SECOND, check_refused, deployment, random};

/// Records by which offsets are set back or forth.
const SHIFT: i64 = 3;

#[test]
fn counts_are_exact_whatever_becomes_of_committed_offsets() {
    // Records below the barrier stay, so that there is something to set an offset back to. The other setting bounds how
    // long a server waits for a barrier that may be on its way.
    let deployment = deployment(Broker::shared(), "offsets").with("SERVER__DELETE_INTERVAL_MS", 3_600_000);
    let deployment = deployment.with("KAFKA__TRANSACTION_TIMEOUT_MS", 3_000);
    let (brokers, input) = (deployment.brokers().to_owned(), deployment.ratings_topic().to_owned());
    let pushes = deployment.internal_topic("counting", "pushes");
    let [servers, workers] = ["server", "worker"].map(|role| deployment.group("counting", role));
    let mut trial = Trial::start(deployment, 1, 1, random(3), EVENTS_PER_SECOND);
    trial.fault("the offsets of both groups are deleted", |trial| {
        let both = ["server-1", "worker-1"];
        for name in both {
            trial.instance(name).kill();
        }
        for group in [&servers, &workers] {
            operator::delete_group(&brokers, group);
        }
        for name in both {
            trial.instance(name).start();
        }
        for name in both {
            trial.instance(name).wait_ready();
        }
    });
    let said = ["somebody has reset the offset", "set the offset back to that", "begin a new generation"];
    trial.fault("the workers' offsets are set back, set forth, and put right", |trial| {
        reset(trial, "worker-1", &said, |by| operator::shift_offsets(&brokers, &workers, &input, by));
    });
    let said =
        ["somebody has reset the group's offset", "restore the offset to the barrier's", "begin a new generation"];
    trial.fault("the servers' offsets are set back, set forth, and put right", |trial| {
        reset(trial, "server-1", &said, |by| operator::shift_offsets(&brokers, &servers, &pushes, by));
    });
    drop(trial.finish());
}

/// Refuses older offsets and newer ones, and goes on with the ones that it had.
fn reset(trial: &mut Trial, name: &str, said: &[&str], shift: impl Fn(i64)) {
    trial.instance(name).kill();
    // What is written meanwhile leaves room for a newer offset.
    trial.let_pass(EVENTS_PER_SECOND);
    for (by, when) in [(-SHIFT, "set back"), (2 * SHIFT, "set forth")] {
        shift(by);
        trial.instance(name).start();
        check_refused(trial.instance(name), when, said);
    }
    shift(-SHIFT);
    trial.instance(name).start();
    trial.instance(name).wait_ready();
}
