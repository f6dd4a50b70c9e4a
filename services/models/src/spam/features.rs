//! A message's features as a row: as many of its slots as fit, so that a label may teach them without the text.
//!
//! The first word is the text's fingerprint, the rest are bytes: the differences of the rising slots, each in as many bytes of
//! seven bits as it needs, the lowest first and all but the last with the eighth bit set. Where not all fit, those with
//! the smallest slots are there, which are the same for all texts: a sample.

/// Words before the bytes.
const HEAD: usize = 1;

/// Words of a row with so many bytes of features.
pub(super) fn width(bytes: usize) -> usize {
    HEAD + bytes.div_ceil(4)
}

/// Bytes of one difference.
fn length(difference: u32) -> usize {
    (u32::BITS - (difference | 1).leading_zeros()).div_ceil(7) as usize
}

/// How many of the rising `slots` fit into a row of `width` words.
pub(super) fn fitting(slots: &[u32], width: usize) -> usize {
    let (mut room, mut before) = (4 * width.saturating_sub(HEAD), 0);
    let fits = |slot: &&u32| {
        let needed = length(**slot - before);
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        before = **slot;
        fits
    };
    slots.iter().take_while(fits).count()
}

/// Writes the row of a text of this fingerprint with the first slots that fit; returns how many do.
pub(super) fn write(row: &mut [u32], fingerprint: u32, slots: &[u32]) -> usize {
    row.fill(0);
    let count = fitting(slots, row.len());
    let Some((head, rest)) = row.split_first_mut() else { return 0 };
    *head = fingerprint;
    let (mut place, mut before) = (0, 0);
    let mut push = |byte: u32| {
        rest[place / 4] |= byte << (8 * (place % 4));
        place += 1;
    };
    for &slot in &slots[..count] {
        let mut difference = slot - before;
        before = slot;
        while difference >= 0x80 {
            push(difference & 0x7F | 0x80);
            difference >>= 7;
        }
        push(difference);
    }
    count
}

/// Appends the first `count` slots of a row to `slots`; false where the row is not that of a text of this fingerprint.
pub(super) fn read(row: &[u32], fingerprint: u32, count: usize, slots: &mut Vec<u32>) -> bool {
    let Some((&found, rest)) = row.split_first() else { return false };
    if found != fingerprint || count > 4 * rest.len() {
        return false;
    }
    let mut bytes = rest.iter().flat_map(|word| word.to_le_bytes());
    let (mut slot, mut shift, mut left) = (0_u32, 0, count);
    while left > 0 {
        let Some(byte) = bytes.next() else { return false };
        slot = slot.wrapping_add(u32::from(byte & 0x7F).wrapping_shl(shift));
        shift += 7;
        if byte & 0x80 == 0 {
            slots.push(slot);
            (shift, left) = (0, left - 1);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(slots: &[u32], width: usize, expected: usize) {
        let mut row = vec![7; width];
        assert_eq!(write(&mut row, 9, slots), expected, "{slots:?}");
        let mut found = Vec::new();
        assert!(read(&row, 9, expected, &mut found));
        assert_eq!(found, slots[..expected]);
        assert!(!read(&row, 8, expected, &mut found), "another text's");
    }

    #[test]
    fn what_fits_comes_back() {
        check(&[], 1, 0);
        check(&[3], 1, 0);
        check(&[0, 1, 127], 2, 3);
        // One byte, two, and one that is left over: 128 needs two.
        check(&[1, 200, 328], 2, 2);
        check(&[u32::MAX], 2, 0);
        check(&[u32::MAX], 3, 1);
    }

    proptest! {
        #[test]
        fn rows_hold_as_much_as_is_said(slots in prop::collection::btree_set(0..1_u32 << 22, 0..200), width in 1..130_usize) {
            let slots: Vec<u32> = slots.into_iter().collect();
            let count = fitting(&slots, width);
            check(&slots, width, count);
            // Three bytes are enough for a difference of so few bits.
            prop_assert!(count == slots.len() || 3 * (count + 1) > 4 * (width - 1));
        }

        #[test]
        fn no_row_is_read_wrongly(row in prop::collection::vec(any::<u32>(), 0..9), count in 0..99_usize) {
            let mut slots = Vec::new();
            read(&row, row.first().copied().unwrap_or(0), count, &mut slots);
            prop_assert!(slots.len() <= count);
        }
    }
}
