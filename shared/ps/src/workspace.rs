//! The rows of one batch while it is pulled and learned, and what it pushes.

mod finish;
mod slab;

use std::sync::Arc;

pub(crate) use finish::Pushed;
pub(crate) use slab::{CACHED, DELETED, LATEST, PULLED, Slab, UNNAMED};

use crate::{Measures, NameRef, Output, Rule, Schema, cache::Cache};

/// The rows at hand while a batch is learned. A slot is the place of a key's row in its table, as its pull gave it.
pub struct Workspace {
    pub(crate) schema: Arc<dyn Schema>,
    pub(crate) slabs: Vec<Slab>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) measures: Measures,
    /// Events refused while they were learned.
    pub(crate) refused: usize,
}

/// What a batch may do before its rows are there: name them.
pub struct Pulls<'a>(pub(crate) &'a mut Workspace);

impl Pulls<'_> {
    /// Asks for the row of `key`; asking again gives the same slot.
    #[inline]
    pub fn pull(&mut self, table: u8, key: u64) -> u32 {
        self.pull_named(table, key, NameRef::default())
    }

    /// Asks for the row of `key` and says what id it has, in case the shard does not know.
    #[inline]
    pub fn pull_named(&mut self, table: u8, key: u64, name: NameRef) -> u32 {
        self.0.slabs[usize::from(table)].pull(key, name)
    }

    /// The row in a slot that was pulled before; zero words as long as it is not there, which in
    /// [`crate::WorkerLogic::pull_more`] it is.
    #[must_use]
    pub fn row(&self, table: u8, slot: u32) -> &[u32] {
        self.0.row(table, slot)
    }

    /// Asks for the row of `key` with all that batches before this one pushed to it. It takes as long as it takes the
    /// shard to apply them, so it is for rows that are rarely needed, of tables that are not cached.
    pub fn pull_latest(&mut self, table: u8, key: u64) -> u32 {
        self.0.slabs[usize::from(table)].pull_latest(key)
    }
}

impl Workspace {
    pub(crate) fn new(schema: Arc<dyn Schema>) -> Self {
        let slabs = schema.tables().iter().map(|spec| Slab::new(spec.width)).collect();
        Self { schema, slabs, outputs: Vec::new(), measures: Measures::default(), refused: 0 }
    }

    pub(crate) fn clear(&mut self) {
        self.slabs.iter_mut().for_each(Slab::clear);
        self.outputs.clear();
        self.measures = Measures::default();
        self.refused = 0;
    }

    /// The row in a pulled slot.
    #[must_use]
    #[inline]
    pub fn row(&self, table: u8, slot: u32) -> &[u32] {
        self.slabs[usize::from(table)].row(slot)
    }

    /// The row in a pulled slot, to be changed; what changed is pushed.
    #[inline]
    pub fn row_mut(&mut self, table: u8, slot: u32) -> &mut [u32] {
        self.slabs[usize::from(table)].row_mut(slot)
    }

    /// Two rows of two different tables at once, to be changed.
    ///
    /// # Panics
    /// If both are of the same table, which is a mistake in the learner and not in its input.
    #[inline]
    pub fn pair_mut(&mut self, (table_a, slot_a): (u8, u32), (table_b, slot_b): (u8, u32)) -> (&mut [u32], &mut [u32]) {
        let Ok([a, b]) = self.slabs.get_disjoint_mut([usize::from(table_a), usize::from(table_b)]) else {
            panic!("pair_mut needs two different tables of the model, not {table_a} and {table_b}");
        };
        (a.row_mut(slot_a), b.row_mut(slot_b))
    }

    /// Pushes `delta` to the row of `key`, pulled or not. Deltas to one key are merged, except where the table's rule
    /// is [`Rule::Own`].
    #[inline]
    pub fn push(&mut self, table: u8, key: u64, delta: &[u32]) {
        let index = usize::from(table);
        let spec = &self.schema.tables()[index];
        if matches!(spec.rule, Rule::Own) {
            self.slabs[index].append(key, delta);
        } else {
            let slot = self.slabs[index].find_or_insert(key);
            spec.merge(self.slabs[index].row_mut(slot), delta);
        }
    }

    /// Forgets the row of `key`: it is as if nothing had ever been pushed to it. Later pushes count from there.
    pub fn forget(&mut self, table: u8, key: u64) {
        let schema = Arc::clone(&self.schema);
        let index = usize::from(table);
        let slot = self.slabs[index].find_or_insert(key);
        self.slabs[index].forget(slot, |row| schema.initial(table, key, row));
    }

    /// Writes a record to one of the model's outputs.
    pub fn output(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// Refuses an event that turns out, by the rows at hand, to be one that nothing can be done with; `output` is what
    /// is put out of it in place of being learned.
    pub fn refuse(&mut self, output: Output) {
        self.refused += 1;
        self.outputs.push(output);
    }

    /// Says how good what was predicted of an event was, before it is learned; `measure` is one of a few fixed names. It is
    /// counted once, with the transaction that commits the event.
    #[inline]
    pub fn measure(&mut self, measure: &'static str, value: f32) {
        self.measures.add(measure, f64::from(value));
    }

    /// Brings in what is cached.
    pub(crate) fn fill_from(&mut self, caches: &[Option<Cache>]) {
        for (slab, cache) in self.slabs.iter_mut().zip(caches) {
            if let Some(cache) = cache {
                slab.fill_from(cache);
            }
        }
    }

    /// Brings in what is cached and remembers every pulled row as it is before learning.
    pub(crate) fn begin(&mut self, caches: &[Option<Cache>]) {
        self.fill_from(caches);
        self.slabs.iter_mut().for_each(Slab::remember);
    }

    /// Rows named so far, by table.
    pub(crate) fn named(&self) -> impl Iterator<Item = usize> {
        self.slabs.iter().map(|slab| slab.keys.len())
    }
}
