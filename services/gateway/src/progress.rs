//! Whether a reader has caught up with what was there when it started. Pure.

/// How far reading has come towards the ends that the partitions had at the start.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// By partition the offset that must be passed; none once it is.
    ends: Vec<Option<u64>>,
}

impl Progress {
    /// Towards the offset after the last record of each partition; `(first, end)` of the log as it is.
    pub(crate) fn new(bounds: impl IntoIterator<Item = (u64, u64)>) -> Self {
        Self { ends: bounds.into_iter().map(|(first, end)| (first < end).then_some(end)).collect() }
    }

    /// A record at `offset` of `partition` was read.
    pub(crate) fn read(&mut self, partition: u32, offset: u64) {
        if let Some(end) = self.ends.get_mut(partition as usize)
            && end.is_some_and(|end| offset + 1 >= end)
        {
            *end = None;
        }
    }

    /// All of `partition` was read. Markers of transactions take offsets and are never seen as records, so the last
    /// record may lie before the end.
    pub(crate) fn ended(&mut self, partition: u32) {
        if let Some(end) = self.ends.get_mut(partition as usize) {
            *end = None;
        }
    }

    /// Partitions that have not caught up yet.
    pub(crate) fn left(&self) -> usize {
        self.ends.iter().flatten().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_partitions_have_caught_up() {
        assert_eq!(Progress::new([(0, 0), (7, 7)]).left(), 0);
        assert_eq!(Progress::new([]).left(), 0);
    }

    #[test]
    fn a_partition_catches_up_by_its_last_record_or_by_its_end() {
        let mut progress = Progress::new([(0, 3), (0, 5), (0, 1)]);
        assert_eq!(progress.left(), 3);
        progress.read(0, 1);
        progress.read(1, 3);
        assert_eq!(progress.left(), 3);
        // Records written since count too: compaction may have removed the very last one.
        progress.read(0, 9);
        progress.ended(1);
        assert_eq!(progress.left(), 1);
        progress.read(2, 0);
        assert_eq!(progress.left(), 0);
        progress.ended(9);
    }
}
