//! One process of weir.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use super::{Deployment, Role, binary};
use crate::http::Client;
use crate::process::Process;
use crate::wait::try_wait_until;
use crate::{place, ports};

/// How long a role may take from its start to ready: a restore, and a rebalance after the session of a lost member.
pub const READY_TIMEOUT: Duration = Duration::from_mins(1);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// A process of weir with its own name and data directory; it keeps both when it is started again.
#[derive(Debug)]
pub struct Instance {
    role: Role,
    name: String,
    deployment: Deployment,
    listen: u16,
    ops: u16,
    log: PathBuf,
    process: Option<Process>,
}

/// The exit code of a process that one of its Kafka calls has hung.
const HUNG_CALL: i32 = 75;

impl Instance {
    pub(super) fn new(deployment: Deployment, role: Role, name: &str, log: &str) -> Self {
        let (listen, ops, log) = (ports::reserve(), ports::reserve(), place::log_dir().join(log));
        // What an earlier run has left; it is not there in the first one.
        let _ = fs::remove_file(&log);
        Self { role, name: name.to_owned(), deployment, listen, ops, log, process: None }
    }

    /// What it does.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Its stable name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.deployment.data_dir(&self.name)
    }

    /// The process id.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap_or_else(|| panic!("{} does not run", self.name)).pid()
    }

    /// The port of REST, where the role serves it.
    #[must_use]
    pub fn listen_port(&self) -> u16 {
        self.listen
    }

    /// Starts it, again if need be, with the name, ports and data directory that it always has.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&mut self) {
        self.process = None;
        let process = Process::start(&self.name, &self.log, binary(), |command| self.configure(command));
        self.process = Some(process);
    }

    /// Does what its supervisor does: a process that has ended itself because a Kafka call does not return (exit code
    /// 75) is started again, as the README says that it is to be.
    ///
    /// # Panics
    /// When it has ended otherwise.
    pub fn supervise(&mut self) {
        match self.exit_status() {
            Some(status) if status.code() == Some(HUNG_CALL) => {
                println!("{} has ended itself, a Kafka call did not return; it is started again", self.name);
                self.start();
            }
            Some(status) => panic!("{} has ended by itself: {status}", self.name),
            None => (),
        }
    }

    /// Waits until it says that it is ready, as its supervisor ([`Self::supervise`]).
    ///
    /// # Panics
    /// When it ends otherwise, or is not ready in twice [`READY_TIMEOUT`]: a call may hang for as long first.
    pub fn wait_ready_supervised(&mut self) {
        let ops = self.ops();
        let _ = try_wait_until(2 * READY_TIMEOUT, || {
            self.supervise();
            ops.try_get("/health/ready").filter(|answer| answer.status == 200).map(|_| ())
        });
        // Ready, or what it says is what went wrong.
        self.wait_ready();
    }

    /// Waits until it says that it is ready.
    ///
    /// # Panics
    /// When it ends instead, or is not ready in [`READY_TIMEOUT`].
    pub fn wait_ready(&mut self) {
        let ops = self.ops();
        let ready = try_wait_until(READY_TIMEOUT, || {
            if let Some(status) = self.exit_status() {
                return Some(Err(format!("{} ended ({status})", self.name)));
            }
            ops.try_get("/health/ready").filter(|answer| answer.status == 200).map(|_| Ok(()))
        });
        let said = || ops.try_get("/health/ready").map_or("nothing".to_owned(), |answer| answer.body);
        let outcome = ready.unwrap_or_else(|| Err(format!("{} is not ready; it says {}", self.name, said())));
        outcome.unwrap_or_else(|problem| panic!("{problem}\n{}", self.log_tail()));
    }

    /// Whether it says that it is ready; false where nobody answers.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ops().try_get("/health/ready").is_some_and(|answer| answer.status == 200)
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// SIGTERM; how it ended, which must be within `timeout`.
    ///
    /// # Panics
    /// When it does not run, or does not end in time.
    pub fn terminate_within(&mut self, timeout: Duration) -> ExitStatus {
        self.process().terminate(timeout)
    }

    /// SIGTERM; how it ended.
    ///
    /// # Panics
    /// When it does not run, or does not end in time.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process().terminate(STOP_TIMEOUT)
    }

    /// SIGSTOP.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pause(&mut self) {
        self.process().pause();
    }

    /// SIGCONT.
    ///
    /// # Panics
    /// When it does not run.
    pub fn resume(&mut self) {
        self.process().resume();
    }

    /// How it ended, if it has ended by itself.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.process.as_mut().and_then(Process::exit_status)
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_for_exit(&mut self, timeout: Duration) -> ExitStatus {
        self.process().wait_for_exit(timeout)
    }

    /// Removes the data directory of an instance that does not run.
    ///
    /// # Panics
    /// When it runs, or the directory cannot be removed.
    pub fn delete_data(&self) {
        assert!(self.process.is_none(), "{} still runs", self.name);
        let dir = self.data_dir();
        if dir.exists() {
            fs::remove_dir_all(&dir).unwrap_or_else(|error| panic!("cannot remove {}: {error}", dir.display()));
        }
    }

    /// The REST client.
    #[must_use]
    pub fn rest(&self) -> Client {
        Client::new(self.listen)
    }

    /// The client for health and metrics.
    #[must_use]
    pub fn ops(&self) -> Client {
        Client::new(if self.role == Role::Standalone { self.listen } else { self.ops })
    }

    /// The sum of a counter over all its labels; 0 where it has none yet.
    #[must_use]
    pub fn metric(&self, name: &str) -> f64 {
        self.sum(name, "")
    }

    /// The sum of a counter over those labels that name this role.
    #[must_use]
    pub fn metric_of(&self, name: &str, role: &str) -> f64 {
        self.sum(name, &format!("role=\"{role}\""))
    }

    /// The sum of a counter over those labels whose value is this one.
    #[must_use]
    pub fn metric_with(&self, name: &str, value: &str) -> f64 {
        self.sum(name, &format!("=\"{value}\""))
    }

    /// How many sets of labels a metric has: of a metric by shard or partition, how many of these it owns. None where
    /// nobody answers.
    #[must_use]
    pub fn owned(&self, name: &str) -> usize {
        let text = self.ops().try_get("/metrics").map_or_else(String::new, |answer| answer.body);
        of_metric(&text, name).count()
    }

    fn sum(&self, name: &str, label: &str) -> f64 {
        let text = self.ops().get("/metrics").body;
        let lines = of_metric(&text, name).filter(|line| line.contains(label));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Largest resident memory of the running process so far, in bytes.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        self.running().peak_memory()
    }

    /// Processor time that the running process has used so far.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        self.running().cpu_time()
    }

    fn running(&self) -> &Process {
        self.process.as_ref().unwrap_or_else(|| panic!("{} does not run", self.name))
    }

    /// All that this and earlier processes of the instance have logged.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn log_tail(&self) -> String {
        self.process.as_ref().map_or_else(String::new, Process::log_tail)
    }

    fn process(&mut self) -> &mut Process {
        let name = &self.name;
        self.process.as_mut().unwrap_or_else(|| panic!("{name} does not run"))
    }

    fn configure(&self, command: &mut Command) {
        self.deployment.environment(command);
        command.arg(self.role.as_str()).args(["--name", &self.name]).arg("--data-dir").arg(self.data_dir());
        if self.role.serves_rest() {
            command.args(["--listen", &format!("127.0.0.1:{}", self.listen)]);
        }
        if self.role != Role::Standalone {
            command.args(["--ops", &format!("127.0.0.1:{}", self.ops)]);
        }
    }
}

/// The lines of one metric.
fn of_metric<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter(move |line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
}
