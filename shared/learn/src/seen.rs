//! Which items a user has seen: a ring of item keys, in chunks, so that an append rewrites little.
//!
//! The head row of a user is the number of appends ever (one u64, 2 words of 32 bits, low word first). A chunk row has 16 item
//! keys (32 words). Append number n goes to place n modulo the ring's size: when the ring is full, the oldest is
//! overwritten. Key 0 marks a free place. An item is in the ring once at most.

use crate::noise::mix;

/// Item keys of a chunk.
pub const CHUNK_ITEMS: usize = 16;
/// Words of 32 bits of a chunk row.
pub const CHUNK_WIDTH: usize = CHUNK_ITEMS * 2;
/// Words of 32 bits of a head row.
pub const HEAD_WIDTH: usize = 2;

/// A chunk row as it is stored.
pub type Chunk = [u32; CHUNK_WIDTH];

/// The chunk rows of one user, wherever they are kept.
pub trait Chunks {
    /// The chunk of this number; `None` if it was never written.
    fn chunk(&self, number: u32) -> Option<&Chunk>;

    /// The chunk of this number to be changed; all 0 if it was never written.
    fn chunk_mut(&mut self, number: u32) -> &mut Chunk;
}

/// Key of the row that has chunk `number` of a user. Never 0.
#[must_use]
pub fn chunk_key(user_key: u64, number: u32) -> u64 {
    // Mixing twice keeps the chunks of one user from meeting those of others by arithmetic on the keys.
    mix(mix(user_key).wrapping_add(u64::from(number)).wrapping_add(1)).max(1)
}

/// A ring of a fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    chunks: u32,
}

impl Ring {
    /// A ring for at least `items` items: rounded up to whole chunks, one at least.
    #[must_use]
    pub fn for_items(items: u32) -> Self {
        Self { chunks: items.div_ceil(CHUNK_ITEMS as u32).max(1) }
    }

    /// How many items it remembers at most.
    #[must_use]
    pub fn capacity(self) -> u64 {
        u64::from(self.chunks) * CHUNK_ITEMS as u64
    }

    /// Number of chunks in use after `appends` appends: those numbered 0 to this, exclusive.
    #[must_use]
    pub fn chunks_in_use(self, appends: u64) -> u32 {
        appends.min(self.capacity()).div_ceil(CHUNK_ITEMS as u64) as u32
    }

    /// Remembers `item`. Returns the number of the chunk that changed; `None`, and nothing changes, if it was there
    /// already or is 0.
    pub fn append(self, head: &mut [u32; HEAD_WIDTH], chunks: &mut impl Chunks, item: u64) -> Option<u32> {
        if item == 0 || self.contains(*head, chunks, item) {
            return None;
        }
        let appends = appends(*head);
        let place = appends % self.capacity();
        let number = (place / CHUNK_ITEMS as u64) as u32;
        set(chunks.chunk_mut(number), (place % CHUNK_ITEMS as u64) as usize, item);
        *head = split(appends.wrapping_add(1));
        Some(number)
    }

    /// Forgets `item`. Returns the number of the chunk that changed; `None` if it was not there. Its place stays
    /// free until the ring comes round.
    pub fn remove(self, head: [u32; HEAD_WIDTH], chunks: &mut impl Chunks, item: u64) -> Option<u32> {
        let (number, place) = self.find(head, chunks, item)?;
        set(chunks.chunk_mut(number), place, 0);
        Some(number)
    }

    /// Whether `item` is remembered.
    #[must_use]
    pub fn contains(self, head: [u32; HEAD_WIDTH], chunks: &impl Chunks, item: u64) -> bool {
        self.find(head, chunks, item).is_some()
    }

    /// All that is remembered, chunk by chunk; the order says nothing.
    pub fn items(self, head: [u32; HEAD_WIDTH], chunks: &impl Chunks) -> impl Iterator<Item = u64> {
        (0..self.chunks_in_use(appends(head))).filter_map(|number| chunks.chunk(number)).flat_map(chunk_items)
    }

    fn find(self, head: [u32; HEAD_WIDTH], chunks: &impl Chunks, item: u64) -> Option<(u32, usize)> {
        if item == 0 {
            return None;
        }
        let wanted = split(item);
        (0..self.chunks_in_use(appends(head))).find_map(|number| {
            let (pairs, _) = chunks.chunk(number)?.as_chunks::<2>();
            Some((number, pairs.iter().position(|pair| *pair == wanted)?))
        })
    }
}

/// How many items were ever appended.
#[must_use]
pub fn appends(head: [u32; HEAD_WIDTH]) -> u64 {
    join(head)
}

/// The item keys in a chunk row, without free places.
pub fn chunk_items(chunk: &Chunk) -> impl Iterator<Item = u64> + use<'_> {
    chunk.as_chunks::<2>().0.iter().map(|pair| join(*pair)).filter(|item| *item != 0)
}

fn set(chunk: &mut Chunk, place: usize, item: u64) {
    [chunk[place * 2], chunk[place * 2 + 1]] = split(item);
}

fn split(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

fn join(words: [u32; 2]) -> u64 {
    u64::from(words[0]) | u64::from(words[1]) << 32
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Kept(HashMap<u32, Chunk>);

    impl Chunks for Kept {
        fn chunk(&self, number: u32) -> Option<&Chunk> {
            self.0.get(&number)
        }

        fn chunk_mut(&mut self, number: u32) -> &mut Chunk {
            self.0.entry(number).or_insert([0; CHUNK_WIDTH])
        }
    }

    #[test]
    fn items_go_into_chunks_one_after_the_other() {
        let ring = Ring::for_items(20);
        assert_eq!(ring.capacity(), 32);
        let (mut head, mut kept) = ([0; HEAD_WIDTH], Kept::default());
        assert_eq!(ring.append(&mut head, &mut kept, 0x1_0000_0002), Some(0));
        assert_eq!(head, [1, 0]);
        assert_eq!(kept.0[&0][..4], [2, 1, 0, 0]);
        assert_eq!(ring.append(&mut head, &mut kept, 0x1_0000_0002), None, "it is there");
        assert_eq!(ring.append(&mut head, &mut kept, 0), None, "0 marks a free place");
        assert_eq!(head, [1, 0]);
        for item in 1..16 {
            assert_eq!(ring.append(&mut head, &mut kept, item), Some(0));
        }
        assert_eq!(ring.chunks_in_use(appends(head)), 1);
        assert_eq!(ring.append(&mut head, &mut kept, 16), Some(1));
        assert_eq!(ring.chunks_in_use(appends(head)), 2);
    }

    #[test]
    fn the_oldest_is_overwritten_first() {
        let ring = Ring::for_items(16);
        let (mut head, mut kept) = ([0; HEAD_WIDTH], Kept::default());
        for item in 1..=18 {
            ring.append(&mut head, &mut kept, item);
        }
        assert!((1..=18).all(|item| ring.contains(head, &kept, item) == (item > 2)));
        assert_eq!(ring.remove(head, &mut kept, 10), Some(0));
        assert_eq!(ring.remove(head, &mut kept, 10), None);
        assert!(!ring.contains(head, &kept, 10));
        assert_eq!(ring.items(head, &kept).count(), 15);
        assert_eq!(appends(head), 18);
        // What was removed may come again, at the end.
        assert_eq!(ring.append(&mut head, &mut kept, 10), Some(0));
        assert!(!ring.contains(head, &kept, 3));
    }

    #[test]
    fn a_lost_chunk_is_an_empty_one() {
        let ring = Ring::for_items(64);
        let kept = Kept::default();
        assert!(!ring.contains([40, 0], &kept, 7));
        assert_eq!(ring.items([40, 0], &kept).count(), 0);
    }

    #[test]
    fn chunk_keys_are_the_same_for_ever() {
        assert_eq!(chunk_key(1, 0), 0xd9bf_17d1_13f3_8956);
        assert_eq!(chunk_key(u64::MAX, 63), 0x62c2_a33c_e0d9_443b);
        let keys: std::collections::HashSet<u64> =
            (1..2000).flat_map(|user| (0..64).map(move |number| chunk_key(user, number))).collect();
        assert_eq!(keys.len(), 1999 * 64);
    }

    proptest! {
        #[test]
        fn a_ring_is_a_list_that_forgets_its_beginning(
            operations in prop::collection::vec((any::<bool>(), any::<bool>(), 1_u64..60), 0..200),
            size in 1_u32..40,
        ) {
            let ring = Ring::for_items(size);
            let (mut head, mut kept) = ([0; HEAD_WIDTH], Kept::default());
            // Place by place what was appended last; removed items leave their place.
            let mut model: Vec<Option<u64>> = Vec::new();
            for (add, again, item) in operations {
                let there = model.contains(&Some(item));
                if add || again {
                    prop_assert_eq!(ring.append(&mut head, &mut kept, item).is_some(), !there);
                    if !there {
                        model.push(Some(item));
                    }
                } else {
                    prop_assert_eq!(ring.remove(head, &mut kept, item).is_some(), there);
                    for place in model.iter_mut().filter(|place| **place == Some(item)) {
                        *place = None;
                    }
                }
                let forgotten = model.len().saturating_sub(ring.capacity() as usize);
                for place in &mut model[..forgotten] {
                    *place = None;
                }
                let mut expected: Vec<u64> = model.iter().copied().flatten().collect();
                expected.sort_unstable();
                let mut found: Vec<u64> = ring.items(head, &kept).collect();
                found.sort_unstable();
                prop_assert_eq!(found, expected);
                prop_assert_eq!(appends(head), model.len() as u64);
            }
        }
    }
}
