//! The model `spam`: messages scored before they are learned, by a linear classifier on hashed features of their texts.
//!
//! A message's features are slots of one table, whose rows hold what the configured learner keeps of a feature.
//! A label teaches by a step, one number that moves the rows of its message's features. Messages are remembered for a while, by how many and how long,
//! so that a label may come without the text, come twice, or be corrected.

mod content;
mod decode;
mod explain;
mod features;
mod hosts;
mod learning;
mod measures;
mod policies;
mod refuse;
mod remembered;
mod schema;
mod score;
mod server;
mod tenants;
mod trained;
mod verdict;
mod worker;

use std::sync::Arc;

use weir_learn::text;
use weir_ps::{Model, Schema};
use weir_wire::Generation;
use weir_wire::message::MessageMapping;

pub use content::{Content, ContentExtractor};
pub use decode::{SpamDecoder, SpamEvent};
pub use explain::{EXPLAINED_BYTES, Explanation, Part};
pub use learning::{Classes, Learning, Method};
pub use policies::{Listable, MOST_POLICIES, PolicyBook, PolicyChange, Rules};
pub use remembered::KnownMessage;
pub use schema::SpamSchema;
pub use score::{Calibration, Score, TextScorer, weight_key};
pub use server::SpamServer;
pub use tenants::{Influence, message_key, tenant_key};
pub use trained::trained;
pub use verdict::{Grounds, Policy};
pub use worker::SpamWorker;

/// By feature ([`weight_key`]): its row as the learner has it: one or two `f32`s of two classes, a weight for each of several.
pub const WEIGHTS: u8 = 0;
/// How margins become probabilities: one row ([`weir_learn::calibration`]) under [`CALIBRATION_KEY`]; of more than two classes one
/// each, under that key and those after it.
pub const CALIBRATION: u8 = 1;
/// By source partition ([`counts_key`]): what was done with its events, `u64`s in the order of [`Count`]. Kept by workers.
pub const COUNTS: u8 = 2;
/// By message: its features as far as there is room for them, see [`Self`](self)'s module `features`. Written before
/// [`REMEMBERED`], so that what a shard lets go of goes from both.
pub const FEATURES: u8 = 3;
/// By message: its label and what it taught. Kept by workers.
pub const REMEMBERED: u8 = 4;
/// How many messages are of which class by their latest label: one row of `u64`s in the order of the labels, under [`CLASSES_KEY`].
pub const CLASSES: u8 = 5;

/// How far the labels of each tenant, and of all together, have moved the weights of everyone: a `u64` of millionths. Kept by workers.
pub const TENANTS: u8 = 6;

/// The first key of the table [`CALIBRATION`].
pub const CALIBRATION_KEY: u64 = 1;

/// The one key of the table [`CLASSES`].
pub const CLASSES_KEY: u64 = 1;

/// The stream of scored messages.
pub const SCORED: &str = "scored";

/// What the rows of [`COUNTS`] count, each the place of a `u64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Events of every kind, refused ones left out.
    Events,
    /// Messages scored.
    Scored,
    /// Messages whose label was learned.
    Learned,
    /// Messages whose label was learned after another one.
    Corrected,
    /// Labels that said what was known.
    Repeated,
}

/// How many counts there are.
pub(crate) const COUNT_VALUES: usize = 5;

/// The key of a source partition's counts.
#[must_use]
pub fn counts_key(source: u32) -> u64 {
    u64::from(source) + 1
}

/// What shapes the spam filter's rows and learning.
#[derive(Clone, Debug, PartialEq)]
pub struct SpamSettings {
    /// The topic that messages come from, as scored records name it.
    pub topic: Arc<str>,
    /// How texts become features; its seed is that of ids too.
    pub text: text::Settings,
    /// How labels teach.
    pub learning: Learning,
    /// How far one tenant may move the weights of everyone.
    pub influence: Influence,
    /// Messages that a shard remembers.
    pub remembered_ids: usize,
    /// Seconds for which they are remembered, by records' times.
    pub remembered_seconds: u32,
    /// Bytes of a message's features that are remembered; a multiple of 4.
    pub remembered_bytes: usize,
    /// Whether a label without a text waits if its message is not known, and is not refused.
    pub labels_wait: bool,
    /// What is made of a score.
    pub policy: Policy,
}

impl SpamSettings {
    /// Seed of the hash from ids to keys.
    #[must_use]
    pub fn hash_seed(&self) -> u64 {
        self.text.values().seed
    }
}

/// The whole learner.
#[derive(Clone)]
pub struct SpamModel {
    settings: SpamSettings,
    schema: Arc<SpamSchema>,
    mapping: Arc<MessageMapping>,
    policies: Arc<PolicyBook>,
    generation: Generation,
}

impl SpamModel {
    /// With these settings.
    #[must_use]
    pub fn new(settings: SpamSettings) -> Self {
        let schema = Arc::new(SpamSchema::new(&settings));
        let (mapping, policies) = (Arc::default(), Arc::default());
        Self { settings, schema, mapping, policies, generation: Generation::FIRST }
    }

    /// The same for events that are read by this mapping.
    #[must_use]
    pub fn with_mapping(self, mapping: MessageMapping) -> Self {
        Self { mapping: Arc::new(mapping), ..self }
    }

    /// The same for messages that are judged by these policies.
    #[must_use]
    pub fn with_policies(self, policies: Arc<PolicyBook>) -> Self {
        Self { policies, ..self }
    }

    /// The same as this generation, which scored records name.
    #[must_use]
    pub fn in_generation(self, generation: Generation) -> Self {
        Self { generation, ..self }
    }
}

impl Model for SpamModel {
    type Worker = SpamWorker;
    type Server = SpamServer;

    fn schema(&self) -> Arc<dyn Schema> {
        Arc::clone(&self.schema) as Arc<dyn Schema>
    }

    fn worker(&self) -> SpamWorker {
        SpamWorker::new(&self.settings, self.generation)
    }

    fn server(&self) -> SpamServer {
        SpamServer::new(self.settings.remembered_ids, self.settings.remembered_seconds)
    }
}

#[cfg(test)]
mod tests;
