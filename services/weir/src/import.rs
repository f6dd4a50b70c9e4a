//! `weir import`: a file's events into Kafka, in the file's order, with what was refused told line by line.

mod acks;
mod send;
mod state;

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use weir_kafka::Admin;
use weir_runtime::Settings;

use crate::arguments::ImportCommand;
use crate::events::{EventReader, Kind};
use crate::files::{Line, Lines, Parser, Refusal};
use crate::refused::Refused;
use crate::topics;
use send::Sending;
use state::{Identity, State, StateFile, begin_behind};

const LOOKUP: Duration = Duration::from_secs(10);
/// How old what is kept of the progress may be.
const KEEP_EVERY: Duration = Duration::from_millis(500);
/// Refused lines that are printed; all are counted.
const PRINTED: u64 = 20;

/// What became of the lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    sent: u64,
    refused: u64,
    /// Taken by nobody, because the mapping passes over them.
    passed_over: u64,
    /// Headings and empty lines.
    empty: u64,
}

/// Sends the events of a file.
///
/// # Errors
/// [`Refused`] if lines were refused; anything else stopped the import, and `--resume` goes on from there.
pub(crate) fn run(command: &ImportCommand, settings: &Settings) -> anyhow::Result<()> {
    let began = Instant::now();
    let lines = Lines::open(&command.file)?;
    let admin = Admin::connect(&topics::connection(settings), LOOKUP)?;
    let topic = command.topic.as_deref().unwrap_or_else(|| command.kind.topic(settings));
    match command.kind {
        Kind::Items => topics::ensure_items(&admin, settings, topic)?,
        Kind::Ratings | Kind::Messages => topics::ensure_input(&admin, settings, topic)?,
    }
    let mut kept = Kept::open(command, topic, admin.cluster_id())?;
    let behind = kept.behind();
    if behind > 0 {
        println!("going on behind line {behind}");
    }
    let mut import = Import {
        reader: EventReader::new(command.kind, settings)?,
        sending: Sending::open(topics::connection(settings), topic, command.rate, behind)?,
        progress: progress(&lines),
        counts: Counts::default(),
    };
    let outcome = import.all(lines, command, &mut kept);
    if outcome.is_err() && import.counts.sent == 0 && behind == 0 {
        // Nothing was begun, so there is nothing to go on with.
        kept.remove();
    } else {
        // What is safe is kept also when the import broke off.
        kept.keep(import.sending.done(), outcome.is_ok())?;
    }
    import.progress.finish_and_clear();
    let Counts { sent, refused, passed_over, empty } = import.counts;
    outcome.with_context(|| format!("stopped, with every line up to {} done", import.sending.done()))?;
    println!("{sent} events sent to {topic} in {:.1} s", began.elapsed().as_secs_f64());
    println!("{refused} lines refused, {passed_over} passed over by the mapping, {empty} empty or headings");
    Refused::check(refused, "lines were refused")
}

struct Import {
    reader: EventReader,
    sending: Sending,
    progress: ProgressBar,
    counts: Counts,
}

impl Import {
    fn all(&mut self, mut lines: Lines, command: &ImportCommand, kept: &mut Kept) -> anyhow::Result<()> {
        let (mut parser, behind) = (None, kept.behind());
        let broken = |number| format!("{}: behind line {number}", command.file.display());
        let mut number = 0;
        loop {
            let line = lines.next().with_context(|| broken(number))?;
            let Some(line) = line else { break };
            number = line.number;
            let parser = match &mut parser {
                Some(parser) => parser,
                none => none.insert(Parser::open(command.kind, &command.file, command.format, line.bytes)?),
            };
            // A heading is read again, and so is a line whose number decides its id.
            let payload = parser.payload(line);
            if number > behind {
                self.one(line, payload)?;
                kept.keep_if_due(&self.sending)?;
            }
            self.progress.set_position(lines.taken());
        }
        self.sending.finish()
    }

    fn one(&mut self, line: Line<'_>, payload: Result<Option<Vec<u8>>, Refusal>) -> anyhow::Result<()> {
        let (number, counts) = (line.number, &mut self.counts);
        match payload {
            Ok(None) => counts.empty += 1,
            Err(refusal) => self.refuse(number, &format!("{} ({})", refusal.detail, refusal.reason)),
            Ok(Some(payload)) => match self.reader.read(None, Some(&payload)) {
                Ok(Some(taken)) => {
                    counts.sent += 1;
                    return self.sending.send(number, taken.key, payload);
                }
                Ok(None) => counts.passed_over += 1,
                Err(reject) => self.refuse(number, &reject.to_string()),
            },
        }
        self.sending.pass(number)
    }

    fn refuse(&mut self, number: u64, why: &str) {
        self.counts.refused += 1;
        if self.counts.refused <= PRINTED {
            self.progress.suspend(|| eprintln!("line {number}: {why}"));
        }
        if self.counts.refused == PRINTED {
            self.progress.suspend(|| eprintln!("further refused lines are counted and not printed"));
        }
    }
}

/// On a terminal only.
fn progress(lines: &Lines) -> ProgressBar {
    let template = "{wide_bar} {bytes}/{total_bytes} {eta}";
    match (lines.length(), ProgressStyle::with_template(template)) {
        (Some(length), Ok(style)) if std::io::stderr().is_terminal() => ProgressBar::new(length).with_style(style),
        _ => ProgressBar::hidden(),
    }
}

/// What is kept of the progress; nothing of standard input, which nobody can read again.
struct Kept {
    file: Option<(StateFile, State)>,
    at: Instant,
}

impl Kept {
    fn open(command: &ImportCommand, topic: &str, cluster: &str) -> anyhow::Result<Self> {
        if command.file.as_os_str() == "-" {
            anyhow::ensure!(!command.resume, "--resume needs a file, since standard input cannot be read again");
            return Ok(Self { file: None, at: Instant::now() });
        }
        let file = StateFile::of(&command.file, command.state.as_deref());
        let identity = Identity::of(&command.file, topic, cluster);
        let identity = identity.with_context(|| format!("read {}", command.file.display()))?;
        let lines = begin_behind(file.read()?.as_ref(), &identity, command.resume, &file)?;
        let state = State::new(identity, lines);
        // That it cannot be written is said before anything is sent.
        file.write(&state)?;
        Ok(Self { file: Some((file, state)), at: Instant::now() })
    }

    fn behind(&self) -> u64 {
        self.file.as_ref().map_or(0, |(_, state)| state.lines)
    }

    fn keep_if_due(&mut self, sending: &Sending) -> anyhow::Result<()> {
        if self.at.elapsed() < KEEP_EVERY {
            return Ok(());
        }
        self.at = Instant::now();
        self.keep(sending.done(), false)
    }

    fn remove(&self) {
        if let Some((file, _)) = &self.file {
            file.remove();
        }
    }

    fn keep(&mut self, lines: u64, is_finished: bool) -> anyhow::Result<()> {
        let Some((file, state)) = &mut self.file else { return Ok(()) };
        (state.lines, state.is_finished) = (lines, is_finished);
        file.write(state)
    }
}
