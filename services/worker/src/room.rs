//! Between the loop, which knows how many batches may start, and the reader, which cuts them.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Per source partition: where to begin, and how many batches may still be cut.
#[derive(Debug, Default)]
pub(crate) struct Room {
    sources: Mutex<BTreeMap<u32, Source>>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    start: u64,
    /// Batches cut so far.
    cut: u64,
    /// Batches that may have been cut.
    granted: u64,
    /// Batches whose rows were all there.
    learned: u64,
}

impl Room {
    /// A source partition is read from the offset `start` on.
    pub(crate) fn open(&self, source: u32, start: u64) {
        self.lock().insert(source, Source { start, cut: 0, granted: 0, learned: 0 });
    }

    /// No source partition is read any more.
    pub(crate) fn close_all(&self) {
        self.lock().clear();
    }

    /// Where a source partition begins; none if it is not read.
    pub(crate) fn start(&self, source: u32) -> Option<u64> {
        self.lock().get(&source).map(|source| source.start)
    }

    /// Says how many batches may start, given that the loop has received `received` of them so far, the last `in_flight` of
    /// which still wait for rows.
    pub(crate) fn grant(&self, source: u32, received: u64, in_flight: usize, more: usize) {
        let mut sources = self.lock();
        let Some(state) = sources.get_mut(&source) else { return };
        state.learned = received - in_flight as u64;
        let granted = received + more as u64;
        if granted > state.granted {
            state.granted = granted;
            self.changed.notify_one();
        }
    }

    /// Takes the right to cut one batch, if there is one.
    pub(crate) fn take(&self, source: u32) -> bool {
        let mut sources = self.lock();
        let Some(state) = sources.get_mut(&source).filter(|state| state.cut < state.granted) else { return false };
        state.cut += 1;
        true
    }

    /// Whether no batch of this source partition is under way.
    pub(crate) fn is_idle(&self, source: u32) -> bool {
        self.lock().get(&source).is_some_and(|state| state.cut == state.learned)
    }

    /// Waits until something was granted, at most for `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        let sources = self.lock();
        // Whoever waits looks again afterwards, so neither a spurious wake-up nor a missed one matters.
        drop(self.changed.wait_timeout(sources, timeout).unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Source>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_as_many_batches_are_cut_as_were_granted() {
        let room = Room::default();
        assert!(!room.take(1), "not read");
        room.open(1, 40);
        assert_eq!((room.start(1), room.start(2), room.take(1)), (Some(40), None, false));
        room.grant(1, 0, 0, 2);
        assert_eq!([room.take(1), room.take(1), room.take(1)], [true, true, false]);
        room.grant(1, 1, 1, 1);
        assert!(!room.take(1), "one received and one more makes two, and two are cut");
        room.grant(1, 2, 2, 1);
        assert!(room.take(1));
        room.close_all();
        assert!(!room.take(1));
    }

    #[test]
    fn a_source_is_idle_when_all_that_was_cut_is_learned() {
        let room = Room::default();
        assert!(!room.is_idle(1), "not read");
        room.open(1, 0);
        room.grant(1, 0, 0, 2);
        assert!(room.is_idle(1) && room.take(1) && !room.is_idle(1), "on its way to the loop");
        room.grant(1, 1, 1, 1);
        assert!(!room.is_idle(1), "its rows are on their way");
        room.grant(1, 1, 0, 2);
        assert!(room.is_idle(1));
    }
}
