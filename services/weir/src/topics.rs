//! The topics that the models in force need: how they must be, creating them, and showing how they are.

use std::collections::BTreeMap;
use std::time::Duration;

use weir_kafka::{Admin, Connection, Partitions, TopicSpec};
use weir_models::GENERATION;
use weir_runtime::{Fatal, Settings};
use weir_wire::topic::{ModelTopics, rejected};

/// How long a broker may take to answer before it counts as away.
const TIMEOUT: Duration = Duration::from_secs(5);
const MINUTE_MS: u64 = 60_000;
const MEBIBYTE: u64 = 1 << 20;
/// What brokers take by default, and the least that a topic of frames is created with.
const DEFAULT_MESSAGE_BYTES: u64 = 1_048_588;

/// How this process reaches Kafka for administration.
pub(crate) fn connection(settings: &Settings) -> Connection {
    Connection::new(&settings.brokers, format!("{}-admin", settings.prefix)).with_settings(&settings.kafka.settings)
}

/// The cluster, once its topics are as they must be.
pub(crate) struct Prepared {
    pub(crate) cluster_id: String,
    pub(crate) topics: Vec<String>,
}

/// Creates what is missing and checks the rest: what a server or worker does before it starts.
///
/// # Errors
/// The broker cannot be reached; [`Fatal`] for a topic that is not as it must be, with what to change.
pub(crate) fn prepare(settings: &Settings) -> anyhow::Result<Prepared> {
    let admin = Admin::connect(&connection(settings), TIMEOUT)?;
    let topics = ensure(&admin, settings).map_err(|error| match error {
        weir_kafka::Error::TopicMismatch { .. } => Fatal::new(error.to_string()).into(),
        other => anyhow::Error::from(other),
    })?;
    Ok(Prepared { cluster_id: admin.cluster_id().to_owned(), topics })
}

/// Creates what is missing, checks the rest, and says so.
pub(crate) fn create(settings: &Settings) -> anyhow::Result<()> {
    let prepared = prepare(settings)?;
    for topic in prepared.topics {
        println!("topic {topic} is as it must be");
    }
    println!("all on cluster {}", prepared.cluster_id);
    Ok(())
}

/// Prints each topic with what is wrong with it.
///
/// # Errors
/// Something is.
pub(crate) fn show(settings: &Settings) -> anyhow::Result<()> {
    let admin = Admin::connect(&connection(settings), TIMEOUT)?;
    let mut wrong = 0;
    for spec in input_specs(settings).into_iter().chain(internal_specs(settings)) {
        let problem = if admin.describe(&spec.name)?.is_none() {
            let name = &spec.name;
            Some(format!("topic {name} is missing; `weir topics create` creates it, and so does a role that starts"))
        } else {
            // It is there, so this only checks it.
            admin.ensure_topics(std::slice::from_ref(&spec)).err().map(|error| error.to_string())
        };
        wrong += usize::from(problem.is_some());
        println!("{}", problem.unwrap_or_else(|| format!("topic {} is as it must be", spec.name)));
    }
    anyhow::ensure!(wrong == 0, "{wrong} topics are not as they must be");
    Ok(())
}

/// Creates what is missing, checks the rest, and gives the names of all.
fn ensure(admin: &Admin, settings: &Settings) -> weir_kafka::Result<Vec<String>> {
    let mut specs = internal_specs(settings);
    for mut spec in input_specs(settings) {
        if admin.describe(&spec.name)?.is_none() {
            // The input is what a model can be learned again from, so weir does not let it expire by itself. How long
            // a topic that others made keeps its events is theirs to say.
            spec.settings.insert("retention.ms".into(), "-1".into());
        }
        specs.push(spec);
    }
    Ok(admin.ensure_topics(&specs)?.into_iter().map(|topic| topic.name).collect())
}

/// The names of all topics that the models in force need.
pub(crate) fn names(settings: &Settings) -> Vec<String> {
    input_specs(settings).into_iter().chain(internal_specs(settings)).map(|spec| spec.name).collect()
}

/// The input topics and where their refused events go.
fn input_specs(settings: &Settings) -> Vec<TopicSpec> {
    let partitions = Partitions::IfCreated(settings.kafka.partitions);
    let input = &settings.topics.ratings;
    let names = [input.clone(), rejected(input)];
    names.into_iter().map(|name| spec(settings, name, partitions, false, &[])).collect()
}

/// The internal topics of all models.
fn internal_specs(settings: &Settings) -> Vec<TopicSpec> {
    settings.models.iter().flat_map(|model| model_specs(settings, model)).collect()
}

fn model_specs(settings: &Settings, model: &str) -> [TopicSpec; 4] {
    let topics = ModelTopics::new(&settings.prefix, model, GENERATION);
    let shards = Partitions::Exactly(settings.server.shards);
    let replies = Partitions::Exactly(settings.worker.reply_partitions);
    // A frame's own bound leaves out the record batch around it.
    let message = DEFAULT_MESSAGE_BYTES.max(settings.worker.frame_bytes as u64 + 4_096);
    // weir alone deletes pushes, below the shards' barriers; a segment's bytes are freed when all of it is below.
    let pushes = [
        ("retention.ms", "-1".to_owned()),
        ("retention.bytes", "-1".to_owned()),
        ("max.message.bytes", message.to_string()),
        ("segment.bytes", (128 * MEBIBYTE).to_string()),
    ];
    // Worth nothing once the asking batch is done.
    let short_lived = [
        ("retention.ms", (10 * MINUTE_MS).to_string()),
        ("max.message.bytes", message.to_string()),
        ("segment.ms", (10 * MINUTE_MS).to_string()),
        ("segment.bytes", (64 * MEBIBYTE).to_string()),
    ];
    // The active segment is never compacted, and a restore reads it whole.
    let changelog =
        [("segment.bytes", (16 * MEBIBYTE).to_string()), ("delete.retention.ms", (24 * 60 * MINUTE_MS).to_string())];
    [
        spec(settings, topics.pushes, shards, false, &pushes),
        spec(settings, topics.pulls, shards, false, &short_lived),
        spec(settings, topics.replies, replies, false, &short_lived),
        spec(settings, topics.parameters, shards, true, &changelog),
    ]
}

fn spec(
    settings: &Settings,
    name: String,
    partitions: Partitions,
    compact: bool,
    topic_settings: &[(&str, String)],
) -> TopicSpec {
    let topic_settings: BTreeMap<_, _> =
        topic_settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let replication = settings.kafka.replication;
    TopicSpec { name, partitions, replication, compact, settings: topic_settings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_has_its_four_topics_beside_the_input() {
        let models = vec!["recommender".into(), "counting".into()];
        let settings = Settings { models, ..Settings::default() };
        let inputs: Vec<_> = input_specs(&settings).into_iter().map(|spec| spec.name).collect();
        assert_eq!(inputs, ["ratings", "ratings.rejected"]);
        let specs = internal_specs(&settings);
        assert_eq!(specs.len(), 8);
        let named = |name: &str| specs.iter().find(|spec| spec.name == name).expect("specified");
        let pushes = named("weir.recommender.g1.pushes");
        assert_eq!((pushes.partitions, pushes.compact), (Partitions::Exactly(3), false));
        assert_eq!(pushes.settings["retention.ms"], "-1");
        assert_eq!(named("weir.counting.g1.replies").partitions, Partitions::Exactly(16));
        assert!(named("weir.counting.g1.parameters").compact);
    }

    #[test]
    fn topics_of_frames_take_the_largest_frame() {
        let mut settings = Settings::default();
        settings.worker.frame_bytes = 4 << 20;
        let specs = model_specs(&settings, "recommender");
        for kind in ["pushes", "pulls", "replies"] {
            let spec = specs.iter().find(|spec| spec.name.ends_with(kind)).expect("specified");
            assert_eq!(spec.settings["max.message.bytes"], ((4 << 20) + 4_096).to_string());
        }
    }
}
