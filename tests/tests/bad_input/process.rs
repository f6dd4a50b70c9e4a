//! A process that cannot start says why in one sentence; one that loses its broker waits for it and loses nothing.

use std::net::TcpListener;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::json;
use weir_tests::weir::wait_not_ready;
use weir_tests::{Broker, Deployment, Instance, Role, ports, wait_until};

use crate::{PATIENCE, Site};

/// No broker is needed to find out that a port is taken or a directory is not to be had.
fn without_broker(label: &str) -> Deployment {
    Deployment::new(Broker::shared(), label).at(&format!("127.0.0.1:{}", ports::reserve()))
}

#[test]
fn a_taken_port_is_one_sentence_and_an_exit() {
    let deployment = without_broker("port");
    let taken = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, _listener) = taken.expect("a port can be taken");
    let dir = deployment.data_dir("one");
    let dir = dir.to_string_lossy();
    for arguments in [["standalone", "--listen"], ["gateway", "--listen"], ["server", "--ops"], ["worker", "--ops"]] {
        let output = deployment.run(&[&arguments[..], &[&address.to_string(), "--data-dir", &dir]].concat());
        check_refused(&output, &address.to_string());
    }
}

#[test]
fn a_locked_data_directory_is_one_sentence_and_an_exit() {
    let deployment = without_broker("locked");
    let mut first = deployment.start(Role::Standalone, "first");
    wait_until("the first process holds the directory", PATIENCE, || first.ops().try_get("/health/live"));
    let dir = first.data_dir();
    let address = format!("127.0.0.1:{}", ports::reserve());
    let dir = dir.to_string_lossy();
    let output = deployment.run(&["standalone", "--data-dir", &dir, "--listen", &address]);
    check_refused(&output, &dir);
    assert!(first.exit_status().is_none(), "the first process has ended");
    assert!(first.terminate().success(), "SIGTERM is an orderly end, also without a broker");
}

#[test]
fn an_unwritable_data_directory_is_one_sentence_and_an_exit() {
    let deployment = without_broker("unwritable");
    // Below a plain file: not even root can create a directory there.
    let file = deployment.data_dir("file");
    std::fs::write(&file, "").expect("the file can be written");
    let address = format!("127.0.0.1:{}", ports::reserve());
    let dir = file.join("data");
    let dir = dir.to_string_lossy();
    let output = deployment.run(&["standalone", "--data-dir", &dir, "--listen", &address]);
    check_refused(&output, &dir);
}

#[test]
fn a_setting_that_cannot_be_is_refused_by_name() {
    let deployment = Deployment::new(Broker::shared(), "settings").with("SERVER__SHARDS", 0);
    let output = deployment.run(&["config"]);
    check_refused(&output, "shards");
    let dumped = Deployment::new(Broker::shared(), "dump").with("SERVER__SHARDS", 5).run(&["config", "--dump"]);
    let text = String::from_utf8_lossy(&dumped.stdout).into_owned();
    assert!(
        dumped.status.success() && text.lines().any(|line| line.starts_with("shards = 5  # environment")),
        "{text}"
    );
}

#[test]
fn without_a_broker_it_waits_and_then_works() {
    let mut broker = Broker::private();
    let deployment = Deployment::new(&broker, "later");
    deployment.create_topics();
    broker.stop();
    let mut instance = deployment.start(Role::Standalone, "all");
    wait_until("it lives", PATIENCE, || instance.ops().try_get("/health/live").filter(|answer| answer.status == 200));
    check_waits_calmly(&mut instance, deployment.brokers(), 0);
    let _ = instance.rest().get("/v1/users/u").problem(503);
    broker.restart();
    instance.wait_ready();
    let rated = instance.rest().post("/v1/ratings", &json!({"user": "u", "item": "i", "rating": 4})).expect(202);
    assert!(rated["accepted"][0]["offset"].is_u64(), "{rated}");
}

#[test]
fn a_broker_that_goes_and_comes_back_costs_nothing_but_time() {
    let mut broker = Broker::private();
    let mut site = Site::on(&broker, "lost");
    for number in 0..50 {
        site.rate("u", &format!("item-{number}"));
    }
    let lines = site.instance.log().lines().count();
    broker.kill();
    wait_not_ready(&site.instance, PATIENCE);
    check_waits_calmly(&mut site.instance, broker.brokers(), lines);
    for role in ["server", "worker", "gateway"] {
        wait_until(&format!("the {role} has counted the loss"), PATIENCE, || {
            (site.instance.metric_of("weir_broker_errors_total", role) > 0.0).then_some(())
        });
    }
    // Reads come from memory.
    let _ = site.rest().get("/v1/models").expect(200);
    broker.restart();
    site.instance.wait_ready();
    for number in 50..60 {
        site.rate("u", &format!("item-{number}"));
    }
    site.wait_contained();
    assert_eq!(site.events("u"), Some(60));
    assert!(site.instance.exit_status().is_none(), "the process has ended");
}

/// Without a broker: alive, not ready, the address named in a log that is no flood, and no core burned meanwhile. The
/// first `lines` of the log are of the time before.
fn check_waits_calmly(instance: &mut Instance, brokers: &str, lines: usize) {
    let (begin, used) = (Instant::now(), instance.cpu_time());
    // A write cannot be acknowledged, and that is said; it takes some seconds, in which the process is watched.
    let _ = instance.rest().post("/v1/ratings", &json!({"user": "v", "item": "i", "rating": 4})).problem(503);
    let (elapsed, used) = (begin.elapsed(), instance.cpu_time().saturating_sub(used));
    assert!(used < elapsed / 2 + Duration::from_millis(200), "{used:?} of processor time in {elapsed:?}");
    let log = instance.log();
    let said: Vec<&str> = log.lines().skip(lines).collect();
    assert!(said.iter().any(|line| line.contains(brokers) && !line.contains("INFO")), "nothing names {brokers}: {log}");
    assert!(said.len() < 200, "{} lines in {elapsed:?}", said.len());
    assert!(instance.exit_status().is_none(), "the process has ended: {log}");
    assert_eq!(instance.ops().get("/health/live").status, 200);
    assert_eq!(instance.ops().get("/health/ready").status, 503);
}

/// The process ended with an error whose one line says what it is about.
#[track_caller]
fn check_refused(output: &Output, about: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it started all the same: {said}");
    assert!(output.status.code().is_some(), "it was ended by a signal: {}", output.status);
    let errors: Vec<&str> = said.lines().filter(|line| !line.contains("INFO") && !line.is_empty()).collect();
    assert_eq!(errors.len(), 1, "not one sentence: {said}");
    assert!(errors[0].contains(about), "{} does not name {about}", errors[0]);
    assert!(!said.contains("panicked"), "{said}");
}
