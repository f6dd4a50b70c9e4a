//! `weir bench`: how fast the whole pipeline is, measured in turns with a bare consumer that only decodes.
//!
//! Figures of one machine at one time say little; the ratio of two that were measured in the same run says more, and is
//! what is compared over time.

mod bare;
mod distribution;
mod events;
mod latency;
mod messages;
mod pipeline;
mod ratings;
mod recovery;
mod report;
mod single;
mod usage;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use weir_kafka::{Admin, Partitions, TopicSpec};
use weir_models::Named;
use weir_runtime::Settings;

use crate::arguments::{BenchMessages, BenchOptions, BenchRatings};
use crate::topics;
use bare::Decodes;
use events::Event;
use report::{Report, Round};
pub(crate) use single::{run_latency, run_recovery};

const LOOKUP: Duration = Duration::from_secs(10);

/// One kind of events, and how they are measured.
struct Workload<'a> {
    name: &'static str,
    /// Whose pipeline it is.
    model: Named,
    /// The topic of the events, which the settings name too.
    topic: String,
    decodes: Decodes,
    options: &'a BenchOptions,
}

/// Fills a topic of its own with ratings and measures how long they take to be learned and covered by the gateway.
///
/// # Errors
/// The broker cannot be reached, a setting is out of its range, or nothing moves any more.
pub(crate) fn ratings(command: &BenchRatings, mut settings: Settings) -> anyhow::Result<()> {
    let run = run_name();
    settings.recommender.factors = command.factors;
    settings.recommender.ranking.factors = command.factors;
    settings.topics.ratings = format!("{run}-ratings");
    let workload = Workload {
        name: "ratings",
        model: Named::Recommender,
        topic: settings.topics.ratings.clone(),
        decodes: |key, value| weir_wire::rating::parse(key, value).is_ok(),
        options: &command.bench,
    };
    workload.measure(&run, settings, ratings::generator(command)?)
}

/// Fills a topic of its own with messages and measures how long they take to be scored, learned and covered by the
/// gateway.
///
/// # Errors
/// As [`ratings`]; a file that has no messages.
pub(crate) fn messages(command: &BenchMessages, mut settings: Settings) -> anyhow::Result<()> {
    let run = run_name();
    settings.topics.messages = format!("{run}-messages");
    settings.topics.scored = format!("{run}-messages.scored");
    settings.topics.policies = format!("{run}-messages.policies");
    settings.topics.items = format!("{run}-items");
    let workload = Workload {
        name: "messages",
        model: Named::Spam,
        topic: settings.topics.messages.clone(),
        decodes: |key, value| weir_wire::message::parse(key, value).is_ok(),
        options: &command.bench,
    };
    workload.measure(&run, settings, messages::generator(command)?)
}

fn run_name() -> String {
    format!("bench-{:08x}", rand::random::<u32>())
}

impl Workload<'_> {
    fn measure(&self, run: &str, mut settings: Settings, next: impl FnMut() -> Event) -> anyhow::Result<()> {
        let BenchOptions { events, partitions, rounds, warm_up, json, .. } = self.options;
        settings.models = vec![self.model.name().to_owned()];
        weir_runtime::init_logs(&settings.log)?;
        let admin = Admin::connect(&topics::connection(&settings), LOOKUP)?;
        create_input(&admin, &settings, &self.topic, *partitions)?;
        let ends = events::fill(&settings, &admin, (&self.topic, *partitions), *events, next)?;
        let mut measured = Vec::new();
        for number in 0..warm_up + (*rounds).max(1) {
            settings.prefix = format!("{run}-{number}");
            let round = self.round(&admin, &settings, &ends).with_context(|| format!("round {}", number + 1))?;
            let counts = if number < *warm_up { ", does not count" } else { "" };
            println!("round {}: {}{counts}", number + 1, round.line(*events));
            measured.push(round);
        }
        measured.drain(..*warm_up);
        remove(&admin, topics::outer_names(&settings)?);
        let report = Report::new(self.name, *events, &measured);
        println!("{report}");
        json.as_ref().map_or(Ok(()), |file| write(file, &report))
    }

    /// The bare consumer, then the pipeline with topics of its own, which are removed again.
    fn round(&self, admin: &Admin, settings: &Settings, ends: &[u64]) -> anyhow::Result<Round> {
        let bare = bare::read(settings, &self.topic, ends, self.decodes)?;
        let pipeline = pipeline::run(settings, ends);
        remove(admin, topics::internal_names(settings)?);
        Ok(Round { bare, pipeline: pipeline? })
    }
}

fn write(file: &Path, report: &Report) -> anyhow::Result<()> {
    std::fs::write(file, report.json()?).with_context(|| format!("write {}", file.display()))
}

fn create_input(admin: &Admin, settings: &Settings, topic: &str, partitions: u32) -> anyhow::Result<()> {
    let spec = TopicSpec {
        name: topic.to_owned(),
        partitions: Partitions::Exactly(partitions),
        replication: settings.kafka.replication,
        compact: false,
        settings: std::collections::BTreeMap::new(),
    };
    admin.ensure_topics(&[spec])?;
    Ok(())
}

/// Leaves nothing behind; what cannot be removed costs room and nothing else.
fn remove(admin: &Admin, names: Vec<String>) {
    for name in names {
        if let Err(error) = admin.delete_topic(&name) {
            tracing::debug!(name, %error, "topic not deleted");
        }
    }
}
