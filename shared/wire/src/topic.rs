//! Names of weir's topics and the number that marks a model's frames.

use xxhash_rust::xxh3::xxh3_64;

/// The internal topics of one generation of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelTopics {
    /// Push and query frames; partition = shard.
    pub pushes: String,
    /// Pull frames; partition = shard.
    pub pulls: String,
    /// Reply and positions frames; partition = the reply partition that the request names.
    pub replies: String,
    /// The compacted changelog of rows and barriers; partition = shard.
    pub parameters: String,
}

impl ModelTopics {
    /// Names for generation `generation` (`"g1"`) of `model` under the deployment's `prefix` (`"weir"`).
    #[must_use]
    pub fn new(prefix: &str, model: &str, generation: &str) -> Self {
        let name = |last: &str| format!("{prefix}.{model}.{generation}.{last}");
        Self { pushes: name("pushes"), pulls: name("pulls"), replies: name("replies"), parameters: name("parameters") }
    }

    /// All four names, in the order of the fields.
    #[must_use]
    pub fn all(&self) -> [&str; 4] {
        [&self.pushes, &self.pulls, &self.replies, &self.parameters]
    }
}

/// Where refused records of `topic` go.
#[must_use]
pub fn rejected(topic: &str) -> String {
    format!("{topic}.rejected")
}

/// The number by which frames name their model and generation: the low half of xxh3 of `model/generation`.
#[must_use]
pub fn model_hash(model: &str, generation: &str) -> u32 {
    xxh3_64(format!("{model}/{generation}").as_bytes()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_design() {
        let topics = ModelTopics::new("weir", "recommender", "g1");
        assert_eq!(
            topics.all(),
            [
                "weir.recommender.g1.pushes",
                "weir.recommender.g1.pulls",
                "weir.recommender.g1.replies",
                "weir.recommender.g1.parameters"
            ]
        );
        assert_eq!(rejected("ratings"), "ratings.rejected");
    }

    #[test]
    fn model_numbers_are_stable_and_differ_by_generation() {
        // Computed with the reference implementation of xxh3 (64 bits).
        assert_eq!(model_hash("recommender", "g1"), 0x2a54_a810);
        assert_ne!(model_hash("recommender", "g1"), model_hash("recommender", "g2"));
    }
}
