//! A disk that is full for the local store: training goes on from memory, nothing is spoilt, and the store comes back when
//! there is room.

use weir_tests::room::Room;
use weir_tests::trial::PATIENCE;
use weir_tests::{Broker, Instance, Trial, wait_until};

use crate::{EVENTS_PER_SECOND, deployment, random};

const SERVER: &str = "server-1";
const DISCARDED: &str = "weir_server_stores_discarded_total";
const STORED: &str = "weir_server_store_write_duration_seconds_count";

#[test]
fn counts_are_exact_while_there_is_no_room_for_the_store() {
    let deployment = deployment(Broker::shared(), "disk").with("SERVER__STORE_INTERVAL_MS", 200);
    let room = Room::of(&deployment.data_dir(SERVER));
    let mut trial = Trial::start(deployment, 1, 1, random(7), EVENTS_PER_SECOND);
    trial.fault("the disk is full", |trial| {
        room.fill(trial.instance(SERVER));
        // A store that only changes goes on in the room that its own file has, for minutes. One that grows does not.
        wait_until("a write fails", PATIENCE, || {
            trial.grow();
            (trial.instance(SERVER).metric_with(DISCARDED, "write_failed") > 0.0).then_some(())
        });
        assert!(trial.instance(SERVER).log().contains("training goes on from memory"));
    });
    trial.fault("there is room again", |trial| {
        room.free(trial.instance(SERVER));
        let before = trial.instance(SERVER).metric(STORED);
        wait_until("it is stored again", PATIENCE, || {
            let server = trial.instance(SERVER);
            (server.is_ready() && server.metric(STORED) > before).then_some(())
        });
    });
    trial.fault("killed while the disk is full", |trial| {
        room.fill(trial.instance(SERVER));
        trial.let_pass(EVENTS_PER_SECOND);
        start_again(trial.instance(SERVER));
        room.free(trial.instance(SERVER));
    });
    trial.fault("killed when there is room", |trial| {
        wait_until("it is stored", PATIENCE, || (trial.instance(SERVER).metric(STORED) > 0.0).then_some(()));
        let before = trial.instance(SERVER).log().len();
        start_again(trial.instance(SERVER));
        let log = trial.instance(SERVER).log();
        assert!(!log[before..].contains("discarded"), "the store was spoilt: {}", &log[before..]);
    });
    drop(trial.finish());
}

fn start_again(server: &mut Instance) {
    server.kill();
    server.start();
    server.wait_ready();
}
