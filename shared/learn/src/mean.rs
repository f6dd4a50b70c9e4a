//! The mean of all ratings, exact whatever the order.

/// Number and sum of all ratings, in thousandths: integers add exactly, so that any number of workers and any order of
/// their changes give the same mean.
///
/// As a row: 4 words of 32 bits, `count` and `sum_milli` (two's complement) as u64 with the low word first, both added
/// wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalMean {
    /// How many ratings.
    pub count: u64,
    /// Their sum in thousandths.
    pub sum_milli: i64,
}

impl GlobalMean {
    /// Words of a row.
    pub const WIDTH: usize = 4;

    /// Of one rating, rounded to thousandths. One that is not finite counts as 0.
    #[must_use]
    pub fn of(rating: f32) -> Self {
        // The cast saturates, and takes NaN to 0.
        Self { count: 1, sum_milli: (f64::from(rating) * 1000.0).round() as i64 }
    }

    /// Of both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { count: self.count.wrapping_add(other.count), sum_milli: self.sum_milli.wrapping_add(other.sum_milli) }
    }

    /// The mean, 0 of no ratings.
    #[must_use]
    pub fn mean(self) -> f32 {
        if self.count == 0 { 0.0 } else { (self.sum_milli as f64 / 1000.0 / self.count as f64) as f32 }
    }

    /// As a row.
    #[must_use]
    pub fn to_words(self) -> [u32; Self::WIDTH] {
        let sum = self.sum_milli as u64;
        [self.count as u32, (self.count >> 32) as u32, sum as u32, (sum >> 32) as u32]
    }

    /// From a row.
    #[must_use]
    pub fn from_words(words: [u32; Self::WIDTH]) -> Self {
        let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        Self { count: join(words[0], words[1]), sum_milli: join(words[2], words[3]) as i64 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn means_are_exact() {
        let mean = [3.0, 4.5, -1.25].map(GlobalMean::of).into_iter().fold(GlobalMean::default(), GlobalMean::plus);
        assert_eq!(mean, GlobalMean { count: 3, sum_milli: 6_250 });
        assert_eq!(mean.mean(), 2.083_333_3);
        assert_eq!(GlobalMean::default().mean(), 0.0);
        assert_eq!(GlobalMean::of(0.1).sum_milli, 100);
        assert_eq!(GlobalMean::of(-1e6).sum_milli, -1_000_000_000);
        assert_eq!(GlobalMean::of(f32::NAN).sum_milli, 0);
    }

    #[test]
    fn rows_have_the_low_words_first() {
        let mean = GlobalMean { count: 0x1_0000_0002, sum_milli: -1 };
        assert_eq!(mean.to_words(), [2, 1, u32::MAX, u32::MAX]);
    }

    proptest! {
        #[test]
        fn order_does_not_matter(mut ratings in prop::collection::vec(-1e6_f32..=1e6, 0..50), at in 0_usize..50) {
            let sum = |ratings: &[f32]| ratings.iter().copied().map(GlobalMean::of).fold(GlobalMean::default(), GlobalMean::plus);
            let in_order = sum(&ratings);
            let (head, tail) = ratings.split_at(at.min(ratings.len()));
            prop_assert_eq!(sum(tail).plus(sum(head)), in_order);
            ratings.reverse();
            prop_assert_eq!(sum(&ratings), in_order);
            prop_assert_eq!(GlobalMean::from_words(in_order.to_words()), in_order);
        }
    }
}
