//! A learner of a third party (`sketch.rs`): in memory, through Kafka, and asked over REST.

mod sketch;
#[cfg(test)]
mod tests;

use clap::Parser;
use sketch::{CountMin, counters, words_of};
use weir::{Learner, Role};
use weir_ps::{memory, words};
use weir_runtime::{Settings, Sources};

const TEXTS: &str = "Free entry in our draw\nCall me when you are free\nFree ringtone for you";

/// Counts words in a sketch: of FILE's lines in memory, or of the topic `messages` with --brokers.
#[derive(Parser)]
struct Arguments {
    file: Option<std::path::PathBuf>,
    /// Learn from this Kafka and answer REST until stopped. Other settings come from the environment
    #[arg(long)]
    brokers: Option<String>,
    /// Ask a process that runs with --brokers, by its address and port
    #[arg(long)]
    rest: Option<String>,
    /// A word to ask for
    #[arg(long, default_values = ["Free", "you"])]
    ask: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { file, brokers, rest, ask } = Arguments::parse();
    if let Some(brokers) = brokers {
        let settings = Settings::load(&Sources::of_process(None, vec![("brokers".into(), brokers)])?)?;
        let learner = Learner::new(CountMin::new().description(&settings), CountMin::new())?;
        return weir::run(&[learner], &Role::ALL, settings);
    }
    if let Some(rest) = rest {
        return print(&ask, |key| over_rest(&rest, key));
    }
    let texts = file.map_or_else(|| Ok(TEXTS.to_owned()), std::fs::read_to_string)?;
    let (lines, plan) = (texts.lines().collect(), memory::Plan::small(1, 1, 3));
    let decode = |line: &&str, batch: &mut weir_ps::Batch<_>| batch.events.extend(words_of(line).map(counters));
    let outcome = memory::run(&CountMin::new(), &[lines], &plan, decode)?;
    print(&ask, |key| Ok(outcome.row(0, key).map_or(0, |row| words::u64_at(row, 0))))
}

/// Others can only have added to a word's counters, so the least of them is closest.
fn print(ask: &[String], mut counter: impl FnMut(u64) -> anyhow::Result<u64>) -> anyhow::Result<()> {
    for word in ask {
        let counts = counters(word).into_iter().map(&mut counter).collect::<anyhow::Result<Vec<_>>>()?;
        println!("{word}: {}", counts.into_iter().min().unwrap_or(0));
    }
    Ok(())
}

fn over_rest(rest: &str, key: u64) -> anyhow::Result<u64> {
    let page = format!("http://{rest}/v1/models/count-min/tables/counters?limit=1&after={}", key - 1);
    let page: serde_json::Value = serde_json::from_str(&ureq::get(page).call()?.body_mut().read_to_string()?)?;
    let found = page["rows"][0]["key"].as_str().is_some_and(|found| found == key.to_string());
    Ok(page["rows"][0]["values"][0].as_u64().filter(|_| found).unwrap_or(0))
}
