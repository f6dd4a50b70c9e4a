//! `weir bench`: how fast the whole pipeline is, measured in turns with a bare consumer that only decodes.
//!
//! Figures of one machine at one time say little; the ratio of two that were measured in the same run says more, and is
//! what is compared over time.

mod bare;
mod events;
mod pipeline;
mod report;
mod usage;

use std::time::Duration;

use anyhow::Context as _;
use weir_kafka::{Admin, Partitions, TopicSpec};
use weir_runtime::Settings;

use crate::arguments::BenchRatings;
use crate::topics;
use report::{Report, Round};

const LOOKUP: Duration = Duration::from_secs(10);

/// Fills a topic of its own with ratings and measures how long they take to be learned and covered by the gateway.
///
/// # Errors
/// The broker cannot be reached, a setting is out of its range, or nothing moves any more.
pub(crate) fn ratings(command: &BenchRatings, mut settings: Settings) -> anyhow::Result<()> {
    let run = format!("bench-{:08x}", rand::random::<u32>());
    settings.topics.ratings = format!("{run}-ratings");
    weir_runtime::init_logs(&settings.log)?;
    let admin = Admin::connect(&topics::connection(&settings), LOOKUP)?;
    create_input(&admin, &settings, command.partitions)?;
    let ends = events::fill(&settings, command, &admin)?;
    let mut rounds = Vec::new();
    for number in 0..command.rounds.max(1) {
        let bare = bare::read(&settings, &ends)?;
        settings.prefix = format!("{run}-{number}");
        let pipeline = pipeline::run(&settings, &ends);
        remove(&admin, topics::internal_names(&settings)?);
        let pipeline = pipeline.with_context(|| format!("round {}", number + 1))?;
        let round = Round { bare, pipeline };
        println!("round {}: {}", number + 1, round.line(command.events));
        rounds.push(round);
    }
    remove(&admin, topics::outer_names(&settings)?);
    let report = Report::new("ratings", command.events, &rounds);
    println!("{report}");
    if let Some(file) = &command.json {
        std::fs::write(file, report.json()?).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}

fn create_input(admin: &Admin, settings: &Settings, partitions: u32) -> anyhow::Result<()> {
    let spec = TopicSpec {
        name: settings.topics.ratings.clone(),
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
