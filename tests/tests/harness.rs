//! What the suites rely on: the broker is there, is one, and goes with the test process.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use weir_tests::{Broker, Event, Place, Process, Producer, place, ports, topic, wait_until};

/// Set for the copy of this test binary that is going to be killed.
const CHILD: &str = "WEIR_HARNESS_CHILD";
const PATIENCE: Duration = Duration::from_secs(90);

#[test]
fn the_broker_answers_and_is_shared() {
    let first = Broker::shared();
    let second = std::thread::spawn(Broker::shared).join().expect("another thread gets the broker");
    assert_eq!(first.brokers(), second.brokers());
    assert_eq!(first.pid(), second.pid());
    assert!(TcpStream::connect(first.brokers()).is_ok());
    assert_ne!(first.topic("ratings"), first.topic("ratings"));
}

#[test]
fn records_are_written_and_read_with_their_places() {
    let broker = Broker::shared();
    let topic = broker.topic("harness");
    topic::create(broker.brokers(), &topic, 3);
    let producer = Producer::new(broker.brokers(), &topic);
    let event = |number: u32| Event { key: Some(b"k".to_vec()), ..Event::raw(number % 3, number.to_string()) };
    let places = producer.send((0..1_000).map(event));
    assert_eq!(places[999], Place { partition: 0, offset: 333 });
    assert_eq!(topic::ends(broker.brokers(), &topic), [334, 333, 333]);
    let records = topic::read_all(broker.brokers(), &topic);
    assert_eq!(records.len(), 1_000);
    assert_eq!(records[333].payload.as_deref(), Some(&b"999"[..]));
    assert_eq!(records[333].place, places[999]);
}

#[test]
fn processes_are_signalled_logged_and_ended() {
    // One of its own: in that of a run before, the process would be up before it is.
    let log = place::log_dir().join(format!("process-{}.log", std::process::id()));
    let shell = |name: &str, script: &str| {
        Process::start(name, &log, Path::new("sh"), |command| {
            command.args(["-c", script]);
        })
    };
    let mut polite = shell("polite", "trap 'echo told to end; exit 3' TERM; echo up; while :; do sleep 0.01; done");
    wait_until("it is up", PATIENCE, || polite.log_tail().contains("up").then_some(()));
    polite.pause();
    polite.signal(Signal::SIGTERM);
    assert!(polite.exit_status().is_none(), "a stopped process has handled a signal");
    polite.resume();
    assert_eq!(polite.wait_for_exit(PATIENCE).code(), Some(3));
    assert!(polite.log_tail().contains("told to end"));

    let stubborn = shell("stubborn", "trap '' TERM; while :; do sleep 0.01; done").quiet();
    let pid = stubborn.pid().to_string();
    assert!(is_running(&pid));
    let failed = std::thread::spawn(move || {
        let _owned = stubborn;
        std::panic::resume_unwind(Box::new("a failing test"));
    });
    assert!(failed.join().is_err());
    assert!(!is_running(&pid), "a process outlived the test that failed");
}

#[test]
fn ports_are_given_once() {
    let (one, other) = (ports::reserve(), ports::reserve());
    assert_ne!(one, other);
    assert!(TcpListener::bind(("127.0.0.1", one)).is_ok());
}

#[test]
fn a_private_broker_comes_back_with_its_address() {
    let mut broker = Broker::private();
    let address = broker.brokers().to_owned();
    broker.kill();
    assert!(TcpStream::connect(&address).is_err(), "the broker answers after kill -9");
    broker.restart();
    assert_eq!(broker.brokers(), address);
    assert!(TcpStream::connect(&address).is_ok());
}

#[test]
fn the_broker_goes_when_the_test_process_is_killed() {
    let told = place::log_dir().join("child.txt");
    let _ = std::fs::remove_file(&told);
    let exe = std::env::current_exe().expect("this binary has a path");
    let mut child = Process::start("the child", &place::log_dir().join("child.log"), &exe, |command| {
        command.args(["--exact", "child_that_starts_a_broker", "--nocapture"]).env(CHILD, &told);
    });
    let (pid, address) = wait_until("the child starts a broker", PATIENCE, || read_pair(&told));
    assert!(is_running(&pid));
    child.kill();
    wait_until("the broker of the killed process goes", PATIENCE, || (!is_running(&pid)).then_some(()));
    assert!(TcpStream::connect(&address).is_err(), "somebody still answers at {address}");
}

/// Does something only in the process that [`the_broker_goes_when_the_test_process_is_killed`] starts.
#[test]
fn child_that_starts_a_broker() {
    let Some(told) = std::env::var_os(CHILD) else { return };
    let broker = Broker::private();
    let pid = broker.pid().expect("a private broker is ours");
    let partial = Path::new(&told).with_extension("partial");
    std::fs::write(&partial, format!("{pid} {}", broker.brokers())).expect("the file can be written");
    std::fs::rename(&partial, &told).expect("the file can be renamed");
    wait_until("kill -9", PATIENCE, || None::<()>);
}

fn read_pair(path: &Path) -> Option<(String, String)> {
    let text = std::fs::read_to_string(path).ok()?;
    text.split_once(' ').map(|(pid, address)| (pid.to_owned(), address.to_owned()))
}

fn is_running(pid: &str) -> bool {
    Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
