//! Two copies of what answers are made from, so that a batch is applied to one while requests read the other.
//!
//! The copy that serves is never written to. A batch goes to the spare copy, then the two change places, and what the other copy has
//! missed is applied to it before the next batch. So an answer contains every change that the gateway has taken in, and whoever
//! reads waits for nobody: only the writer waits, for readers that are still in the copy that served before. The price is the memory of
//! a second copy, and that each change is applied twice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, TryLockError};

/// One of the copies.
pub(crate) trait Side {
    /// A batch.
    type Changes: Default;
    /// What a batch has done.
    type Applied;

    /// Applies a batch. The same batches in the same order make the same of every copy.
    fn apply(&mut self, changes: &Self::Changes) -> Self::Applied;
}

/// The copies, as readers have them.
pub(crate) struct Sides<T> {
    copies: [RwLock<T>; 2],
    /// The one that serves.
    serving: AtomicUsize,
}

impl<T> Sides<T> {
    /// Two copies that contain the same, of which the first one serves.
    pub(crate) fn new(serving: T, spare: T) -> Self {
        Self { copies: [RwLock::new(serving), RwLock::new(spare)], serving: AtomicUsize::new(0) }
    }

    /// Reads the copy that serves. It never waits for a writer.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        loop {
            match self.copies[self.serving.load(Ordering::Acquire)].try_read() {
                Ok(copy) => return read(&copy),
                Err(TryLockError::Poisoned(poisoned)) => return read(&poisoned.into_inner()),
                // The writer has this copy by now, so the other one has begun to serve since we looked.
                Err(TryLockError::WouldBlock) => std::hint::spin_loop(),
            }
        }
    }
}

/// The one who changes the copies.
pub(crate) struct Writer<T: Side> {
    sides: Arc<Sides<T>>,
    /// What the spare copy has not been told yet.
    missed: T::Changes,
}

impl<T: Side> Writer<T> {
    /// Of these copies. There must be no other writer.
    pub(crate) fn new(sides: &Arc<Sides<T>>) -> Self {
        Self { sides: Arc::clone(sides), missed: T::Changes::default() }
    }

    /// The copies.
    pub(crate) fn sides(&self) -> &Arc<Sides<T>> {
        &self.sides
    }

    /// Applies a batch; every reading that begins after this contains it. What is left in `changes` is of no use but its memory.
    pub(crate) fn apply(&mut self, changes: &mut T::Changes) -> T::Applied {
        let spare = 1 - self.sides.serving.load(Ordering::Acquire);
        let applied = {
            let mut copy = self.sides.copies[spare].write().unwrap_or_else(PoisonError::into_inner);
            copy.apply(&self.missed);
            copy.apply(changes)
        };
        self.sides.serving.store(spare, Ordering::Release);
        std::mem::swap(&mut self.missed, changes);
        applied
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::changes::{Change, Changes};
    use crate::view::View;
    use crate::view::tests::Filled;

    fn writer() -> Writer<View> {
        let (one, other) = (Filled::new("counting").view, Filled::new("counting").view);
        Writer::new(&Arc::new(Sides::new(one, other)))
    }

    /// Applies that partition 0 is covered up to `next` by all shards.
    fn cover(writer: &mut Writer<View>, next: u64) {
        let mut changes = Changes::default();
        changes.list = (0..3).map(|shard| Change::Barrier { shard, sources: vec![(0, next), (1, next)] }).collect();
        assert!(writer.apply(&mut changes).moved);
    }

    #[test]
    fn every_batch_is_in_the_copy_that_serves_and_in_the_next_one() {
        let mut writer = writer();
        let sides = Arc::clone(writer.sides());
        for next in 1..=4 {
            cover(&mut writer, next);
            assert_eq!(sides.read(|view| view.offsets().to_vec()), [next, next]);
        }
        let applied = writer.apply(&mut Changes::default());
        assert_eq!(
            (applied.moved, applied.offsets.to_vec()),
            (false, vec![4, 4]),
            "the copy that was behind has caught up"
        );
    }

    #[test]
    fn a_reader_in_one_copy_does_not_keep_others_from_the_newest() {
        let mut writer = writer();
        let sides = Arc::clone(writer.sides());
        sides.read(|old| {
            cover(&mut writer, 7);
            assert_eq!(sides.read(|view| view.offsets().to_vec()), [7, 7]);
            assert_eq!(old.offsets().to_vec(), [0, 0], "a reading is of one moment");
        });
    }

    #[test]
    fn what_is_read_is_whole_and_never_older_than_before() {
        let mut writer = writer();
        let (sides, stop) = (Arc::clone(writer.sides()), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut before = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let offsets = sides.read(|view| view.offsets().to_vec());
                        assert!(offsets[0] == offsets[1] && offsets[0] >= before, "{offsets:?} after {before}");
                        before = offsets[0];
                    }
                });
            }
            (1..=2_000).for_each(|next| cover(&mut writer, next));
            stop.store(true, Ordering::Relaxed);
        });
    }
}
