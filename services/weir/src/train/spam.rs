//! The spam filter, trained from a file of labelled messages.

use clap::Args;
use weir_learn::linear::Learner;
use weir_learn::offline::messages::{self, Epoch, Example, Features, HyperParameters, Trained};
use weir_models::spam::{Classes, trained};
use weir_models::{Named, describe, spam_settings};
use weir_runtime::Settings;

use super::log::at;
use super::passes::Passes;
use super::{Place, TrainCommand};
use crate::evaluate::messages::data::{Collector, Data};

/// What only the spam filter has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Only for the spam filter")]
pub(super) struct SpamOptions {
    /// End with the mean of the weights after each message instead of the last ones
    #[arg(long)]
    averaged: bool,
}

impl SpamOptions {
    /// The first one that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        self.averaged.then_some("--averaged")
    }
}

/// Trains and writes the file.
///
/// # Errors
/// As [`super::train`].
pub(super) fn train(command: &TrainCommand, place: &Place<'_>, settings: &Settings) -> anyhow::Result<()> {
    let spam = spam_settings(settings)?;
    let learner = match spam.learning.learner() {
        Some(learner) if spam.learning.classes == Classes::default() => *learner,
        _ => {
            anyhow::bail!("weir train tells spam from ham; other labels (setting spam.labels) are learned online only")
        }
    };
    anyhow::ensure!(
        !command.spam.averaged || learner.averages(),
        "--averaged: the rows of learner {} hold no weights that could be averaged: leave it out, or set spam.learner to \
         another one",
        learner.name()
    );
    let data = match place {
        Place::Files { from, .. } => Data::read(&[from.to_path_buf()], command.format, settings)?,
        Place::Log(log) => {
            let mut messages = Collector::new(settings)?;
            log.read(&mut |record| messages.take(record.key, record.payload, || at(record)))?;
            messages.finish()
        }
    };
    anyhow::ensure!(!data.messages.is_empty(), "there is no message with a text and a label to learn from");
    if let Some(refusal) = &data.first_refusal {
        println!("{} events were refused, the first one: {refusal}", data.refused);
    }
    let (mut extractor, mut features) = (weir_models::spam::ContentExtractor::new(spam.text), Features::default());
    let example = |message: &crate::evaluate::messages::data::Message| Example {
        features: features.number(extractor.extract(message.content()).slots),
        label: message.truth,
    };
    let examples: Vec<Example> = data.messages.iter().map(example).collect();
    let learned = command.messages(&examples, learner, features.slots.len(), settings.spam.seed)?;
    let description = describe(Named::Spam, settings)?;
    let labels = examples.iter().map(|example| example.label);
    let shards = trained(&spam, description.partitioner, (&learned, &features.slots), labels);
    place.save(&description, &shards, &format!("{} messages", examples.len()))
}

impl TrainCommand {
    /// Finds the number of passes on a part of the examples, then learns all in so many; probabilities stay those of the part that was
    /// held out.
    fn messages(&self, all: &[Example], learner: Learner, features: usize, seed: u64) -> anyhow::Result<Trained> {
        let default = HyperParameters::default();
        let values = HyperParameters {
            epochs: self.epochs.unwrap_or(default.epochs),
            patience: self.patience.unwrap_or(default.patience),
            averaged: self.spam.averaged,
        };
        let (learned, held_out) = split(all, self.held_out);
        let first = pass("messages", (&learned, &held_out), (learner, features), values, seed)?;
        let Epoch { number, accuracy, held_out: told } = first.best;
        println!(
            "{} messages, learner {}: least loss after {number} passes, {accuracy:.2} % of those learned told rightly just before",
            learned.len(),
            learner.name()
        );
        let Some(told) = told else { return Ok(first) };
        println!(
            "of {} held out: accuracy {:.2} %, 1-ROCA {:.3} %, log loss {:.4}, ham blocked {:.2} %, spam missed {:.2} %",
            held_out.len(),
            told.accuracy,
            told.one_minus_roca,
            told.log_loss,
            told.false_positives,
            told.false_negatives
        );
        let again = HyperParameters { epochs: number, patience: number, ..values };
        let whole = pass("all messages", (all, &[]), (learner, features), again, seed)?;
        Ok(Trained { calibration: first.calibration, ..whole })
    }
}

fn pass(
    what: &'static str,
    examples: (&[Example], &[Example]),
    model: (Learner, usize),
    values: HyperParameters,
    seed: u64,
) -> anyhow::Result<Trained> {
    let settings = messages::Settings::try_from(values)?;
    let mut bar = Passes::new(what, values.epochs.into(), examples.0.len());
    let trained = messages::train(examples, model, &settings, seed, |epoch| bar.epoch(said(epoch)));
    bar.end();
    Ok(trained)
}

/// All but every so-and-so-many-th, and those; with 0 all are learned.
fn split(all: &[Example], one_of: usize) -> (Vec<Example>, Vec<Example>) {
    let (mut learned, mut held_out) = (Vec::new(), Vec::new());
    for (number, example) in (1..).zip(all) {
        let is_held_out = one_of > 0 && usize::is_multiple_of(number, one_of);
        if is_held_out { &mut held_out } else { &mut learned }.push(example.clone());
    }
    (learned, held_out)
}

fn said(epoch: &Epoch) -> String {
    let held = epoch.held_out.map_or(String::new(), |told| format!(", loss {:.4} of those held out", told.log_loss));
    format!("{:.2} % right{held}", epoch.accuracy)
}

#[cfg(test)]
mod tests {
    use weir_learn::passive_aggressive::Label;

    use super::*;

    #[test]
    fn every_tenth_is_held_out_or_none() {
        let all: Vec<Example> =
            (0..25).map(|number| Example { features: vec![number], label: Label::Positive }).collect();
        let (learned, held_out) = split(&all, 10);
        assert_eq!(held_out, [all[9].clone(), all[19].clone()]);
        assert_eq!(learned.len(), 23);
        assert_eq!(split(&all, 0), (all, Vec::new()));
    }
}
