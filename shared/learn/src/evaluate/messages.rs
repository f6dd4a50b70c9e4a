//! A spam filter on labelled messages of the past: each is scored, and taught when its label comes.
//!
//! What a worker does to rows, on rows in memory, one message after the other: features, margin, probability; then the
//! lesson, and what the calibration learns from the margin that the message had before it.

use std::collections::VecDeque;

use super::classes::Outcome;
use crate::balance::{self, Ratio};
use crate::calibration;
use crate::linear::Learner;
use crate::noise::Noise;
use crate::passive_aggressive::Label;
use crate::text;

/// Tells the numbers by which labels are flipped from others.
const NOISE: u8 = 11;

/// How labels come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// Messages that are scored between a message and its label.
    pub delay: usize,
    /// The share of labels, 0 to 1, that say the other class. What is scored is still held against the right one.
    pub flipped: f64,
    /// Decides which ones.
    pub seed: u64,
    /// How far one class may be ahead of the other before its labels count less.
    pub balance: Ratio,
}

/// A filter that learns.
pub struct Filter {
    learner: Learner,
    table: Vec<f32>,
    calibration: [f32; calibration::WIDTH],
    rows: Vec<f32>,
    waiting: VecDeque<(Vec<u32>, Label)>,
    options: Options,
    noise: Noise,
    /// Labels learned, negative and positive.
    learned: [u64; 2],
}

impl Filter {
    /// One that has seen nothing.
    #[must_use]
    pub fn new(learner: Learner, text: text::Settings, options: Options) -> Self {
        Self {
            table: vec![0.0; text.slots() as usize * learner.width()],
            learner,
            calibration: calibration::INITIAL,
            rows: Vec::new(),
            waiting: VecDeque::new(),
            noise: Noise::new(options.seed, NOISE, 0),
            learned: [0; 2],
            options,
        }
    }

    /// Scores the message with these slots, and learns the one whose label comes now.
    pub fn next(&mut self, slots: &[u32], truth: Label) -> Outcome {
        let slots = slots.to_vec();
        let outcome = self.score(&slots, truth);
        let is_flipped = (self.noise.next() >> 11) as f64 / ((1_u64 << 53) as f64) < self.options.flipped;
        self.waiting.push_back((slots, if is_flipped { other(truth) } else { truth }));
        if self.waiting.len() > self.options.delay
            && let Some((slots, label)) = self.waiting.pop_front()
        {
            self.learn(&slots, label);
        }
        outcome
    }

    /// Scores the message with these slots, and learns nothing from it.
    pub fn score(&mut self, slots: &[u32], truth: Label) -> Outcome {
        self.gather(slots);
        let margin = self.learner.margin(&self.rows, text::unit_value(slots.len()));
        let probability = calibration::probability(&self.calibration, margin).min(balance::surest(self.learned[0]));
        Outcome { margin, probability, truth }
    }

    fn gather(&mut self, slots: &[u32]) {
        let width = self.learner.width();
        self.rows.clear();
        for slot in slots {
            self.rows.extend_from_slice(&self.table[*slot as usize * width..][..width]);
        }
    }

    fn learn(&mut self, slots: &[u32], label: Label) {
        let (width, value) = (self.learner.width(), text::unit_value(slots.len()));
        self.gather(slots);
        let own = usize::from(label == Label::Positive);
        let weight = self.options.balance.weight(self.learned[own], self.learned[1 - own]);
        self.learned[own] += 1;
        let lesson = self.learner.lesson(&self.rows, value, label, weight);
        calibration::learn_weighted(&mut self.calibration, lesson.margin, label, weight);
        self.learner.learn(&mut self.rows, value, lesson.change);
        for (slot, row) in slots.iter().zip(self.rows.chunks_exact(width)) {
            self.table[*slot as usize * width..][..width].copy_from_slice(row);
        }
    }
}

fn other(label: Label) -> Label {
    match label {
        Label::Positive => Label::Negative,
        Label::Negative => Label::Positive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::classes::report;
    use crate::text::Extractor;

    fn outcomes(options: Options) -> Vec<Outcome> {
        let mut filter = Filter::new(Learner::default(), text::Settings::default(), options);
        let message = |number: usize| match number % 3 {
            0 => (format!("win a free prize now, call {number}"), Label::Positive),
            _ => (format!("see you at home, dinner at {number}"), Label::Negative),
        };
        let messages = (0..300).map(message);
        let mut extractor = Extractor::default();
        messages.map(|(text, truth)| filter.next(extractor.extract(&text).slots, truth)).collect()
    }

    #[test]
    fn what_is_learned_tells_the_next_ones_apart() {
        let outcomes = outcomes(Options::default());
        assert_eq!((outcomes[0].margin, outcomes[0].probability), (0.0, 0.5), "nothing is known of the first one");
        assert!(report(&outcomes[30..]).accuracy > 99.0);
    }

    #[test]
    fn nothing_is_known_before_the_first_label_comes() {
        let outcomes = outcomes(Options { delay: 50, ..Options::default() });
        assert!(outcomes[..=50].iter().all(|outcome| outcome.margin == 0.0));
        assert_ne!(outcomes[51].margin, 0.0);
        assert!(report(&outcomes[150..]).accuracy > 99.0);
    }

    #[test]
    fn wrong_labels_teach_wrong_things_and_the_truth_stays() {
        let all = outcomes(Options { flipped: 1.0, ..Options::default() });
        assert!(report(&all[50..]).accuracy < 1.0);
        let few = outcomes(Options { flipped: 0.1, seed: 3, ..Options::default() });
        assert!(report(&few[50..]).accuracy > 90.0);
        assert_eq!(
            few,
            outcomes(Options { flipped: 0.1, seed: 3, ..Options::default() }),
            "the same seed, the same labels"
        );
    }
}
