//! A table page by page, in the order of its keys.

use std::collections::BinaryHeap;

use serde::Serialize;
use weir_ps::{Rule, TableSpec, words};

use super::View;

/// Rows of one table, with keys after the one asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TablePage {
    /// The table's name.
    pub(crate) table: &'static str,
    /// The rows by ascending key.
    pub(crate) rows: Vec<Row>,
    /// What `after` is for the next page; none on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    /// The key in decimal, as a string: many JSON readers keep only 53 bits of a number.
    pub(crate) key: String,
    /// The id that the key was hashed from, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// What it holds.
    pub(crate) values: Values,
}

/// A row's values, by the rule of its table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Values {
    /// Of tables that add floats.
    Floats(Vec<f32>),
    /// Of tables that add 64-bit counters.
    Counters(Vec<u64>),
    /// The 32-bit words as they are, of all other tables.
    Words(Vec<u32>),
}

impl Values {
    fn of(rule: &Rule, row: &[u32]) -> Self {
        match rule {
            Rule::AddF32 => Self::Floats(words::f32s(row).to_vec()),
            Rule::AddU64 => Self::Counters((0..row.len() / 2).map(|index| words::u64_at(row, index)).collect()),
            Rule::Merge(_) | Rule::Replace | Rule::Own => Self::Words(row.to_vec()),
        }
    }
}

impl View {
    /// At most `limit` rows of the table `name` with keys after `after`; none if there is no such table.
    pub(crate) fn page(&self, name: &str, after: Option<u64>, limit: usize) -> Option<TablePage> {
        let spec = self.rows.schema().tables().iter().find(|spec| spec.name == name)?;
        let (keys, more) = self.keys_after(spec, after, limit);
        let next = keys.last().filter(|_| more).map(u64::to_string);
        let rows = keys.into_iter().filter_map(|key| self.page_row(spec, key)).collect();
        Some(TablePage { table: spec.name, rows, next })
    }

    /// The smallest keys after `after`, and whether there are more.
    fn keys_after(&self, spec: &TableSpec, after: Option<u64>, limit: usize) -> (Vec<u64>, bool) {
        let keys = self.table(spec.id).into_iter().flat_map(|table| table.iter().map(|(key, ..)| key));
        let (mut smallest, mut more) = (BinaryHeap::new(), false);
        for key in keys.filter(|key| after.is_none_or(|after| *key > after)) {
            if smallest.len() < limit {
                smallest.push(key);
            } else {
                more = true;
                if let Some(mut largest) = smallest.peek_mut()
                    && key < *largest
                {
                    *largest = key;
                }
            }
        }
        (smallest.into_sorted_vec(), more)
    }

    fn page_row(&self, spec: &TableSpec, key: u64) -> Option<Row> {
        let values = Values::of(&spec.rule, self.row(spec.id, key)?);
        Some(Row { key: key.to_string(), id: self.name_anywhere(spec.id, key).map(str::to_owned), values })
    }
}
