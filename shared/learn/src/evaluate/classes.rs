//! How well two classes are told apart, from what was said of each example before it was learned.

use crate::passive_aggressive::Label;

/// Groups of probabilities that are compared with frequencies.
const BINS: usize = 10;
/// A probability is taken as at least this far from 0 and 1, so that one mistake does not cost without bound.
const LEAST_PROBABILITY: f64 = 1e-6;

/// What was said of one example, and what it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Above 0 is the positive class.
    pub margin: f32,
    /// How likely it was said to be of the positive class, 0 to 1.
    pub probability: f32,
    /// What it was.
    pub truth: Label,
}

/// Figures over all examples, in per cent unless said otherwise. Where there is nothing to divide by, 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// Examples whose class was said rightly.
    pub accuracy: f64,
    /// Positive ones among those said to be.
    pub precision: f64,
    /// Those said to be positive among the positive ones.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// Negative ones said to be positive, of the negative ones.
    pub false_positives: f64,
    /// Positive ones said to be negative, of the positive ones.
    pub false_negatives: f64,
    /// Pairs of a positive and a negative example that the margins put in the wrong order: 100 less the area under the ROC curve.
    pub one_minus_roca: f64,
    /// Mean of -ln of the probability of what was true, in nats.
    pub log_loss: f64,
    /// Mean distance between what was said to be likely and what was the case, over tenths of probability.
    pub calibration_error: f64,
}

/// The figures of these outcomes.
#[must_use]
pub fn report(outcomes: &[Outcome]) -> Report {
    let count = |positive: bool, said: bool| {
        let is = |o: &&Outcome| (o.truth == Label::Positive) == positive && (o.margin > 0.0) == said;
        outcomes.iter().filter(is).count() as f64
    };
    let (hits, misses, alarms, rejections) =
        (count(true, true), count(true, false), count(false, true), count(false, false));
    let percent = |part: f64, whole: f64| if whole > 0.0 { 100.0 * part / whole } else { 0.0 };
    let losses: f64 = outcomes.iter().map(log_loss).sum();
    let all = outcomes.len() as f64;
    Report {
        accuracy: percent(hits + rejections, all),
        precision: percent(hits, hits + alarms),
        recall: percent(hits, hits + misses),
        f1: percent(2.0 * hits, 2.0 * hits + alarms + misses),
        false_positives: percent(alarms, alarms + rejections),
        false_negatives: percent(misses, misses + hits),
        one_minus_roca: percent(disordered(outcomes), (hits + misses) * (alarms + rejections)),
        log_loss: if all > 0.0 { losses / all } else { 0.0 },
        calibration_error: percent(bins(outcomes).iter().map(|bin| (bin.predicted - bin.positive).abs()).sum(), all),
    }
}

fn log_loss(outcome: &Outcome) -> f64 {
    let positive = f64::from(outcome.probability);
    let of_truth = if outcome.truth == Label::Positive { positive } else { 1.0 - positive };
    -of_truth.max(LEAST_PROBABILITY).ln()
}

/// Pairs in the wrong order; those of equal margins count half.
fn disordered(outcomes: &[Outcome]) -> f64 {
    let mut by_margin: Vec<&Outcome> = outcomes.iter().collect();
    by_margin.sort_by(|left, right| left.margin.total_cmp(&right.margin));
    let (mut pairs, mut negatives_below) = (0.0, 0.0);
    let negatives = outcomes.iter().filter(|outcome| outcome.truth == Label::Negative).count() as f64;
    for equal in by_margin.chunk_by(|left, right| left.margin == right.margin) {
        let equal_negatives = equal.iter().filter(|outcome| outcome.truth == Label::Negative).count() as f64;
        let positives = equal.len() as f64 - equal_negatives;
        pairs += positives * (negatives - negatives_below - equal_negatives / 2.0);
        negatives_below += equal_negatives;
    }
    pairs
}

/// A point of the ROC curve: what a threshold makes of all examples, as shares from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Negative ones at or above it.
    pub false_positives: f64,
    /// Positive ones below it.
    pub false_negatives: f64,
}

/// The ROC curve, from the highest threshold to the lowest.
#[must_use]
pub fn roc(outcomes: &[Outcome]) -> Vec<RocPoint> {
    let mut by_margin: Vec<&Outcome> = outcomes.iter().collect();
    by_margin.sort_by(|left, right| right.margin.total_cmp(&left.margin));
    let positives = outcomes.iter().filter(|outcome| outcome.truth == Label::Positive).count() as f64;
    let negatives = outcomes.len() as f64 - positives;
    let (mut hits, mut alarms) = (0.0, 0.0);
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let mut points = vec![RocPoint { false_positives: 0.0, false_negatives: share(positives, positives) }];
    for equal in by_margin.chunk_by(|left, right| left.margin == right.margin) {
        let found = equal.iter().filter(|outcome| outcome.truth == Label::Positive).count() as f64;
        hits += found;
        alarms += equal.len() as f64 - found;
        points.push(RocPoint {
            false_positives: share(alarms, negatives),
            false_negatives: share(positives - hits, positives),
        });
    }
    points
}

/// Examples that were said to be about equally likely.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// How many.
    pub count: f64,
    /// How many of them were to be expected positive: the sum of their probabilities.
    pub predicted: f64,
    /// How many of them were.
    pub positive: f64,
}

/// The examples by tenths of probability.
#[must_use]
pub fn bins(outcomes: &[Outcome]) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for outcome in outcomes {
        let bin = &mut bins[((outcome.probability * BINS as f32) as usize).min(BINS - 1)];
        bin.count += 1.0;
        bin.predicted += f64::from(outcome.probability);
        bin.positive += f64::from(u8::from(outcome.truth == Label::Positive));
    }
    bins
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcome(margin: f32, probability: f32, positive: bool) -> Outcome {
        Outcome { margin, probability, truth: if positive { Label::Positive } else { Label::Negative } }
    }

    #[test]
    fn figures_are_those_worked_out_by_hand() {
        // Two hits, one miss, one alarm, four rejections.
        let outcomes = [
            outcome(2.0, 0.9, true),
            outcome(1.0, 0.75, true),
            outcome(-0.5, 0.25, true),
            outcome(0.5, 0.75, false),
            outcome(-0.5, 0.25, false),
            outcome(-1.0, 0.1, false),
            outcome(-2.0, 0.1, false),
            outcome(-2.0, 0.1, false),
        ];
        let report = report(&outcomes);
        let check = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
        check(report.accuracy, 75.0);
        check(report.precision, 200.0 / 3.0);
        check(report.recall, 200.0 / 3.0);
        check(report.f1, 400.0 / 6.0);
        check(report.false_positives, 20.0);
        check(report.false_negatives, 100.0 / 3.0);
        // Of 15 pairs the missed one lies below the alarm and beside one of its margin.
        check(report.one_minus_roca, 150.0 / 15.0);
        let of_truth: [f64; 8] = [0.9, 0.75, 0.25, 0.25, 0.75, 0.9, 0.9, 0.9];
        assert!((report.log_loss + of_truth.iter().map(|p| p.ln()).sum::<f64>() / 8.0).abs() < 1e-6);
        // Tenths: .3 of 0; .5 of 1; 1.5 of 1; .9 of 1.
        assert!((report.calibration_error - 100.0 * (0.3 + 0.5 + 0.5 + 0.1) / 8.0).abs() < 1e-4);
    }

    #[test]
    fn of_nothing_every_figure_is_0() {
        assert_eq!(report(&[]), Report::default());
        assert_eq!(report(&[outcome(1.0, 1.0, true)]).one_minus_roca, 0.0);
        assert!(report(&[outcome(1.0, 1.0, false)]).log_loss < 14.0, "one mistake does not cost without bound");
    }

    proptest! {
        #[test]
        fn the_area_is_the_share_of_pairs(margins in prop::collection::vec((-4..4_i8, any::<bool>()), 0..40)) {
            let outcomes: Vec<Outcome> = margins.iter().map(|&(margin, positive)| outcome(margin.into(), 0.5, positive)).collect();
            let (mut wrong, mut pairs) = (0.0, 0.0);
            for positive in outcomes.iter().filter(|outcome| outcome.truth == Label::Positive) {
                for negative in outcomes.iter().filter(|outcome| outcome.truth == Label::Negative) {
                    pairs += 1.0;
                    wrong += match positive.margin.total_cmp(&negative.margin) {
                        std::cmp::Ordering::Less => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Greater => 0.0,
                    };
                }
            }
            let expected = if pairs > 0.0 { 100.0 * wrong / pairs } else { 0.0 };
            prop_assert!((report(&outcomes).one_minus_roca - expected).abs() < 1e-6);
        }

        #[test]
        fn the_curve_goes_from_one_corner_to_the_other(margins in prop::collection::vec((-4..4_i8, any::<bool>()), 0..40)) {
            let outcomes: Vec<Outcome> = margins.iter().map(|&(margin, positive)| outcome(margin.into(), 0.5, positive)).collect();
            let points = roc(&outcomes);
            prop_assert!(points.is_sorted_by(|a, b| a.false_positives <= b.false_positives && a.false_negatives >= b.false_negatives));
            prop_assert!(points[0].false_positives == 0.0 && points[points.len() - 1].false_negatives == 0.0);
        }
    }
}
