//! The end-to-end harness: a real Kafka and real weir processes, driven from outside.
//!
//! The suites in `tests/tests` know weir only by what it promises to the world: the command, the topics, REST. What
//! they share is here: a [`Broker`] started for the suite and gone with it, processes that can be killed and paused,
//! waiting for a condition, real ratings. Deliberately not here: anything that reaches into a crate of weir, and mocks.
//!
//! Functions of this crate panic where something is not as a test needs it; the message is the test's failure.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub mod baseline;
pub mod broker;
pub mod choices;
pub mod cluster;
pub mod counting;
pub mod data;
mod guardian;
pub mod http;
mod kafka_jars;
pub mod kills;
pub mod load;
pub mod open_transaction;
pub mod operator;
pub mod place;
pub mod ports;
pub mod process;
pub mod random;
pub mod room;
pub mod secured;
pub mod slowed;
pub mod topic;
pub mod trial;
pub mod wait;
pub mod weir;

pub use broker::Broker;
pub use cluster::Cluster;
pub use http::{Answer, Client};
pub use kafka_jars::KAFKA_VERSION;
pub use load::Load;
pub use process::Process;
pub use random::Random;
pub use topic::{Event, Place, Producer, Seen};
pub use trial::Trial;
pub use wait::{try_wait_until, wait_until};
pub use weir::{Deployment, Instance, Role};

/// Held by tests that measure, or that start many processes: no two of a suite run at the same time.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
