//! From weights to what is said of a message: the same for the worker that scores and the gateway that answers.

use weir_learn::linear::{Learner, MAX_WIDTH};
use weir_learn::passive_aggressive::Label;
use weir_learn::{calibration, text};
use weir_wire::message;

/// The key of a feature's weight. Slots are small numbers, and row tables want keys whose bits all vary; to multiply by
/// an odd number gives every slot a key of its own.
#[must_use]
#[inline]
pub fn weight_key(slot: u32) -> u64 {
    (u64::from(slot) + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

/// What is said of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// What it is taken for.
    pub label: message::Label,
    /// How likely it is spam, from 0 to 1.
    pub probability: f32,
    /// Above 0 is spam. Finite.
    pub margin: f32,
}

/// A row of the calibration table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration(pub(super) [f32; calibration::WIDTH]);

impl Default for Calibration {
    /// The row that nothing was learned on yet.
    fn default() -> Self {
        Self(calibration::INITIAL)
    }
}

impl Calibration {
    /// Out of a row's values.
    #[must_use]
    pub fn from_values(values: &[f32]) -> Self {
        values.as_array().map_or_else(Self::default, |values| Self(*values))
    }

    /// What a margin says.
    #[must_use]
    pub fn score(&self, margin: f32) -> Score {
        // A sum that overflowed is as sure as can be; JSON and readers know finite numbers only.
        let margin = if margin.is_nan() { 0.0 } else { margin.clamp(f32::MIN, f32::MAX) };
        let label = label_to_wire(Label::of_margin(margin));
        let probability = calibration::probability(&self.0, margin);
        Score { label, probability: if probability.is_nan() { 0.5 } else { probability }, margin }
    }
}

pub(super) fn label_to_wire(label: Label) -> message::Label {
    match label {
        Label::Positive => message::Label::Spam,
        Label::Negative => message::Label::Ham,
    }
}

pub(super) fn label_from_wire(label: message::Label) -> Label {
    match label {
        message::Label::Spam => Label::Positive,
        message::Label::Ham => Label::Negative,
    }
}

/// Scores texts with rows from anywhere, and keeps the room it needs.
#[derive(Clone, Debug)]
pub struct TextScorer {
    extractor: text::Extractor,
    learner: Learner,
    rows: Vec<f32>,
}

impl TextScorer {
    /// With a model's features and learner.
    #[must_use]
    pub fn new(settings: text::Settings, learner: Learner) -> Self {
        Self { extractor: text::Extractor::new(settings), learner, rows: Vec::new() }
    }

    /// Scores one text; `row` gives the row under a key ([`weight_key`]), none where there is none.
    pub fn score<'a>(
        &mut self,
        text: &str,
        calibration: &Calibration,
        row: impl Fn(u64) -> Option<&'a [f32]>,
    ) -> Score {
        calibration.score(self.margin(text, &row))
    }

    /// The margin of one text.
    pub(super) fn margin<'a>(&mut self, text: &str, row: &impl Fn(u64) -> Option<&'a [f32]>) -> f32 {
        let features = self.extractor.extract(text);
        let (width, nothing) = (self.learner.width(), [0.0; MAX_WIDTH]);
        self.rows.clear();
        for &slot in features.slots {
            let row = row(weight_key(slot)).filter(|row| row.len() == width);
            self.rows.extend_from_slice(row.unwrap_or(&nothing[..width]));
        }
        self.learner.margin(&self.rows, features.value)
    }
}
