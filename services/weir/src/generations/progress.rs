//! How far a generation has come, as its workers have committed it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use weir_kafka::{Admin, IdleGroup, Isolation, committed_patience};
use weir_models::{Description, Named, describe};
use weir_runtime::Settings;
use weir_wire::control::Entry;

use super::own::settings_of;
use crate::topics;

/// A generation's offsets, per partition of its input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The next event to learn; of a partition of which nothing is learned the first that is there.
    pub(super) next: Vec<u64>,
    /// The first that is there.
    first: Vec<u64>,
    /// The end.
    pub(super) ends: Vec<u64>,
}

impl Progress {
    /// Looks it up.
    ///
    /// # Errors
    /// The broker cannot be reached, or the generation's settings are refused.
    pub(super) fn look_up(admin: &Admin, settings: &Settings, model: &str, entry: &Entry) -> anyhow::Result<Self> {
        let description = description(settings, model, entry)?;
        let Some(count) = admin.partition_count(&description.input)? else { return Ok(Self::default()) };
        let patience = committed_patience(Duration::from_millis(settings.kafka.transaction_timeout_ms));
        let group = description.group(&settings.prefix, "worker");
        let group = IdleGroup::open(&topics::connection(settings), &group, &description.input, patience)?;
        let partitions: Vec<u32> = (0..count).collect();
        let mut found = Self::default();
        for (partition, committed) in partitions.iter().zip(group.committed(&partitions)?) {
            let marks = admin.watermarks(&description.input, *partition, Isolation::ReadCommitted)?;
            found.first.push(marks.first);
            found.ends.push(marks.end);
            found.next.push(committed.unwrap_or(marks.first));
        }
        Ok(found)
    }

    /// Records behind the end.
    pub(super) fn lag(&self) -> u64 {
        self.next.iter().zip(&self.ends).map(|(next, end)| end.saturating_sub(*next)).sum()
    }

    /// Records between the first that is there and the next to learn.
    pub(super) fn learned(&self) -> u64 {
        self.next.iter().zip(&self.first).map(|(next, first)| next.saturating_sub(*first)).sum()
    }

    /// Whether everything below these offsets is learned.
    pub(super) fn covers(&self, offsets: &[u64]) -> bool {
        // A partition that was added since has its own place in the list.
        offsets
            .iter()
            .enumerate()
            .all(|(partition, offset)| self.next.get(partition).is_some_and(|next| next >= offset))
    }
}

/// A generation as its roles see it.
///
/// # Errors
/// Its settings are refused.
pub(super) fn description(settings: &Settings, model: &str, entry: &Entry) -> anyhow::Result<Description> {
    let named = Named::parse(model).with_context(|| format!("there is no model {model} in this build"))?;
    let own = settings_of(settings, &entry.settings)
        .with_context(|| format!("generation {} of model {model}", entry.generation))?;
    Ok(describe(named, &own)?.in_generation(entry.generation))
}

/// A generation's settings of its own, in one line.
pub(super) fn in_a_line(own: &BTreeMap<String, String>) -> String {
    own.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_covers_what_it_has_learned_in_every_partition() {
        let progress = Progress { next: vec![5, 0, 9], first: vec![2, 0, 9], ends: vec![7, 3, 9] };
        assert_eq!((progress.learned(), progress.lag()), (3, 5));
        for (offsets, covers) in [(&[5, 0, 9][..], true), (&[5, 0], true), (&[6], false), (&[5, 0, 9, 0], false)] {
            assert_eq!(progress.covers(offsets), covers, "{offsets:?}");
        }
    }
}
