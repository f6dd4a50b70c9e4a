//! What shards and changelogs must be the state of, if this process is to read or write them.

use weir_ps::{Partitioner, Schema};
use weir_wire::frame::{Layout, TableLayout};

/// The layout as it is configured, on the topics as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedLayout(Layout);

impl ExpectedLayout {
    /// Of a model with this schema, on this cluster; `seed` is that of hashing and of initial values.
    #[must_use]
    pub fn new(cluster_id: &str, partitioner: Partitioner, seed: u64, schema: &dyn Schema) -> Self {
        let tables = schema.tables().iter().map(|table| TableLayout {
            id: table.id,
            name: table.name.to_owned(),
            width: table.width as u16,
        });
        Self(Layout {
            cluster_id: cluster_id.to_owned(),
            topic_ids: Vec::new(),
            partitioner: partitioner.name().into_owned(),
            shards: partitioner.shards(),
            hash_seed: seed,
            model_seed: seed,
            tables: tables.collect(),
            logic_version: schema.version(),
            settings: schema.settings().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        })
    }

    /// With the ids of the topics that the rows come from, by topic name. Where an id is not known, here or in what is
    /// found, nothing is compared: readers of the changelog know none, and some brokers name none.
    #[must_use]
    pub fn with_topic_ids(mut self, ids: Vec<(String, String)>) -> Self {
        self.0.topic_ids = ids;
        self
    }

    /// Words of a row of `table`; none if there is no such table.
    #[must_use]
    pub fn width(&self, table: u8) -> Option<usize> {
        self.0.tables.get(usize::from(table)).map(|table| table.width.into())
    }

    /// Compares a barrier's layout with this one.
    ///
    /// # Errors
    /// One sentence on the first difference: what is stored, what is configured, and what to do.
    pub fn check(&self, found: &Layout) -> Result<(), String> {
        self.check_settings(found)?;
        self.check_topics(&found.topic_ids)
    }

    /// Compares topic ids with these, `found` being those under which the model was written.
    ///
    /// # Errors
    /// One sentence on the first topic that is another one than it was.
    pub fn check_topics(&self, found: &[(String, String)]) -> Result<(), String> {
        let known = |(topic, id): &(String, String)| Some((topic.clone(), id.clone(), id_of(found, topic)?.to_owned()));
        match self.0.topic_ids.iter().filter_map(known).find(|(_, now, then)| now != then) {
            None => Ok(()),
            Some((topic, now, then)) => Err(format!(
                "topic {topic} was deleted and created anew since the model was begun (its id is {now}, was {then}): \
                 offsets in the one mean nothing in the other, so the model cannot go on from it; begin a new \
                 generation, or run all roles under another prefix (setting prefix), to learn from the topic as it is now"
            )),
        }
    }

    fn check_settings(&self, found: &Layout) -> Result<(), String> {
        let expected = Layout { topic_ids: found.topic_ids.clone(), ..self.0.clone() };
        let Some(difference) = expected.difference(found) else { return Ok(()) };
        let setting = match difference.field {
            "shards" => " (setting server.shards)",
            "partitioner" => " (setting server.partitioner, or the model's own rule)",
            "hash_seed" | "model_seed" => " (setting recommender.seed or spam.seed, whose model it is)",
            "tables" => " (setting spam.remembered_bytes, or another version of weir)",
            "cluster_id" => " (setting brokers)",
            // They are named in the difference.
            "settings" => "",
            "logic_version" => " (setting spam.slot_bits, or another version of weir)",
            _ => " (another version of weir)",
        };
        Err(format!(
            "the model was written under another layout: {difference}{setting}; run all roles with the settings \
             that the model was begun with, or begin another model under another prefix"
        ))
    }

    /// The layout as a server with these settings writes it.
    #[must_use]
    pub fn written(&self) -> &Layout {
        &self.0
    }
}

fn id_of<'a>(ids: &'a [(String, String)], topic: &str) -> Option<&'a str> {
    ids.iter().find(|(name, _)| name == topic).map(|(_, id)| id.as_str())
}

#[cfg(test)]
mod tests {
    use weir_ps::counting::CountingSchema;

    use super::*;

    fn check(change: impl FnOnce(&mut Layout), problem: Option<&str>) {
        let expected = ExpectedLayout::new("cluster", Partitioner::Hash { shards: 3 }, 1, &CountingSchema::default());
        let mut layout = expected.written().clone();
        change(&mut layout);
        let outcome = expected.check(&layout);
        match problem {
            None => assert_eq!(outcome, Ok(())),
            Some(part) => assert!(outcome.as_ref().is_err_and(|error| error.contains(part)), "{outcome:?}"),
        }
    }

    #[test]
    fn a_difference_is_named_with_both_values_and_the_setting() {
        check(|_| {}, None);
        check(|layout| layout.cluster_id = "other".into(), Some("cluster_id is \"other\", expected \"cluster\""));
        check(|layout| layout.shards = 4, Some("shards is 4, expected 3 (setting server.shards)"));
        check(
            |layout| layout.partitioner = "range".into(),
            Some(
                "partitioner is \"range\", expected \"hash\" (setting server.partitioner, or the model's own rule); run",
            ),
        );
        check(|layout| layout.partitioner = "custom:by-first-letter".into(), Some("custom:by-first-letter"));
        check(|layout| layout.hash_seed = 2, Some("hash_seed is 2, expected 1 (setting recommender.seed or spam.seed"));
        check(|layout| layout.tables[1].width = 4, Some("another version"));
        check(
            |layout| layout.settings.push(("recommender.factors".into(), 4)),
            Some("recommender.factors = 4, expected"),
        );
        check(|layout| layout.logic_version += 1, Some("another version"));
    }

    #[test]
    fn a_topic_that_is_another_one_is_named_where_both_ids_are_known() {
        let ids = |ids: &[(&str, &str)]| -> Vec<(String, String)> {
            ids.iter().map(|(topic, id)| ((*topic).to_owned(), (*id).to_owned())).collect()
        };
        let none = ExpectedLayout::new("cluster", Partitioner::Hash { shards: 3 }, 1, &CountingSchema::default());
        let expected = none.clone().with_topic_ids(ids(&[("ratings", "A"), ("pushes", "B")]));
        let found = |list| Layout { topic_ids: ids(list), ..none.written().clone() };
        for list in [&[][..], &[("ratings", "A")], &[("other", "X")], &[("pushes", "B"), ("ratings", "A")]] {
            assert_eq!(expected.check(&found(list)), Ok(()), "{list:?}");
        }
        assert_eq!(none.check(expected.written()), Ok(()));
        let error = expected.check(&found(&[("ratings", "A"), ("pushes", "C")])).unwrap_err();
        assert!(error.contains("topic pushes was deleted and created anew"), "{error}");
        assert!(error.contains("its id is B, was C") && error.contains("setting prefix"), "{error}");
        let elsewhere = Layout { cluster_id: "other".into(), ..found(&[("ratings", "X")]) };
        let error = expected.check(&elsewhere).unwrap_err();
        assert!(error.contains("cluster_id"), "on another cluster all topics are others: {error}");
    }
}
