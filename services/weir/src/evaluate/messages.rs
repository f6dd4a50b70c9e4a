//! `weir evaluate messages`: the spam filter on files of labelled messages, each scored before its label is learned.

mod attacks;
pub(crate) mod data;
mod plots;
mod report;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use weir_learn::evaluate::classes::Outcome;
use weir_learn::evaluate::messages::{Filter, Options};
use weir_learn::linear::Learner;
use weir_learn::text;
use weir_models::spam::ContentExtractor;
use weir_runtime::{Settings, SpamLearner};

use super::figures;
use crate::arguments::CommonOptions;
use crate::files::Format;
use attacks::Effects;
use data::Data;
use report::Report;

/// Messages between two moves of the progress bar.
const STEP: u64 = 256;

/// What `weir evaluate messages` takes.
#[derive(Debug, Args)]
pub(crate) struct EvaluateMessages {
    /// Messages with labels, plain, gzip or xz, as weir import reads them, in the order in which they come
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The files' format, where neither name nor first line tell
    #[arg(long)]
    format: Option<Format>,
    /// Only these learners: pa, pa-i, pa-ii, arow, ftrl, adagrad [default: all]
    #[arg(long = "learner", value_name = "NAME", value_parser = NAMES)]
    learners: Vec<String>,
    /// Messages that are scored between a message and its label
    #[arg(long, value_name = "N", default_value_t = 0)]
    delay: usize,
    /// The share of labels that are wrong
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    flipped: f64,
    /// Seed of which ones
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also let each learner learn all but the last fifth, and score that fifth in disguises that are known to blind filters
    #[arg(long)]
    attacks: bool,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw errors over messages, ROC curves and calibration into DIR/learning.svg, roc.svg and calibration.svg
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: CommonOptions,
}

const NAMES: [&str; 6] = ["pa", "pa-i", "pa-ii", "arow", "ftrl", "adagrad"];

/// What a learner said of all messages.
#[derive(Debug)]
struct Run {
    name: &'static str,
    outcomes: Vec<Outcome>,
    seconds: f64,
    /// What disguises do to what it has learned, where that was asked for.
    effects: Option<Effects>,
}

/// Evaluates and prints.
///
/// # Errors
/// A file cannot be read or has no labelled message; what is to be written cannot be written.
pub(crate) fn run(command: &EvaluateMessages, settings: &Settings) -> anyhow::Result<()> {
    let data = Data::read(&command.files, command.format, settings)?;
    let spam = weir_models::spam_settings(settings)?;
    let balance = spam.learning.balance;
    let options = Options { delay: command.delay, flipped: command.flipped, seed: command.seed, balance };
    let wanted =
        |learner: &Learner| command.learners.is_empty() || command.learners.iter().any(|n| n == learner.name());
    let learners: Vec<Learner> = learners(settings)?.into_iter().filter(wanted).collect();
    let bar = ProgressBar::new((data.messages.len() * learners.len()) as u64);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {percent} % {eta} left") {
        bar.set_style(style);
    }
    let runs: Vec<Run> =
        learners.into_iter().map(|learner| evaluate(learner, spam.text, &data, options, &bar)).collect();
    let runs: Vec<Run> = if command.attacks { attacked(runs, settings, spam.text, &data, options)? } else { runs };
    bar.finish_and_clear();
    let report = Report::new(&data, &runs);
    print!("{}", report.text(spam.learning.learner().map_or("pa", Learner::name)));
    if let Some(file) = &command.json {
        figures::write_json(file, &report)?;
    }
    command.plots.as_ref().map_or(Ok(()), |dir| plots::draw(dir, &runs))
}

/// Every learner that there is, with the hyper-parameters in force.
fn learners(settings: &Settings) -> Result<Vec<Learner>, weir_learn::Error> {
    SpamLearner::ALL.into_iter().map(|learner| weir_models::spam_learner(&settings.spam, learner)).collect()
}

fn evaluate(learner: Learner, text: text::Settings, data: &Data, options: Options, bar: &ProgressBar) -> Run {
    let name = learner.name();
    bar.set_message(name);
    let (mut filter, mut extractor) = (Filter::new(learner, text, options), ContentExtractor::new(text));
    let (began, mut outcomes) = (Instant::now(), Vec::with_capacity(data.messages.len()));
    for (number, message) in (1..).zip(&data.messages) {
        let slots = extractor.extract(message.content()).slots;
        outcomes.push(filter.next(slots, message.truth));
        if u64::is_multiple_of(number, STEP) {
            bar.inc(STEP);
        }
    }
    Run { name, outcomes, seconds: began.elapsed().as_secs_f64(), effects: None }
}

fn attacked(
    mut runs: Vec<Run>,
    settings: &Settings,
    text: text::Settings,
    data: &Data,
    options: Options,
) -> anyhow::Result<Vec<Run>> {
    let learners = learners(settings)?;
    for run in &mut runs {
        let learner = learners.iter().find(|learner| learner.name() == run.name);
        run.effects = learner.map(|learner| attacks::attack(*learner, text, &data.messages, options));
    }
    Ok(runs)
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("expected a share from 0 to 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_learner_has_a_name_that_can_be_chosen() {
        let all = learners(&Settings::default()).expect("valid");
        assert_eq!(all.iter().map(Learner::name).collect::<Vec<_>>(), NAMES);
        assert_eq!((share("0.5"), share("1")), (Ok(0.5), Ok(1.0)));
        assert!(share("-1").is_err() && share("two").is_err());
    }
}
