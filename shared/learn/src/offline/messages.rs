//! A linear classifier of messages, in several passes.
//!
//! A pass visits all examples once, each pass in another order, and learns of each what online learning would
//! ([`Learner::lesson`]). The weights of the end are those after the last step or, averaged, the mean of those after every step, which
//! no single late example can pull away. Of all passes the rows with the least loss on what was held out are kept.
//!
//! Probabilities are fitted on what is held out: on examples that were learned already, margins say too much. Without any, they are
//! fitted in the first pass, on each margin from before its example was learned.
//!
//! Sources: Collins, EMNLP 2002 (averaged weights, for the perceptron); Platt 1999 ([`crate::calibration`]).

use std::collections::HashMap;

use super::blocks::shuffle;
use crate::calibration;
use crate::error::{Error, in_range};
use crate::evaluate::classes::{Outcome, Report, report};
use crate::linear::Learner;
use crate::noise::Noise;
use crate::passive_aggressive::Label;
use crate::text;

/// Tells the order of examples from other random numbers.
const NOISE: u8 = 12;
/// Visits of each held-out example while probabilities are fitted.
const CALIBRATION_PASSES: u32 = 10;

/// A message with its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The numbers of its features ([`Features`]), each once.
    pub features: Vec<u32>,
    /// Its class.
    pub label: Label,
}

/// The features of all examples: numbers from 0 without holes for their slots, of which most are never seen.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// By number: the slot.
    pub slots: Vec<u32>,
    numbers: HashMap<u32, u32>,
}

impl Features {
    /// The numbers of these slots, new ones where they are seen for the first time.
    pub fn number(&mut self, slots: &[u32]) -> Vec<u32> {
        let Self { slots: known, numbers } = self;
        let number = |slot: &u32| {
            *numbers.entry(*slot).or_insert_with(|| {
                known.push(*slot);
                known.len() as u32 - 1
            })
        };
        slots.iter().map(number).collect()
    }
}

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// Passes at most, 1 to 10,000.
    pub epochs: u32,
    /// Passes without a new least loss on what is held out, after which training ends; 1 to 10,000.
    pub patience: u32,
    /// Whether weights are averaged over all steps.
    pub averaged: bool,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self { epochs: 20, patience: 3, averaged: false }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("epochs", values.epochs.into(), 1.0, 10_000.0)?;
    in_range("patience", values.patience.into(), 1.0, 10_000.0)?;
    Ok(())
}

/// How a pass went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: u32,
    /// Of the examples learned, in per cent, those that were told rightly just before they were learned.
    pub accuracy: f64,
    /// How what is held out is told after the pass; none where nothing is.
    pub held_out: Option<Report>,
}

/// What was learned.
#[derive(Clone, Debug)]
pub struct Trained {
    /// By the number of its feature: a row, as the learner has it.
    pub rows: Vec<f32>,
    /// How margins become probabilities.
    pub calibration: [f32; calibration::WIDTH],
    /// The pass that they are of.
    pub best: Epoch,
}

/// Learns `examples` of so many features, in an order that `seed` decides, until the loss on those `held_out` falls no more. `on_epoch` is told of each
/// pass and says whether to go on.
///
/// Weights are averaged only where a row's first value is one ([`Learner::averages`]).
#[must_use]
pub fn train(
    (examples, held_out): (&[Example], &[Example]),
    (learner, features): (Learner, usize),
    settings: &Settings,
    seed: u64,
    mut on_epoch: impl FnMut(&Epoch) -> bool,
) -> Trained {
    let values = settings.values();
    let mut training = Training::new(learner, features, values.averaged && learner.averages());
    let mut order: Vec<u32> = (0..examples.len() as u32).collect();
    let (mut best, mut since) = (None::<Trained>, 0);
    for number in 1..=values.epochs {
        shuffle(&mut order, &mut Noise::new(seed, NOISE, number.into()));
        let right = training.pass(examples, &order, number == 1);
        let accuracy = 100.0 * right as f64 / examples.len().max(1) as f64;
        let trained = training.trained(held_out, Epoch { number, accuracy, held_out: None });
        let goes_on = on_epoch(&trained.best);
        since += 1;
        if loss(&trained.best) < best.as_ref().map_or(f64::INFINITY, |best| loss(&best.best)) || held_out.is_empty() {
            (best, since) = (Some(trained), 0);
        }
        if !goes_on || since >= values.patience {
            break;
        }
    }
    best.unwrap_or_else(|| training.trained(&[], Epoch { number: 0, accuracy: 0.0, held_out: None }))
}

fn loss(epoch: &Epoch) -> f64 {
    epoch.held_out.map_or(0.0, |report| report.log_loss)
}

/// The rows under training.
struct Training {
    learner: Learner,
    width: usize,
    rows: Vec<f32>,
    calibration: [f32; calibration::WIDTH],
    /// By feature: the sum of its weight's changes, each times the number of steps before it; empty without averaging.
    weighted_changes: Vec<f64>,
    steps: u64,
    /// The rows of the example at hand.
    gathered: Vec<f32>,
}

impl Training {
    fn new(learner: Learner, features: usize, averaged: bool) -> Self {
        let width = learner.width();
        Self {
            learner,
            width,
            rows: vec![0.0; features * width],
            calibration: calibration::INITIAL,
            weighted_changes: vec![0.0; if averaged { features } else { 0 }],
            steps: 0,
            gathered: Vec::new(),
        }
    }

    /// Learns all examples and returns how many were told rightly before.
    fn pass(&mut self, examples: &[Example], order: &[u32], calibrates: bool) -> usize {
        let mut right = 0;
        for &number in order {
            let Example { features, label } = &examples[number as usize];
            let margin = self.learn(features, *label);
            right += usize::from(Label::of_margin(margin) == *label);
            if calibrates {
                calibration::learn(&mut self.calibration, margin, *label);
            }
        }
        right
    }

    /// Learns an example and returns the margin that it had before.
    fn learn(&mut self, features: &[u32], label: Label) -> f32 {
        let (width, value) = (self.width, text::unit_value(features.len()));
        gather(&self.rows, width, features, &mut self.gathered);
        let lesson = self.learner.lesson(&self.gathered, value, label, 1.0);
        self.learner.learn(&mut self.gathered, value, lesson.change);
        for (feature, row) in features.iter().zip(self.gathered.chunks_exact(width)) {
            let place = *feature as usize * width;
            if let Some(sum) = self.weighted_changes.get_mut(*feature as usize) {
                *sum += f64::from(row[0] - self.rows[place]) * self.steps as f64;
            }
            self.rows[place..place + width].copy_from_slice(row);
        }
        self.steps += 1;
        lesson.margin
    }

    /// What was learned by now, and how it tells what is held out.
    fn trained(&self, held_out: &[Example], epoch: Epoch) -> Trained {
        let (rows, mut calibration) = (self.averaged(), self.calibration);
        let margins = self.margins(&rows, held_out);
        if !margins.is_empty() {
            calibration = calibration::INITIAL;
            for _ in 0..CALIBRATION_PASSES {
                for (margin, truth) in &margins {
                    calibration::learn(&mut calibration, *margin, *truth);
                }
            }
        }
        let outcome = |&(margin, truth): &(f32, Label)| Outcome {
            margin,
            probability: calibration::probability(&calibration, margin),
            truth,
        };
        let outcomes: Vec<Outcome> = margins.iter().map(outcome).collect();
        let held_out = (!outcomes.is_empty()).then(|| report(&outcomes));
        Trained { rows, calibration, best: Epoch { held_out, ..epoch } }
    }

    fn margins(&self, rows: &[f32], examples: &[Example]) -> Vec<(f32, Label)> {
        let mut gathered = Vec::new();
        let mut margin = |example: &Example| {
            gather(rows, self.width, &example.features, &mut gathered);
            (self.learner.margin(&gathered, text::unit_value(example.features.len())), example.label)
        };
        examples.iter().map(&mut margin).collect()
    }

    /// A weight that changed by d after s of T steps was there T - s times, so the mean over all is the last one less the sum of
    /// s·d / T.
    fn averaged(&self) -> Vec<f32> {
        let mut rows = self.rows.clone();
        for (row, sum) in rows.chunks_exact_mut(self.width).zip(&self.weighted_changes) {
            row[0] -= (sum / self.steps.max(1) as f64) as f32;
        }
        rows
    }
}

fn gather(rows: &[f32], width: usize, features: &[u32], gathered: &mut Vec<f32>) {
    gathered.clear();
    for feature in features {
        gathered.extend_from_slice(&rows[*feature as usize * width..][..width]);
    }
}

#[cfg(test)]
mod tests;
