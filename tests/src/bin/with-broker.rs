//! Runs a command beside the tests' Apache Kafka: for measuring, and for a first try without an installed broker.
//!
//! ```sh
//! cargo run -p weir-tests --bin with-broker -- target/release/weir bench ratings
//! ```
//! The command finds the broker in `WEIR_BROKERS`. Its exit code is this program's; the broker and all that was written to
//! it are gone afterwards.

use std::process::{Command, ExitCode};

use clap::Parser;
use weir_tests::Broker;

/// Starts Apache Kafka, runs a command with its address in `WEIR_BROKERS`, and ends Kafka with it.
#[derive(Debug, Parser)]
struct Arguments {
    /// The command and its arguments, as in `bash` for several.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let broker = Broker::private();
    eprintln!("Apache Kafka answers at {}", broker.brokers());
    let Some((program, arguments)) = command.split_first() else { return ExitCode::FAILURE };
    match Command::new(program).args(arguments).env("WEIR_BROKERS", broker.brokers()).status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("cannot run {program}: {error}");
            ExitCode::FAILURE
        }
    }
}
