//! The rows of a shard, in contiguous memory.

mod row_table;

pub use row_table::RowTable;

use std::sync::Arc;

use crate::{Op, Rule, Schema, Section};

/// All rows of one shard, table by table.
pub struct ShardRows {
    schema: Arc<dyn Schema>,
    tables: Vec<RowTable>,
}

impl ShardRows {
    /// Without any row.
    #[must_use]
    pub fn new(schema: Arc<dyn Schema>) -> Self {
        let tables = schema.tables().iter().map(|spec| RowTable::new(spec.width)).collect();
        Self { schema, tables }
    }

    /// What the rows look like.
    #[must_use]
    pub fn schema(&self) -> &Arc<dyn Schema> {
        &self.schema
    }

    /// One table; none if the model has no such table.
    #[must_use]
    pub fn table(&self, table: u8) -> Option<&RowTable> {
        self.tables.get(usize::from(table))
    }

    /// One table, to be changed.
    pub fn table_mut(&mut self, table: u8) -> Option<&mut RowTable> {
        self.tables.get_mut(usize::from(table))
    }

    /// All tables by id.
    pub fn tables(&self) -> impl Iterator<Item = (u8, &RowTable)> {
        self.tables.iter().enumerate().map(|(id, table)| (id as u8, table))
    }

    /// The row of `key` for writing; it begins with its initial value. None if the model has no such table.
    pub fn row_mut(&mut self, table: u8, key: u64) -> Option<&mut [u32]> {
        let schema = &self.schema;
        let rows = self.tables.get_mut(usize::from(table))?;
        Some(rows.entry(key, |row| schema.initial(table, key, row)))
    }

    /// Names the row of `key`; a row that was never pushed is made, so that an item can be known by its id before
    /// anything is learned about it.
    pub fn name(&mut self, table: u8, key: u64, name: &str) {
        if self.row_mut(table, key).is_some()
            && let Some(rows) = self.table_mut(table)
        {
            rows.set_name(key, name);
        }
    }

    /// Appends the row of `key` to `words`, computed if it was never pushed; says whether it lacks a name that its
    /// table wants. Creates nothing.
    pub fn read(&self, table: u8, key: u64, words: &mut Vec<u32>) -> bool {
        let (Some(rows), Some(spec)) = (self.table(table), self.schema.tables().get(usize::from(table))) else {
            return false;
        };
        if let Some(slot) = rows.slot(key) {
            words.extend_from_slice(rows.row(slot));
            return spec.named && rows.name(slot).is_none();
        }
        let start = words.len();
        words.resize(start + spec.width, 0);
        self.schema.initial(table, key, &mut words[start..]);
        spec.named
    }

    /// Applies a section as its table's rule says; [`Rule::Own`] deltas change nothing. A section that does not fit
    /// its table changes nothing either: the driver has checked the layout before.
    pub fn apply_by_rule(&mut self, section: &Section) {
        let index = usize::from(section.table);
        let (Some(spec), Some(rows)) = (self.schema.tables().get(index), self.tables.get_mut(index)) else { return };
        match section.op {
            Op::Delete => section.keys.iter().for_each(|&key| rows.remove(key)),
            Op::Add if matches!(spec.rule, Rule::Own) => {}
            Op::Add => {
                for (&key, delta) in section.keys.iter().zip(section.words.chunks_exact(spec.width)) {
                    let row = rows.entry(key, |row| self.schema.initial(section.table, key, row));
                    spec.merge(row, delta);
                }
            }
        }
    }

    /// Rows changed or deleted since the last publication.
    #[must_use]
    pub fn dirty(&self) -> usize {
        self.tables.iter().map(RowTable::dirty).sum()
    }

    /// Rows held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables.iter().map(RowTable::len).sum()
    }

    /// Whether there is no row at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
