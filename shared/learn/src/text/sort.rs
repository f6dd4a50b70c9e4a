//! Slots in rising order.

/// Bits that one pass sorts by.
const DIGIT_BITS: u32 = 8;
/// Fewer slots than this are sorted by comparison.
const FEW: usize = 64;

/// Sorts by the digits of the slots, the lowest first: three passes over the slots of 22 bits, instead of a comparison for each of the log n levels.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorter {
    other: Vec<u32>,
}

impl Sorter {
    /// Sorts `slots`, each below 2^`bits`.
    pub(super) fn sort(&mut self, slots: &mut Vec<u32>, bits: u32) {
        if slots.len() < FEW {
            slots.sort_unstable();
            return;
        }
        self.other.resize(slots.len(), 0);
        for shift in (0..bits).step_by(DIGIT_BITS as usize) {
            pass(slots, &mut self.other, shift);
            std::mem::swap(slots, &mut self.other);
        }
    }
}

/// Writes `from` to `to`, in the order of one digit and else as they stand.
fn pass(from: &[u32], to: &mut [u32], shift: u32) {
    let digit = |slot: u32| (slot >> shift & ((1 << DIGIT_BITS) - 1)) as usize;
    let mut ends = [0_u32; 1 << DIGIT_BITS];
    for &slot in from {
        ends[digit(slot)] += 1;
    }
    let mut sum = 0;
    for end in &mut ends {
        (*end, sum) = (sum, sum + *end);
    }
    for &slot in from {
        let place = &mut ends[digit(slot)];
        to[*place as usize] = slot;
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_order_of_the_standard_library(bits in 8_u32..=31, slots in prop::collection::vec(any::<u32>(), 0..300)) {
            let mut slots: Vec<u32> = slots.into_iter().map(|slot| slot >> (32 - bits)).collect();
            let mut expected = slots.clone();
            expected.sort_unstable();
            Sorter::default().sort(&mut slots, bits);
            prop_assert_eq!(slots, expected);
        }
    }
}
