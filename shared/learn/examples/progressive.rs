//! How well the factor model predicts a file of ratings, progressively and in time order, beside its baselines:
//! `cargo run --release -p weir-learn --example progressive -- ratings.csv`
//!
//! Lines of `user, item, rating, time`, separated by `,`, tabs or `::`; lines that are not so (a title) are left out.

use std::{collections::hash_map::DefaultHasher, env, error::Error, fs, hash::Hasher, time::Instant};

use weir_learn::{
    evaluate::{FactorModel, Predictor, Rating, RunningMean, progressive},
    mf::{HyperParameters, Settings},
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("usage: progressive FILE")?;
    let mut ratings: Vec<(f64, Rating)> = fs::read_to_string(path)?.lines().filter_map(parse).collect();
    ratings.sort_by(|left, right| left.0.total_cmp(&right.0));
    let biases = Settings::try_from(HyperParameters { factors: 0, ..HyperParameters::default() })?;
    report("running mean", &mut RunningMean::default(), &ratings);
    report("biases only", &mut FactorModel::new(biases, 1), &ratings);
    report("biased factors", &mut FactorModel::new(Settings::default(), 1), &ratings);
    Ok(())
}

fn parse(line: &str) -> Option<(f64, Rating)> {
    let line = line.replace("::", ",").replace('\t', ",");
    let mut fields = line.split(',');
    let (user, item) = (key(fields.next()?), key(fields.next()?));
    let rating = fields.next()?.parse().ok()?;
    Some((fields.next()?.trim().parse().ok()?, Rating { user, item, rating }))
}

fn key(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(id.as_bytes());
    hasher.finish()
}

fn report(name: &str, predictor: &mut impl Predictor, ratings: &[(f64, Rating)]) {
    let begun = Instant::now();
    let rmse = progressive(predictor, ratings.iter().map(|(_, rating)| *rating)).value();
    let nanoseconds = begun.elapsed().as_nanos() / ratings.len().max(1) as u128;
    println!("{name:14} RMSE {rmse:.4}, {nanoseconds} ns a rating");
}
