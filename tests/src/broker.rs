//! A real Apache Kafka for tests: one node, started by the harness, gone with the test process.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::kafka_jars::{self, Kafka};
use crate::process::Process;
use crate::secured::Secured;
use crate::wait::try_wait_until;
use crate::{guardian, place, ports};

/// Names brokers that exist already; the harness then starts none.
pub const BROKERS_VARIABLE: &str = "WEIR_TEST_BROKERS";

const START_TIMEOUT: Duration = Duration::from_secs(90);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const STARTED: &str = "Kafka Server started";

/// A Kafka broker to test against.
#[derive(Debug)]
pub struct Broker {
    brokers: String,
    node: Option<Node>,
}

/// A broker that this process has started.
#[derive(Debug)]
struct Node {
    kafka: Kafka,
    /// The listener with TLS and SASL, where it has one.
    secured: Option<Secured>,
    /// Logs, metadata and settings of the broker; removed with it.
    dir: TempDir,
    log: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Broker {
    /// The broker that all tests of this suite share, started when the first of them asks for it.
    ///
    /// # Panics
    /// When there is no broker and none can be started: the message says what to install.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Broker, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| match std::env::var(BROKERS_VARIABLE) {
            Ok(brokers) => Self::existing(brokers),
            Err(_) => Self::start("broker", false),
        });
        shared.as_ref().unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// A broker for one test alone, to be stopped, killed and started again. Never one that exists already.
    ///
    /// # Panics
    /// When it cannot be started: the message says what to install.
    #[must_use]
    pub fn private() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("broker-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        Self::start(&name, false).unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// As [`Broker::private`], with a second listener that wants TLS and SASL: PLAIN or SCRAM-SHA-512 of
    /// [`crate::secured::USER`].
    ///
    /// # Panics
    /// When it cannot be started: the message says what to install.
    #[must_use]
    pub fn secured() -> Self {
        Self::start("broker-secured", true).unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// The address of the listener with TLS and SASL, and the certificate to trust.
    ///
    /// # Panics
    /// When the broker has none.
    #[must_use]
    pub fn secured_listener(&self) -> (String, &Path) {
        let secured = self.node.as_ref().and_then(|node| node.secured.as_ref());
        let secured = secured.unwrap_or_else(|| panic!("the broker at {} has no such listener", self.brokers));
        (format!("127.0.0.1:{}", secured.port), &secured.certificate)
    }

    /// The bootstrap address, `HOST:PORT`.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// A name for a topic, group or prefix that nobody else uses, in this run or in another one.
    #[must_use]
    pub fn topic(&self, name: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        format!("{name}-{}-{}-{:x}-{number}", place::suite(), std::process::id(), millis & 0xffff_ffff)
    }

    /// kill -9.
    ///
    /// # Panics
    /// When the harness has not started this broker itself; so in all methods below.
    pub fn kill(&mut self) {
        self.node().process = None;
    }

    /// SIGTERM, and waits for the orderly end.
    ///
    /// # Panics
    /// When the broker does not end in time.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.node().process.take() {
            process.terminate(STOP_TIMEOUT);
        }
    }

    /// Starts the stopped or killed broker again, at the same address and with the same data, until it answers.
    ///
    /// # Panics
    /// When it does not answer in time.
    pub fn restart(&mut self) {
        self.stop();
        self.node().run().unwrap_or_else(|problem| panic!("{problem}"));
    }

    /// Kills the broker, and starts another cluster with nothing in it at the same address.
    ///
    /// # Panics
    /// When it does not start.
    pub fn replace(&mut self) {
        self.kill();
        let node = self.node();
        let data = node.dir.path().join("data");
        fs::remove_dir_all(&data).unwrap_or_else(|error| panic!("cannot remove {}: {error}", data.display()));
        node.format().and_then(|()| node.run()).unwrap_or_else(|problem| panic!("{problem}"));
    }

    /// SIGSTOP: connections stay, nothing is answered.
    ///
    /// # Panics
    /// When the broker is not running.
    pub fn pause(&mut self) {
        self.process().pause();
    }

    /// SIGCONT.
    ///
    /// # Panics
    /// When the broker is not running.
    pub fn resume(&mut self) {
        self.process().resume();
    }

    /// Sets how many bytes a second producers of this client id may write; none lifts the quota.
    ///
    /// # Panics
    /// When Kafka's tool fails, or the broker is not ours.
    pub fn limit_producer(&mut self, client: &str, bytes_per_second: Option<u32>) {
        let brokers = self.brokers.clone();
        let change = match bytes_per_second {
            Some(bytes) => ["--add-config".to_owned(), format!("producer_byte_rate={bytes}")],
            None => ["--delete-config".to_owned(), "producer_byte_rate".to_owned()],
        };
        let node = self.node();
        let mut command = Command::new(&node.kafka.java);
        node.java_arguments(&mut command);
        command.args(["kafka.admin.ConfigCommand", "--bootstrap-server", &brokers, "--alter"]).args(change);
        command.args(["--entity-type", "clients", "--entity-name", client]);
        let output = command.output().unwrap_or_else(|error| panic!("cannot run java: {error}"));
        assert!(output.status.success(), "quota of {client}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The process id, where the harness has started this broker and it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        Some(self.node.as_ref()?.process.as_ref()?.pid())
    }

    fn existing(brokers: String) -> Result<Self, String> {
        let mut addresses = brokers.split(',');
        if addresses.any(|address| TcpStream::connect(address.trim()).is_ok()) {
            return Ok(Self { brokers, node: None });
        }
        Err(format!(
            "no broker answers at {brokers}, which {BROKERS_VARIABLE} names: start it there or unset the variable"
        ))
    }

    fn start(name: &str, is_secured: bool) -> Result<Self, String> {
        let mut node = Node::create(name, kafka_jars::fetch()?, is_secured)?;
        node.run()?;
        Ok(Self { brokers: format!("127.0.0.1:{}", node.port), node: Some(node) })
    }

    fn node(&mut self) -> &mut Node {
        let brokers = &self.brokers;
        self.node.as_mut().unwrap_or_else(|| panic!("the broker at {brokers} is not ours to stop"))
    }

    fn process(&mut self) -> &mut Process {
        self.node().process.as_mut().unwrap_or_else(|| panic!("the broker does not run"))
    }
}

impl Node {
    fn create(name: &str, kafka: Kafka, is_secured: bool) -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("weir-kafka-").tempdir();
        let dir = dir.map_err(|error| format!("cannot create a temporary folder: {error}"))?;
        guardian::remove(dir.path());
        let port = ports::reserve();
        let secured = if is_secured { Some(Secured::create(&kafka.java, dir.path())?) } else { None };
        let log = place::log_dir().join(format!("{name}.log"));
        let settings = dir.path().join("server.properties");
        let text = properties(dir.path(), port, ports::reserve(), secured.as_ref());
        let written = fs::write(&settings, text).and(fs::write(&log, ""));
        written.map_err(|error| format!("cannot write {} or {}: {error}", settings.display(), log.display()))?;
        let node = Self { kafka, secured, dir, log, port, process: None };
        node.format()?;
        Ok(node)
    }

    /// Writes the metadata that `KRaft` wants to find at its first start.
    fn format(&self) -> Result<(), String> {
        let mut command = Command::new(&self.kafka.java);
        self.java_arguments(&mut command);
        command.args(["kafka.tools.StorageTool", "format", "-t", &cluster_id(), "-c", "server.properties"]);
        if self.secured.is_some() {
            command.args(Secured::format_arguments());
        }
        let output = command.output().map_err(|error| format!("cannot run java: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("cannot format the broker's folder:\n{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn run(&mut self) -> Result<(), String> {
        let begin = fs::metadata(&self.log).map_or(0, |log| log.len()) as usize;
        let java = self.kafka.java.clone();
        let process = Process::start("the broker", &self.log, &java, |command| {
            self.java_arguments(command);
            command.args(["kafka.Kafka", "server.properties"]);
        });
        let process = self.process.insert(process.quiet());
        let port = self.port;
        let log = &self.log;
        let ended = try_wait_until(START_TIMEOUT, || {
            if has_started(log, begin) && TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(None);
            }
            process.exit_status().map(Some)
        });
        match ended {
            Some(None) => Ok(()),
            Some(Some(status)) => Err(format!("the broker ended at its start ({status}):\n{}", process.log_tail())),
            None => Err(format!("the broker does not answer after {START_TIMEOUT:?}:\n{}", process.log_tail())),
        }
    }

    fn java_arguments(&self, command: &mut Command) {
        command.current_dir(self.dir.path());
        command.args(["-Xmx512m", "-XX:TieredStopAtLevel=4", "-Dorg.slf4j.simpleLogger.showDateTime=true"]);
        command.arg("-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS");
        command.arg("-cp").arg(self.kafka.jars.join("*"));
    }
}

fn has_started(log: &Path, begin: usize) -> bool {
    let text = fs::read(log).unwrap_or_default();
    text.get(begin..).is_some_and(|new| String::from_utf8_lossy(new).contains(STARTED))
}

/// Kafka takes any 22 characters of its base 64 alphabet whose last four bits are zero.
fn cluster_id() -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    format!("w{:020x}A", nanos ^ (u128::from(std::process::id()) << 44)).chars().take(21).chain(['A']).collect()
}

/// One node that is broker and controller, with everything that a single node and an impatient test need.
fn properties(dir: &Path, port: u16, controller_port: u16, secured: Option<&Secured>) -> String {
    let listener = secured.map(Secured::listener).unwrap_or_default();
    let protocol = secured.map_or("", |_| Secured::protocol());
    let more = secured.map(Secured::properties).unwrap_or_default();
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{listener}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}{listener}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocol}\n\
         log.dirs={}\n\
         auto.create.topics.enable=false\n\
         group.initial.rebalance.delay.ms=0\n\
         transaction.abort.timed.out.transaction.cleanup.interval.ms=1000\n\
         default.replication.factor=1\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=4\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         log.index.size.max.bytes=1048576\n\
         log.cleaner.dedupe.buffer.size=16777216\n\
         num.network.threads=2\n\
         num.io.threads=4\n\
         {more}",
        dir.join("data").display()
    )
}
