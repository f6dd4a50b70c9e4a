//! Three pictures: errors over messages, the ROC curve, and whether probabilities mean what they say.

use std::path::Path;

use anyhow::Context as _;
use weir_learn::evaluate::classes::{Outcome, bins, roc};
use weir_learn::passive_aggressive::Label;

use super::Run;
use crate::evaluate::plot::{self, Labels, Line};

/// Points of a line over messages at most.
const POINTS: usize = 400;
/// Shares below this, in per cent, are drawn as this: logarithms have no place for none.
const LEAST_PERCENT: f64 = 0.01;

/// Draws all pictures into a folder, which is made if need be.
pub(super) fn draw(dir: &Path, runs: &[Run]) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    let lines = |points: fn(&[Outcome]) -> Vec<(f64, f64)>| -> Vec<Line> {
        runs.iter().map(|run| Line { name: run.name.to_owned(), points: points(&run.outcomes) }).collect()
    };
    let learning = Labels { title: "Messages taken for what they are not", x: "messages", y: "% so far" };
    plot::draw(&dir.join("learning.svg"), learning, &lines(errors))?;
    let curve = Labels { title: "ROC", x: "log10 of ham blocked in %", y: "log10 of spam missed in %" };
    plot::draw(&dir.join("roc.svg"), curve, &lines(curve_of))?;
    let calibration = Labels { title: "Calibration", x: "probability of spam as said", y: "share that was spam" };
    let mut calibrated = lines(calibration_of);
    calibrated.push(Line { name: "as it should be".to_owned(), points: vec![(0.0, 0.0), (1.0, 1.0)] });
    plot::draw(&dir.join("calibration.svg"), calibration, &calibrated)
}

/// The share of wrong ones among all so far.
fn errors(outcomes: &[Outcome]) -> Vec<(f64, f64)> {
    let step = outcomes.len().div_ceil(POINTS).max(1);
    let (mut wrong, mut points) = (0, Vec::new());
    for (count, outcome) in (1..).zip(outcomes) {
        wrong += usize::from(Label::of_margin(outcome.margin) != outcome.truth);
        if count % step == 0 {
            points.push((count as f64, 100.0 * wrong as f64 / count as f64));
        }
    }
    points
}

fn curve_of(outcomes: &[Outcome]) -> Vec<(f64, f64)> {
    let percent = |share: f64| (100.0 * share).max(LEAST_PERCENT).log10();
    roc(outcomes).iter().map(|point| (percent(point.false_positives), percent(point.false_negatives))).collect()
}

fn calibration_of(outcomes: &[Outcome]) -> Vec<(f64, f64)> {
    let filled = bins(outcomes).into_iter().filter(|bin| bin.count > 0.0);
    filled.map(|bin| (bin.predicted / bin.count, bin.positive / bin.count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(margin: f32, truth: Label) -> Outcome {
        Outcome { margin, probability: if margin > 0.0 { 0.9 } else { 0.1 }, truth }
    }

    #[test]
    fn lines_are_what_the_outcomes_say() {
        let outcomes = [
            outcome(1.0, Label::Positive),
            outcome(-1.0, Label::Positive),
            outcome(-1.0, Label::Negative),
            outcome(-2.0, Label::Negative),
        ];
        assert_eq!(errors(&outcomes), [(1.0, 0.0), (2.0, 50.0), (3.0, 100.0 / 3.0), (4.0, 25.0)]);
        let calibration = calibration_of(&outcomes);
        assert!(
            (calibration[0].0 - 0.1).abs() < 1e-6 && (calibration[0].1 - 1.0 / 3.0).abs() < 1e-9,
            "{calibration:?}"
        );
        let curve = curve_of(&outcomes);
        assert_eq!(curve.first(), Some(&(-2.0, 2.0)));
        assert_eq!(curve.last(), Some(&(2.0, -2.0)));
    }

    #[test]
    fn three_pictures_are_drawn() {
        let dir = tempfile::tempdir().expect("a folder");
        let outcomes = vec![outcome(1.0, Label::Positive), outcome(-1.0, Label::Negative)];
        draw(&dir.path().join("new"), &[Run { name: "arow", outcomes, seconds: 1.0, effects: None }]).expect("drawn");
        for name in ["learning", "roc", "calibration"] {
            let svg = std::fs::read_to_string(dir.path().join(format!("new/{name}.svg"))).expect("a picture");
            assert!(svg.contains("arow"), "{name}");
        }
    }
}
