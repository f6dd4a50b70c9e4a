//! Random numbers that are computed from where they are used: the same seed and key give the same numbers everywhere and
//! for ever, so that a row which nobody has stored is known to all.

/// The finaliser of splitmix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014): a bijection.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// One step of splitmix64's counter.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of numbers that belongs to a seed, a table and a key.
#[derive(Clone, Debug)]
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64, table: u8, key: u64) -> Self {
        Self(mix(mix(seed.wrapping_add(GOLDEN))
            ^ mix(u64::from(table).wrapping_add(1).wrapping_mul(GOLDEN))
            ^ mix(key)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Nearly normal with mean 0 and standard deviation 1: the sum of four uniforms out of the four quarters of one
    /// random word, scaled. Within ±3.47; exact integer arithmetic and one product, so the same on every machine.
    pub(crate) fn normal(&mut self) -> f32 {
        let word = self.next();
        let sum = (word & 0xFFFF) + (word >> 16 & 0xFFFF) + (word >> 32 & 0xFFFF) + (word >> 48);
        // The mean of the sum is 2·65535; its variance 4·(65536² - 1)/12, whose root is the divisor.
        (sum as f32 - 131_070.0) * (1.0 / 37_837.227)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mix_is_that_of_splitmix64() {
        // The first outputs of the reference implementation for the seed 1234567.
        let mut stream = Noise(1_234_567);
        assert_eq!(
            [(); 3].map(|()| stream.next()),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn noise_has_mean_0_and_standard_deviation_1_over_keys_and_places() {
        let values: Vec<f64> = (0..20_000)
            .flat_map(|key| {
                let mut noise = Noise::new(1, 0, key);
                [(); 5].map(|()| f64::from(noise.normal()))
            })
            .collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
        assert!(values.iter().all(|value| value.abs() < 3.47));
    }

    #[test]
    fn neighbours_are_not_alike() {
        let sum: f64 = (0..20_000_u64)
            .map(|key| f64::from(Noise::new(1, 0, key).normal()) * f64::from(Noise::new(1, 0, key + 1).normal()))
            .sum();
        assert!((sum / 20_000.0).abs() < 0.03, "correlation {}", sum / 20_000.0);
    }
}
