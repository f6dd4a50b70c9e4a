//! Whether a difference between two configurations is more than luck: the same users or events, under both.

use crate::noise::Noise;

/// Tells the numbers of resamples from those of anything else that is drawn.
const NOISE: u8 = 9;

/// What a paired comparison came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Mean of the differences.
    pub mean: f64,
    /// The middle 95 % of the means of resamples: from here
    pub low: f64,
    /// to here.
    pub high: f64,
    /// How likely so large a difference would be if there were none: twice the part of resamples on the other side of 0,
    /// and no less than 1 / (resamples + 1).
    pub p: f64,
}

/// The paired bootstrap (Efron, Tibshirani, "An Introduction to the Bootstrap", 1993): means of `resamples` samples drawn with
/// replacement from the differences of the pairs, the same for the same seed. None of no pairs.
#[must_use]
pub fn paired_bootstrap(differences: &[f64], resamples: usize, seed: u64) -> Option<Difference> {
    if differences.is_empty() || resamples == 0 {
        return None;
    }
    let count = differences.len();
    let mut means: Vec<f64> = (0..resamples)
        .map(|resample| {
            let mut noise = Noise::new(seed, NOISE, resample as u64);
            let drawn = (0..count).map(|_| ((u128::from(noise.next()) * count as u128) >> 64) as usize);
            drawn.map(|place| differences[place]).sum::<f64>() / count as f64
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let mean = differences.iter().sum::<f64>() / count as f64;
    let at = |share: f64| means[((share * resamples as f64) as usize).min(resamples - 1)];
    let others = means.iter().filter(|value| if mean >= 0.0 { **value <= 0.0 } else { **value >= 0.0 }).count();
    let p = (2.0 * (others + 1) as f64 / (resamples + 1) as f64).min(1.0);
    Some(Difference { mean, low: at(0.025), high: at(0.975), p })
}

/// The statistic of `McNemar`'s test, signed: (a - b) / √(a + b) of the pairs that only the first (`a`) or only the second (`b`)
/// got right; beyond ±1.96 the difference is significant at 5 %. 0 if they never differ.
///
/// Source: Gama, Sebastião, Rodrigues, "On evaluating stream learning algorithms", Machine Learning 90 (2013).
#[must_use]
pub fn signed_mcnemar(only_first: u64, only_second: u64) -> f64 {
    let (a, b) = (only_first as f64, only_second as f64);
    if a + b == 0.0 { 0.0 } else { (a - b) / (a + b).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::mix;

    #[test]
    fn the_statistic_is_that_worked_out_by_hand() {
        for (first, second, expected) in [(0, 0, 0.0), (9, 0, 3.0), (0, 16, -4.0), (30, 20, 10.0 / 50.0_f64.sqrt())] {
            assert!((signed_mcnemar(first, second) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_clear_difference_is_significant_and_noise_is_not() {
        let noise = |place: u64| (mix(place) % 2_001) as f64 / 1_000.0 - 1.0;
        let clear: Vec<f64> = (0..400).map(|place| 0.3 + noise(place)).collect();
        let found = paired_bootstrap(&clear, 500, 1).unwrap();
        assert!(found.p < 0.01 && found.low > 0.15 && found.high < 0.45 && found.low < found.mean, "{found:?}");
        let mirrored: Vec<f64> = clear.iter().map(|value| -value).collect();
        assert!(paired_bootstrap(&mirrored, 500, 1).unwrap().p < 0.01);
        let none: Vec<f64> = (0..400).map(noise).collect();
        let found = paired_bootstrap(&none, 500, 1).unwrap();
        assert!(found.p > 0.05 && found.low < 0.0 && found.high > 0.0, "{found:?}");
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let values = [0.5, -0.25, 1.0, 0.125];
        assert_eq!(paired_bootstrap(&values, 50, 3), paired_bootstrap(&values, 50, 3));
        assert_eq!(paired_bootstrap(&[], 50, 3), None);
        assert_eq!(paired_bootstrap(&values, 0, 3), None);
    }
}
