//! What the roles know of a model besides its logic.

use std::sync::Arc;

use weir_ps::{Schema, counting::CountingSchema};
use weir_wire::topic::ModelTopics;

use crate::recommender::{RecommenderSchema, RecommenderSettings};

/// The only generation as long as there is no command to train another one.
pub const GENERATION: &str = "g1";

/// The models of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Matrix factorisation from ratings.
    Recommender,
    /// The counting learner.
    Counting,
}

impl Named {
    /// The model called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "recommender" => Some(Self::Recommender),
            "counting" => Some(Self::Counting),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recommender => "recommender",
            Self::Counting => "counting",
        }
    }
}

/// A model as everyone but its worker and server sees it.
#[derive(Clone)]
pub struct Description {
    /// Which one it is.
    pub model: Named,
    /// Its generation.
    pub generation: &'static str,
    /// What its rows look like.
    pub schema: Arc<dyn Schema>,
}

impl Description {
    /// The model's number in frames.
    #[must_use]
    pub fn hash(&self) -> u32 {
        weir_wire::topic::model_hash(self.model.name(), self.generation)
    }

    /// Its internal topics in the deployment `prefix`.
    #[must_use]
    pub fn topics(&self, prefix: &str) -> ModelTopics {
        ModelTopics::new(prefix, self.model.name(), self.generation)
    }

    /// The consumer group of its workers or servers.
    #[must_use]
    pub fn group(&self, prefix: &str, role: &str) -> String {
        format!("{prefix}.{}.{}.{role}", self.model.name(), self.generation)
    }

    /// The transactional id of one instance of a role: stable, and unlike any other.
    #[must_use]
    pub fn transactional_id(&self, prefix: &str, role: &str, instance: &str) -> String {
        format!("{}.{instance}", self.group(prefix, role))
    }
}

/// Describes a model under the given settings of the recommender.
#[must_use]
pub fn describe(model: Named, settings: &RecommenderSettings) -> Description {
    let schema: Arc<dyn Schema> = match model {
        Named::Recommender => Arc::new(RecommenderSchema::new(settings)),
        Named::Counting => Arc::new(CountingSchema::default()),
    };
    Description { model, generation: GENERATION, schema }
}
