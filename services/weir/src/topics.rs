//! The topics that the models in force need: how they must be, creating them, and showing how they are.

use std::collections::BTreeMap;
use std::time::Duration;

use weir_kafka::{Admin, Connection, Partitions, TopicSpec};
use weir_models::{Description, Named, descriptions};
use weir_runtime::{Context, Fatal, Settings, remember_cluster};

use crate::generations::control;

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

/// What a server or worker of `model` does before it starts: makes sure that the cluster is the one it knows, creates what
/// is missing there and checks the rest. Returns the cluster's id.
///
/// # Errors
/// The broker cannot be reached; [`Fatal`] for another cluster, and for a topic that is not as it must be, with what to
/// change.
pub(crate) fn prepare_role(context: &Context, model: &Description) -> anyhow::Result<String> {
    let settings = &context.settings;
    let admin = Admin::connect(&connection(settings), TIMEOUT)?;
    remember_cluster(&settings.data_dir, &settings.brokers, admin.cluster_id()).map_err(|error| match error {
        weir_runtime::Error::OtherCluster { .. } => Fatal::new(error.to_string()).into(),
        _ => anyhow::Error::new(error),
    })?;
    prepare(&admin, settings, std::slice::from_ref(model))?;
    Ok(admin.cluster_id().to_owned())
}

/// Creates what `models` lack, checks the rest, and gives the names of all.
fn prepare(admin: &Admin, settings: &Settings, models: &[Description]) -> anyhow::Result<Vec<String>> {
    ensure(admin, settings, models).map_err(|error| match error.downcast_ref() {
        Some(weir_kafka::Error::TopicMismatch { .. }) => Fatal::new(error.to_string()).into(),
        _ => error,
    })
}

/// The same for the catalogue's topic, which keeps the last record of each item.
///
/// # Errors
/// As [`ensure_input`].
pub(crate) fn ensure_items(admin: &Admin, settings: &Settings, topic: &str) -> anyhow::Result<()> {
    if admin.partition_count(topic)?.is_none() {
        admin.ensure_topics(&[TopicSpec { name: topic.to_owned(), ..items(settings) }])?;
        println!("topic {topic} was created");
    }
    Ok(())
}

/// Creates what is missing, checks the rest, and says so.
pub(crate) fn create(settings: &Settings) -> anyhow::Result<()> {
    let admin = Admin::connect(&connection(settings), TIMEOUT)?;
    for topic in prepare(&admin, settings, &descriptions(settings)?)? {
        println!("topic {topic} is as it must be");
    }
    println!("all on cluster {}", admin.cluster_id());
    Ok(())
}

/// Creates what one model lacks, and checks the rest.
///
/// # Errors
/// The broker refuses, or a topic is not as it must be.
pub(crate) fn create_quietly(admin: &Admin, settings: &Settings, model: &Description) -> anyhow::Result<()> {
    prepare(admin, settings, std::slice::from_ref(model)).map(drop)
}

/// Prints each topic with what is wrong with it.
///
/// # Errors
/// Something is.
pub(crate) fn show(settings: &Settings) -> anyhow::Result<()> {
    let admin = Admin::connect(&connection(settings), TIMEOUT)?;
    let mut wrong = 0;
    for spec in specs(settings)? {
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

/// Creates an input topic if it is missing, as a role that starts would; one that is there stays as it is.
///
/// # Errors
/// The broker cannot be reached or refuses.
pub(crate) fn ensure_input(admin: &Admin, settings: &Settings, topic: &str) -> anyhow::Result<()> {
    if admin.partition_count(topic)?.is_none() {
        let partitions = Partitions::IfCreated(settings.kafka.partitions);
        let spec = spec(settings, topic.to_owned(), partitions, false, &[("retention.ms", "-1".to_owned())]);
        admin.ensure_topics(&[spec])?;
        println!("topic {topic} was created");
    }
    Ok(())
}

/// Creates what is missing, checks the rest, and gives the names of all.
fn ensure(admin: &Admin, settings: &Settings, models: &[Description]) -> anyhow::Result<Vec<String>> {
    let mut specs = internal_specs(settings, models);
    for mut spec in outer_specs(settings, models) {
        if admin.describe(&spec.name)?.is_none() {
            // The input is what a model can be learned again from, so weir does not let it expire by itself. How long
            // a topic that others made keeps its events is theirs to say.
            if !spec.compact {
                spec.settings.insert("retention.ms".into(), "-1".into());
            }
        }
        specs.push(spec);
    }
    Ok(admin.ensure_topics(&specs)?.into_iter().map(|topic| topic.name).collect())
}

/// The internal topics of the models in force.
///
/// # Errors
/// A model's settings are refused.
pub(crate) fn internal_names(settings: &Settings) -> anyhow::Result<Vec<String>> {
    Ok(internal_specs(settings, &descriptions(settings)?).into_iter().map(|spec| spec.name).collect())
}

/// The topics that the models in force share with others: what they read, refuse and put out.
///
/// # Errors
/// A model's settings are refused.
pub(crate) fn outer_names(settings: &Settings) -> anyhow::Result<Vec<String>> {
    Ok(outer_specs(settings, &descriptions(settings)?).into_iter().map(|spec| spec.name).collect())
}

/// The topics of the models in force, as they must be.
///
/// # Errors
/// A model's settings are refused.
pub(crate) fn specs(settings: &Settings) -> anyhow::Result<Vec<TopicSpec>> {
    let models = descriptions(settings)?;
    Ok([outer_specs(settings, &models), internal_specs(settings, &models)].concat())
}

/// The input topics, where their refused events go, and the topics of outputs, each once.
fn outer_specs(settings: &Settings, models: &[Description]) -> Vec<TopicSpec> {
    let partitions = Partitions::IfCreated(settings.kafka.partitions);
    let mut names: Vec<String> = Vec::new();
    for model in models {
        let outputs = model.outputs.iter().map(|(_, topic)| topic.to_string());
        let all = [model.input.to_string(), model.rejected()].into_iter().chain(outputs);
        names.extend(all.filter(|name| !names.contains(name)).collect::<Vec<_>>());
    }
    let has_policies = models.iter().any(|model| model.policies.is_some());
    let named = names.into_iter().map(|name| spec(settings, name, partitions, false, &[]));
    let has_items = models.iter().any(|model| model.name == Named::Recommender.name());
    named.chain(has_policies.then(|| policies(settings))).chain(has_items.then(|| items(settings))).collect()
}

/// The catalogue's topic, all of which every gateway reads at its start.
fn items(settings: &Settings) -> TopicSpec {
    spec(settings, settings.topics.items.clone(), Partitions::IfCreated(1), true, &[])
}

/// The topic of policies. Few records, all of which every process that scores reads at its start.
pub(crate) fn policies(settings: &Settings) -> TopicSpec {
    spec(settings, settings.topics.policies.clone(), Partitions::IfCreated(1), true, &[])
}

/// The control topic: small, compacted, and in one partition, so that all changes have an order.
pub(crate) fn control(settings: &Settings) -> TopicSpec {
    spec(settings, weir_wire::control::topic(&settings.prefix), control::PARTITIONS, true, &[])
}

/// The internal topics of all models.
fn internal_specs(settings: &Settings, models: &[Description]) -> Vec<TopicSpec> {
    models.iter().flat_map(|model| model_specs(settings, model)).collect()
}

fn model_specs(settings: &Settings, model: &Description) -> [TopicSpec; 4] {
    let topics = model.topics(&settings.prefix);
    let shards = Partitions::Exactly(model.partitioner.shards());
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
        assert_eq!(outer_names(&settings).expect("valid"), ["ratings", "ratings.rejected", "items"]);
        let specs = internal_specs(&settings, &descriptions(&settings).expect("valid"));
        assert_eq!(specs.len(), 8);
        let named = |name: &str| specs.iter().find(|spec| spec.name == name).expect("specified");
        let pushes = named("weir.recommender.g1.pushes");
        assert_eq!((pushes.partitions, pushes.compact), (Partitions::Exactly(3), false));
        assert_eq!(pushes.settings["retention.ms"], "-1");
        let spam = Settings { models: vec!["spam".into()], ..Settings::default() };
        assert_eq!(
            outer_names(&spam).expect("valid"),
            ["messages", "messages.rejected", "messages.scored", "messages.policies"]
        );
        assert_eq!(named("weir.counting.g1.replies").partitions, Partitions::Exactly(16));
        assert!(named("weir.counting.g1.parameters").compact);
    }

    #[test]
    fn topics_of_frames_take_the_largest_frame() {
        let mut settings = Settings::default();
        settings.worker.frame_bytes = 4 << 20;
        let specs = model_specs(&settings, &descriptions(&settings).expect("valid")[0]);
        for kind in ["pushes", "pulls", "replies"] {
            let spec = specs.iter().find(|spec| spec.name.ends_with(kind)).expect("specified");
            assert_eq!(spec.settings["max.message.bytes"], ((4 << 20) + 4_096).to_string());
        }
    }
}
