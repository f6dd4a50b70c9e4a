//! How well ratings are predicted: progressively, each rating first predicted and then learned, in time order.

use std::collections::HashMap;

use crate::{
    GlobalMean,
    mf::{self, Settings, Side},
};

/// One rating of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rating {
    /// Key of the user.
    pub user: u64,
    /// Key of the item.
    pub item: u64,
    /// The rating.
    pub rating: f32,
}

/// Something that predicts ratings and learns from them one by one.
pub trait Predictor {
    /// The rating that this user will give to this item.
    fn predict(&mut self, user: u64, item: u64) -> f32;

    /// Learns a rating.
    fn learn(&mut self, rating: Rating);
}

/// Root of the mean squared error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rmse {
    count: u64,
    squares: f64,
}

impl Rmse {
    /// Counts one error (rating - prediction).
    pub fn add(&mut self, error: f32) {
        self.count += 1;
        self.squares += f64::from(error) * f64::from(error);
    }

    /// √(Σ error² / n), NaN of no errors.
    #[must_use]
    pub fn value(self) -> f64 {
        (self.squares / self.count as f64).sqrt()
    }
}

/// Predicts and then learns every rating in order, and returns how wrong the predictions were.
pub fn progressive(predictor: &mut impl Predictor, ratings: impl IntoIterator<Item = Rating>) -> Rmse {
    let mut rmse = Rmse::default();
    for rating in ratings {
        rmse.add(rating.rating - predictor.predict(rating.user, rating.item));
        predictor.learn(rating);
    }
    rmse
}

/// Predicts the mean of all ratings so far: what any model has to beat.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunningMean(GlobalMean);

impl Predictor for RunningMean {
    fn predict(&mut self, _user: u64, _item: u64) -> f32 {
        self.0.mean()
    }

    fn learn(&mut self, rating: Rating) {
        self.0 = self.0.plus(GlobalMean::of(rating.rating));
    }
}

/// The factor model on rows in memory; with 0 factors it is the baseline that knows no taste.
#[derive(Clone, Debug)]
pub struct FactorModel {
    mean: GlobalMean,
    users: Rows,
    items: Rows,
}

impl FactorModel {
    /// A model that has seen nothing.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let rows = |side| Rows { settings, seed, side, by_key: HashMap::new() };
        Self { mean: GlobalMean::default(), users: rows(Side::User), items: rows(Side::Item) }
    }
}

impl Predictor for FactorModel {
    fn predict(&mut self, user: u64, item: u64) -> f32 {
        mf::predict(self.mean.mean(), self.users.row(user), self.items.row(item))
    }

    fn learn(&mut self, rating: Rating) {
        self.mean = self.mean.plus(GlobalMean::of(rating.rating));
        let settings = self.items.settings;
        let (user, item) = (self.users.row(rating.user), self.items.row(rating.item));
        mf::learn(&settings, self.mean.mean(), rating.rating, user, item);
    }
}

/// The rows of one table.
#[derive(Clone, Debug)]
struct Rows {
    settings: Settings,
    seed: u64,
    side: Side,
    by_key: HashMap<u64, Vec<f32>>,
}

impl Rows {
    fn row(&mut self, key: u64) -> &mut [f32] {
        self.by_key.entry(key).or_insert_with(|| {
            let mut row = vec![0.0; self.settings.width()];
            mf::initial(&self.settings, self.seed, self.side, key, &mut row);
            row
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mf::HyperParameters;

    fn rating(user: u64, item: u64, rating: f32) -> Rating {
        Rating { user, item, rating }
    }

    #[test]
    fn rmse_is_the_root_of_the_mean_square() {
        let mut rmse = Rmse::default();
        rmse.add(3.0);
        rmse.add(-4.0);
        assert!((rmse.value() - 12.5_f64.sqrt()).abs() < 1e-12);
        assert!(Rmse::default().value().is_nan());
    }

    #[test]
    fn each_rating_is_predicted_before_it_is_learned() {
        // Predicted 0, 4, 3: errors 4, -2, 0.
        let ratings = [rating(1, 1, 4.0), rating(1, 2, 2.0), rating(2, 1, 3.0)];
        let rmse = progressive(&mut RunningMean::default(), ratings).value();
        assert!((rmse - (20.0_f64 / 3.0).sqrt()).abs() < 1e-6, "{rmse}");
    }

    /// Two tastes: one half of the users likes what the other half dislikes, so that neither has a bias.
    fn two_tastes(rounds: u64) -> Vec<Rating> {
        let pairs = (0..rounds).flat_map(|round| (0..20).map(move |user| (user, (user * 7 + round * 3) % 15)));
        pairs.map(|(user, item)| rating(user, item, if user % 2 == item % 2 { 5.0 } else { 1.0 })).collect()
    }

    #[test]
    fn factors_learn_tastes_that_biases_cannot() {
        let biases = Settings::try_from(HyperParameters { factors: 0, ..HyperParameters::default() }).unwrap();
        let last = |settings| {
            let mut model = FactorModel::new(settings, 1);
            progressive(&mut model, two_tastes(60));
            progressive(&mut model, two_tastes(15)).value()
        };
        let (biases, factors) = (last(biases), last(Settings::default()));
        assert!(biases > 1.8, "biases {biases}");
        assert!(factors < 0.3, "factors {factors}");
    }
}
