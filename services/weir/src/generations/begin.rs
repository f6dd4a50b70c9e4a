//! `weir train MODEL`: begins a generation that learns from the log, and watches it until it is a shadow.
//!
//! The roles do the work, with or without somebody who watches. Whoever watches, or wants to promote, writes down how far
//! the generation has come; should nobody, nothing is lost but the word for it.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use weir_kafka::Admin;
use weir_models::generations::{Change, Refusal};
use weir_runtime::Settings;
use weir_wire::Generation;
use weir_wire::control::{Entry, Stage, State};

use super::connect;
use super::control::{Clash, Control, state_of};
use super::own::may_have;
use super::progress::{Progress, description, in_a_line};
use crate::arguments::CommonOptions;
use crate::train::TrainCommand;

const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Without an event learned for so long, somebody is told that no worker may be running.
const SILENT: Duration = Duration::from_secs(30);

/// Begins a generation, and watches it unless the command says not to.
///
/// # Errors
/// The broker cannot be reached, a setting is refused, or the generation is retired before it has caught up.
pub(crate) fn begin(command: &TrainCommand, settings: &Settings) -> anyhow::Result<()> {
    let model = command.model();
    let admin = connect(settings, model)?;
    let control = Control::new(&admin, settings);
    let generation = match command.follow {
        Some(generation) => generation,
        None => begin_one(&control, settings, model, own(&command.options))?,
    };
    if command.detach {
        return Ok(());
    }
    let watch = Watch { admin: &admin, control: &control, settings, model };
    watch.until_shadow(generation)?;
    println!("generation {generation} of model {model} has caught up: weir promote {model} {generation} lets it serve");
    Ok(())
}

/// The settings of --set that are a generation's.
pub(crate) fn own(options: &CommonOptions) -> BTreeMap<String, String> {
    options.assignments().iter().filter(|(name, _)| may_have(name)).cloned().collect()
}

fn begin_one(
    control: &Control<'_>,
    settings: &Settings,
    model: &str,
    own: BTreeMap<String, String>,
) -> anyhow::Result<Generation> {
    let state = state_of(&control.read()?, model);
    // What the roles would refuse is refused here.
    let entry = Entry { generation: state.next, stage: Stage::Training, settings: own };
    description(settings, model, &entry)?;
    let described = in_a_line(&entry.settings);
    control.change(model, state.version, Change::Begin(entry.settings))?;
    let with = if described.is_empty() { "the settings of all".to_owned() } else { described };
    println!("generation {} of model {model} begins, with {with}", entry.generation);
    Ok(entry.generation)
}

/// Looks after a generation that is on its way.
pub(super) struct Watch<'a> {
    pub(super) admin: &'a Admin,
    pub(super) control: &'a Control<'a>,
    pub(super) settings: &'a Settings,
    pub(super) model: &'a str,
}

impl Watch<'_> {
    /// Watches until the generation is a shadow, or beyond.
    fn until_shadow(&self, generation: Generation) -> anyhow::Result<()> {
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template("{prefix} {bar:40} {pos} of {len} events, {eta} left")?);
        let (mut learned, mut silent_since) = (None, Instant::now());
        // What is to be covered is looked up once for each stage: the log goes on growing.
        let mut stage: Option<(Stage, Vec<u64>)> = None;
        loop {
            let state = state_of(&self.control.read()?, self.model);
            let entry = entry(&state, generation)?.clone();
            bar.set_prefix(entry.stage.name());
            anyhow::ensure!(
                entry.stage != Stage::Loading,
                "generation {generation} is being loaded, watch it when that is done"
            );
            if !matches!(entry.stage, Stage::Training | Stage::CatchingUp) {
                bar.finish_and_clear();
                let retired = entry.stage == Stage::Retired;
                anyhow::ensure!(!retired, "generation {generation} of model {} was retired meanwhile", self.model);
                return Ok(());
            }
            let wanted = match stage.take() {
                Some((of, wanted)) if of == entry.stage => wanted,
                _ if entry.stage == Stage::Training => {
                    Progress::look_up(self.admin, self.settings, self.model, &entry)?.ends
                }
                _ => self.served_until(&state)?,
            };
            let progress = self.advance(&state, &entry, &wanted)?;
            stage = Some((entry.stage, wanted));
            bar.set_length(progress.learned() + progress.lag());
            bar.set_position(progress.learned());
            if learned.replace(progress.learned()) != learned {
                silent_since = Instant::now();
            } else if silent_since.elapsed() >= SILENT {
                silent_since = Instant::now();
                bar.suspend(|| eprintln!("nothing is learned for {SILENT:?}: do servers and workers run?"));
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// What the generation covers that serves.
    pub(super) fn served_until(&self, state: &State) -> anyhow::Result<Vec<u64>> {
        let live = state.live().and_then(|live| state.entry(live)).context("no generation serves")?;
        Ok(Progress::look_up(self.admin, self.settings, self.model, live)?.next)
    }

    /// Writes down the next stage of a generation that covers what is `wanted`. Says how far it is.
    pub(super) fn advance(&self, state: &State, entry: &Entry, wanted: &[u64]) -> anyhow::Result<Progress> {
        let progress = Progress::look_up(self.admin, self.settings, self.model, entry)?;
        let change = match entry.stage {
            Stage::Training => Change::Trained(entry.generation),
            Stage::CatchingUp => Change::CaughtUp(entry.generation),
            _ => return Ok(progress),
        };
        if progress.covers(wanted)
            && let Err(error) = self.control.change(self.model, state.version, change)
        {
            // Somebody else changes something, perhaps this: the next look shows.
            let moved = matches!(error.downcast_ref::<Refusal>(), Some(Refusal::Moved { .. }));
            if !moved && error.downcast_ref::<Clash>().is_none() {
                return Err(error);
            }
        }
        Ok(progress)
    }
}

/// A generation that is there.
pub(super) fn entry(state: &State, generation: Generation) -> anyhow::Result<&Entry> {
    Ok(state.entry(generation).ok_or(Refusal::Unknown(generation))?)
}
