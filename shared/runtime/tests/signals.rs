//! Signals end processes, so their test sends them to one of its own: this very test, started again.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use weir_runtime::{Shutdown, exit};

const CHILD: &str = "WEIR_TEST_SIGNALS_CHILD";

/// A process that sees the first signal and hangs all the same.
fn hang() {
    let shutdown = Shutdown::new();
    shutdown.on_signals().expect("signals are caught");
    println!("\nwaiting");
    while !shutdown.wait(Duration::from_mins(1)) {}
    println!("\nstopping");
    loop {
        std::thread::park();
    }
}

#[test]
fn the_second_signal_leaves_at_once() {
    if std::env::var_os(CHILD).is_some() {
        return hang();
    }
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["--exact", "the_second_signal_leaves_at_once", "--nocapture"]).env(CHILD, "1");
    let mut child = command.stdout(Stdio::piped()).spawn().expect("started");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut wait_for = |expected: &str| {
        let found = lines.by_ref().map_while(Result::ok).any(|line| line == expected);
        assert!(found, "the process ended before it said {expected}");
    };
    let process = Pid::from_raw(child.id() as i32);
    wait_for("waiting");
    kill(process, Signal::SIGTERM).expect("sent");
    wait_for("stopping");
    kill(process, Signal::SIGINT).expect("sent");
    let status = child.wait().expect("ended");
    assert_eq!(status.code(), Some(exit::SECOND_SIGNAL.into()), "{status}");
}
