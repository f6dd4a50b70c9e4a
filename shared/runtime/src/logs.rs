//! Log lines on standard error; standard output is for what a command was asked to print.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::TryInitError;
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{Error, LogFormat, LogSettings};

/// Sets up logs for the process, and has panics logged like any other error.
///
/// # Errors
/// A filter that does not parse, or logs that were set up before.
pub fn init(settings: &LogSettings) -> Result<(), Error> {
    let filter = EnvFilter::try_new(&settings.filter).map_err(|error| Error::Logs(error.to_string()))?;
    let lines = match settings.format {
        LogFormat::Text => fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed(),
    };
    let refused = |error: TryInitError| Error::Logs(error.to_string());
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().map_err(refused)?;
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Ok(())
}
