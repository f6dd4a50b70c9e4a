//! The server role: owns shards of one model and keeps their rows.
//!
//! Four threads around one loop. One reads the pushes as a member of the servers' group, one reads pulls, one commits
//! publications (changed rows, barrier and push offset in one transaction), one writes the local store. The loop owns
//! the shards: it applies pushes in log order, answers pulls from memory, and decides when to publish and to store.
//! Nothing it does waits for a worker.
//!
//! Deliberately not here: what rows mean (`weir_models`), when a push fits or not (`weir_ps`), the rules of
//! transactions (`weir_kafka`), and any recovery in place: every error ends the role, which starts again from what is
//! committed.

mod frames;
mod model;
mod publish;
mod read;
mod restore;
mod role;
mod shards;
mod store;
mod watch;

pub use model::{ServedModel, store_directory};
pub use role::run;
