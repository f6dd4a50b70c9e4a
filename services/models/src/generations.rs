//! The life of a generation: which changes of a model's state are allowed, and what they make of it.
//!
//! Pure: a state and a wish come in, the next state or a refusal comes out. Whoever wishes names the version that they
//! have seen, so that nobody changes what they do not know. A command writes the next state as one transaction of a producer
//! that all commands of the model share the id of: of two at once, Kafka fences the first, who begins again from what
//! the second has written. Should two records of one version ever stand in the log, every reader takes the first one
//! ([`State::follows`]).

use std::collections::BTreeMap;

use weir_wire::Generation;
use weir_wire::control::{Entry, MOST_GENERATIONS, Stage, State};

/// Most generations of a model that are not retired: each has topics, threads and rows of its own.
pub const MOST_KEPT: usize = 16;

/// What an operator, or a training that gets on, wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new generation that begins with its passes over the log, under these settings of its own.
    Begin(BTreeMap<String, String>),
    /// A new generation whose rows come from elsewhere, under these settings of its own.
    Reserve(BTreeMap<String, String>),
    /// Its rows are written.
    Loaded(Generation),
    /// It has made its passes.
    Trained(Generation),
    /// It covers what the one that serves covers.
    CaughtUp(Generation),
    /// It serves from now on; of those that served before, so many are kept.
    Promote {
        /// Which one.
        generation: Generation,
        /// How many that served before are kept for [`Change::RollBack`]; the others are retired.
        keep: usize,
    },
    /// The one that served before serves again.
    RollBack,
    /// It is no more.
    Retire(Generation),
}

/// Why a change is not made. The state is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody was faster.
    #[error("the generations are at version {found}, not at {seen}: somebody has changed them; look again")]
    Moved {
        /// What the wish was about.
        seen: u64,
        /// What there is.
        found: u64,
    },
    /// There is none of this name.
    #[error("there is no generation {0}")]
    Unknown(Generation),
    /// It is somewhere else in its life than where the change begins.
    #[error("generation {generation} is {}, and only {wanted}", .stage.name())]
    Stage {
        /// Which one.
        generation: Generation,
        /// Where it is.
        stage: Stage,
        /// What can be done, to which stage.
        wanted: &'static str,
    },
    /// Nobody who served before is left.
    #[error("no generation that served before {0} is kept; promote another one instead")]
    NothingBefore(Generation),
    /// There are as many as there may be.
    #[error("there are {MOST_KEPT} generations that are not retired already; retire one first")]
    Full,
    /// There are no numbers left.
    #[error("no generation comes after {0}")]
    Last(Generation),
}

/// The state after `change`, which somebody wishes who has seen version `seen`.
///
/// # Errors
/// A [`Refusal`]; the state that was seen stays in force.
pub fn propose(current: &State, seen: u64, change: Change) -> Result<State, Refusal> {
    if current.version != seen {
        return Err(Refusal::Moved { seen, found: current.version });
    }
    let mut next = State { version: current.version + 1, ..current.clone() };
    match change {
        Change::Begin(settings) => begin(&mut next, Stage::Training, settings)?,
        Change::Reserve(settings) => begin(&mut next, Stage::Loading, settings)?,
        Change::Loaded(generation) => {
            step(&mut next, generation, &[Stage::Loading], Stage::CatchingUp, "one that is loading is loaded")?;
        }
        Change::Trained(generation) => {
            step(&mut next, generation, &[Stage::Training], Stage::CatchingUp, "one in training catches up")?;
        }
        Change::CaughtUp(generation) => {
            step(
                &mut next,
                generation,
                &[Stage::CatchingUp],
                Stage::Shadow,
                "one that is catching up becomes a shadow",
            )?;
        }
        Change::Promote { generation, keep } => promote(&mut next, generation, keep)?,
        Change::RollBack => roll_back(&mut next)?,
        Change::Retire(generation) => {
            let from = [Stage::Loading, Stage::Training, Stage::CatchingUp, Stage::Shadow];
            step(&mut next, generation, &from, Stage::Retired, "one that does not serve can be retired")?;
            next.served.retain(|other| *other != generation);
        }
    }
    Ok(next)
}

fn begin(state: &mut State, stage: Stage, settings: BTreeMap<String, String>) -> Result<(), Refusal> {
    let retired = |entry: &Entry| entry.stage == Stage::Retired;
    if state.generations.iter().filter(|entry| !retired(entry)).count() >= MOST_KEPT {
        return Err(Refusal::Full);
    }
    let generation = state.next;
    state.next = generation.next().ok_or(Refusal::Last(generation))?;
    if state.generations.len() >= MOST_GENERATIONS
        && let Some(oldest) = state.generations.iter().position(retired)
    {
        state.generations.remove(oldest);
    }
    state.generations.push(Entry { generation, stage, settings });
    Ok(())
}

fn promote(state: &mut State, generation: Generation, keep: usize) -> Result<(), Refusal> {
    let before = state.live();
    step(state, generation, &[Stage::Shadow], Stage::Live, "a shadow, which has caught up, can be promoted")?;
    state.served.retain(|other| *other != generation);
    if let Some(before) = before {
        set(state, before, Stage::Shadow);
        state.served.push(before);
    }
    while state.served.len() > keep {
        let oldest = state.served.remove(0);
        set(state, oldest, Stage::Retired);
    }
    Ok(())
}

fn roll_back(state: &mut State) -> Result<(), Refusal> {
    let live = state.live().unwrap_or(Generation::FIRST);
    let before = state.served.pop().ok_or(Refusal::NothingBefore(live))?;
    set(state, live, Stage::Shadow);
    set(state, before, Stage::Live);
    Ok(())
}

fn step(
    state: &mut State,
    generation: Generation,
    from: &[Stage],
    to: Stage,
    wanted: &'static str,
) -> Result<(), Refusal> {
    let stage = state.entry(generation).ok_or(Refusal::Unknown(generation))?.stage;
    if !from.contains(&stage) {
        return Err(Refusal::Stage { generation, stage, wanted });
    }
    set(state, generation, to);
    Ok(())
}

fn set(state: &mut State, generation: Generation, stage: Stage) {
    let entries = state.generations.iter_mut().filter(|entry| entry.generation == generation);
    entries.for_each(|entry| entry.stage = stage);
}

#[cfg(test)]
mod tests;
