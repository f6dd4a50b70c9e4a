//! The recommender, trained from a file of ratings.

use std::thread;

use clap::Args;
use weir_learn::offline::events::{self, Ratings};
use weir_learn::offline::ratings::{Epoch, Trained};
use weir_learn::offline::{choices, ratings};
use weir_models::recommender::{Learned, Past, trained};
use weir_models::{Named, describe, recommender_settings};
use weir_runtime::Settings;

use super::log::at;
use super::passes::Passes;
use super::{Place, TrainCommand};
use crate::evaluate::ratings::data::{Collector, Data};

/// What only the recommender has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Only for the recommender")]
pub(super) struct RecommenderOptions {
    /// The first rate of the passes [default: 0.01]
    #[arg(long)]
    rate: Option<f32>,
    /// How strongly biases and factors of ratings are drawn to 0 [default: 0.08]
    #[arg(long)]
    regularisation: Option<f32>,
    /// Sweeps over the choices [default: 10]
    #[arg(long, value_name = "N")]
    sweeps: Option<u32>,
    /// How much a pair that was not chosen weighs [default: 0.3]
    #[arg(long, value_name = "WEIGHT")]
    unobserved: Option<f32>,
    /// Threads [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

impl RecommenderOptions {
    /// The first one that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--rate", self.rate.is_some()),
            ("--regularisation", self.regularisation.is_some()),
            ("--sweeps", self.sweeps.is_some()),
            ("--unobserved", self.unobserved.is_some()),
            ("--threads", self.threads.is_some()),
        ];
        given.into_iter().find_map(|(name, is_given)| is_given.then_some(name))
    }

    fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
    }
}

/// Trains and writes the file.
///
/// # Errors
/// As [`super::train`].
pub(super) fn train(command: &TrainCommand, place: &Place<'_>, settings: &Settings) -> anyhow::Result<()> {
    let data = match place {
        Place::Files { from, .. } => Data::read(from, command.format, settings)?,
        Place::Log(log) => {
            let mut events = Collector::new(settings)?;
            log.read(&mut |record| {
                events.take(record.key, record.payload, record.timestamp_ms, || at(record));
            })?;
            events.finish()
        }
    };
    anyhow::ensure!(!data.events.is_empty(), "there is no event to learn from");
    if let Some(refusal) = &data.first_refusal {
        println!("{} events were refused, the first one: {refusal}", data.refused);
    }
    let rated = command.ratings(&data, settings)?;
    let chosen = command.choices(&data, settings)?;
    let description = describe(Named::Recommender, settings)?;
    let past = Past { events: &data.events, users: &data.users, items: &data.items };
    let learned = Learned { ratings: rated.as_ref(), choices: &chosen };
    let shards = trained(&recommender_settings(settings)?, description.partitioner, past, learned);
    place.save(&description, &shards, &format!("{} users and {} items", data.size.users, data.size.items))
}

impl TrainCommand {
    /// None where nothing is rated.
    fn ratings(&self, data: &Data, settings: &Settings) -> anyhow::Result<Option<Trained>> {
        let (options, default) = (&self.recommender, ratings::HyperParameters::default());
        let values = ratings::HyperParameters {
            epochs: self.epochs.unwrap_or(default.epochs),
            patience: self.patience.unwrap_or(default.patience),
            rate: options.rate.unwrap_or(default.rate),
            regularisation: options.regularisation.unwrap_or(default.regularisation),
            threads: options.threads(),
        };
        let tried = ratings::Settings::try_from(values)?;
        let Ratings { learned, held_out } = Ratings::of(&data.events, self.held_out);
        let all = Ratings::of(&data.events, 0).learned;
        if learned.is_empty() {
            return Ok(None);
        }
        let recommender = recommender_settings(settings)?;
        let mut bar = Passes::new("ratings", values.epochs.into(), learned.len());
        let parts = (&*learned, &*held_out);
        let model = &recommender.factors;
        let first = ratings::train(parts, data.size, model, &tried, recommender.seed, |epoch| bar.epoch(said(epoch)))?;
        let fastest = bar.end();
        let Epoch { number, rmse, held_out: predicted, .. } = first.best;
        println!(
            "{} ratings: least error after {number} passes, {rmse:.4} of those learned{}",
            learned.len(),
            held(predicted)
        );
        println!("{:.1} million ratings learned a second, {} threads", fastest / 1e6, values.threads);
        if predicted.is_none() {
            return Ok(Some(first));
        }
        let again =
            ratings::Settings::try_from(ratings::HyperParameters { epochs: number, patience: number, ..values })?;
        let mut bar = Passes::new("all ratings", number.into(), all.len());
        let parts = (&*all, &[][..]);
        let trained =
            ratings::train(parts, data.size, model, &again, recommender.seed, |epoch| bar.epoch(said(epoch)))?;
        bar.end();
        Ok(Some(trained))
    }

    fn choices(&self, data: &Data, settings: &Settings) -> anyhow::Result<choices::Trained> {
        let (options, default) = (&self.recommender, choices::HyperParameters::default());
        let sweeps = options.sweeps.unwrap_or(default.sweeps);
        let unobserved = options.unobserved.unwrap_or(default.unobserved);
        let values = choices::HyperParameters { sweeps, unobserved, threads: options.threads(), ..default };
        let (values, recommender) = (choices::Settings::try_from(values)?, recommender_settings(settings)?);
        let pairs = events::choices(&data.events, data.size, recommender.positive);
        let mut bar = Passes::new("choices", sweeps.into(), pairs.len());
        let trained =
            choices::train(&pairs, data.size, &recommender.ranking, &values, recommender.seed, |_| bar.pass());
        bar.end();
        println!("{} choices: {sweeps} sweeps", pairs.len());
        Ok(trained)
    }
}

fn said(epoch: &Epoch) -> String {
    format!("error {:.4}{}", epoch.rmse, held(epoch.held_out))
}

fn held(predicted: Option<f64>) -> String {
    predicted.map_or(String::new(), |predicted| format!(", {predicted:.4} of those held out"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The defaults that the help texts name.
    #[test]
    fn the_help_names_the_defaults() {
        let help = crate::arguments::Arguments::command()
            .find_subcommand_mut("train")
            .map(|command| command.render_long_help().to_string().split_whitespace().collect::<Vec<_>>().join(" "))
            .expect("there is train");
        let (ratings, choices) = (ratings::HyperParameters::default(), choices::HyperParameters::default());
        let messages = weir_learn::offline::messages::HyperParameters::default();
        for part in [
            format!("the passes [default: {}]", ratings.rate),
            format!("drawn to 0 [default: {}]", ratings.regularisation),
            format!("the choices [default: {}]", choices.sweeps),
            format!("chosen weighs [default: {}]", choices.unobserved),
            format!("[default: {} over ratings, {} over messages]", ratings.epochs, messages.epochs),
            format!("[default: {} over ratings, {} over messages]", ratings.patience, messages.patience),
        ] {
            assert!(help.contains(&part), "{part} is not in {help}");
        }
    }
}
