//! What every role's process is made of, apart from its work: settings, the instance's name and data directory, logs,
//! metrics, health and their endpoints, shutdown, and the supervisor that tears a failed role down and starts it again.
//!
//! Deliberately not here: anything of Kafka, sled, models or frames, and the command line itself (`services/weir`
//! parses it and hands its values over). Nothing here decides what a role does, only how a process begins and ends.

mod broker_watch;
mod context;
mod data_directory;
mod error;
pub mod exit;
mod health;
mod logs;
mod metrics;
mod ops;
mod settings;
mod shutdown;
mod supervisor;
mod teardown;

pub use broker_watch::BrokerWatch;
pub use context::Context;
pub use data_directory::{DataDirectory, draw_name, remember_cluster};
pub use error::Error;
pub use health::{Health, HealthPart, PartState};
pub use logs::init as init_logs;
pub use metrics::{
    ClientFigures, EventOutcome, Family, GatewayMetrics, InFlight, KafkaMetrics, Kind, Metrics, Moved, ServerMetrics,
    ShardSize, WorkerMetrics,
};
pub use ops::{bind, router as ops_router, serve as serve_ops};
/// Where [`Metrics`] are registered.
pub use prometheus::Registry;
pub use settings::{
    AdagradSettings, ArowSettings, BlendSettings, EventMeaning, EventTypeSettings, FieldSource, FtrlSettings,
    GatewaySettings, GenerationSettings, InputSettings, KafkaSettings, LogFormat, LogSettings, MODELS,
    MessageInputSettings, MulticlassUpdate, NegativesFrom, NeighbourSettings, Origins, PartitionerKind,
    PositiveRatings, RankingLoss, RankingSettings, RatingInputSettings, RecommenderSettings, ServerSettings, Settings,
    Sources, SpamLearner, SpamSettings, TopicSettings, UnlistedEvents, WorkerSettings, how_to_set,
};
pub use shutdown::Shutdown;
pub use supervisor::{Backoff, Fatal, Supervisor, supervise};
pub use teardown::{Deadline, stopping, teardown};
