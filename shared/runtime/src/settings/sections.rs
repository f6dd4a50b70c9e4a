//! The sections of the settings tree. Every field says its unit; `check` holds the ranges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BlendSettings, NeighbourSettings, RankingSettings, naming};

/// How weir talks to Kafka, and what it asks for when it creates topics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaSettings {
    /// Replicas of the topics that weir creates.
    pub replication: u16,
    /// Partitions of an input topic that weir creates; one that exists keeps its own.
    pub partitions: u32,
    /// Milliseconds without a sign of life after which a member's partitions go to others; brokers take 6,000 at least.
    pub session_timeout_ms: u64,
    /// Milliseconds after which the broker aborts a transaction that its owner left open. Until then it hides what others
    /// committed after it.
    pub transaction_timeout_ms: u64,
    /// Properties handed to librdkafka as they are, for TLS and SASL above all. The properties that exactly-once rests on
    /// cannot be set.
    #[serde(deserialize_with = "naming::properties")]
    pub settings: BTreeMap<String, String>,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            replication: 1,
            partitions: 4,
            session_timeout_ms: 6_000,
            transaction_timeout_ms: 10_000,
            settings: BTreeMap::new(),
        }
    }
}

/// Generations of a model side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GenerationSettings {
    /// How many generations that served before are kept running, to be gone back to.
    pub kept: usize,
    /// Milliseconds that a promotion waits until the new generation covers what the one covers that serves; then it is
    /// refused.
    pub promote_within_ms: u64,
}

impl Default for GenerationSettings {
    fn default() -> Self {
        Self { kept: 1, promote_within_ms: 60_000 }
    }
}

/// Names of the topics that others write or read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TopicSettings {
    /// Ratings, keyed by user where possible.
    pub ratings: String,
    /// Messages, keyed by their ids where possible.
    pub messages: String,
    /// What the spam filter says of messages.
    pub scored: String,
    /// What tenants want to be done with messages, keyed by tenant.
    pub policies: String,
    /// What the recommender expected of ratings, where `recommender.predicted_share` wants that.
    pub predicted: String,
    /// What items are called, where they belong and whether they may be shown, keyed by item.
    pub items: String,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            ratings: "ratings".into(),
            messages: "messages".into(),
            scored: "messages.scored".into(),
            policies: "messages.policies".into(),
            predicted: "ratings.predicted".into(),
            items: "items".into(),
        }
    }
}

/// The model `recommender`; what stands here and not in `ranking` is about predicting ratings. The learning rates and their
/// ranges are those of `weir-learn`, where the figures are that chose these defaults. What shapes its rows (`factors`, `seed`) is stored with the model: a change of it is
/// refused at start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecommenderSettings {
    /// Factors of a user or item, 0 (biases only) to 1024.
    pub factors: u16,
    /// Seed of the hashing and of the initial values.
    pub seed: u64,
    /// `AdaGrad`'s rate of the factors.
    pub factor_rate: f32,
    /// Where the sums of squared gradients begin: the larger, the slower the first steps.
    pub initial_sum: f32,
    /// The least step of a user's bias: 0 is a plain average, larger follows change faster.
    pub user_bias_floor: f32,
    /// The least step of an item's bias. Above 0, batches that learn side by side drive popular items' biases apart.
    pub item_bias_floor: f32,
    /// The first step of a bias is 1 / this.
    pub bias_offset: f32,
    /// Pull of the factors to 0.
    pub regularisation: f32,
    /// Standard deviation of the initial factors.
    pub initial_sd: f32,
    /// Where a user's first factor begins.
    pub initial_user_factor: f32,
    /// Hours after which an event counts half for popularity, three of them, the shortest first. What is popular is listed by the last.
    pub half_lives_hours: [f32; 3],
    /// Items remembered per user as seen, in chunks of 16; the oldest are forgotten first.
    pub seen_items: u32,
    /// Users that are remembered, 1 at least. Where there are more, those who were not seen for longest are forgotten.
    pub max_users: u64,
    /// The same of items.
    pub max_items: u64,
    /// Hours after which users and items that were not seen are forgotten, by the times of events; 0: never.
    pub forget_after_hours: u32,
    /// The share of the ratings, 0 to 1, that are put out as they were predicted before they were learned.
    pub predicted_share: f32,
    /// The part that puts items in order.
    pub ranking: RankingSettings,
    /// What goes together.
    pub neighbours: NeighbourSettings,
    /// How lists are put together.
    pub blend: BlendSettings,
}

impl Default for RecommenderSettings {
    fn default() -> Self {
        Self {
            factors: 16,
            seed: 1,
            factor_rate: 0.4,
            initial_sum: 1.0,
            user_bias_floor: 0.06,
            item_bias_floor: 0.0,
            bias_offset: 5.0,
            regularisation: 0.01,
            initial_sd: 0.03,
            initial_user_factor: 0.35,
            half_lives_hours: [12.0, 96.0, 720.0],
            seen_items: 1_024,
            max_users: 10_000_000,
            max_items: 1_000_000,
            forget_after_hours: 0,
            predicted_share: 0.0,
            ranking: RankingSettings::default(),
            neighbours: NeighbourSettings::default(),
            blend: BlendSettings::default(),
        }
    }
}

/// The role `server`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSettings {
    /// Shards of a model, that is partitions of its internal topics. Stored with the model: fixed once it exists.
    pub shards: u32,
    /// Which shard a key is on. Stored with the model as `shards` is.
    pub partitioner: PartitionerKind,
    /// Milliseconds between two writes of a shard to its local store.
    pub store_interval_ms: u64,
    /// Published rows after which a shard is stored before that: a restart reads them from the changelog.
    pub store_after_rows: u64,
    /// Share of its time that a busy shard spends on publishing changed rows; an idle one publishes at once.
    pub publish_share: f32,
    /// Changed rows after which a shard publishes however busy it is.
    pub publish_max_rows: usize,
    /// Milliseconds between two deletions of applied push records below the barrier.
    pub delete_interval_ms: u64,
    /// Pulls per shard that may wait for a position to be applied; more are dropped, and asked again.
    pub pending_pulls: usize,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            shards: 3,
            partitioner: PartitionerKind::Hash,
            store_interval_ms: 10_000,
            store_after_rows: 2_000_000,
            publish_share: 0.1,
            publish_max_rows: 400_000,
            delete_interval_ms: 30_000,
            pending_pulls: 10_000,
        }
    }
}

/// How the keys of a model are spread over its shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartitionerKind {
    /// By a hash of the key.
    Hash,
    /// In ranges of equal size, one shard after the other.
    Range,
}

/// The role `worker`. All bounds are per worker unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerSettings {
    /// Events in a batch at most.
    pub batch_events: usize,
    /// Bytes of events in a batch at most.
    pub batch_bytes: usize,
    /// Milliseconds that a batch waits for more events while one of its partition is under way; otherwise it goes at once.
    pub batch_wait_ms: u64,
    /// A batch has at most this part of the events that its partition had before it, 64 for a 64th, and what is
    /// not yet applied at most twice as much: batches learn side by side, and much that is on its way would throw a
    /// young model off. 0 for no such bound.
    pub history_share: u64,
    /// Batches of one source partition that may be in flight.
    pub in_flight: usize,
    /// Committed batches of one source partition that shards need not have applied yet; beyond that it pauses.
    pub unapplied_batches: usize,
    /// Rows in the cache at most.
    pub cached_rows: usize,
    /// Milliseconds after which a cached row is pulled again where others may write it too (`keyed_by_user = false`).
    pub cache_max_age_ms: u64,
    /// Whether the ratings are keyed by user, which makes this worker the only writer of its users' rows.
    pub keyed_by_user: bool,
    /// Milliseconds after which an unanswered pull is asked again.
    pub pull_timeout_ms: u64,
    /// Bytes of one push frame at most, below the broker's `message.max.bytes`.
    pub frame_bytes: usize,
    /// Partitions of the replies topic; workers share them by their instance's hash.
    pub reply_partitions: u32,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            batch_events: 16_384,
            batch_bytes: 2 << 20,
            batch_wait_ms: 20,
            history_share: 64,
            in_flight: 3,
            unapplied_batches: 16,
            cached_rows: 1_000_000,
            cache_max_age_ms: 60_000,
            keyed_by_user: true,
            pull_timeout_ms: 500,
            frame_bytes: 900_000,
            reply_partitions: 16,
        }
    }
}

/// The role `gateway`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewaySettings {
    /// Milliseconds that `?at_least=` waits for the record to be contained.
    pub at_least_timeout_ms: u64,
    /// Bytes of a request's body at most.
    pub body_limit_bytes: usize,
    /// Milliseconds that a request may take in all.
    pub request_timeout_ms: u64,
    /// Largest `k` of a recommendations request.
    pub max_k: usize,
    /// Items of the catalogue that are kept; further ones are refused and counted.
    pub catalogue_items: usize,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            at_least_timeout_ms: 5_000,
            body_limit_bytes: 1 << 20,
            request_timeout_ms: 10_000,
            max_k: 1_000,
            catalogue_items: 1_000_000,
        }
    }
}

/// What is logged, and how. Logs go to standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// Lines for people or for machines.
    pub format: LogFormat,
    /// Levels, as in `info` or `info,weir_kafka=debug`.
    pub filter: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line.
    Text,
    /// One JSON object.
    Json,
}
