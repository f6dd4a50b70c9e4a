//! What the demo takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// What `weir demo` takes.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How long it runs once it is ready, such as 30s, 5m or 1h; without one until it is stopped
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// Address that serves REST, health and metrics
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Seed of the made-up events
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Ratings of this file instead of made-up ones, in its order and as if of now; formats as `weir import` takes them
    #[arg(long, value_name = "FILE")]
    pub(crate) ratings: Option<PathBuf>,
    /// Messages of this file instead of made-up ones
    #[arg(long, value_name = "FILE")]
    pub(crate) messages: Option<PathBuf>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        _ => None,
    };
    let seconds = seconds.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    seconds.map(Duration::from_secs).ok_or_else(|| "expected a whole number of s, m or h, for example 30s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        let check = |text: &str, seconds: Option<u64>| {
            assert_eq!(duration(text).ok(), seconds.map(Duration::from_secs), "{text}");
        };
        check("10s", Some(10));
        check("90", Some(90));
        check("2m", Some(120));
        check("1h", Some(3_600));
        for text in ["", "s", "1.5m", "-1s", "3 days", "99999999999999999999s", "9999999999999999h"] {
            check(text, None);
        }
    }
}
