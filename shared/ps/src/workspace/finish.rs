//! From learned rows to what is pushed to each shard.

use super::{CACHED, DELETED, PULLED, Slab, UNNAMED, Workspace};
use crate::{Names, Op, Partitioner, Position, Section, TableSpec, cache::Cache};

/// What a batch pushes, by shard.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    pub(crate) shards: Vec<ShardSections>,
}

#[derive(Debug, Default)]
pub(crate) struct ShardSections {
    pub(crate) sections: Vec<Section>,
    pub(crate) names: Vec<(u8, u64, String)>,
}

impl Workspace {
    /// Collects what the batch changed, in sections of at most `section_bytes`, and gives cached rows back.
    pub(crate) fn finish(
        &mut self,
        partitioner: Partitioner,
        section_bytes: usize,
        names: &Names,
        caches: &mut [Option<Cache>],
        next: Position,
    ) -> Pushed {
        let mut pushed = Pushed::default();
        pushed.shards.resize_with(partitioner.shards() as usize, ShardSections::default);
        let schema = std::sync::Arc::clone(&self.schema);
        for ((spec, slab), cache) in schema.tables().iter().zip(&mut self.slabs).zip(caches) {
            let mut collector = Collector { pushed: &mut pushed, partitioner, section_bytes, spec };
            collector.deletions(slab);
            collector.changes(slab, names, cache.as_mut(), next);
            for (key, delta) in slab.own_keys.iter().zip(slab.own_words.chunks_exact(spec.width)) {
                collector.add(*key, delta);
            }
        }
        pushed
    }
}

struct Collector<'a> {
    pushed: &'a mut Pushed,
    partitioner: Partitioner,
    section_bytes: usize,
    spec: &'a TableSpec,
}

impl Collector<'_> {
    fn deletions(&mut self, slab: &Slab) {
        for (slot, &key) in slab.keys.iter().enumerate() {
            if slab.flags[slot] & DELETED != 0 {
                self.section(key, Op::Delete).keys.push(key);
            }
        }
    }

    fn changes(&mut self, slab: &mut Slab, names: &Names, mut cache: Option<&mut Cache>, next: Position) {
        let width = slab.width;
        for slot in 0..slab.keys.len() {
            let (key, flags) = (slab.keys[slot], slab.flags[slot]);
            let (before, after) = (&mut slab.before[slot * width..][..width], &mut slab.words[slot * width..][..width]);
            let changed = before != after;
            let named = (changed || flags & DELETED == 0) && self.name(key, flags, names.get(slab.names[slot]));
            if changed && flags & PULLED != 0 {
                self.spec.difference(after, before);
            }
            if let Some(cache) = cache.as_deref_mut().filter(|_| flags & (PULLED | CACHED) != 0) {
                let pushed = (changed || flags & DELETED != 0).then_some(next);
                if changed {
                    // Not the row as it was learned: adding the difference may round to another one, and what the
                    // shard makes of it is the row.
                    self.spec.merge(before, after);
                }
                cache.write(key, before, flags & UNNAMED != 0 && !named, pushed);
            }
            if changed {
                self.add(key, after);
            }
        }
    }

    /// Sends the id along where the shard lacks it, even for a row that did not change.
    fn name(&mut self, key: u64, flags: u8, name: &str) -> bool {
        let wanted = flags & UNNAMED != 0 && !name.is_empty();
        if wanted {
            let shard = self.partitioner.shard(key) as usize;
            self.pushed.shards[shard].names.push((self.spec.id, key, name.to_owned()));
        }
        wanted
    }

    fn add(&mut self, key: u64, delta: &[u32]) {
        let section = self.section(key, Op::Add);
        section.keys.push(key);
        section.words.extend_from_slice(delta);
    }

    /// The section that `key` goes to: the last one of its shard if it fits and is not full.
    fn section(&mut self, key: u64, op: Op) -> &mut Section {
        let (table, most) = (self.spec.id, (self.section_bytes / (8 + 4 * self.spec.width)).max(1));
        let sections = &mut self.pushed.shards[self.partitioner.shard(key) as usize].sections;
        let fits = sections.last().is_some_and(|last| last.table == table && last.op == op && last.keys.len() < most);
        if !fits {
            sections.push(Section { table, op, keys: Vec::new(), words: Vec::new() });
        }
        let last = sections.len() - 1;
        &mut sections[last]
    }
}
