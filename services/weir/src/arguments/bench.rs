//! What the benchmarks take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CommonOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Events a second from the ratings topic to the gateway, in turns with a consumer that only decodes
    Ratings(BenchRatings),
    /// Messages a second from the messages topic to the gateway, in turns with a consumer that only decodes
    Messages(BenchMessages),
    /// How long a rating takes until answers contain it, and a message until it is scored, at a given rate
    Latency(BenchLatency),
    /// How long a server with about a million rows is away when it is killed under load and started again
    Recovery(BenchRecovery),
}

/// What `weir bench latency` takes.
#[derive(Debug, Args)]
pub(crate) struct BenchLatency {
    #[command(flatten)]
    pub(crate) common: CommonOptions,
    /// Ratings a second, and as many messages
    #[arg(long, default_value_t = 100.0)]
    pub(crate) rate: f64,
    /// Seconds of sending that count; two more come first
    #[arg(long, default_value_t = 20)]
    pub(crate) seconds: u64,
    /// Partitions of each topic
    #[arg(long, default_value_t = 4)]
    pub(crate) partitions: u32,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What `weir bench recovery` takes.
#[derive(Debug, Args)]
pub(crate) struct BenchRecovery {
    #[command(flatten)]
    pub(crate) common: CommonOptions,
    /// Ratings that the model has learned before the first kill
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) events: u64,
    /// Users that they are of
    #[arg(long, default_value_t = 220_000)]
    pub(crate) users: u64,
    /// Items that they are of, by Zipf's law
    #[arg(long, default_value_t = 100_000)]
    pub(crate) items: u64,
    /// Factors of users and items, of both factor models
    #[arg(long, default_value_t = 10)]
    pub(crate) factors: u16,
    /// Ratings a second meanwhile
    #[arg(long, default_value_t = 1_000.0)]
    pub(crate) rate: f64,
    /// How often the server is killed
    #[arg(long, default_value_t = 20)]
    pub(crate) kills: usize,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What each benchmark of a whole pipeline takes.
#[derive(Debug, Default, Args)]
pub(crate) struct BenchOptions {
    #[command(flatten)]
    pub(crate) common: CommonOptions,
    /// Events to write and to learn
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) events: u64,
    /// Partitions of the topic
    #[arg(long, default_value_t = 4)]
    pub(crate) partitions: u32,
    /// How often both are measured
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Rounds before that, which do not count: a broker that has just been started is slow for a minute
    #[arg(long, default_value_t = 1)]
    pub(crate) warm_up: usize,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What `weir bench messages` takes.
#[derive(Debug, Default, Args)]
pub(crate) struct BenchMessages {
    #[command(flatten)]
    pub(crate) bench: BenchOptions,
    /// Messages to write over and over, lines of spam or ham, a tab, and the text; without it short texts are made up
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Seed of messages that are made up
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What `weir bench ratings` takes.
#[derive(Debug, Args)]
pub(crate) struct BenchRatings {
    #[command(flatten)]
    pub(crate) bench: BenchOptions,
    /// Users that they are of
    #[arg(long, default_value_t = 45_000)]
    pub(crate) users: u64,
    /// Items that they are of, by Zipf's law
    #[arg(long, default_value_t = 49_000)]
    pub(crate) items: u64,
    /// Factors of users and items, of both factor models
    #[arg(long, default_value_t = 10)]
    pub(crate) factors: u16,
    /// Seed of the ratings
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

impl Default for BenchRatings {
    fn default() -> Self {
        Self { bench: BenchOptions::default(), users: 45_000, items: 49_000, factors: 10, seed: 1 }
    }
}
