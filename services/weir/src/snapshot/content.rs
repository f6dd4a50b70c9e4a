//! What a shard's changelog comes to.

use std::collections::BTreeMap;

use weir_kafka::Record;
use weir_wire::Frame;
use weir_wire::frame::{BarrierValue, ChangelogKey, Layout};

/// The rows of a shard, and what they contain.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Values as the changelog has them, by their keys.
    pub(super) rows: BTreeMap<[u8; 9], Vec<u8>>,
    barrier: Option<Barrier>,
}

/// The last barrier.
#[derive(Debug)]
struct Barrier {
    /// By source partition: the next event, and how many parts of the step there are applied.
    sources: BTreeMap<u32, (u64, u16)>,
    layout_json: Vec<u8>,
}

impl Content {
    /// Takes a committed record of the changelog in; what is not of this model is passed over.
    pub(super) fn take(&mut self, model: u32, record: &Record<'_>) {
        let Some(key) = record.key.and_then(|key| <[u8; 9]>::try_from(key).ok()) else { return };
        let frame = record.payload.map(|payload| (payload, Frame::parse_for(model, payload)));
        match (ChangelogKey::parse(&key), frame) {
            (Some(ChangelogKey::Row { .. }), None) => drop(self.rows.remove(&key)),
            (Some(ChangelogKey::Row { .. }), Some((payload, Ok(Frame::Row(_))))) => {
                self.rows.insert(key, payload.to_vec());
            }
            (Some(ChangelogKey::Barrier), Some((_, Ok(Frame::Barrier(barrier))))) => {
                self.barrier = Some(Barrier::of(&barrier));
            }
            _ => {}
        }
    }
}

impl Barrier {
    fn of(barrier: &BarrierValue<'_>) -> Self {
        let online = barrier.positions().filter(|done| done.position.pass == 0);
        let sources = online.map(|done| (done.source, (done.position.sequence, done.parts_done))).collect();
        Self { sources, layout_json: barrier.layout_json.to_vec() }
    }
}

/// What all shards contain, and under which layout.
///
/// # Errors
/// They do not contain the same events: what to do.
pub(super) fn agreed(shards: &[Content]) -> anyhow::Result<(Vec<(u32, u64)>, Layout)> {
    const ADVICE: &str = "stop the workers, give the servers a second to publish, and export again";
    let mut barriers = Vec::new();
    for (shard, content) in shards.iter().enumerate() {
        let barrier = content.barrier.as_ref();
        barriers.push(barrier.ok_or_else(|| anyhow::anyhow!("shard {shard} has published nothing yet: {ADVICE}"))?);
    }
    let first = barriers.first().ok_or_else(|| anyhow::anyhow!("a model without shards"))?;
    for (shard, barrier) in barriers.iter().enumerate() {
        let half = barrier.sources.iter().find(|(_, (_, parts))| *parts > 0);
        let other = barrier.sources.iter().find(|(source, next)| first.sources.get(source) != Some(next));
        if let Some((source, (next, _))) = half.or(other) {
            anyhow::bail!(
                "the shards do not contain the same events: shard {shard} has those of partition {source} up to {next}, \
                 shard 0 others; {ADVICE}"
            );
        }
        anyhow::ensure!(
            barrier.sources.len() == first.sources.len(),
            "shard {shard} knows other source partitions than shard 0: {ADVICE}"
        );
    }
    let covered = first.sources.iter().map(|(source, (next, _))| (*source, *next)).collect();
    Ok((covered, Layout::from_json(&first.layout_json)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(sources: &[(u32, u64, u16)]) -> Content {
        let layout_json = br#"{"cluster_id":"c","topic_ids":[],"partitioner":"hash","shards":2,"hash_seed":1,
            "model_seed":1,"tables":[],"logic_version":1}"#;
        let sources = sources.iter().map(|(source, next, parts)| (*source, (*next, *parts))).collect();
        Content { rows: BTreeMap::new(), barrier: Some(Barrier { sources, layout_json: layout_json.to_vec() }) }
    }

    #[test]
    fn shards_that_agree_say_what_they_contain() {
        let (covered, layout) =
            agreed(&[content(&[(0, 5, 0), (2, 9, 0)]), content(&[(0, 5, 0), (2, 9, 0)])]).expect("agreed");
        assert_eq!((covered, layout.shards), (vec![(0, 5), (2, 9)], 2));
    }

    #[test]
    fn shards_that_do_not_are_refused_with_what_to_do() {
        let check = |shards: &[Content], part: &str| {
            let error = agreed(shards).expect_err("refused").to_string();
            assert!(error.contains(part) && error.contains("stop the workers"), "{error}");
        };
        check(&[content(&[(0, 5, 0)]), content(&[(0, 6, 0)])], "shard 1 has those of partition 0 up to 6");
        check(&[content(&[(0, 5, 1)])], "shard 0 has those of partition 0 up to 5");
        check(&[content(&[(0, 5, 0)]), content(&[])], "shard 1 knows other source partitions");
        check(&[content(&[(0, 5, 0)]), Content::default()], "shard 1 has published nothing");
    }
}
