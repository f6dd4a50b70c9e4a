//! `?at_least=<topic>:<partition>:<offset>`: an answer that contains the record at that offset, or none.

use std::sync::Arc;
use std::time::Duration;

use super::ApiError;
use super::extract::Parameters;
use crate::Gateway;
use crate::served::ServedModel;

const NAME: &str = "at_least";
/// More than a Kafka topic has partitions; a bound all the same.
const MOST: usize = 1_000;

/// Waits until the view of `model` contains every record that the query names.
///
/// # Errors
/// [`ApiError::Parameter`] where a value is malformed or names another topic than the model's input;
/// [`ApiError::NotCovered`] after `gateway.at_least_timeout_ms`, with what is covered.
pub(super) async fn wait(gateway: &Gateway, model: &ServedModel, query: &Parameters) -> Result<(), ApiError> {
    let records = records(query, &[model.input_topic()])?;
    contains(gateway, model, records.into_iter().map(|(_, wanted)| wanted).collect()).await
}

/// As [`wait`], for an answer about all models: each value names the input topic of one of them or of several.
///
/// # Errors
/// As [`wait`].
pub(super) async fn wait_for_all(
    gateway: &Gateway,
    models: &[Arc<ServedModel>],
    query: &Parameters,
) -> Result<(), ApiError> {
    let topics: Vec<&str> = models.iter().map(|model| model.input_topic()).collect();
    let records = records(query, &topics)?;
    for model in models {
        let own = records.iter().filter(|(topic, _)| *topic == model.input_topic()).map(|(_, wanted)| *wanted);
        contains(gateway, model, own.collect()).await?;
    }
    Ok(())
}

async fn contains(gateway: &Gateway, model: &ServedModel, records: Vec<Wanted>) -> Result<(), ApiError> {
    if records.is_empty() {
        return Ok(());
    }
    let limit = Duration::from_millis(gateway.settings.at_least_timeout_ms);
    let mut offsets = model.offsets();
    let contained = |offsets: &crate::view::Offsets| records.iter().all(|record| record.is_in(offsets));
    let waited = tokio::time::timeout(limit, offsets.wait_for(contained)).await;
    let covered = matches!(waited, Ok(Ok(_)));
    drop(waited);
    gateway.metrics.gateway.at_least(covered);
    if covered {
        return Ok(());
    }
    let covered = offsets.borrow().clone();
    let missing = records.iter().filter(|record| !record.is_in(&covered));
    let wanted = missing.map(|record| format!("{}:{}:{}", model.input_topic(), record.partition, record.offset));
    let wanted = wanted.take(10).collect::<Vec<_>>().join(", ");
    Err(ApiError::NotCovered { model: model.name(), topic: model.input_topic().to_owned(), wanted, covered })
}

/// A record of the input topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    partition: u32,
    offset: u64,
}

impl Wanted {
    /// Offsets are those next to read, so the record's own must lie below.
    fn is_in(self, offsets: &[u64]) -> bool {
        offsets.get(self.partition as usize).is_some_and(|next| *next > self.offset)
    }
}

/// The records that the query names, each of one of these topics.
fn records<'a>(query: &Parameters, topics: &[&'a str]) -> Result<Vec<(&'a str, Wanted)>, ApiError> {
    if query.all(NAME).count() > MOST {
        return Err(ApiError::parameter(NAME, format!("is there more than {MOST} times")));
    }
    query.all(NAME).map(|value| record(value, topics)).collect()
}

fn record<'a>(value: &str, topics: &[&'a str]) -> Result<(&'a str, Wanted), ApiError> {
    let parsed = || {
        // From the end: a topic's name has no colon, but a mistaken one may.
        let (rest, offset) = value.rsplit_once(':')?;
        let (found, partition) = rest.rsplit_once(':')?;
        Some((found, Wanted { partition: partition.parse().ok()?, offset: offset.parse().ok()? }))
    };
    let Some((found, wanted)) = parsed() else {
        let example = topics.first().copied().unwrap_or("ratings");
        return Err(ApiError::parameter(NAME, format!("must be <topic>:<partition>:<offset>, as in {example}:0:42")));
    };
    let unknown = || {
        let known = topics.join(" or ");
        ApiError::parameter(NAME, format!("must name the model's input topic, which is {known}"))
    };
    topics.iter().find(|topic| **topic == found).map(|topic| (*topic, wanted)).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_name_one_record_of_the_input_topic() {
        let check = |value: &str, expected: Option<(u32, u64)>| {
            let found = record(value, &["ratings"]).ok().map(|(_, wanted)| (wanted.partition, wanted.offset));
            assert_eq!(found, expected, "{value}");
        };
        check("ratings:0:42", Some((0, 42)));
        check("ratings:3:0", Some((3, 0)));
        for value in ["", "ratings", "ratings:0", "ratings:0:", "ratings:-1:4", "ratings:0:4.5", "ratings:x:4"] {
            check(value, None);
        }
        check("messages:0:42", None);
        check("ratings:0:99999999999999999999", None);
    }

    #[test]
    fn a_record_is_contained_when_the_next_offset_is_beyond_it() {
        let wanted = Wanted { partition: 1, offset: 7 };
        for (offsets, contained) in [(&[9, 8][..], true), (&[9, 7], false), (&[9], false), (&[], false)] {
            assert_eq!(wanted.is_in(offsets), contained, "{offsets:?}");
        }
    }
}
