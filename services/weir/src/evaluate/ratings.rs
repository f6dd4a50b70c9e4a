//! `weir evaluate ratings`: the recommender on a file of ratings, beside what it has to beat.

mod contenders;
pub(crate) mod data;
mod outcome;
mod run;
mod search;
mod tables;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use weir_learn::evaluate::{Relevant, progressive, split};
use weir_runtime::Settings;

use crate::arguments::CommonOptions;
use crate::files::Format;
use contenders::Contender;
use data::Data;
use outcome::{Comparison, Report};

/// What `weir evaluate ratings` takes.
#[derive(Debug, Args)]
pub(crate) struct EvaluateRatings {
    /// Ratings, plain, gzip or xz, as `weir import` reads them; - for standard input
    file: PathBuf,
    /// The file's format, where neither name nor first line tell
    #[arg(long)]
    format: Option<Format>,
    /// How it is evaluated
    #[arg(long, value_enum, default_value_t = Protocol::Both)]
    protocol: Protocol,
    /// Length of the lists that NDCG, precision and recall are about
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    k: u16,
    /// Which events say what a good list has [default: positives in the progressive protocol, all in the split one]
    #[arg(long, value_enum)]
    relevant: Option<Which>,
    /// Progressive: whether items that the user has had are left out of the order or kept in
    #[arg(long, value_enum, default_value_t = Known::Out)]
    known: Known,
    /// Progressive: at most so many events' items are looked for, spread evenly
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    rank_events: usize,
    /// Progressive: part of the events that is learned before any count
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    warm_up: f64,
    /// Progressive: parts of the file that are reported by themselves
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    windows: u16,
    /// Split: which of each user's events are kept back
    #[arg(long, value_enum, default_value_t = Order::Random)]
    order: Order,
    /// Split: the part of each user's events that is kept back
    #[arg(long, value_name = "SHARE", default_value_t = 0.25, value_parser = share)]
    test_share: f64,
    /// Split: seed of what is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Train the two factor models on everything at once too, in several passes, as further contenders; in the progressive
    /// protocol on what --warm-up says, going on online from there or not
    #[arg(long)]
    offline: bool,
    /// Another configuration beside the one of the settings, as in "small: recommender.factors=8 recommender.ranking.factors=8"
    #[arg(long = "configuration", value_name = "NAME: SETTING=VALUE ...", value_parser = configuration)]
    configurations: Vec<Configuration>,
    /// Try all ways to choose from lists of values, as in recommender.factors=8,16,32, each as a configuration
    #[arg(long, value_name = "SETTING=VALUE,...", value_parser = search::values)]
    search: Vec<search::Values>,
    /// Ways to try at most; of more so many are drawn at random, by the seed
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    tries: u16,
    /// By what the best configuration is told: of the last protocol that is run
    #[arg(long, value_enum, default_value_t = Goal::Ndcg)]
    goal: Goal,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw RMSE and recall over the events of the progressive protocol into DIR/rmse.svg and DIR/recall.svg
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    #[command(flatten)]
    common: CommonOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    /// Every event in time order, first predicted and looked for, then learned
    Progressive,
    /// A part of each user's events kept back, lists held against it
    Split,
    /// First the one, then the other
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Every event
    All,
    /// Events that are choices, by the settings recommender.ranking.positive_...
    Positives,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Known {
    /// Left out
    Out,
    /// Kept in
    In,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    /// Some at random
    Random,
    /// The last
    Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Goal {
    /// The greatest NDCG
    Ndcg,
    /// The greatest recall
    Recall,
    /// The greatest MRR
    Mrr,
    /// The least RMSE
    Rmse,
}

/// Settings that differ from those in force, under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Configuration {
    name: String,
    settings: Vec<(String, String)>,
}

/// Evaluates and prints. `check` refuses settings that no role would start with.
pub(crate) fn run(
    command: &EvaluateRatings,
    check: impl Fn(Result<Settings, weir_runtime::Error>) -> anyhow::Result<Settings>,
) -> anyhow::Result<()> {
    let settings = check(command.common.clone().load())?;
    let data = Data::read(&command.file, command.format, &settings)?;
    let mut contenders = vec![Contender::blend("blend", &settings)?];
    let searched = search::configurations(&command.search, command.tries.into(), command.seed);
    let configurations: Vec<_> = command.configurations.iter().chain(&searched).collect();
    for Configuration { name, settings } in &configurations {
        let settings = check(command.common.clone().with(settings).load());
        let settings = settings.with_context(|| format!("configuration {name}"))?;
        contenders.push(Contender::blend(name, &settings)?);
    }
    let own = contenders.len();
    contenders.push(Contender::factors(&settings)?);
    contenders.extend(Contender::baselines(&settings)?);
    let mut report = Report::new(&command.file, &data);
    if command.protocol != Protocol::Split {
        report.progressive = Some(command.progressive(&settings, &data, &contenders)?);
    }
    if command.protocol != Protocol::Progressive {
        report.split = Some(command.split(&settings, &data, &contenders)?);
    }
    print!("{}", tables::of(&report));
    if own > 1 {
        println!("\nbest of {own} configurations: {}", report.best(&contenders[..own], command.goal).unwrap_or("none"));
    }
    if let Some(file) = &command.json {
        super::figures::write_json(file, &report)?;
    }
    match (&command.plots, &report.progressive) {
        (Some(dir), Some(progressive)) => tables::draw(dir, progressive),
        _ => Ok(()),
    }
}

impl EvaluateRatings {
    fn progressive(
        &self,
        settings: &Settings,
        data: &Data,
        contenders: &[Contender],
    ) -> anyhow::Result<Comparison<progressive::Outcome>> {
        let options = progressive::Options {
            k: self.k.into(),
            relevant: relevant(self.relevant.unwrap_or(Which::Positives)),
            positive: weir_models::recommender_settings(settings)?.positive,
            leave_out_known: self.known == Known::Out,
            most_ranked: self.rank_events,
            warm_up: (self.warm_up * data.events.len() as f64) as usize,
            windows: self.windows.into(),
        };
        let mut contenders = contenders.to_vec();
        if self.offline && options.warm_up > 0 {
            contenders.extend(Contender::trained_first(settings, options.warm_up)?);
        }
        let run = |contender: &Contender, on_event: &dyn Fn()| {
            let mut model = contender.model(data.size)?;
            Ok(progressive::run(&mut *model, &data.events, data.size, &options, on_event))
        };
        let outcomes = run::all("progressive", data.events.len(), &contenders, run)?;
        Ok(Comparison::new(self.k, self.relevant.unwrap_or(Which::Positives), self.known, outcomes))
    }

    fn split(
        &self,
        settings: &Settings,
        data: &Data,
        contenders: &[Contender],
    ) -> anyhow::Result<Comparison<split::Outcome>> {
        let options = split::Options {
            k: self.k.into(),
            relevant: relevant(self.relevant.unwrap_or(Which::All)),
            positive: weir_models::recommender_settings(settings)?.positive,
            order: if self.order == Order::Time { split::Order::Time } else { split::Order::Random },
            test_share: self.test_share,
            seed: self.seed,
        };
        let mut contenders = contenders.to_vec();
        if self.offline {
            contenders.push(Contender::offline(settings)?);
        }
        let parts = split::Split::new(&data.events, data.size, &options);
        let run = |contender: &Contender, on_event: &dyn Fn()| {
            let mut model = contender.model(data.size)?;
            Ok(split::run(&mut *model, &parts, data.size, &options, on_event))
        };
        let outcomes = run::all("split", parts.train.len(), &contenders, run)?;
        Ok(Comparison::new(self.k, self.relevant.unwrap_or(Which::All), Known::Out, outcomes))
    }
}

fn relevant(which: Which) -> Relevant {
    match which {
        Which::All => Relevant::All,
        Which::Positives => Relevant::Positives,
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..1.0).contains(&share) { Ok(share) } else { Err("expected a share from 0 to less than 1".to_owned()) }
}

fn configuration(text: &str) -> Result<Configuration, String> {
    let problem = || "expected NAME: SETTING=VALUE ..., for example \"small: recommender.factors=8\"".to_owned();
    let (name, settings) = text.split_once(':').ok_or_else(problem)?;
    let setting = |pair: &str| {
        let (setting, value) = pair.split_once('=').ok_or_else(problem)?;
        Ok((setting.to_owned(), value.to_owned()))
    };
    let settings = settings.split_whitespace().map(setting).collect::<Result<Vec<_>, String>>()?;
    let name = name.trim().to_owned();
    if name.is_empty() || settings.is_empty() { Err(problem()) } else { Ok(Configuration { name, settings }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_named_settings() {
        let expected = Configuration {
            name: "small".to_owned(),
            settings: vec![("recommender.factors".to_owned(), "8".to_owned()), ("a.b".to_owned(), "c".to_owned())],
        };
        assert_eq!(configuration("small: recommender.factors=8  a.b=c"), Ok(expected));
        for text in ["small", ": a=b", "small:", "small: a"] {
            assert!(configuration(text).is_err(), "{text}");
        }
        assert!(share("1").is_err() && share("-0.1").is_err() && share("x").is_err());
        assert_eq!(share("0.25"), Ok(0.25));
    }
}
