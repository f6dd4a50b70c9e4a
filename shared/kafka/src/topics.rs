//! How a topic should be, how it is, and what to change where the two differ. No I/O.

use std::collections::BTreeMap;

/// How many partitions a topic must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitions {
    /// Exactly as many: the number is part of the model's layout.
    Exactly(u32),
    /// As many if weir creates it; any number if it is there already.
    IfCreated(u32),
}

impl Partitions {
    pub(crate) fn at_creation(self) -> u32 {
        match self {
            Self::Exactly(count) | Self::IfCreated(count) => count,
        }
    }
}

/// How a topic must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: Partitions,
    /// Copies of each partition, when weir creates it; not checked afterwards.
    pub replication: u16,
    /// Whether the log is compacted (and never cut by time or size) or kept as written.
    pub compact: bool,
    /// Topic settings for its creation. Those that bound how long or how much is kept (`retention.ms`,
    /// `retention.bytes`, `delete.retention.ms`) or how large a record may be (`max.message.bytes`) are checked later:
    /// the topic must allow at least as much. All others are the operator's to tune.
    pub settings: BTreeMap<String, String>,
}

/// A topic as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: u32,
    /// Copies of each partition (of the one with the fewest).
    pub replication: u16,
    /// Its settings in force, whether set for it or inherited.
    pub settings: BTreeMap<String, String>,
}

/// Settings of which a topic may have more than the specification says, never less. -1 is without bound.
const AT_LEAST: [&str; 4] = ["retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes"];

/// Each way in which `found` does not fit, with what to change.
pub(crate) fn problems(spec: &TopicSpec, found: &TopicDescription) -> Vec<String> {
    let settings = spec.settings.iter().filter(|(name, _)| AT_LEAST.contains(&name.as_str()));
    let too_small = settings.filter_map(|(name, wanted)| {
        let actual = found.settings.get(name)?;
        (bound(actual) < bound(wanted))
            .then(|| format!("{name} is {actual}, must be at least {wanted} ({})", alter(&spec.name, name, wanted)))
    });
    partitions(spec, found).into_iter().chain(cleanup(spec, found)).chain(too_small).collect()
}

fn partitions(spec: &TopicSpec, found: &TopicDescription) -> Option<String> {
    match spec.partitions {
        Partitions::Exactly(wanted) if wanted != found.partitions => Some(format!(
            "it has {} partitions, must have {wanted} (set the configured number to {}, or begin a new generation: \
             partitions cannot be changed under a model)",
            found.partitions, found.partitions
        )),
        _ => None,
    }
}

fn cleanup(spec: &TopicSpec, found: &TopicDescription) -> Option<String> {
    let wanted = cleanup_policy(spec.compact);
    let actual = found.settings.get("cleanup.policy")?;
    // `compact,delete` would delete rows that are still valid, so it fits neither.
    (actual != wanted).then(|| {
        format!("cleanup.policy is {actual}, must be {wanted} ({})", alter(&spec.name, "cleanup.policy", wanted))
    })
}

pub(crate) fn cleanup_policy(compact: bool) -> &'static str {
    if compact { "compact" } else { "delete" }
}

fn alter(topic: &str, name: &str, value: &str) -> String {
    format!("kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {name}={value}")
}

/// The amount that a setting allows; what is no number cannot be compared and is let through.
fn bound(value: &str) -> u64 {
    value.parse::<i64>().map_or(u64::MAX, |amount| u64::try_from(amount).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn check(wanted: (Partitions, bool, &[(&str, &str)]), found: (u32, &[(&str, &str)]), expected: &[&str]) {
        let (partitions, compact, spec_settings) = wanted;
        let name = "t".to_owned();
        let spec =
            TopicSpec { name: name.clone(), partitions, replication: 1, compact, settings: settings(spec_settings) };
        let found = TopicDescription { name, partitions: found.0, replication: 1, settings: settings(found.1) };
        let problems = problems(&spec, &found);
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, part) in problems.iter().zip(expected) {
            assert!(problem.contains(part), "{problem} does not say {part}");
        }
    }

    #[test]
    fn mismatches_say_what_to_change() {
        let exactly = Partitions::Exactly(3);
        let kept = [("cleanup.policy", "delete"), ("retention.ms", "-1")];
        check((exactly, false, &[("retention.ms", "-1")]), (3, &kept), &[]);
        check((exactly, false, &[]), (4, &kept), &["new generation"]);
        check((Partitions::IfCreated(3), false, &[]), (4, &kept), &[]);
        check((exactly, true, &[]), (3, &kept), &["cleanup.policy=compact"]);
        check((exactly, true, &[]), (3, &[("cleanup.policy", "compact,delete")]), &["must be compact"]);
    }

    #[test]
    fn a_topic_may_keep_more_but_not_less() {
        let any = Partitions::IfCreated(1);
        check((any, false, &[("retention.ms", "-1")]), (1, &[("retention.ms", "604800000")]), &["retention.ms=-1"]);
        check((any, false, &[("retention.ms", "60000")]), (1, &[("retention.ms", "-1")]), &[]);
        check((any, false, &[("max.message.bytes", "1000")]), (1, &[("max.message.bytes", "999")]), &["at least 1000"]);
        check((any, false, &[("segment.bytes", "1")]), (1, &[("segment.bytes", "2")]), &[]);
    }
}
