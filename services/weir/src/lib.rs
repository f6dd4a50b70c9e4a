//! The one command, and what a third party needs to run a model of their own as the command runs its.
//!
//! [`main`] is the command: `weir standalone`, each role alone, the topics they need and the settings in force.
//! [`run`] runs roles for any [`Learner`]s, `examples/count_min` shows how. Both bind ports, lock the data directory,
//! and hand what the roles share to each of them. Deliberately not here: what a role does (`services/server`, `worker`,
//! `gateway`) and how a process is supervised (`shared/runtime`).

mod accept_loss;
mod arguments;
mod bench;
mod commands;
mod demo;
mod evaluate;
mod events;
mod files;
mod generations;
mod import;
mod learner;
mod policies;
mod process;
mod refused;
mod roles;
mod schema;
mod snapshot;
mod topics;
mod train;
mod validate;

use std::process::ExitCode;

use clap::Parser;

use refused::Refused;

pub use learner::{Learner, built_in};
pub use roles::{Role, run};

/// Runs the command of the process's arguments to its end; an error is one sentence.
#[must_use]
pub fn main() -> ExitCode {
    match commands::run(arguments::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("weir: {error:#}");
            if error.is::<Refused>() { Refused::EXIT_CODE.into() } else { ExitCode::FAILURE }
        }
    }
}
