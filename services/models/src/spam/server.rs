//! The shard's side: weights and counts add, and of messages the ones seen first are let go of.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use weir_ps::{Op, RowTable, Section, ServerLogic, ServerOutput, ShardRows};

use super::{FEATURES, REMEMBERED, remembered};

/// Entries of messages that are gone or were seen anew, beyond which the order is made afresh.
const SPARE_ENTRIES: usize = 1_024;

/// Applies pushes of the spam filter.
///
/// Which message goes next is a matter of the rows alone: the one first seen, by its record's time, of several the
/// one with the smallest key. So a shard that was restored lets go of the same ones.
#[derive(Clone, Debug)]
pub struct SpamServer {
    bound: usize,
    remembered_seconds: u32,
    /// Messages by when they were first seen, made of the rows when it is first needed. An entry whose row says another
    /// time is an old one.
    order: Option<BinaryHeap<Reverse<(u32, u64)>>>,
}

impl SpamServer {
    /// That remembers at most `bound` messages of a shard, and each for so many seconds.
    #[must_use]
    pub fn new(bound: usize, remembered_seconds: u32) -> Self {
        Self { bound, remembered_seconds, order: None }
    }

    fn remember(&mut self, rows: &mut ShardRows, section: &Section) {
        let (bound, remembered_seconds) = (self.bound, self.remembered_seconds);
        let Some(table) = rows.table(REMEMBERED) else { return };
        if self.order.as_ref().is_none_or(|order| order.len() > 2 * table.len() + SPARE_ENTRIES) {
            self.order = Some(in_order(table));
        }
        let Some(order) = &mut self.order else { return };
        let mut now = 0;
        for (&key, row) in section.keys.iter().zip(section.words.chunks_exact(remembered::WIDTH)) {
            let known = table.get(key).and_then(remembered::first_seen);
            if let Some(seconds) = remembered::first_seen(row)
                && known != Some(seconds)
            {
                order.push(Reverse((seconds, key)));
                now = now.max(seconds);
            }
        }
        rows.apply_by_rule(section);
        let oldest_kept = now.saturating_sub(remembered_seconds);
        while let Some(&Reverse((seconds, key))) = order.peek()
            && let Some(table) = rows.table(REMEMBERED)
        {
            let is_there = table.get(key).and_then(remembered::first_seen) == Some(seconds);
            if is_there && seconds >= oldest_kept && table.len() <= bound {
                break;
            }
            order.pop();
            if is_there {
                forget(rows, key);
            }
        }
    }
}

fn in_order(table: &RowTable) -> BinaryHeap<Reverse<(u32, u64)>> {
    table.iter().filter_map(|(key, _, row)| Some(Reverse((remembered::first_seen(row)?, key)))).collect()
}

fn forget(rows: &mut ShardRows, key: u64) {
    for table in [REMEMBERED, FEATURES] {
        if let Some(table) = rows.table_mut(table) {
            table.remove(key);
        }
    }
}

impl ServerLogic for SpamServer {
    fn apply(&mut self, rows: &mut ShardRows, section: &Section, _: &mut Vec<ServerOutput>) {
        match (section.table, section.op) {
            (REMEMBERED, Op::Add) => self.remember(rows, section),
            _ => rows.apply_by_rule(section),
        }
    }
}
