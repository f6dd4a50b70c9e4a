//! The items of each source partition's last events, out of which a batch draws.

use std::collections::BTreeMap;

use weir_learn::ranking::negatives::RecentItems;
use weir_ps::{Position, SourceRange};

/// By source partition, so that what a batch draws does not depend on which partitions a worker happens to have.
#[derive(Clone, Debug)]
pub(super) struct RecentBySource {
    window: usize,
    sources: BTreeMap<u32, (Position, RecentItems)>,
}

impl RecentBySource {
    /// Of the last `window` events of each source partition.
    pub(super) fn new(window: usize) -> Self {
        Self { window, sources: BTreeMap::new() }
    }

    /// The recent items with those of a batch's events. Where a batch does not continue the one before, the partition has come
    /// back after a while or its batches were dropped: it begins anew, as it would after a restart.
    pub(super) fn with_batch(&mut self, range: SourceRange, items: &[u64]) -> &RecentItems {
        let new = || (range.first, RecentItems::new(self.window));
        let (next, recent) = self.sources.entry(range.source).or_insert_with(new);
        if *next != range.first {
            recent.forget_all();
        }
        *next = range.next;
        recent.add_batch(items);
        recent
    }
}

#[cfg(test)]
mod tests {
    use weir_learn::ranking::negatives::Source;

    use super::*;

    fn all(recent: &RecentItems) -> Vec<u64> {
        let mut items = Vec::new();
        recent.draw(Source::Uniform, usize::MAX, || 0, &mut items);
        items.sort_unstable();
        items
    }

    #[test]
    fn a_batch_that_is_read_again_begins_anew() {
        let range =
            |source, first, next| SourceRange { source, first: Position::online(first), next: Position::online(next) };
        let mut recent = RecentBySource::new(9);
        assert_eq!(all(recent.with_batch(range(0, 5, 7), &[1, 2])), [1, 2]);
        assert_eq!(all(recent.with_batch(range(1, 7, 8), &[9])), [9], "another source partition");
        assert_eq!(all(recent.with_batch(range(0, 7, 9), &[3, 1])), [1, 2, 3]);
        // As after a restart at 7, and on from there.
        assert_eq!(all(recent.with_batch(range(0, 7, 9), &[3, 1])), [1, 3]);
        assert_eq!(all(recent.with_batch(range(0, 9, 10), &[4])), [1, 3, 4]);
    }
}
