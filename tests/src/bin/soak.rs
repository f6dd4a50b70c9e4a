//! `kill -9` of random processes for as long as wanted: the test of `counting` with its twenty kills, at length.
//!
//! ```sh
//! cargo run -p weir-tests --bin soak -- --kills 1000 --seed 7
//! ```
//! Ends with exit code 0 when every count was exact at every check, else with the counts that were not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Parser;
use weir_tests::kills::{self, Kill};
use weir_tests::{Broker, Random, Trial};

/// Kills processes of weir under load and checks that every event counts once.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many processes are killed, one after the other.
    #[arg(long, default_value_t = 1_000)]
    kills: usize,
    /// Seed of all choices: who is killed, for how long, which events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Events a second.
    #[arg(long, default_value_t = 3_000)]
    rate: usize,
    /// Kills between two checks of all counts.
    #[arg(long, default_value_t = 25)]
    check_every: usize,
}

/// What has happened so far.
#[derive(Debug, Default)]
struct Report {
    kills: BTreeMap<String, usize>,
    checks: usize,
}

fn main() {
    let arguments = Arguments::parse();
    let mut random = Random::new(arguments.seed);
    let of_stream = Random::new(random.next());
    let mut trial = Trial::start(
        kills::deployment(Broker::shared(), "soak").with("MODELS", "counting,recommender"),
        2,
        2,
        of_stream,
        arguments.rate,
    );
    let (mut report, began) = (Report::default(), Instant::now());
    println!("{arguments:?}");
    for number in 1..=arguments.kills {
        let kill = kills::kill_one(&mut trial, arguments.rate, &mut random);
        report.count(&kill);
        if number % arguments.check_every.max(1) == 0 {
            trial.check();
            report.checks += 1;
            report.print(number, trial.written(), began.elapsed());
        }
    }
    let written = trial.written();
    drop(trial.finish());
    report.checks += 1;
    report.print(arguments.kills, written, began.elapsed());
}

impl Report {
    fn count(&mut self, kill: &Kill) {
        *self.kills.entry(kill.name.clone()).or_default() += 1;
    }

    fn print(&self, number: usize, written: u64, took: Duration) {
        let by_name: Vec<String> = self.kills.iter().map(|(name, kills)| format!("{name} {kills}")).collect();
        let (checks, by_name) = (self.checks, by_name.join(", "));
        println!(
            "{number} kills ({by_name}), {written} events, exact at each of {checks} checks, {} s",
            took.as_secs()
        );
    }
}
