//! The linear learners of two classes under one face, so that a model can be told by its settings which one it uses.
//!
//! An example is the rows of its features, one after the other in one slice, and the value that all of its features have. What an example
//! teaches is **one number** ([`Lesson::change`]), which each learner turns into changes of the rows by what they hold. So whoever keeps that number
//! can take the lesson back later. All rows begin as zeros, and all that is in them adds.

use crate::{
    adagrad, arow, ftrl,
    passive_aggressive::{self, Label, Variant, hinge_loss},
    vector,
};

/// Most values of a feature's row.
pub const MAX_WIDTH: usize = 2;

/// A learner and its hyper-parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Learner {
    /// See [`passive_aggressive`].
    PassiveAggressive(passive_aggressive::Settings),
    /// See [`arow`].
    Arow(arow::Settings),
    /// See [`ftrl`].
    Ftrl(ftrl::Settings),
    /// See [`adagrad`].
    AdaGrad(adagrad::Settings),
}

impl Default for Learner {
    /// The one that was measured best.
    fn default() -> Self {
        Self::AdaGrad(adagrad::Settings::default())
    }
}

/// What one example teaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson {
    /// The margin before learning.
    pub margin: f32,
    /// What is to be learned ([`Learner::learn`]); 0 is nothing.
    pub change: f32,
}

impl Learner {
    /// The learner's name, as settings have it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::PassiveAggressive(settings) => match settings.values().variant {
                Variant::Pa => "pa",
                Variant::PaI => "pa-i",
                Variant::PaII => "pa-ii",
            },
            Self::Arow(_) => "arow",
            Self::Ftrl(_) => "ftrl",
            Self::AdaGrad(_) => "adagrad",
        }
    }

    /// Values of a feature's row.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::PassiveAggressive(_) => 1,
            Self::Arow(_) => arow::WIDTH,
            Self::Ftrl(_) => ftrl::WIDTH,
            Self::AdaGrad(_) => adagrad::WIDTH,
        }
    }

    /// The weight that a feature's row stands for; 0 of a row of another width.
    #[must_use]
    #[inline]
    pub fn weight(&self, row: &[f32]) -> f32 {
        match (self, row) {
            (Self::Ftrl(settings), &[z, n]) => ftrl::weight(settings, z, n),
            (Self::PassiveAggressive(_), &[weight]) | (Self::Arow(_) | Self::AdaGrad(_), &[weight, _]) => weight,
            _ => 0.0,
        }
    }

    /// Whether the first value of a row is its weight, so that rows whose weights are averaged over steps make sense.
    /// FTRL's z is no weight, and sums up all steps already.
    #[must_use]
    pub fn averages(&self) -> bool {
        !matches!(self, Self::Ftrl(_))
    }

    /// w·x of an example with these rows. The order of the rows decides how the sum is rounded: equal rows in equal order give
    /// equal margins everywhere.
    #[must_use]
    pub fn margin(&self, rows: &[f32], value: f32) -> f32 {
        match self {
            Self::PassiveAggressive(_) => passive_aggressive::margin(rows, value),
            Self::Arow(_) | Self::AdaGrad(_) => value * vector::sum_of_first(rows),
            Self::Ftrl(settings) => {
                let weights = rows.as_chunks::<{ ftrl::WIDTH }>().0.iter();
                value * weights.map(|&[z, n]| ftrl::weight(settings, z, n)).sum::<f32>()
            }
        }
    }

    /// Scores an example and says what it teaches, as one that counts `weight` times, without changing anything.
    #[must_use]
    pub fn lesson(&self, rows: &[f32], value: f32, label: Label, weight: f32) -> Lesson {
        self.lesson_at(self.margin(rows, value), rows, value, label, weight)
    }

    /// The same of an example that has this margin, of which only these rows are to learn: others that it has may stay as they are.
    #[must_use]
    pub fn lesson_at(&self, margin: f32, rows: &[f32], value: f32, label: Label, weight: f32) -> Lesson {
        let change = match self {
            Self::PassiveAggressive(settings) => {
                let norm_squared = rows.len() as f32 * value * value;
                weight
                    * passive_aggressive::step(settings, hinge_loss(margin, label), norm_squared)
                    * label.sign()
                    * value
            }
            Self::Arow(settings) => arow::lesson(settings, rows, value, margin, label, weight),
            Self::Ftrl(_) => ftrl::gradient(margin, value, label, weight),
            Self::AdaGrad(settings) => adagrad::gradient(settings, margin, value, label, weight),
        };
        // A margin that overflowed teaches nothing rather than that nothing is a number.
        Lesson { margin, change: if change.is_finite() { change } else { 0.0 } }
    }

    /// Learns a change on the rows of its features.
    pub fn learn(&self, rows: &mut [f32], value: f32, change: f32) {
        if change == 0.0 {
            return;
        }
        match self {
            Self::PassiveAggressive(_) => rows.iter_mut().for_each(|weight| *weight += change),
            Self::Arow(settings) => arow::learn(settings, rows, value, change),
            Self::Ftrl(settings) => ftrl::learn(settings, rows, change),
            Self::AdaGrad(settings) => adagrad::learn(settings, rows, change),
        }
    }

    /// Takes a change back: exactly for Passive-Aggressive and FTRL's gradients, and as far as what else was learned since allows for the others.
    pub fn take_back(&self, rows: &mut [f32], change: f32) {
        match self {
            Self::PassiveAggressive(_) => rows.iter_mut().for_each(|weight| *weight -= change),
            Self::Arow(_) => arow::take_back(rows, change),
            Self::Ftrl(_) => ftrl::take_back(rows, change),
            Self::AdaGrad(settings) => adagrad::take_back(settings, rows, change),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all() -> [Learner; 4] {
        [
            Learner::PassiveAggressive(passive_aggressive::Settings::default()),
            Learner::Arow(arow::Settings::default()),
            Learner::Ftrl(ftrl::Settings::default()),
            Learner::AdaGrad(adagrad::Settings::default()),
        ]
    }

    #[test]
    fn every_learner_tells_two_classes_apart() {
        for learner in all() {
            let mut rows = [vec![0.0; 4 * learner.width()], vec![0.0; 4 * learner.width()]];
            for turn in 0..40 {
                let label = [Label::Positive, Label::Negative][turn % 2];
                let rows = &mut rows[turn % 2];
                let lesson = learner.lesson(rows, 0.5, label, 1.0);
                learner.learn(rows, 0.5, lesson.change);
            }
            let [positive, negative] = rows.map(|rows| learner.margin(&rows, 0.5));
            assert!(positive > 0.8 && negative < -0.8, "{}: {positive} {negative}", learner.name());
        }
    }

    #[test]
    fn one_lesson_is_taken_back_whole_where_nothing_came_between() {
        for learner in all() {
            let mut rows = vec![0.0; 3 * learner.width()];
            let lesson = learner.lesson(&rows, 0.577, Label::Positive, 1.0);
            learner.learn(&mut rows, 0.577, lesson.change);
            assert!(learner.margin(&rows, 0.577) > 0.01, "{}", learner.name());
            let learned = learner.margin(&rows, 0.577);
            learner.take_back(&mut rows, lesson.change);
            // The lesson has made AROW surer of its weights, so that less of it can be taken back.
            let left = learner.margin(&rows, 0.577);
            assert!((-1e-3..learned).contains(&left), "{}: {left} of {learned}", learner.name());
        }
    }

    #[test]
    fn rows_that_stay_as_they_are_leave_the_lesson_to_the_others() {
        // Loss 1 - 0.25; the one row that learns has the squared norm 1/4, both together 1/2.
        let learner = Learner::PassiveAggressive(
            passive_aggressive::Settings::try_from(passive_aggressive::HyperParameters {
                variant: Variant::Pa,
                aggressiveness: 1.0,
            })
            .unwrap(),
        );
        let both = learner.lesson(&[0.5, 0.0], 0.5, Label::Positive, 1.0);
        let one = learner.lesson_at(0.25, &[0.0], 0.5, Label::Positive, 1.0);
        assert_eq!((both.margin, both.change, one.change), (0.25, 0.75, 1.5));
    }

    #[test]
    fn an_example_that_counts_twice_teaches_twice_as_much() {
        for learner in all() {
            let rows = vec![0.0; 3 * learner.width()];
            let change = |weight| learner.lesson(&rows, 0.577, Label::Negative, weight).change;
            assert!((change(2.0) - 2.0 * change(1.0)).abs() < 1e-6, "{}", learner.name());
        }
    }

    proptest! {
        #[test]
        fn margins_are_sums_of_weights(values in prop::collection::vec(-2.0_f32..2.0, 0..80)) {
            for learner in all() {
                let rows = &values[..values.len() / learner.width() * learner.width()];
                let plain: f32 = rows.chunks(learner.width()).map(|row| learner.weight(row)).sum();
                prop_assert!((learner.margin(rows, 0.5) - 0.5 * plain).abs() < 1e-3 * plain.abs().max(1.0));
            }
        }

        #[test]
        fn absurd_rows_teach_finite_changes(values in prop::collection::vec(any::<f32>(), 0..40), positive in any::<bool>()) {
            for learner in all() {
                let rows = &values[..values.len() / learner.width() * learner.width()];
                let label = if positive { Label::Positive } else { Label::Negative };
                prop_assert!(learner.lesson(rows, 0.5, label, 1.0).change.is_finite());
            }
        }
    }
}
