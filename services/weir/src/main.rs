//! The one command.

use std::process::ExitCode;

fn main() -> ExitCode {
    weir::main()
}
