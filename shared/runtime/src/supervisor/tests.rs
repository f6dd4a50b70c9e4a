use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::context::tests::context;

fn at_once() -> Backoff {
    Backoff { first: Duration::ZERO, longest: Duration::ZERO, healthy: Duration::from_mins(1) }
}

fn restarts(context: &Context, role: &str) -> String {
    let text = String::from_utf8(context.metrics.encode(false).expect("encoded")).expect("text");
    let line = format!("weir_role_restarts_total{{role=\"{role}\"}} ");
    text.lines().find_map(|found| found.strip_prefix(&line)).unwrap_or("0").to_owned()
}

#[test]
fn waits_double_up_to_the_longest() {
    let backoff = Backoff::default();
    for (failures, jitter, expected_ms) in [
        (1, 0.0, 100),
        (1, 1.0, 50),
        (2, 0.0, 200),
        (4, 0.0, 800),
        (7, 0.0, 5_000),
        (7, 1.0, 2_500),
        (4_000, 0.0, 5_000),
    ] {
        let wait = backoff.wait(failures, jitter);
        assert_eq!(wait, Duration::from_millis(expected_ms), "failure {failures}, jitter {jitter}");
    }
}

#[test]
fn a_failing_role_is_started_again_whatever_it_failed_by() {
    let context = context();
    let mut starts = 0;
    let outcome = supervise("worker", &context, at_once(), || {
        starts += 1;
        match starts {
            1 => anyhow::bail!("broker away"),
            2 => panic!("out of its senses"),
            3 => Ok(()),
            _ => {
                assert!(!context.health.is_ready());
                context.shutdown.request();
                Ok(())
            }
        }
    });
    outcome.expect("stopped as asked");
    assert_eq!(starts, 4);
    assert_eq!(restarts(&context, "worker"), "3");
    assert_eq!(context.health.parts()[0].reason.as_deref(), Some("stopped"));
}

#[test]
fn a_shutdown_ends_the_wait_for_a_restart() {
    let context = context();
    let patient = Backoff { first: Duration::from_hours(1), longest: Duration::from_hours(1), ..Backoff::default() };
    let failed = AtomicU32::new(0);
    let (shared, count) = (&context, &failed);
    std::thread::scope(|scope| {
        let role = move || {
            count.fetch_add(1, Ordering::Relaxed);
            anyhow::bail!("broker away")
        };
        let running = scope.spawn(move || supervise("worker", shared, patient, role));
        while restarts(&context, "worker") != "1" {
            std::thread::yield_now();
        }
        context.shutdown.request();
        running.join().expect("no panic").expect("stopped as asked");
    });
    assert_eq!(failed.into_inner(), 1);
}

#[test]
fn a_fatal_error_is_not_tried_again() {
    let context = context();
    let mut starts = 0;
    let outcome = supervise("server", &context, at_once(), || {
        starts += 1;
        Err(anyhow::Error::new(Fatal::new("the log is torn: train a new generation")).context("shard 1"))
    });
    let error = format!("{:#}", outcome.expect_err("given up"));
    assert_eq!(error, "server cannot go on: shard 1: the log is torn: train a new generation");
    assert_eq!(starts, 1);
}

#[test]
fn one_fatal_role_stops_the_whole_process() {
    let context = context();
    let mut supervisor = Supervisor::new(context.clone());
    let other_stopped = Arc::new(AtomicU32::new(0));
    let (works, working) = channel();
    let server = move |_: &Context| {
        working.recv()?;
        Err(Fatal::new("the log is torn").into())
    };
    supervisor.spawn("server", server).expect("spawned");
    let stopped = Arc::clone(&other_stopped);
    let worker = move |context: &Context| {
        works.send(())?;
        while !context.shutdown.wait(Duration::from_secs(1)) {}
        stopped.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    supervisor.spawn("worker", worker).expect("spawned");
    let error = supervisor.join().expect_err("the server's error");
    assert_eq!(format!("{error:#}"), "server cannot go on: the log is torn");
    assert_eq!(other_stopped.load(Ordering::Relaxed), 1);
    assert!(!context.health.is_ready());
}

#[test]
fn roles_that_stop_as_asked_are_no_error() {
    let context = context();
    let mut supervisor = Supervisor::new(context.clone());
    let role = |context: &Context| {
        while !context.shutdown.wait(Duration::from_secs(1)) {}
        Ok(())
    };
    for name in ["worker", "server"] {
        supervisor.spawn(name, role).expect("spawned");
    }
    context.shutdown.request();
    supervisor.join().expect("no error");
}
