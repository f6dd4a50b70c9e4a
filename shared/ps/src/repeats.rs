//! Events that were sent twice: a user's latest event ids, by which a repeat is recognised.
//!
//! Producers and clients that retry may write the same event again. Where events have ids of their own, a row per user
//! holds the hashes of the latest ones in a ring. The user's source partition is its only writer and workers cache it, so
//! what it says is as exact as any count: it is pushed with what the event taught, in one transaction.

use crate::{Rule, TableSpec, words};

/// Ids that are remembered of each user.
pub const REMEMBERED: usize = 32;

/// Words of a row: the place of the next id, then hashes of two words each, 0 where there is none yet.
const WIDTH: usize = 1 + 2 * REMEMBERED;

/// The table of such rows, keyed by user. Only users whose events have ids have one.
#[must_use]
pub const fn table(id: u8) -> TableSpec {
    TableSpec { id, name: "event_ids", width: WIDTH, rule: Rule::Replace, cached: true, named: false }
}

/// Whether the user's row knows the event of this hashed id. If not, it does from now on, and forgets the oldest of so
/// many as it holds.
#[must_use]
pub fn is_repeat(row: &mut [u32], id: u64) -> bool {
    // 0 is an empty place.
    let id = id.max(1);
    let Some((place, ids)) = row.split_first_mut() else { return false };
    if (0..REMEMBERED).any(|index| words::u64_at(ids, index) == id) {
        return true;
    }
    words::set_u64(ids, *place as usize % REMEMBERED, id);
    *place = (*place + 1) % REMEMBERED as u32;
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_repeat_until_so_many_others_came() {
        let mut row = vec![0; WIDTH];
        assert!(!is_repeat(&mut row, 7) && is_repeat(&mut row, 7));
        for id in 100..100 + REMEMBERED as u64 - 1 {
            assert!(!is_repeat(&mut row, id));
        }
        assert!(is_repeat(&mut row, 7), "the oldest of so many as there is room for");
        assert!(!is_repeat(&mut row, 99) && !is_repeat(&mut row, 7), "one more");
        assert!(is_repeat(&mut row, 99) && !is_repeat(&mut row, 100));
    }

    #[test]
    fn the_hash_that_looks_like_an_empty_place_is_an_id_too() {
        let mut row = vec![0; WIDTH];
        assert!(!is_repeat(&mut row, 0) && is_repeat(&mut row, 0));
        assert!(row.iter().any(|word| *word != 0), "a row of zero words would not be pushed");
    }
}
