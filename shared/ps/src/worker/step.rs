//! What a worker commits, all or nothing.

use crate::{Measures, Op, Output, Part, Push, SourceRange, workspace::Pushed};

/// A learned batch that is not committed yet.
pub(super) struct Finished {
    range: SourceRange,
    events: usize,
    repeated: usize,
    pushed: Pushed,
    outputs: Vec<Output>,
    measures: Measures,
    pub(super) bytes: usize,
}

impl Finished {
    pub(super) fn new(
        range: SourceRange,
        (events, repeated): (usize, usize),
        pushed: Pushed,
        outputs: Vec<Output>,
        measures: Measures,
    ) -> Self {
        let sections = pushed.shards.iter().flat_map(|shard| &shard.sections);
        let rows: usize = sections.map(|section| 8 * section.keys.len() + 4 * section.words.len()).sum();
        let records: usize = outputs.iter().map(|output| output.value.as_ref().map_or(0, Vec::len)).sum();
        Self { range, events, repeated, pushed, outputs, measures, bytes: rows + records }
    }
}

/// One transaction's worth of work: pushes to every shard, outputs, and the source positions that they cover.
#[derive(Debug, Default, PartialEq)]
pub struct Step {
    /// What is covered, one range per source partition.
    pub ranges: Vec<SourceRange>,
    /// One push per shard, by shard number.
    pub pushes: Vec<Push>,
    /// Records for the model's outputs.
    pub outputs: Vec<Output>,
    /// Events learned.
    pub events: usize,
    /// Events dropped because they were learned before.
    pub repeated: usize,
    /// Batches merged.
    pub batches: usize,
    /// How good the predictions were that its events were learned after.
    pub measures: Measures,
}

impl Step {
    pub(super) fn new(finished: impl Iterator<Item = Finished>, frame_bytes: usize) -> Self {
        let mut step = Self::default();
        let mut packers: Vec<Packer> = Vec::new();
        for Finished { range, events, repeated, pushed, mut outputs, mut measures, .. } in finished {
            step.cover(range);
            step.events += events;
            step.repeated += repeated;
            step.batches += 1;
            step.outputs.append(&mut outputs);
            step.measures.append(&mut measures);
            packers.resize_with(pushed.shards.len(), || Packer::new(frame_bytes));
            for (packer, shard) in packers.iter_mut().zip(pushed.shards) {
                shard.sections.into_iter().for_each(|section| {
                    if section.op == Op::Delete {
                        packer.end_names();
                    }
                    packer.make_room(16 + 8 * section.keys.len() + 4 * section.words.len());
                    packer.part().sections.push(section);
                });
                shard.names.into_iter().for_each(|name| {
                    packer.make_room(16 + name.2.len());
                    packer.part().names.push(name);
                });
            }
        }
        let push = |packer: Packer| Push { ranges: step.ranges.clone(), parts: packer.parts };
        step.pushes = packers.into_iter().map(push).collect();
        step
    }

    /// Batches of a source partition are finished in order, so a range only ever grows at its end.
    fn cover(&mut self, range: SourceRange) {
        match self.ranges.iter_mut().find(|known| known.source == range.source) {
            Some(known) => known.next = range.next,
            None => self.ranges.push(range),
        }
    }
}

/// Packs sections, then names, into parts of bounded size; there is always at least one part.
struct Packer {
    parts: Vec<Part>,
    bytes: usize,
    limit: usize,
}

impl Packer {
    fn new(limit: usize) -> Self {
        Self { parts: vec![Part::default()], bytes: 0, limit }
    }

    fn make_room(&mut self, bytes: usize) {
        if self.bytes > 0 && self.bytes + bytes > self.limit {
            self.begin_part();
        }
        self.bytes += bytes;
    }

    /// A shard takes in a part's names after its sections, and naming a row makes it: a name that an earlier batch gave
    /// would bring back what a later one deletes in the same part, so that part ends here.
    fn end_names(&mut self) {
        if !self.part().names.is_empty() {
            self.begin_part();
        }
    }

    fn begin_part(&mut self) {
        self.parts.push(Part::default());
        self.bytes = 0;
    }

    fn part(&mut self) -> &mut Part {
        let last = self.parts.len() - 1;
        &mut self.parts[last]
    }
}
