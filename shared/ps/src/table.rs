//! Tables: named sets of fixed-width rows.

use std::{fmt, sync::Arc};

/// How a pushed delta changes a row.
#[derive(Clone, Debug)]
pub enum Rule {
    /// Each 32-bit word is an `f32`; deltas add. The fast path.
    AddF32,
    /// Each pair of words is a `u64`, low word first; deltas add, wrapping. For counters that must be exact.
    AddU64,
    /// A rule of the learner's own: `merge(row, delta)`. It must be a commutative monoid over rows (deltas are rows
    /// too, and zero words its neutral element), so that deltas of one key may be merged before they are pushed.
    Merge(MergeRule),
    /// The delta is the row as it is to be; the last one pushed counts. For rows that are read before they are written
    /// and that one source partition writes. A row of zero words is as good as none and is not pushed.
    Replace,
    /// Deltas are instructions to the learner's [`crate::ServerLogic`], delivered one by one in order, never merged.
    Own,
}

/// A learner's own way to merge a delta into a row, with its settings.
#[derive(Clone)]
pub struct MergeRule(Arc<Merge>);

type Merge = dyn Fn(&mut [u32], &[u32]) + Send + Sync;

impl MergeRule {
    /// The rule `merge(row, delta)`.
    pub fn new(merge: impl Fn(&mut [u32], &[u32]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(merge))
    }
}

impl fmt::Debug for MergeRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MergeRule")
    }
}

/// What a table is. A model's tables are numbered from 0 without holes.
#[derive(Clone, Debug)]
pub struct TableSpec {
    /// The table's number: its index among the model's tables.
    pub id: u8,
    /// The name that people see.
    pub name: &'static str,
    /// Row width in 32-bit words.
    pub width: usize,
    /// How deltas change rows.
    pub rule: Rule,
    /// Whether workers keep its rows from batch to batch. For rows that the same source partition needs again and
    /// again, users above all.
    pub cached: bool,
    /// Whether its rows carry the id that their key was hashed from.
    pub named: bool,
}

impl TableSpec {
    /// Merges `delta` into `row` by the table's rule; [`Rule::Own`] rows are replaced by nothing here.
    #[inline]
    pub fn merge(&self, row: &mut [u32], delta: &[u32]) {
        match &self.rule {
            Rule::AddF32 => words::add_f32(row, delta),
            Rule::AddU64 => words::add_u64(row, delta),
            Rule::Merge(MergeRule(merge)) => merge(row, delta),
            Rule::Replace => row.copy_from_slice(delta),
            Rule::Own => {}
        }
    }

    /// The delta that turns `before` into `after`, written over `after`. Only for rules that add or replace.
    #[inline]
    pub(crate) fn difference(&self, after: &mut [u32], before: &[u32]) {
        match self.rule {
            Rule::AddF32 => words::subtract_f32(after, before),
            Rule::Replace => {}
            _ => words::subtract_u64(after, before),
        }
    }
}

/// Views of 32-bit words as the numbers they hold.
pub mod words {
    /// The words as `f32` values.
    #[must_use]
    #[inline]
    pub fn f32s(row: &[u32]) -> &[f32] {
        bytemuck::cast_slice(row)
    }

    /// The words as changeable `f32` values.
    #[must_use]
    #[inline]
    pub fn f32s_mut(row: &mut [u32]) -> &mut [f32] {
        bytemuck::cast_slice_mut(row)
    }

    /// The `index`-th `u64` of a row, low word first; 0 beyond its end.
    #[must_use]
    #[inline]
    pub fn u64_at(row: &[u32], index: usize) -> u64 {
        match row.get(2 * index..2 * index + 2) {
            Some(pair) => u64::from(pair[0]) | u64::from(pair[1]) << 32,
            None => 0,
        }
    }

    /// Sets the `index`-th `u64` of a row; beyond its end nothing happens.
    #[inline]
    pub fn set_u64(row: &mut [u32], index: usize, value: u64) {
        if let Some(pair) = row.get_mut(2 * index..2 * index + 2) {
            pair[0] = value as u32;
            pair[1] = (value >> 32) as u32;
        }
    }

    /// A `u64` as a row of two words.
    #[must_use]
    #[inline]
    pub fn from_u64(value: u64) -> [u32; 2] {
        [value as u32, (value >> 32) as u32]
    }

    #[inline]
    pub(crate) fn add_f32(row: &mut [u32], delta: &[u32]) {
        for (value, change) in f32s_mut(row).iter_mut().zip(f32s(delta)) {
            *value += change;
        }
    }

    #[inline]
    pub(crate) fn subtract_f32(row: &mut [u32], other: &[u32]) {
        for (value, change) in f32s_mut(row).iter_mut().zip(f32s(other)) {
            *value -= change;
        }
    }

    #[inline]
    pub(crate) fn add_u64(row: &mut [u32], delta: &[u32]) {
        for index in 0..row.len() / 2 {
            set_u64(row, index, u64_at(row, index).wrapping_add(u64_at(delta, index)));
        }
    }

    #[inline]
    pub(crate) fn subtract_u64(row: &mut [u32], other: &[u32]) {
        for index in 0..row.len() / 2 {
            set_u64(row, index, u64_at(row, index).wrapping_sub(u64_at(other, index)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn halves_of_a_u64_go_low_word_first_and_carry() {
        let mut row = words::from_u64(u64::from(u32::MAX));
        assert_eq!(row, [u32::MAX, 0]);
        words::add_u64(&mut row, &words::from_u64(1));
        assert_eq!((row, words::u64_at(&row, 0)), ([0, 1], 1 << 32));
        words::subtract_u64(&mut row, &words::from_u64(2));
        assert_eq!(words::u64_at(&row, 0), u64::from(u32::MAX) - 1);
        assert_eq!(words::u64_at(&row, 1), 0, "beyond the end");
    }
}
