//! `weir promote`, `weir rollback` and `weir retire`.

use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use weir_kafka::Admin;
use weir_models::generations::Change;
use weir_runtime::Settings;
use weir_wire::Generation;
use weir_wire::control::{Entry, Stage, State};

use super::begin::{Watch, entry};
use super::connect;
use super::control::{Control, state_of};
use super::progress::description;
use crate::arguments::CommonOptions;

/// Between two looks at how far a generation is.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How long roles may take to stop.
const ROLES_STOP: Duration = Duration::from_mins(1);

/// What `weir promote` and `weir retire` take.
#[derive(Debug, Args)]
pub(crate) struct ChangeCommand {
    /// The model
    model: String,
    /// The generation, as weir models lists it
    generation: Generation,
    /// Only if the generations are still at this version, as weir models shows it [default: the version that the
    /// command finds]
    #[arg(long, value_name = "VERSION")]
    seen: Option<u64>,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

/// What `weir rollback` takes.
#[derive(Debug, Args)]
pub(crate) struct RollBackCommand {
    /// The model
    model: String,
    /// Only if the generations are still at this version, as weir models shows it [default: the version that the
    /// command finds]
    #[arg(long, value_name = "VERSION")]
    seen: Option<u64>,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

/// Lets a generation serve, once it covers what the one covers that serves now.
///
/// # Errors
/// It does not cover that within `generations.promote_within_ms`; the rules refuse it; somebody else was faster.
pub(crate) fn promote(command: &ChangeCommand, settings: &Settings) -> anyhow::Result<()> {
    let ChangeCommand { model, generation, seen, .. } = command;
    let admin = connect(settings, model)?;
    let control = Control::new(&admin, settings);
    let before = wait_until_covered(&Watch { admin: &admin, control: &control, settings, model }, *generation)?;
    let change = Change::Promote { generation: *generation, keep: settings.generations.kept };
    let state = control.change(model, seen.unwrap_or(before.version), change)?;
    println!("model {model} is served by {generation} from version {} on", state.version);
    // Of those that served before only so many are kept.
    let kept = |entry: &&Entry| before.entry(entry.generation).is_some_and(|before| before.stage == entry.stage);
    let retired = state.generations.iter().filter(|entry| entry.stage == Stage::Retired && !kept(entry));
    for entry in retired {
        println!("generation {} of model {model} is retired with that", entry.generation);
        remove(&admin, settings, model, entry)?;
    }
    Ok(())
}

/// Lets the generation serve again that served before.
///
/// # Errors
/// None is kept; somebody else was faster.
pub(crate) fn roll_back(command: &RollBackCommand, settings: &Settings) -> anyhow::Result<()> {
    let model = &command.model;
    let admin = connect(settings, model)?;
    let control = Control::new(&admin, settings);
    let seen = command.seen.map_or_else(|| anyhow::Ok(state_of(&control.read()?, model).version), Ok)?;
    let state = control.change(model, seen, Change::RollBack)?;
    let live = state.live().unwrap_or(Generation::FIRST);
    println!("model {model} is served by {live} again, from version {} on", state.version);
    Ok(())
}

/// Ends a generation that does not serve, and removes its topics and groups once its roles have stopped. What an earlier
/// call did not come to, the next one does.
///
/// # Errors
/// It serves; somebody else was faster; its roles do not stop.
pub(crate) fn retire(command: &ChangeCommand, settings: &Settings) -> anyhow::Result<()> {
    let ChangeCommand { model, generation, seen, .. } = command;
    let admin = connect(settings, model)?;
    let control = Control::new(&admin, settings);
    let mut state = state_of(&control.read()?, model);
    if entry(&state, *generation)?.stage != Stage::Retired {
        state = control.change(model, seen.unwrap_or(state.version), Change::Retire(*generation))?;
    }
    println!("generation {generation} of model {model} is retired from version {} on", state.version);
    remove(&admin, settings, model, entry(&state, *generation)?)
}

/// Removes what Kafka has of a generation that is retired.
fn remove(admin: &Admin, settings: &Settings, model: &str, entry: &Entry) -> anyhow::Result<()> {
    let description = description(settings, model, entry)?;
    let deadline = Instant::now() + ROLES_STOP + Duration::from_millis(settings.kafka.session_timeout_ms);
    for role in ["worker", "server"] {
        let group = description.group(&settings.prefix, role);
        // A member that has stopped is one until its session ends.
        while !admin.delete_group(&group)? {
            anyhow::ensure!(
                Instant::now() < deadline,
                "group {group} still has members: see that all roles follow (part generations of their health), and call weir \
                 retire {model} {} again to remove its topics",
                entry.generation
            );
            thread::sleep(LOOK_AGAIN);
        }
    }
    for topic in description.topics(&settings.prefix).all() {
        admin.delete_topic(topic)?;
        println!("topic {topic} is removed");
    }
    Ok(())
}

/// Waits until a generation that is not beyond a shadow covers what the one that serves covers as of now. The state by
/// then.
fn wait_until_covered(watch: &Watch<'_>, generation: Generation) -> anyhow::Result<State> {
    let limit = Duration::from_millis(watch.settings.generations.promote_within_ms);
    let (deadline, mut wanted) = (Instant::now() + limit, None);
    loop {
        let state = state_of(&watch.control.read()?, watch.model);
        let entry = entry(&state, generation)?;
        if matches!(entry.stage, Stage::Live | Stage::Retired) {
            // The rules say why not.
            return Ok(state);
        }
        let wanted = match &mut wanted {
            Some(wanted) => wanted,
            none => none.insert(watch.served_until(&state)?),
        };
        let progress = watch.advance(&state, entry, wanted)?;
        if entry.stage == Stage::Shadow && progress.covers(wanted) {
            return Ok(state);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "generation {generation} of model {} has not caught up within {limit:?}: it is {} at {:?}, and the one that \
             serves is at {wanted:?}; promote it when it has (weir models)",
            watch.model,
            entry.stage.name(),
            progress.next,
        );
        // What was just written down is looked at at once.
        if !progress.covers(wanted) {
            thread::sleep(LOOK_AGAIN);
        }
    }
}
