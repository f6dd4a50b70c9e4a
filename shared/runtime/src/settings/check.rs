//! The ranges of all settings.

use std::fmt::{Debug, Display};
use std::ops::RangeInclusive;

use super::{
    EventMeaning, EventTypeSettings, GatewaySettings, KafkaSettings, MODELS, RecommenderSettings, ServerSettings,
    Settings, WorkerSettings, blend, ranking, spam,
};
use crate::Error;

/// Longest name that leaves room for the rest of a Kafka topic, group or transactional id.
const NAME_CHARACTERS: usize = 64;
const HOUR_MS: u64 = 3_600_000;

pub(super) fn check(settings: &Settings) -> Result<(), Error> {
    addresses(settings)?;
    names(settings)?;
    models(settings)?;
    range("shutdown_timeout_ms", settings.shutdown_timeout_ms, 1_000..=HOUR_MS)?;
    kafka(&settings.kafka)?;
    settings.input.ratings.types.iter().try_for_each(|(name, kind)| event_type(name, kind))?;
    label_meanings(settings)?;
    recommender(&settings.recommender)?;
    spam::check(&settings.spam)?;
    server(&settings.server)?;
    worker(&settings.worker)?;
    gateway(&settings.gateway)?;
    range("generations.kept", settings.generations.kept, 0..=8)?;
    range("generations.promote_within_ms", settings.generations.promote_within_ms, 0..=HOUR_MS)?;
    filter(&settings.log.filter)
}

fn addresses(settings: &Settings) -> Result<(), Error> {
    let brokers = settings.brokers.split(',').map(str::trim);
    if !brokers.clone().all(is_address) {
        return Err(Error::setting("brokers", &settings.brokers, "HOST:PORT, several separated by commas"));
    }
    if settings.data_dir.as_os_str().is_empty() {
        return Err(Error::setting("data_dir", "empty", "a directory"));
    }
    let listening = [("listen", Some(&settings.listen)), ("ops", settings.ops.as_ref())];
    for (path, address) in listening.into_iter().filter_map(|(path, address)| Some((path, address?))) {
        if !is_address(address) {
            return Err(Error::setting(path, address, "ADDR:PORT such as 127.0.0.1:8080"));
        }
    }
    Ok(())
}

fn is_address(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

fn names(settings: &Settings) -> Result<(), Error> {
    let named = [("name", settings.name.as_deref()), ("prefix", Some(settings.prefix.as_str()))];
    for (path, name) in named.into_iter().filter_map(|(path, name)| Some((path, name?))) {
        if !is_name(name) {
            return Err(Error::setting(path, name, "1 to 64 of the characters a-z, A-Z, 0-9, '.', '_' and '-'"));
        }
    }
    topics(settings)
}

fn topics(settings: &Settings) -> Result<(), Error> {
    let topics = &settings.topics;
    let named = [
        ("topics.ratings", &topics.ratings),
        ("topics.messages", &topics.messages),
        ("topics.scored", &topics.scored),
        ("topics.policies", &topics.policies),
        ("topics.predicted", &topics.predicted),
        ("topics.items", &topics.items),
    ];
    for (index, (path, topic)) in named.into_iter().enumerate() {
        // `.rejected` is added to an input's, and Kafka takes 249 characters.
        if !is_legal(topic) || topic.len() > 240 || topic.is_empty() {
            let allowed = "a Kafka topic's name: 1 to 240 of the characters a-z, A-Z, 0-9, '.', '_' and '-'";
            return Err(Error::setting(path, topic, allowed));
        }
        if let Some((other, _)) = named[..index].iter().find(|(_, name)| *name == topic) {
            return Err(Error::setting(path, topic, format!("another topic than {other}")));
        }
    }
    Ok(())
}

/// Whether `name` can be part of a topic's name, a group and a transactional id.
pub(crate) fn is_name(name: &str) -> bool {
    is_legal(name) && !name.is_empty() && name.len() <= NAME_CHARACTERS
}

fn is_legal(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) && name != "." && name != ".."
}

fn models(settings: &Settings) -> Result<(), Error> {
    let models = &settings.models;
    let known = models.iter().all(|model| MODELS.contains(&model.as_str()));
    let repeated = models.iter().enumerate().any(|(index, model)| models[..index].contains(model));
    if models.is_empty() || !known || repeated {
        let allowed = format!("one or more of {}, each once", MODELS.join(", "));
        return Err(Error::setting("models", models.join(","), allowed));
    }
    Ok(())
}

fn kafka(kafka: &KafkaSettings) -> Result<(), Error> {
    range("kafka.replication", kafka.replication, 1..=100)?;
    range("kafka.partitions", kafka.partitions, 1..=10_000)?;
    range("kafka.session_timeout_ms", kafka.session_timeout_ms, 6_000..=300_000)?;
    range("kafka.transaction_timeout_ms", kafka.transaction_timeout_ms, 1_000..=900_000)
}

/// What a mapping makes of the fields and the names is checked by who builds it.
fn event_type(name: &str, kind: &EventTypeSettings) -> Result<(), Error> {
    let path = |field: &str| format!("input.ratings.types.{name}.{field}");
    // The largest is weir-wire's.
    range(&path("weight"), kind.weight, 0.001..=1_000.0)?;
    match (kind.meaning(), kind.rating) {
        (EventMeaning::Rating, None) => {
            Err(Error::setting(&path("rating"), "not set", "a number where the meaning is rating"))
        }
        (EventMeaning::Rating, Some(rating)) => range(&path("rating"), rating, -1e6..=1e6),
        (_, Some(rating)) => Err(Error::setting(&path("rating"), rating, "left out unless the meaning is rating")),
        (_, None) => Ok(()),
    }
}

fn label_meanings(settings: &Settings) -> Result<(), Error> {
    let labels = &settings.spam.labels;
    for (value, meaning) in &settings.input.messages.labels {
        if meaning != "none" && !labels.contains(meaning) {
            let path = format!("input.messages.labels.{value}");
            return Err(Error::setting(&path, meaning, format!("one of {}, or none", labels.join(", "))));
        }
    }
    Ok(())
}

fn recommender(recommender: &RecommenderSettings) -> Result<(), Error> {
    range("recommender.factors", recommender.factors, 0..=1_024)?;
    // TOML has no larger integers, and what cannot be written to a file cannot be fed back.
    range("recommender.seed", recommender.seed, 0..=i64::MAX as u64)?;
    range("recommender.factor_rate", recommender.factor_rate, 0.0..=10.0)?;
    range("recommender.initial_sum", recommender.initial_sum, 1e-6..=1e6)?;
    range("recommender.user_bias_floor", recommender.user_bias_floor, 0.0..=1.0)?;
    range("recommender.item_bias_floor", recommender.item_bias_floor, 0.0..=1.0)?;
    range("recommender.bias_offset", recommender.bias_offset, 1.0..=1_000.0)?;
    range("recommender.regularisation", recommender.regularisation, 0.0..=1.0)?;
    range("recommender.initial_sd", recommender.initial_sd, 0.0..=10.0)?;
    range("recommender.initial_user_factor", recommender.initial_user_factor, 0.0..=10.0)?;
    for half_life in recommender.half_lives_hours {
        range("recommender.half_lives_hours", half_life, 0.01..=1e6)?;
    }
    range("recommender.seen_items", recommender.seen_items, 16..=1_048_576)?;
    range("recommender.max_users", recommender.max_users, 1..=10_000_000_000)?;
    range("recommender.max_items", recommender.max_items, 1..=10_000_000_000)?;
    range("recommender.forget_after_hours", recommender.forget_after_hours, 0..=1_000_000)?;
    range("recommender.predicted_share", recommender.predicted_share, 0.0..=1.0)?;
    if !recommender.seen_items.is_multiple_of(16) {
        return Err(Error::setting("recommender.seen_items", recommender.seen_items, "a multiple of 16"));
    }
    blend::check(&recommender.blend, &recommender.neighbours)?;
    ranking::check(&recommender.ranking)
}

fn server(server: &ServerSettings) -> Result<(), Error> {
    range("server.shards", server.shards, 1..=1_024)?;
    range("server.store_interval_ms", server.store_interval_ms, 100..=HOUR_MS)?;
    range("server.store_after_rows", server.store_after_rows, 1_000..=u64::MAX)?;
    range("server.publish_share", server.publish_share, 0.001..=1.0)?;
    range("server.publish_max_rows", server.publish_max_rows, 1..=10_000_000)?;
    range("server.delete_interval_ms", server.delete_interval_ms, 1_000..=24 * HOUR_MS)?;
    range("server.pending_pulls", server.pending_pulls, 1..=1_000_000)
}

fn worker(worker: &WorkerSettings) -> Result<(), Error> {
    range("worker.batch_events", worker.batch_events, 1..=1_000_000)?;
    range("worker.batch_bytes", worker.batch_bytes, 1_024..=256 << 20)?;
    range("worker.batch_wait_ms", worker.batch_wait_ms, 0..=60_000)?;
    range("worker.history_share", worker.history_share, 0..=1_000_000)?;
    range("worker.in_flight", worker.in_flight, 1..=1_000)?;
    range("worker.unapplied_batches", worker.unapplied_batches, 1..=100_000)?;
    range("worker.cached_rows", worker.cached_rows, 0..=1_000_000_000)?;
    range("worker.cache_max_age_ms", worker.cache_max_age_ms, 1..=24 * HOUR_MS)?;
    range("worker.pull_timeout_ms", worker.pull_timeout_ms, 10..=60_000)?;
    // Brokers take 1,048,588 bytes by default; the lower bound holds the widest row.
    range("worker.frame_bytes", worker.frame_bytes, 16_384..=64 << 20)?;
    range("worker.reply_partitions", worker.reply_partitions, 1..=1_024)?;
    Ok(())
}

fn gateway(gateway: &GatewaySettings) -> Result<(), Error> {
    range("gateway.at_least_timeout_ms", gateway.at_least_timeout_ms, 0..=HOUR_MS)?;
    range("gateway.body_limit_bytes", gateway.body_limit_bytes, 1_024..=1 << 30)?;
    range("gateway.request_timeout_ms", gateway.request_timeout_ms, 100..=HOUR_MS)?;
    range("gateway.max_k", gateway.max_k, 1..=1_000_000)?;
    range("gateway.catalogue_items", gateway.catalogue_items, 0..=100_000_000)?;
    if gateway.request_timeout_ms <= gateway.at_least_timeout_ms {
        let allowed = format!("more than gateway.at_least_timeout_ms, which is {}", gateway.at_least_timeout_ms);
        return Err(Error::setting("gateway.request_timeout_ms", gateway.request_timeout_ms, allowed));
    }
    Ok(())
}

fn filter(filter: &str) -> Result<(), Error> {
    match tracing_subscriber::EnvFilter::try_new(filter) {
        Ok(_) if !filter.trim().is_empty() => Ok(()),
        _ => Err(Error::setting("log.filter", filter, "levels such as info or info,weir_kafka=debug")),
    }
}

/// NaN is in no range, so it is refused like any other value out of it.
pub(super) fn range<T: PartialOrd + Display + Debug>(
    path: &str,
    value: T,
    allowed: RangeInclusive<T>,
) -> Result<(), Error> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(Error::setting(path, value, format!("{} to {}", allowed.start(), allowed.end())))
}
