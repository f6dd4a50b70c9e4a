//! Processes under test: started, signalled, waited for, and ended in every case.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use crate::guardian;
use crate::wait::try_wait_until;

/// Waits for a line before it becomes the program, so that the guardian knows the process before the program runs.
const SHIM: &str = r#"read -r go || exit 1; exec "$0" "$@" </dev/null"#;
const LOG_TAIL_BYTES: u64 = 6_000;

/// A running program, its standard output and error appended to a log file. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
    status: Option<ExitStatus>,
    keep_quiet: bool,
}

impl Process {
    /// Starts `program` under `name` (used in messages), with `configure` setting arguments and environment.
    ///
    /// # Panics
    /// When the log cannot be opened or the process cannot be started.
    #[must_use]
    pub fn start(name: &str, log: &Path, program: &Path, configure: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", SHIM]).arg(program);
        configure(&mut command);
        let output = append(log);
        let errors = output.try_clone().unwrap_or_else(|error| panic!("cannot share {}: {error}", log.display()));
        command.stdin(Stdio::piped()).stdout(output).stderr(errors);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        guardian::watch(child.id());
        let go = child.stdin.take().map(|mut pipe| pipe.write_all(b"go\n"));
        assert!(matches!(go, Some(Ok(()))), "{name} ended before it began");
        Self { name: name.to_owned(), log: log.to_owned(), child, status: None, keep_quiet: false }
    }

    /// The name given at the start.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The log file.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal; nothing happens to a process that has ended.
    ///
    /// # Panics
    /// When the signal cannot be sent to a living process.
    pub fn signal(&mut self, signal: Signal) {
        if self.exit_status().is_none() {
            let sent = signal::kill(Pid::from_raw(self.child.id() as i32), signal);
            assert!(sent.is_ok(), "cannot send {signal} to {}: {sent:?}", self.name);
        }
    }

    /// kill -9, and waits for the end.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        if self.status.is_none() {
            let status = self.child.wait();
            self.ended(status.ok());
        }
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Panics
    /// When the process has not ended in `timeout`.
    pub fn terminate(&mut self, timeout: Duration) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait_for_exit(timeout)
    }

    /// SIGSTOP: the process stands still until [`Process::resume`].
    pub fn pause(&mut self) {
        self.signal(Signal::SIGSTOP);
    }

    /// SIGCONT.
    pub fn resume(&mut self) {
        self.signal(Signal::SIGCONT);
    }

    /// How the process ended, if it has.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.ended(Some(status));
        }
        self.status
    }

    /// Waits until the process ends by itself.
    ///
    /// # Panics
    /// When it has not ended in `timeout`.
    pub fn wait_for_exit(&mut self, timeout: Duration) -> ExitStatus {
        let status = try_wait_until(timeout, || self.exit_status());
        status.unwrap_or_else(|| panic!("{} has not ended within {timeout:?}:\n{}", self.name, self.log_tail()))
    }

    /// Largest resident memory of the running process so far, in bytes.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        1024 * kibibytes.unwrap_or_else(|| panic!("{} does not run", self.name))
    }

    /// Processor time used so far, in user and system mode; zero once the process is gone.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        // The name in brackets may hold anything; utime and stime are the 12th and 13th field behind it (proc(5)).
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        // Linux counts 100 ticks a second in what it shows, whatever its own clock.
        Duration::from_millis(ticks * 10)
    }

    /// The last lines that the process has written.
    #[must_use]
    pub fn log_tail(&self) -> String {
        tail(&self.log).unwrap_or_else(|error| format!("(no log: {error})"))
    }

    /// Does not print the log's tail when a test fails: for processes that are not under test.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.keep_quiet = true;
        self
    }

    fn ended(&mut self, status: Option<ExitStatus>) {
        guardian::forget(self.child.id());
        self.status = status;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() && !self.keep_quiet {
            println!("--- end of the log of {} ({})\n{}", self.name, self.log.display(), self.log_tail());
        }
    }
}

fn append(log: &Path) -> File {
    let file = OpenOptions::new().create(true).append(true).open(log);
    file.unwrap_or_else(|error| panic!("cannot write {}: {error}", log.display()))
}

fn tail(log: &Path) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
