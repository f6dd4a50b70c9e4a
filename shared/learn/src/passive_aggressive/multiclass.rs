//! Passive-Aggressive learning of several classes, with costs of mistaking one for another.
//!
//! A feature's row has one weight for each class, and the class of the highest score is the answer. A mistake moves the weights of the right class
//! up and those of one wrong class down, so that they differ by the root of the mistake's cost. As everywhere here, all features of
//! an example have the same value, and weights **add**.
//!
//! Source: Crammer et al. 2006, sections 7 (several classes) and 8 (costs): updates by prediction and by the largest loss.

use super::{Settings, step};
use crate::error::{Error, in_range};

/// Most classes.
pub const MAX_CLASSES: usize = 32;

/// Which wrong class a mistake is corrected against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// The one of the highest score, whatever it costs (PB); nothing is learned where the right one is the highest.
    PredictionBased,
    /// The one with which the loss is the largest (ML): also where the right class is the highest, but not by far enough.
    MaxLoss,
}

/// What it costs to take one class for another.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    classes: usize,
    /// Roots of the costs by right class and answer.
    roots: Vec<f32>,
}

impl Costs {
    /// Every mistake costs 1.
    ///
    /// # Errors
    /// There are fewer than 2 or more than [`MAX_CLASSES`].
    pub fn equal(classes: usize) -> Result<Self, Error> {
        let rows: Vec<Vec<f32>> = (0..classes)
            .map(|right| (0..classes).map(|answer| f32::from(u8::from(right != answer))).collect())
            .collect();
        Self::new(&rows)
    }

    /// `rows[right][answer]` is the cost ρ, 1e-6 to 1e6; what is on the diagonal does not matter.
    ///
    /// # Errors
    /// It is no square of costs, or not of 2 to [`MAX_CLASSES`] classes.
    pub fn new(rows: &[Vec<f32>]) -> Result<Self, Error> {
        let classes = rows.len();
        in_range("classes", classes as f64, 2.0, MAX_CLASSES as f64)?;
        let mut roots = Vec::with_capacity(classes * classes);
        for (right, row) in rows.iter().enumerate() {
            in_range("costs of a class", row.len() as f64, classes as f64, classes as f64)?;
            for (answer, &cost) in row.iter().enumerate() {
                if right != answer {
                    in_range("cost", cost.into(), 1e-6, 1e6)?;
                }
                roots.push(if right == answer { 0.0 } else { cost.sqrt() });
            }
        }
        Ok(Self { classes, roots })
    }

    /// How many classes there are.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    fn root(&self, right: usize, answer: usize) -> f32 {
        self.roots[right * self.classes + answer]
    }
}

/// What one example teaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson {
    /// The wrong class that is moved down.
    pub wrong: usize,
    /// The loss before learning; of 0 nothing is learned.
    pub loss: f32,
    /// What is added to the right class's weight of each feature, and taken from the wrong one's: τ·value.
    pub change: f32,
}

/// Scores of all classes: w·x for each.
pub fn scores(rows: &[f32], value: f32, scores: &mut [f32]) {
    scores.fill(0.0);
    for row in rows.chunks_exact(scores.len().max(1)) {
        for (score, weight) in scores.iter_mut().zip(row) {
            *score += weight;
        }
    }
    for score in scores {
        *score *= value;
    }
}

/// The class of the highest score, of several the first.
#[must_use]
pub fn answer(scores: &[f32]) -> usize {
    let better = |best: usize, class: usize| if scores[class] > scores[best] { class } else { best };
    (0..scores.len()).fold(0, better)
}

/// What an example of `features` features of this value teaches, whose right class is `right`.
#[must_use]
pub fn lesson(
    settings: &Settings,
    costs: &Costs,
    update: Update,
    scores: &[f32],
    (features, value): (usize, f32),
    right: usize,
) -> Lesson {
    let loss_with = |wrong: usize| scores[wrong] - scores[right] + costs.root(right, wrong);
    let others = (0..costs.classes).filter(|class| *class != right);
    let wrong = match update {
        Update::PredictionBased => answer(scores),
        Update::MaxLoss => {
            others.reduce(|best, other| if loss_with(other) > loss_with(best) { other } else { best }).unwrap_or(right)
        }
    };
    let loss = if wrong == right { 0.0 } else { loss_with(wrong).max(0.0) };
    // The two classes' features lie side by side: the squared norm of their difference is twice that of x.
    let norm_squared = 2.0 * features as f32 * value * value;
    Lesson { wrong, loss, change: step(settings, loss, norm_squared) * value }
}

/// Learns a lesson on the rows of its features.
pub fn learn(rows: &mut [f32], classes: usize, right: usize, lesson: Lesson) {
    if lesson.change == 0.0 {
        return;
    }
    for row in rows.chunks_exact_mut(classes) {
        row[right] += lesson.change;
        row[lesson.wrong] -= lesson.change;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::passive_aggressive::{HyperParameters, Variant};

    fn settings(variant: Variant, aggressiveness: f32) -> Settings {
        Settings::try_from(HyperParameters { variant, aggressiveness }).unwrap()
    }

    fn costs() -> Costs {
        Costs::new(&[vec![0.0, 1.0, 4.0], vec![1.0, 0.0, 1.0], vec![9.0, 1.0, 0.0]]).unwrap()
    }

    #[test]
    fn lessons_are_those_worked_out_by_hand() {
        // Of class 0 scored .2, class 1 .3, class 2 -.5. By prediction: class 1, loss .3 - .2 + 1 = 1.1.
        // By the largest loss: with class 1 1.1, with class 2 -.5 - .2 + 2 = 1.3, so class 2. |x|² = 4 · 1/4 = 1, twice that is 2.
        let check = |update, variant, wrong, loss: f32, change: f32| {
            let found = lesson(&settings(variant, 0.5), &costs(), update, &[0.2, 0.3, -0.5], (4, 0.5), 0);
            assert_eq!(found.wrong, wrong);
            assert!((found.loss - loss).abs() < 1e-6 && (found.change - change).abs() < 1e-6, "{found:?}");
        };
        check(Update::PredictionBased, Variant::Pa, 1, 1.1, 1.1 / 2.0 * 0.5);
        check(Update::MaxLoss, Variant::Pa, 2, 1.3, 1.3 / 2.0 * 0.5);
        check(Update::MaxLoss, Variant::PaI, 2, 1.3, 0.5 * 0.5);
        check(Update::MaxLoss, Variant::PaII, 2, 1.3, 1.3 / 3.0 * 0.5);
    }

    #[test]
    fn what_is_answered_rightly_is_learned_by_the_largest_loss_only() {
        let of = |update| lesson(&Settings::default(), &costs(), update, &[0.6, 0.3, 0.0], (1, 1.0), 0);
        assert_eq!(of(Update::PredictionBased).loss, 0.0);
        assert!((of(Update::MaxLoss).loss - 1.4).abs() < 1e-6, "0 - .6 + √4");
    }

    #[test]
    fn a_lesson_moves_two_classes() {
        let mut rows = [0.1, 0.2, 0.3, 1.1, 1.2, 1.3];
        learn(&mut rows, 3, 2, Lesson { wrong: 0, loss: 1.0, change: 0.5 });
        assert_eq!(rows, [-0.4, 0.2, 0.8, 0.6, 1.2, 1.8]);
        let mut found = [0.0; 3];
        scores(&rows, 2.0, &mut found);
        assert_eq!((answer(&found), answer(&[1.0, 1.0])), (2, 0));
    }

    #[test]
    fn costs_that_make_no_sense_are_refused() {
        let refused = |rows: &[Vec<f32>]| Costs::new(rows).unwrap_err().to_string();
        assert_eq!(refused(&[vec![0.0]]), "classes must be a number from 2 to 32, not 1");
        assert_eq!(refused(&[vec![0.0, 0.0], vec![1.0, 0.0]]), "cost must be a number from 0.000001 to 1000000, not 0");
        assert_eq!(refused(&[vec![0.0], vec![1.0, 0.0]]), "costs of a class must be a number from 2 to 2, not 1");
    }

    proptest! {
        /// PA leaves no loss with the class that it corrected against, whatever the costs.
        #[test]
        fn pa_corrects_fully(
            weights in prop::collection::vec(-2.0_f32..2.0, 3..90), right in 0..3_usize, max_loss in any::<bool>(),
        ) {
            let mut rows = weights[..weights.len() / 3 * 3].to_vec();
            let (count, mut before, mut after) = (rows.len() / 3, [0.0; 3], [0.0; 3]);
            let value = 1.0 / (count as f32).sqrt();
            scores(&rows, value, &mut before);
            let update = if max_loss { Update::MaxLoss } else { Update::PredictionBased };
            let lesson = lesson(&settings(Variant::Pa, 1.0), &costs(), update, &before, (count, value), right);
            learn(&mut rows, 3, right, lesson);
            scores(&rows, value, &mut after);
            if lesson.loss > 0.0 {
                let left = after[lesson.wrong] - after[right] + costs().root(right, lesson.wrong);
                prop_assert!(left.abs() < 1e-3, "{}", left);
            } else {
                prop_assert_eq!(before, after);
            }
        }
    }
}
