//! What messages are told apart into, and how a label teaches: two classes by any of the linear learners, or several by
//! passive-aggressive learning of several.
//!
//! Either way an example teaches one number, which whoever keeps it can have taken back. Classes are on one of two sides, wanted
//! and not; margins and probabilities are those of the unwanted side, so that thresholds mean the same whatever classes there are.

use std::sync::Arc;

use weir_learn::balance::Ratio;
use weir_learn::linear::{self, Learner};
use weir_learn::passive_aggressive::multiclass::{self, Costs, Update};
use weir_learn::passive_aggressive::{self, Label as Side};
use weir_wire::message::Label;

/// The classes of a model. A class is its label's place in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Classes {
    labels: Arc<[Label]>,
    wanted: Arc<[bool]>,
}

impl Default for Classes {
    fn default() -> Self {
        Self { labels: Label::ALL.into(), wanted: [false, true].into() }
    }
}

impl Classes {
    /// Of these labels, of which `wanted` are let pass. There must be one on either side.
    #[must_use]
    pub fn new(labels: &[Label], wanted: &[Label]) -> Self {
        Self { labels: labels.into(), wanted: labels.iter().map(|label| wanted.contains(label)).collect() }
    }

    /// The labels in their order.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The class of this label.
    #[must_use]
    pub fn class(&self, label: Label) -> Option<u8> {
        self.labels.iter().position(|known| *known == label).map(|place| place as u8)
    }

    /// The label of a class.
    #[must_use]
    pub fn label(&self, class: u8) -> Option<Label> {
        self.labels.get(usize::from(class)).copied()
    }

    /// Whether messages of this class are let pass.
    #[must_use]
    pub fn is_wanted(&self, class: usize) -> bool {
        self.wanted.get(class).copied().unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The classes of one side.
    pub(super) fn of_side(&self, wanted: bool) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(move |class| self.is_wanted(*class) == wanted)
    }

    /// How many of these belong to either side, by class: unwanted and wanted.
    pub(crate) fn sides(&self, counts: &[u64]) -> [u64; 2] {
        [false, true].map(|wanted| self.of_side(wanted).filter_map(|class| counts.get(class)).sum())
    }

    fn side(&self, class: u8) -> Side {
        if self.is_wanted(class.into()) { Side::Negative } else { Side::Positive }
    }
}

/// How classes are told apart.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// Two of them; a mistake about each class costs so much.
    Two(Learner, [f32; 2]),
    /// Several.
    Several(passive_aggressive::Settings, Update, Costs),
}

/// All that learning depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Learning {
    /// What is told apart.
    pub classes: Classes,
    /// How.
    pub method: Method,
    /// How far one side may be ahead before its labels count less.
    pub balance: Ratio,
}

/// What one example of a class teaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lesson {
    /// As the learner has it; 0 is nothing.
    pub(super) change: f32,
    /// The class that it was learned against, of several.
    pub(super) wrong: u8,
}

impl Learning {
    /// Two classes, spam and ham, by this learner, mistakes costing the same.
    #[must_use]
    pub fn two(learner: Learner) -> Self {
        Self { classes: Classes::default(), method: Method::Two(learner, [1.0; 2]), balance: Ratio::default() }
    }

    /// Values of a feature's row.
    #[must_use]
    pub fn width(&self) -> usize {
        match &self.method {
            Method::Two(learner, _) => learner.width(),
            Method::Several(..) => self.classes.len(),
        }
    }

    /// Rows of the calibration: one of two classes, one of each of several.
    pub(super) fn calibrations(&self) -> usize {
        match &self.method {
            Method::Two(..) => 1,
            Method::Several(..) => self.classes.len(),
        }
    }

    /// Writes what the rows of an example's features say: one margin of two classes, one score of each of several.
    pub(super) fn scores(&self, rows: &[f32], value: f32, scores: &mut Vec<f32>) {
        scores.clear();
        match &self.method {
            Method::Two(learner, _) => scores.push(learner.margin(rows, value)),
            Method::Several(..) => {
                scores.resize(self.classes.len(), 0.0);
                multiclass::scores(rows, value, scores);
            }
        }
    }

    /// What an example with these scores teaches these rows that is of this class and counts `weight` times.
    pub(super) fn lesson(&self, rows: &[f32], value: f32, scores: &[f32], class: u8, weight: f32) -> Lesson {
        match &self.method {
            Method::Two(learner, costs) => {
                let cost = costs[usize::from(class).min(1)];
                let lesson = learner.lesson_at(scores[0], rows, value, self.classes.side(class), cost * weight);
                Lesson { change: lesson.change, wrong: 0 }
            }
            Method::Several(settings, update, costs) => {
                let example = (rows.len() / self.width(), value);
                let lesson = multiclass::lesson(settings, costs, *update, scores, example, class.into());
                let change = weight * lesson.change;
                Lesson { change: if change.is_finite() { change } else { 0.0 }, wrong: lesson.wrong as u8 }
            }
        }
    }

    /// Learns a lesson of an example of this class on the rows of its features.
    pub(super) fn learn(&self, rows: &mut [f32], value: f32, class: u8, lesson: Lesson) {
        match &self.method {
            Method::Two(learner, _) => learner.learn(rows, value, lesson.change),
            Method::Several(..) => self.move_classes(rows, class, lesson.wrong, lesson.change),
        }
    }

    /// Takes a lesson of an example of this class back.
    pub(super) fn take_back(&self, rows: &mut [f32], class: u8, lesson: Lesson) {
        match &self.method {
            Method::Two(learner, _) => learner.take_back(rows, lesson.change),
            Method::Several(..) => self.move_classes(rows, class, lesson.wrong, -lesson.change),
        }
    }

    fn move_classes(&self, rows: &mut [f32], right: u8, wrong: u8, change: f32) {
        let (classes, right, wrong) = (self.classes.len(), usize::from(right), usize::from(wrong));
        if right < classes && wrong < classes {
            multiclass::learn(rows, classes, right, multiclass::Lesson { wrong, loss: 0.0, change });
        }
    }

    /// The length by which the weights that rows stand for have moved.
    pub(super) fn shift(&self, before: &[f32], after: &[f32]) -> f64 {
        let square = |before: f32, after: f32| f64::from(after - before).powi(2);
        let rows = before.chunks_exact(self.width()).zip(after.chunks_exact(self.width()));
        let squares: f64 = match &self.method {
            Method::Two(learner, _) => {
                rows.map(|(before, after)| square(learner.weight(before), learner.weight(after))).sum()
            }
            Method::Several(..) => before.iter().zip(after).map(|(before, after)| square(*before, *after)).sum(),
        };
        squares.sqrt()
    }

    /// How much one more example of this class counts, by the labels of each class so far.
    pub(super) fn weight(&self, class: u8, counts: &[u64]) -> f32 {
        let [unwanted, wanted] = self.classes.sides(counts);
        match self.classes.side(class) {
            Side::Positive => self.balance.weight(unwanted, wanted),
            Side::Negative => self.balance.weight(wanted, unwanted),
        }
    }

    /// What the calibration of the class in this place learns from an example of class `truth`: its margin there, and on which side of it it is.
    pub(super) fn calibrated(&self, place: usize, scores: &[f32], truth: u8) -> (f32, Side) {
        match &self.method {
            Method::Two(..) => (scores[0], self.classes.side(truth)),
            Method::Several(..) => {
                let side = if place == usize::from(truth) { Side::Positive } else { Side::Negative };
                (lead(scores, place), side)
            }
        }
    }

    /// The learner of two classes, for what only it can say.
    #[must_use]
    pub fn learner(&self) -> Option<&linear::Learner> {
        match &self.method {
            Method::Two(learner, _) => Some(learner),
            Method::Several(..) => None,
        }
    }
}

/// By how much a class's score is above the best of the others.
pub(super) fn lead(scores: &[f32], class: usize) -> f32 {
    let others = scores.iter().enumerate().filter(|(other, _)| *other != class);
    scores[class] - others.map(|(_, score)| *score).fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<Label> {
        names.iter().filter_map(|name| Label::named(name)).collect()
    }

    pub(super) fn several(update: Update) -> Learning {
        let labels = named(&["spam", "ham", "news"]);
        let costs = Costs::equal(3).unwrap();
        Learning {
            classes: Classes::new(&labels, &labels[1..]),
            method: Method::Several(passive_aggressive::Settings::default(), update, costs),
            balance: Ratio::default(),
        }
    }

    #[test]
    fn classes_are_on_one_of_two_sides() {
        let learning = several(Update::MaxLoss);
        assert_eq!(learning.classes.sides(&[5, 3, 4]), [5, 7]);
        assert_eq!((learning.width(), learning.calibrations()), (3, 3));
        assert_eq!(learning.classes.class(Label::HAM), Some(1));
        assert_eq!(learning.classes.label(2), Label::named("news"));
        assert_eq!((learning.classes.label(3), learning.classes.class(named(&["eggs"])[0])), (None, None));
        // 100 spam, no other.
        assert_eq!(learning.weight(0, &[100, 0, 0]), 1.0 / 101.0);
        assert_eq!(learning.weight(2, &[100, 0, 0]), 1.0);
    }

    #[test]
    fn of_several_classes_a_lesson_moves_two_and_is_taken_back_whole() {
        let learning = several(Update::MaxLoss);
        let (mut rows, mut scores) = (vec![0.0; 4 * 3], Vec::new());
        learning.scores(&rows, 0.5, &mut scores);
        // All scores are 0: loss 1 with the first other class; twice |x|² is 2, so the step is 1/2, times the value 1/4.
        let lesson = learning.lesson(&rows, 0.5, &scores, 2, 1.0);
        assert_eq!(lesson, Lesson { change: 0.25, wrong: 0 });
        learning.learn(&mut rows, 0.5, 2, lesson);
        assert_eq!(rows[..3], [-0.25, 0.0, 0.25]);
        learning.scores(&rows, 0.5, &mut scores);
        assert_eq!(scores, [-0.5, 0.0, 0.5]);
        assert_eq!((lead(&scores, 2), lead(&scores, 0)), (0.5, -1.0));
        learning.take_back(&mut rows, 2, lesson);
        assert_eq!(rows, [0.0; 12]);
        // A row of another model's many classes is not one of this one's.
        learning.take_back(&mut rows, 2, Lesson { change: 1.0, wrong: 9 });
        assert_eq!(rows, [0.0; 12]);
    }

    #[test]
    fn of_two_classes_costs_and_balance_multiply() {
        let learner = Learner::PassiveAggressive(passive_aggressive::Settings::default());
        let learning = Learning { method: Method::Two(learner, [1.0, 3.0]), ..Learning::two(learner) };
        let change = |class, weight| learning.lesson(&[0.0; 4], 0.5, &[0.0], class, weight).change;
        // Loss 1, |x|² = 1.
        assert_eq!((change(0, 1.0), change(1, 1.0), change(1, 0.5)), (0.5, -1.5, -0.75));
    }
}
