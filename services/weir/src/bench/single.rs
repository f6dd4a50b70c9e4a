//! The benchmarks of single events: their distributions as a table and as JSON.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use comfy_table::{Table, presets};
use serde_json::json;
use weir_kafka::Admin;
use weir_models::Named;
use weir_runtime::Settings;

use super::distribution::Distribution;
use super::latency::{Load, MODELS};
use super::pipeline::Running;
use super::usage::Usage;
use super::{LOOKUP, create_input, events, latency, messages, ratings, recovery, remove, run_name};
use crate::arguments::{BenchLatency, BenchMessages, BenchRatings, BenchRecovery};
use crate::roles::Role;
use crate::topics;

/// Sends ratings and messages at a rate and measures how long each takes.
///
/// # Errors
/// The broker cannot be reached, a setting is out of its range, or an event does not arrive.
pub(crate) fn run_latency(command: &BenchLatency, mut settings: Settings) -> anyhow::Result<()> {
    weir_runtime::init_logs(&settings.log)?;
    let run = run_name();
    settings.prefix.clone_from(&run);
    settings.models = MODELS.map(|model| model.name().to_owned()).to_vec();
    settings.kafka.partitions = command.partitions;
    settings.topics.ratings = format!("{run}-ratings");
    settings.topics.messages = format!("{run}-messages");
    settings.topics.scored = format!("{run}-messages.scored");
    settings.topics.policies = format!("{run}-messages.policies");
    let admin = Admin::connect(&topics::connection(&settings), LOOKUP)?;
    let running = Running::start(&settings, &[Role::Server, Role::Worker])?;
    let load = Load { rate: command.rate, duration: Duration::from_secs(command.seconds) };
    let measured = running.wait_ready().and_then(|()| {
        let next: [Box<dyn FnMut() -> events::Event>; 2] =
            [Box::new(ratings::generator(&BenchRatings::default())?), messages::generator(&BenchMessages::default())?];
        latency::measure(&settings, &running, load, next)
    });
    running.stop()?;
    remove(&admin, topics::internal_names(&settings)?);
    remove(&admin, topics::outer_names(&settings)?);
    let measured = measured?;
    println!("{} ratings and {0} messages a second for {} s", command.rate, command.seconds);
    tell("latency", &measured, command.json.as_deref())
}

/// Kills a server under load again and again and measures how long it is away.
///
/// # Errors
/// As [`run_latency`].
pub(crate) fn run_recovery(command: &BenchRecovery, mut settings: Settings) -> anyhow::Result<()> {
    weir_runtime::init_logs(&settings.log)?;
    let run = run_name();
    settings.prefix.clone_from(&run);
    settings.models = vec![Named::Recommender.name().to_owned()];
    settings.recommender.factors = command.factors;
    settings.recommender.ranking.factors = command.factors;
    settings.topics.ratings = format!("{run}-ratings");
    let admin = Admin::connect(&topics::connection(&settings), LOOKUP)?;
    create_input(&admin, &settings, &settings.topics.ratings, settings.kafka.partitions)?;
    let of = BenchRatings { users: command.users, items: command.items, ..BenchRatings::default() };
    let place = (settings.topics.ratings.as_str(), settings.kafka.partitions);
    let ends = events::fill(&settings, &admin, place, command.events, ratings::generator(&of)?)?;
    let more = BenchRatings { seed: of.seed + 1, ..of };
    let measured = recovery::measure(&settings, &ends, (command.kills, command.rate), ratings::generator(&more)?);
    remove(&admin, topics::internal_names(&settings)?);
    remove(&admin, topics::outer_names(&settings)?);
    tell("recovery", &recovery::distributions(&measured?), command.json.as_deref())
}

fn tell(name: &str, distributions: &[Distribution], file: Option<&Path>) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(Distribution::HEADER);
    table.add_rows(distributions.iter().map(Distribution::row));
    println!("{table}");
    let (first, rss_bytes) = (distributions.first(), Usage::now().peak_rss_bytes);
    let (p50, p99) = (first.map(|times| times.p50_ms), first.map(|times| times.p99_ms));
    let report = json!({
        "name": name, "p50_ms": p50, "p99_ms": p99, "rss_bytes": rss_bytes, "distributions": distributions,
    });
    let text = serde_json::to_string_pretty(&report)?;
    file.map_or(Ok(()), |file| std::fs::write(file, text).with_context(|| format!("write {}", file.display())))
}
