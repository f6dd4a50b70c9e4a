//! `?at_least=<topic>:<partition>:<offset>`: an answer that contains the record at that offset, or none.

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
    let records = records(query, model.input_topic())?;
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

fn records(query: &Parameters, topic: &str) -> Result<Vec<Wanted>, ApiError> {
    if query.all(NAME).count() > MOST {
        return Err(ApiError::parameter(NAME, format!("is there more than {MOST} times")));
    }
    query.all(NAME).map(|value| record(value, topic)).collect()
}

fn record(value: &str, topic: &str) -> Result<Wanted, ApiError> {
    let parsed = || {
        // From the end: a topic's name has no colon, but a mistaken one may.
        let (rest, offset) = value.rsplit_once(':')?;
        let (found, partition) = rest.rsplit_once(':')?;
        Some((found, Wanted { partition: partition.parse().ok()?, offset: offset.parse().ok()? }))
    };
    match parsed() {
        Some((found, wanted)) if found == topic => Ok(wanted),
        Some(_) => Err(ApiError::parameter(NAME, format!("must name the model's input topic, which is {topic}"))),
        None => Err(ApiError::parameter(NAME, format!("must be <topic>:<partition>:<offset>, as in {topic}:0:42"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_name_one_record_of_the_input_topic() {
        let check = |value: &str, expected: Option<(u32, u64)>| {
            let found = record(value, "ratings").ok().map(|wanted| (wanted.partition, wanted.offset));
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
