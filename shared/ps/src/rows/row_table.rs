//! One table of fixed-width rows: a slab, an index, and what changed since when.

use nohash_hasher::IntMap;

/// Rows per block, the unit in which a store writes them, where rows are narrow.
const MAX_BLOCK_ROWS: usize = 64;
/// Bytes that a block may take with the longest names, below what stores take as one value.
const BLOCK_BYTES: usize = 60_000;
/// Bytes that a stored row takes besides its words: a header and the longest name.
const ROW_BYTES: usize = 280;

/// Rows of one width by key. Rows keep their slot for life, so that up to 64 neighbours make a block that can be stored as
/// one value.
#[derive(Debug)]
pub struct RowTable {
    width: usize,
    block_rows: u32,
    // Keys are hashes already: an identity hasher is enough.
    index: IntMap<u64, u32>,
    keys: Vec<u64>,
    words: Vec<u32>,
    // As long as the last named slot needs: tables without names have none.
    names: Vec<Option<Box<str>>>,
    state: Vec<u8>,
    free: Vec<u32>,
    changed: Vec<u32>,
    deleted: Vec<u64>,
    changed_blocks: Vec<u32>,
    block_changed: Vec<bool>,
}

const OCCUPIED: u8 = 1;
const CHANGED: u8 = 2;

impl RowTable {
    /// An empty table of rows of `width` words.
    #[must_use]
    pub fn new(width: usize) -> Self {
        let block_rows = (BLOCK_BYTES / (ROW_BYTES + 4 * width)).clamp(1, MAX_BLOCK_ROWS) as u32;
        Self {
            width,
            block_rows,
            index: IntMap::default(),
            keys: Vec::new(),
            words: Vec::new(),
            names: Vec::new(),
            state: Vec::new(),
            free: Vec::new(),
            changed: Vec::new(),
            deleted: Vec::new(),
            changed_blocks: Vec::new(),
            block_changed: Vec::new(),
        }
    }

    /// Row width in words.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Bytes of memory that rows, names and index take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.words.capacity() * 4 + self.keys.capacity() * 9 + self.index.capacity() * 18 + self.names.capacity() * 16
    }

    /// The slot of `key`.
    #[must_use]
    #[inline]
    pub fn slot(&self, key: u64) -> Option<u32> {
        self.index.get(&key).copied()
    }

    /// The row of `key`.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&[u32]> {
        self.slot(key).map(|slot| self.row(slot))
    }

    /// The row in `slot`, which must be one of this table's.
    #[must_use]
    #[inline]
    pub fn row(&self, slot: u32) -> &[u32] {
        let start = slot as usize * self.width;
        &self.words[start..start + self.width]
    }

    /// The key in `slot`.
    #[must_use]
    pub fn key(&self, slot: u32) -> u64 {
        self.keys[slot as usize]
    }

    /// The id of the row in `slot`, if it is known.
    #[must_use]
    pub fn name(&self, slot: u32) -> Option<&str> {
        self.names.get(slot as usize)?.as_deref()
    }

    /// Slots ever used, free ones included: the range for [`Self::occupied`].
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.keys.len() as u32
    }

    /// Whether `slot` holds a row.
    #[must_use]
    pub fn occupied(&self, slot: u32) -> bool {
        self.state.get(slot as usize).is_some_and(|state| state & OCCUPIED != 0)
    }

    /// All rows, slot by slot: (key, name, row).
    pub fn iter(&self) -> impl Iterator<Item = (u64, Option<&str>, &[u32])> {
        (0..self.slots())
            .filter(|&slot| self.occupied(slot))
            .map(|slot| (self.key(slot), self.name(slot), self.row(slot)))
    }

    /// The whole slab, row after row by slot; rows of free slots are zero.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The row of `key` for writing, made by `initial` from a zero row if there is none. Marks it as changed.
    #[inline]
    pub fn entry(&mut self, key: u64, initial: impl FnOnce(&mut [u32])) -> &mut [u32] {
        let slot = if let Some(&slot) = self.index.get(&key) {
            slot
        } else {
            let slot = self.allocate(key);
            let start = slot as usize * self.width;
            initial(&mut self.words[start..start + self.width]);
            slot
        };
        self.mark(slot);
        let start = slot as usize * self.width;
        &mut self.words[start..start + self.width]
    }

    /// Sets a row and its name as they were read from somewhere that has them already.
    pub fn put(&mut self, key: u64, name: Option<&str>, row: &[u32]) {
        let width = self.width.min(row.len());
        self.entry(key, |_| {})[..width].copy_from_slice(&row[..width]);
        if let Some(name) = name {
            self.set_name(key, name);
        }
    }

    /// Names the row of `key`, if there is one.
    pub fn set_name(&mut self, key: u64, name: &str) {
        if let Some(&slot) = self.index.get(&key) {
            self.mark(slot);
            self.put_name(slot, name);
        }
    }

    /// Forgets the row of `key`.
    pub fn remove(&mut self, key: u64) {
        let Some(slot) = self.index.remove(&key) else { return };
        self.mark_block(slot);
        let start = slot as usize * self.width;
        self.words[start..start + self.width].fill(0);
        if let Some(name) = self.names.get_mut(slot as usize) {
            *name = None;
        }
        self.state[slot as usize] = 0;
        self.free.push(slot);
        self.deleted.push(key);
    }

    fn put_name(&mut self, slot: u32, name: &str) {
        let slot = slot as usize;
        if self.names.len() <= slot {
            self.names.resize(slot + 1, None);
        }
        self.names[slot] = Some(name.into());
    }

    fn allocate(&mut self, key: u64) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| self.grow());
        self.keys[slot as usize] = key;
        self.state[slot as usize] = OCCUPIED;
        self.index.insert(key, slot);
        slot
    }

    fn grow(&mut self) -> u32 {
        let slot = self.slots();
        self.keys.push(0);
        self.state.push(0);
        self.words.resize(self.words.len() + self.width, 0);
        slot
    }

    #[inline]
    fn mark(&mut self, slot: u32) {
        let state = &mut self.state[slot as usize];
        if *state & CHANGED == 0 {
            *state |= CHANGED;
            self.changed.push(slot);
        }
        self.mark_block(slot);
    }

    #[inline]
    fn mark_block(&mut self, slot: u32) {
        let block = slot / self.block_rows;
        if self.block_changed.len() <= block as usize {
            self.block_changed.resize(block as usize + 1, false);
        }
        if !self.block_changed[block as usize] {
            self.block_changed[block as usize] = true;
            self.changed_blocks.push(block);
        }
    }

    /// Rows changed or deleted since [`Self::take_changes`].
    #[must_use]
    pub fn dirty(&self) -> usize {
        self.changed.len() + self.deleted.len()
    }

    /// Takes the keys of rows changed and deleted since the last call. A key that was deleted and pushed again is
    /// only a changed one.
    pub fn take_changes(&mut self) -> (Vec<u64>, Vec<u64>) {
        let mut changed = Vec::with_capacity(self.changed.len());
        for slot in self.changed.drain(..) {
            let state = &mut self.state[slot as usize];
            // A slot that was freed and given to another key since is in the list twice; its flag tells.
            if *state & (CHANGED | OCCUPIED) == CHANGED | OCCUPIED {
                changed.push(self.keys[slot as usize]);
            }
            *state &= !CHANGED;
        }
        let mut deleted = std::mem::take(&mut self.deleted);
        deleted.retain(|key| !self.index.contains_key(key));
        deleted.sort_unstable();
        deleted.dedup();
        (changed, deleted)
    }

    /// Puts back what [`Self::take_changes`] gave, because its publication did not happen.
    pub fn restore_changes(&mut self, changed: &[u64], deleted: &[u64]) {
        for key in changed {
            match self.slot(*key) {
                Some(slot) => self.mark(slot),
                None => self.deleted.push(*key),
            }
        }
        self.deleted.extend_from_slice(deleted);
    }

    /// Forgets what has changed: the rows are as some log or store has them.
    pub fn clear_changes(&mut self) {
        self.take_changes();
        self.take_changed_blocks();
    }

    /// Forgets which rows are to be published, but not which blocks are to be stored.
    pub fn clear_published(&mut self) {
        self.take_changes();
    }

    /// Takes the numbers of blocks changed since the last call, in order.
    pub fn take_changed_blocks(&mut self) -> Vec<u32> {
        let mut blocks = std::mem::take(&mut self.changed_blocks);
        for &block in &blocks {
            self.block_changed[block as usize] = false;
        }
        blocks.sort_unstable();
        blocks
    }

    /// The rows of one block: (slot within the block, key, name, row).
    pub fn block(&self, block: u32) -> impl Iterator<Item = (u16, u64, Option<&str>, &[u32])> {
        let first = block * self.block_rows;
        (first..(first + self.block_rows).min(self.slots()))
            .filter(|&slot| self.occupied(slot))
            .map(move |slot| ((slot - first) as u16, self.key(slot), self.name(slot), self.row(slot)))
    }

    /// Puts a row back into the slot that it had when its block was stored. Rows must come block by block in order,
    /// on an empty table; [`Self::finish_load`] ends it.
    pub fn load(&mut self, block: u32, slot: u16, key: u64, name: Option<&str>, row: &[u32]) {
        let slot = block * self.block_rows + u32::from(slot);
        while self.slots() <= slot {
            self.grow();
        }
        let start = slot as usize * self.width;
        let width = self.width.min(row.len());
        self.words[start..start + width].copy_from_slice(&row[..width]);
        self.keys[slot as usize] = key;
        if let Some(name) = name {
            self.put_name(slot, name);
        }
        self.state[slot as usize] = OCCUPIED;
        self.index.insert(key, slot);
    }

    /// Ends loading: slots without a row are free for new ones.
    pub fn finish_load(&mut self) {
        self.free = (0..self.slots()).rev().filter(|&slot| !self.occupied(slot)).collect();
        self.clear_changes();
    }
}

#[cfg(test)]
mod tests;
