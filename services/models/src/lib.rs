//! The built-in models: the recommender, the spam filter, and the counting learner that measures the parameter server
//! itself.
//!
//! Here the parts that know nothing of each other meet: wire events become learners' events, learning becomes
//! parameter-server logic, and every role learns what a model's tables look like. A model says what its rows are, how a
//! record is decoded, what a batch pulls and pushes, and how a shard applies it.
//!
//! Deliberately not here: Kafka, sled, HTTP, threads, and the learning algorithms themselves.

mod configured;
pub mod counting;
mod expected;
pub mod frames;
pub mod generations;
mod input;
mod layout;
mod mapped;
pub mod recommender;
pub mod spam;

pub use configured::{predictions, recommender_settings, spam_learner, spam_settings};
pub use expected::ExpectedLayout;
pub use input::{Decoder, Input, InputModel};
pub use layout::{Description, Named, REJECTED, describe, descriptions, partitioner};
pub use mapped::{InputError, message_mapping, rating_mapping};
