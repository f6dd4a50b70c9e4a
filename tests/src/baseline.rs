//! What a recommender has to beat: means and biases, learned from the same ratings in the same order.

use std::collections::HashMap;

use crate::data::Rating;

/// How far one rating moves a bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Always by this share of the error. With 0 what remains is the running mean.
    Fixed(f64),
    /// By max(1/(n + offset), floor) of the error for a user or item with n ratings.
    Decaying {
        /// Ratings that a user or item is taken to have had.
        offset: f64,
        /// The least share.
        floor: f64,
    },
}

/// The model r = mean + bias of the user + bias of the item, learned by one pass of stochastic gradient descent.
#[derive(Clone, Debug)]
pub struct Biases {
    step: Step,
    sum: f64,
    count: f64,
    users: HashMap<String, Bias>,
    items: HashMap<String, Bias>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bias {
    value: f64,
    count: f64,
}

impl Step {
    fn share(self, count: f64) -> f64 {
        match self {
            Self::Fixed(share) => share,
            Self::Decaying { offset, floor } => (1.0 / (count + offset)).max(floor),
        }
    }
}

impl Bias {
    fn learn(&mut self, step: Step, error: f64) {
        self.value += step.share(self.count) * error;
        self.count += 1.0;
    }
}

impl Biases {
    /// A model that has seen nothing and predicts 0.
    #[must_use]
    pub fn new(step: Step) -> Self {
        Self { step, sum: 0.0, count: 0.0, users: HashMap::new(), items: HashMap::new() }
    }

    /// A model that has learned these ratings, one after the other.
    #[must_use]
    pub fn learned(step: Step, ratings: &[Rating]) -> Self {
        let mut model = Self::new(step);
        for rating in ratings {
            model.learn(rating);
        }
        model
    }

    /// The predicted rating; users and items never seen have no bias.
    #[must_use]
    pub fn predict(&self, user: &str, item: &str) -> f64 {
        let mean = if self.count > 0.0 { self.sum / self.count } else { 0.0 };
        let bias = |of: &HashMap<String, Bias>, id| of.get(id).map_or(0.0, |bias| bias.value);
        mean + bias(&self.users, user) + bias(&self.items, item)
    }

    /// Learns one rating.
    pub fn learn(&mut self, rating: &Rating) {
        self.sum += f64::from(rating.rating);
        self.count += 1.0;
        let error = f64::from(rating.rating) - self.predict(&rating.user, &rating.item);
        self.users.entry(rating.user.clone()).or_default().learn(self.step, error);
        self.items.entry(rating.item.clone()).or_default().learn(self.step, error);
    }

    /// Root mean squared error over ratings that are not learned meanwhile.
    #[must_use]
    pub fn rmse(&self, ratings: &[Rating]) -> f64 {
        rmse(ratings.iter().map(|rating| (self.predict(&rating.user, &rating.item), f64::from(rating.rating))))
    }
}

/// Root mean squared error of pairs (predicted, true).
#[must_use]
pub fn rmse(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (predicted, truth) in pairs {
        sum += (predicted - truth) * (predicted - truth);
        count += 1.0;
    }
    f64::sqrt(sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rating(user: &str, item: &str, rating: f32) -> Rating {
        Rating { user: user.into(), item: item.into(), rating, ts: 0 }
    }

    #[test]
    fn biases_match_hand_computed_numbers() {
        let mut model = Biases::new(Step::Fixed(0.5));
        // Mean 4, error 0; then mean 3, error 2 - 3 = -1, half of it for each bias.
        model.learn(&rating("u", "a", 4.0));
        model.learn(&rating("u", "b", 2.0));
        assert_eq!(model.predict("u", "b"), 3.0 - 0.5 - 0.5);
        assert_eq!(model.predict("u", "a"), 3.0 - 0.5);
        assert_eq!(model.predict("x", "y"), 3.0);
    }

    #[test]
    fn steps_match_hand_computed_numbers() {
        let step = Step::Decaying { offset: 5.0, floor: 0.05 };
        assert_eq!([step.share(0.0), step.share(5.0), step.share(1_000.0)], [0.2, 0.1, 0.05]);
        assert_eq!(Step::Fixed(0.0).share(9.0), 0.0);
    }

    #[test]
    fn errors_match_hand_computed_numbers() {
        assert_eq!(rmse([(1.0, 4.0), (2.0, 6.0)].into_iter()), f64::sqrt(12.5));
        let mean = Biases::learned(Step::Fixed(0.0), &[rating("u", "a", 4.0), rating("u", "b", 2.0)]);
        assert_eq!(mean.rmse(&[rating("u", "a", 4.0)]), 1.0);
    }
}
