//! The one command: `weir standalone`, each role alone, the topics they need and the settings in force.
//!
//! It binds ports, locks the data directory, and hands what the roles share to each of them. Deliberately not here:
//! what a role does (`services/server`, `worker`, `gateway`) and how a process is supervised (`shared/runtime`).

mod arguments;
mod bench;
mod commands;
mod models;
mod process;
mod roles;
mod topics;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match commands::run(arguments::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("weir: {error:#}");
            ExitCode::FAILURE
        }
    }
}
