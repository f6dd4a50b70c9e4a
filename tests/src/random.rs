//! Choices that a failed run can repeat.

/// The variable that sets the seed of a suite's choices.
pub const SEED_VARIABLE: &str = "WEIR_TEST_SEED";

/// A seeded stream of numbers: `SplitMix64` (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream whose seed the environment names, 1 without it; the seed is printed.
    ///
    /// # Panics
    /// When the variable holds no number.
    #[must_use]
    pub fn from_environment() -> Self {
        let text = std::env::var(SEED_VARIABLE).unwrap_or_else(|_| "1".to_owned());
        let seed = text.parse().unwrap_or_else(|error| panic!("{SEED_VARIABLE}={text}: {error}"));
        println!("seed {seed}; another one with {SEED_VARIABLE}");
        Self(seed)
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least 1. (Its bias is below one in a billion for the bounds of tests.)
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// A number below `bound` that is small more often than large, as popularity has it.
    pub fn skewed(&mut self, bound: usize) -> usize {
        let first = self.below(bound);
        self.below(first + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        let mut random = Random::new(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut random = Random::new(1);
        assert!((0..1_000).all(|_| random.below(7) < 7 && random.skewed(7) < 7));
        assert_eq!((random.below(1), random.skewed(1)), (0, 0));
    }
}
