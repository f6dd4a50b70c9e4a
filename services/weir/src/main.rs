//! The one command: `weir standalone`, each role alone, the topics they need and the settings in force.
//!
//! It binds ports, locks the data directory, and hands what the roles share to each of them. Deliberately not here:
//! what a role does (`services/server`, `worker`, `gateway`) and how a process is supervised (`shared/runtime`).

mod arguments;
mod bench;
mod commands;
mod events;
mod files;
mod import;
mod models;
mod process;
mod refused;
mod roles;
mod schema;
mod topics;
mod validate;

use std::process::ExitCode;

use clap::Parser;

use refused::Refused;

fn main() -> ExitCode {
    match commands::run(arguments::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("weir: {error:#}");
            if error.is::<Refused>() { Refused::EXIT_CODE.into() } else { ExitCode::FAILURE }
        }
    }
}
