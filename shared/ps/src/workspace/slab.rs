//! One table's rows of one batch, contiguous, in the order in which the batch first named them.

use nohash_hasher::IntMap;

use crate::{NameRef, cache::Cache};

/// The row's value is asked of its shard or cache; what is pushed is how it changed.
pub(crate) const PULLED: u8 = 1;
/// The value comes from the cache when the batch is learned, not from a reply.
pub(crate) const CACHED: u8 = 2;
/// The shard does not know the row's id.
pub(crate) const UNNAMED: u8 = 4;
/// The row is forgotten before anything is pushed to it.
pub(crate) const DELETED: u8 = 8;
/// What is pulled must show all that was pushed before.
pub(crate) const LATEST: u8 = 16;

#[derive(Debug)]
pub(crate) struct Slab {
    pub(crate) width: usize,
    index: IntMap<u64, u32>,
    pub(crate) keys: Vec<u64>,
    pub(crate) words: Vec<u32>,
    pub(crate) before: Vec<u32>,
    pub(crate) names: Vec<NameRef>,
    pub(crate) flags: Vec<u8>,
    /// Deltas of [`crate::Rule::Own`] tables, in the order pushed.
    pub(crate) own_keys: Vec<u64>,
    pub(crate) own_words: Vec<u32>,
}

impl Slab {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            index: IntMap::default(),
            keys: Vec::new(),
            words: Vec::new(),
            before: Vec::new(),
            names: Vec::new(),
            flags: Vec::new(),
            own_keys: Vec::new(),
            own_words: Vec::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.index.clear();
        self.keys.clear();
        self.words.clear();
        self.before.clear();
        self.names.clear();
        self.flags.clear();
        self.own_keys.clear();
        self.own_words.clear();
    }

    #[inline]
    pub(crate) fn row(&self, slot: u32) -> &[u32] {
        let start = slot as usize * self.width;
        &self.words[start..start + self.width]
    }

    #[inline]
    pub(crate) fn row_mut(&mut self, slot: u32) -> &mut [u32] {
        let start = slot as usize * self.width;
        &mut self.words[start..start + self.width]
    }

    #[inline]
    pub(crate) fn pull(&mut self, key: u64, name: NameRef) -> u32 {
        let slot = self.find_or_insert(key);
        self.flags[slot as usize] |= PULLED;
        if !name.is_empty() {
            // Whoever asks again without one does not take it back.
            self.names[slot as usize] = name;
        }
        slot
    }

    pub(crate) fn pull_latest(&mut self, key: u64) -> u32 {
        let slot = self.find_or_insert(key);
        self.flags[slot as usize] |= PULLED | LATEST;
        slot
    }

    #[inline]
    pub(crate) fn find_or_insert(&mut self, key: u64) -> u32 {
        let next = self.keys.len() as u32;
        let slot = *self.index.entry(key).or_insert(next);
        if slot == next {
            self.keys.push(key);
            self.names.push(NameRef::default());
            self.flags.push(0);
            self.words.resize(self.words.len() + self.width, 0);
            // A row that is only pushed to starts from a zero delta, whenever it comes in.
            self.before.resize(self.words.len(), 0);
        }
        slot
    }

    pub(crate) fn append(&mut self, key: u64, delta: &[u32]) {
        self.own_keys.push(key);
        let start = self.own_words.len();
        self.own_words.resize(start + self.width, 0);
        let width = self.width.min(delta.len());
        self.own_words[start..start + width].copy_from_slice(&delta[..width]);
    }

    pub(crate) fn forget(&mut self, slot: u32, initial: impl FnOnce(&mut [u32])) {
        let key = self.keys[slot as usize];
        let pulled = self.flags[slot as usize] & PULLED != 0;
        self.flags[slot as usize] |= DELETED | UNNAMED;
        let (start, end) = (slot as usize * self.width, (slot as usize + 1) * self.width);
        self.words[start..end].fill(0);
        if pulled {
            initial(&mut self.words[start..end]);
        }
        self.before[start..end].copy_from_slice(&self.words[start..end]);
        self.drop_own(key);
    }

    /// Instructions for a key that is forgotten are moot.
    fn drop_own(&mut self, key: u64) {
        if !self.own_keys.contains(&key) {
            return;
        }
        let kept: Vec<usize> = (0..self.own_keys.len()).filter(|&index| self.own_keys[index] != key).collect();
        self.own_words =
            kept.iter().flat_map(|i| self.own_words[i * self.width..(i + 1) * self.width].to_vec()).collect();
        self.own_keys.retain(|&other| other != key);
    }

    pub(crate) fn fill_from(&mut self, cache: &Cache) {
        for slot in 0..self.keys.len() {
            if self.flags[slot] & CACHED == 0 {
                continue;
            }
            if let Some((row, unnamed)) = cache.read(self.keys[slot]) {
                self.words[slot * self.width..(slot + 1) * self.width].copy_from_slice(row);
                self.flags[slot] = if unnamed { self.flags[slot] | UNNAMED } else { self.flags[slot] & !UNNAMED };
            }
        }
    }

    pub(crate) fn remember(&mut self) {
        self.before.clear();
        self.before.extend_from_slice(&self.words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Names;

    #[test]
    fn asking_again_without_a_name_does_not_take_it_back() {
        let (mut slab, mut names) = (Slab::new(1), Names::default());
        let name = names.push("seven");
        assert_eq!([slab.pull(7, name), slab.pull(7, NameRef::default()), slab.pull(8, NameRef::default())], [0, 0, 1]);
        assert_eq!(slab.names.iter().map(|name| names.get(*name)).collect::<Vec<_>>(), ["seven", ""]);
    }
}
