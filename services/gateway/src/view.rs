//! A model in memory, pure: changes in, answers out. It knows neither Kafka nor HTTP nor the time.

mod alike;
mod blended;
mod choice;
mod coverage;
mod latest;
mod orders;
mod popular;
mod recommend;
mod spam;
mod table_page;
mod together;
mod visitor;

use std::sync::Arc;

pub(crate) use alike::KnownItem;
pub(crate) use choice::{Choice, Keys};
pub(crate) use coverage::Offsets;
pub(crate) use latest::New;
pub(crate) use recommend::{Activity, Recommendation, Source, Taste};
pub(crate) use table_page::TablePage;

use coverage::Coverage;
use orders::Orders;
use weir_models::recommender::{ITEMS, NEIGHBOURS, POPULARITY};
use weir_ps::{RowTable, Schema, ShardRows, words};

use crate::changes::{Change, Changes};
use crate::sides::Side;

/// All rows of one model, of all shards, and how much of the input they contain.
pub(crate) struct View {
    rows: ShardRows,
    /// The tables that are kept.
    tables: Vec<u8>,
    /// The table whose rows begin with a number of events, of a user as a rule, if the model has one.
    events_table: Option<u8>,
    events: u64,
    /// The recommender's items in order; no other model has any.
    orders: Option<Orders>,
    coverage: Coverage,
    offsets: Offsets,
}

impl View {
    /// Without any row. Rows of `tables` are kept. The first `u64`s of the rows of `events_table` sum to the number of
    /// events; `partitions` is how many partitions the input has at least.
    pub(crate) fn new(
        schema: Arc<dyn Schema>,
        tables: Vec<u8>,
        events_table: Option<u8>,
        shards: u32,
        partitions: u32,
    ) -> Self {
        let coverage = Coverage::new(shards, partitions);
        let offsets = coverage.offsets();
        Self { rows: ShardRows::new(schema), tables, events_table, events: 0, orders: None, coverage, offsets }
    }

    /// The same for the recommender's rows, whose items are kept in order.
    pub(crate) fn with_orders(self, taste: Taste) -> Self {
        Self { orders: Some(Orders::new(taste)), ..self }
    }

    fn put_all(&mut self, changes: &Changes) -> bool {
        let mut moved = false;
        for change in &changes.list {
            match change {
                Change::Put { table, key, name, words } => {
                    self.put(*table, *key, name.as_ref().map(|name| changes.name(name)), changes.words(words));
                }
                Change::Remove { table, key } => self.remove(*table, *key),
                Change::Barrier { shard, sources } => {
                    self.coverage.set(*shard, sources.iter().copied());
                    moved = true;
                }
            }
        }
        self.refresh();
        if moved {
            self.offsets = self.coverage.offsets();
        }
        // The tables note what changed, for shards that publish it; nobody asks a view.
        for table in 0..self.rows.schema().tables().len() as u8 {
            if let Some(rows) = self.rows.table_mut(table) {
                rows.clear_changes();
            }
        }
        moved
    }

    fn put(&mut self, table: u8, key: u64, name: Option<&str>, row: &[u32]) {
        if Some(table) == self.events_table {
            let after = self.events.wrapping_sub(self.events_of(key));
            self.events = after.wrapping_add(words::u64_at(row, 0));
        }
        if !self.tables.contains(&table) {
            return;
        }
        if table == POPULARITY {
            self.order_popular(key, Some(row));
        }
        if let (NEIGHBOURS, Some(orders)) = (table, &mut self.orders) {
            orders.put_together(key, row);
        }
        if let Some(rows) = self.rows.table_mut(table) {
            rows.put(key, name, row);
        }
        // Nobody can be told of an item whose id is not known.
        if table == ITEMS && self.orders.is_some() && self.name(ITEMS, key).is_some() {
            self.orders.iter_mut().for_each(|orders| orders.put_item(key, row));
        }
    }

    /// Brings what grows old by itself up to the time of the last event.
    fn refresh(&mut self) {
        if let (Some(orders), Some(rows)) = (&mut self.orders, self.rows.table(POPULARITY)) {
            orders.refresh(rows);
        }
    }

    fn order_popular(&mut self, key: u64, after: Option<&[u32]>) {
        if let Some(orders) = &mut self.orders {
            let before = self.rows.table(POPULARITY).and_then(|rows| rows.get(key));
            orders.popular(key, before, after);
        }
    }

    fn remove(&mut self, table: u8, key: u64) {
        if Some(table) == self.events_table {
            self.events = self.events.wrapping_sub(self.events_of(key));
        }
        match (table, &mut self.orders) {
            (ITEMS, Some(orders)) => orders.remove_item(key),
            (POPULARITY, _) => self.order_popular(key, None),
            (NEIGHBOURS, Some(orders)) => {
                let before = self.rows.table(NEIGHBOURS).and_then(|rows| rows.get(key));
                orders.remove_together(key, before);
            }
            _ => {}
        }
        if let Some(rows) = self.rows.table_mut(table) {
            rows.remove(key);
        }
    }

    fn events_of(&self, key: u64) -> u64 {
        let row = self.events_table.and_then(|table| self.row(table, key));
        row.map_or(0, |row| words::u64_at(row, 0))
    }

    /// Rows of all tables.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Events in all; 0 for a model that does not count them.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// By input partition the offset next to read that the rows cover.
    pub(crate) fn offsets(&self) -> Offsets {
        Arc::clone(&self.offsets)
    }

    fn table(&self, table: u8) -> Option<&RowTable> {
        self.rows.table(table)
    }

    fn row(&self, table: u8, key: u64) -> Option<&[u32]> {
        self.table(table)?.get(key)
    }

    /// The id that `key` was hashed from, where the row of `table` has it.
    fn name(&self, table: u8, key: u64) -> Option<&str> {
        let rows = self.table(table)?;
        rows.name(rows.slot(key)?)
    }

    /// The id that `key` was hashed from, where any table has it: the hash is the same for all of them.
    fn name_anywhere(&self, table: u8, key: u64) -> Option<&str> {
        let named = self.rows.schema().tables().iter().filter(|spec| spec.named).map(|spec| spec.id);
        std::iter::once(table).chain(named).find_map(|table| self.name(table, key))
    }
}

/// What the serving copy of a view is after a batch.
pub(crate) struct Applied {
    /// Whether the offsets may have changed.
    pub(crate) moved: bool,
    /// Rows of all tables.
    pub(crate) rows: usize,
    pub(crate) offsets: Offsets,
}

impl Side for View {
    type Changes = Changes;
    type Applied = Applied;

    /// A shard's rows arrive before the barrier that they belong to, so what the offsets say is a lower bound at any
    /// moment: rows may contain more.
    fn apply(&mut self, changes: &Changes) -> Applied {
        let moved = self.put_all(changes);
        Applied { moved, rows: self.len(), offsets: self.offsets() }
    }
}

#[cfg(test)]
pub(crate) mod tests;
