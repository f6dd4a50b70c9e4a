//! The gateway: models in memory, materialised from their changelogs, and the REST API over them.
//!
//! One thread per model reads the compacted changelog of all shards and keeps a view of it: rows, and
//! how far each shard's barrier says that the input is covered. Requests are answered from views alone; only ratings
//! that arrive over REST ask a broker for something, its acknowledgement. Any number of gateways may run: each has
//! everything, and none has anything that another lacks.
//!
//! Deliberately not here: learning, a store (a restart reads the changelog again), membership of a consumer group, the
//! port (whoever starts a process binds it before anything else) and what a row means to its learner
//! (`services/models`).

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod alias;
mod catalogue;
mod changes;
mod freshness;
mod gateway;
mod http;
mod materialiser;
mod pages;
mod producer;
mod progress;
mod served;
mod sides;
mod start;
mod view;

pub use gateway::Gateway;
pub use http::{router, serve};
pub use materialiser::materialise;
pub use served::ServedModel;
pub use start::start;
