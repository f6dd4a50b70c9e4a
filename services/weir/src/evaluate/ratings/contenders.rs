//! What is evaluated side by side: the recommender under one or several configurations, and the baselines.

use weir_learn::blend;
use weir_learn::evaluate::models::{
    Biases, ItemToItem, Offline, Popularity, Recommender, RunningMean, Settings, TrainedFirst,
};
use weir_learn::evaluate::{Model, Size};
use weir_models::recommender_settings;

/// A model by its name.
#[derive(Clone, Debug)]
pub(super) struct Contender {
    pub(super) name: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Weir(Box<Settings>),
    RunningMean,
    Biases(Box<Settings>),
    ItemToItem(Box<Settings>),
    Popularity { half_life_hours: f32 },
    Offline(Box<Settings>),
    TrainedFirst { settings: Box<Settings>, count: usize, goes_on: bool },
}

impl Contender {
    /// The recommender under these settings, its lists put together from all parts.
    pub(super) fn blend(name: &str, settings: &weir_runtime::Settings) -> anyhow::Result<Self> {
        Ok(Self { name: name.to_owned(), kind: Kind::Weir(Box::new(shape(settings)?)) })
    }

    /// The recommender with lists by the factor model alone.
    pub(super) fn factors(settings: &weir_runtime::Settings) -> anyhow::Result<Self> {
        let mut weights = [0.0; blend::PARTS];
        weights[blend::FACTORS] = 1.0;
        let blend = blend::Settings::try_from(blend::HyperParameters { weights, ..blend::HyperParameters::default() })?;
        let shape = Settings { blend, ..shape(settings)? };
        Ok(Self { name: "factors".to_owned(), kind: Kind::Weir(Box::new(shape)) })
    }

    /// The two factor models trained on everything at once, in several passes.
    pub(super) fn offline(settings: &weir_runtime::Settings) -> anyhow::Result<Self> {
        Ok(Self { name: "offline".to_owned(), kind: Kind::Offline(Box::new(shape(settings)?)) })
    }

    /// The recommender trained on its first events at once, which then goes on online or does not.
    pub(super) fn trained_first(settings: &weir_runtime::Settings, count: usize) -> anyhow::Result<[Self; 2]> {
        let shape = Box::new(shape(settings)?);
        Ok([("offline, then online", true), ("offline only", false)].map(|(name, goes_on)| Self {
            name: name.to_owned(),
            kind: Kind::TrainedFirst { settings: shape.clone(), count, goes_on },
        }))
    }

    /// What it has to beat.
    pub(super) fn baselines(settings: &weir_runtime::Settings) -> anyhow::Result<Vec<Self>> {
        let shape = Box::new(shape(settings)?);
        let mut baselines = vec![
            ("running mean".to_owned(), Kind::RunningMean),
            ("bias only".to_owned(), Kind::Biases(shape.clone())),
            ("item-to-item".to_owned(), Kind::ItemToItem(shape.clone())),
            ("popularity".to_owned(), Kind::Popularity { half_life_hours: f32::INFINITY }),
        ];
        for half_life_hours in shape.half_lives_hours {
            baselines.push((format!("popularity {half_life_hours} h"), Kind::Popularity { half_life_hours }));
        }
        Ok(baselines.into_iter().map(|(name, kind)| Self { name, kind }).collect())
    }

    /// A fresh model.
    pub(super) fn model(&self, size: Size) -> anyhow::Result<Box<dyn Model>> {
        Ok(match &self.kind {
            Kind::Weir(settings) => Box::new(Recommender::new(**settings, size)),
            Kind::RunningMean => Box::new(RunningMean::default()),
            Kind::Biases(settings) => Box::new(Biases::new(**settings, size)?),
            Kind::ItemToItem(settings) => Box::new(ItemToItem::new(**settings, size)?),
            Kind::TrainedFirst { settings, count, goes_on } => {
                Box::new(TrainedFirst::new(**settings, size, *count, *goes_on))
            }
            Kind::Offline(settings) => Box::new(Offline::new(**settings, size)),
            Kind::Popularity { half_life_hours } => Box::new(Popularity::new(*half_life_hours, size)),
        })
    }
}

/// What is evaluated under these settings; what only lists are made from is as it is by default.
fn shape(settings: &weir_runtime::Settings) -> anyhow::Result<Settings> {
    let recommender = recommender_settings(settings)?;
    Ok(Settings {
        ratings: recommender.factors,
        ranking: recommender.ranking,
        positive: recommender.positive,
        neighbours: recommender.neighbours,
        blend: recommender.blend,
        half_lives_hours: recommender.half_lives_hours,
        seed: recommender.seed,
    })
}
