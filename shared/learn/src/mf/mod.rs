//! Biased matrix factorisation for explicit ratings, learned one rating after the other.
//!
//! prediction = μ + `b_user` + `b_item` + `p_user`·`q_item`, with μ the mean of all ratings. Biases move by a step that falls
//! with the number of ratings to a floor; factors by `AdaGrad` with **one** accumulator per row, the sum of the gradients'
//! squared lengths (so that a rate suits any number of factors). Everything in a row adds: what a worker sends is
//! after - before.
//!
//! The first factor of a user begins not at 0 but at a constant: what is learned of an item's first factor then counts
//! for new users at once, and how far a user follows it is learned per user.
//!
//! A row, of users and items alike, is `[count, bias, squared_gradient_sum, p_0 .. p_{k-1}]`. `count` is exact up to 2^24 = 16.7 M
//! ratings of one user or item; beyond that it stands still, when the step has long been at its floor.
//!
//! Sources: Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender Systems", IEEE Computer 2009; Duchi,
//! Hazan, Singer, "Adaptive Subgradient Methods", JMLR 12 (2011).

pub mod formula;
mod settings;

#[cfg(test)]
mod tests;

pub use settings::{HyperParameters, Settings};

use crate::{
    noise::Noise,
    side_by_side,
    vector::{self, Products, Pull},
};

/// Where a row has the number of its ratings, each as often as its weight says.
pub const COUNT: usize = 0;
/// Where a row has its bias.
pub const BIAS: usize = 1;
/// Where a row has the sum of its gradients' squared lengths.
pub const SQUARED_GRADIENT_SUM: usize = 2;
/// Where a row's factors begin.
pub const FACTORS: usize = 3;

/// Whose row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A user's.
    User,
    /// An item's.
    Item,
}

/// Writes the row of a user or item that has no ratings yet: nothing but small random factors, and the constant of a
/// user's first; the same for the same seed, side and key for ever.
///
/// `row` has [`Settings::width`] values; of a shorter one only what is there is written.
pub fn initial(settings: &Settings, seed: u64, side: Side, key: u64, row: &mut [f32]) {
    let mut noise = Noise::new(seed, side as u8, key);
    let values = settings.values();
    for (place, value) in row.iter_mut().enumerate() {
        *value = if place < FACTORS { 0.0 } else { values.initial_sd * noise.normal() };
    }
    if side == Side::User && row.len() > FACTORS {
        row[FACTORS] += values.initial_user_factor;
    }
}

/// The predicted rating. Both rows have [`Settings::width`] values.
#[must_use]
pub fn predict(mean: f32, user_row: &[f32], item_row: &[f32]) -> f32 {
    mean + user_row[BIAS] + item_row[BIAS] + vector::dot(&user_row[FACTORS..], &item_row[FACTORS..])
}

/// Learns one rating on the two rows and returns the error (rating - prediction) from before.
///
/// `mean` should contain the rating already: of a model without any rating it is 0, and the first biases would
/// have to make up for that. Both rows have [`Settings::width`] values.
pub fn learn(settings: &Settings, mean: f32, rating: f32, user_row: &mut [f32], item_row: &mut [f32]) -> f32 {
    learn_weighted(settings, mean, rating, 1.0, user_row, item_row)
}

/// As [`learn`], with the rating counting as `weight` of them, above 0: biases move as an average does that takes it in
/// `weight` times, the factors' gradient is `weight` times as long. A weight of 1 changes nothing, to the last bit.
pub fn learn_weighted(
    settings: &Settings,
    mean: f32,
    rating: f32,
    weight: f32,
    user_row: &mut [f32],
    item_row: &mut [f32],
) -> f32 {
    let values = settings.values();
    let (user_head, user_factors) = user_row.split_at_mut(FACTORS);
    let (item_head, item_factors) = item_row.split_at_mut(FACTORS);
    let Products { user_item, user_user, item_item } = vector::products(user_factors, item_factors);
    let error = rating - (mean + user_head[BIAS] + item_head[BIAS] + user_item);

    learn_bias(user_head, error, weight, values.bias_offset, values.user_bias_floor);
    learn_bias(item_head, error, weight, values.bias_offset, values.item_bias_floor);

    let regularisation = values.regularisation;
    let pull = |head: &mut [f32], other_other, own_own| {
        let squared = formula::squared_gradient(error, regularisation, other_other, user_item, own_own);
        head[SQUARED_GRADIENT_SUM] += weight * weight * squared;
        let step = weight * formula::factor_step(values.factor_rate, values.initial_sum, head[SQUARED_GRADIENT_SUM]);
        Pull { towards: step * error, back: step * regularisation }
    };
    let user_pull = pull(user_head, item_item, user_user);
    let item_pull = pull(item_head, user_user, item_item);
    vector::move_both(user_pull, item_pull, user_factors, item_factors);
    error
}

/// Adds to a row what a batch has learned of it that read it at `count` ratings ([`side_by_side`]). `change` is the batch's row
/// less what it read; both have [`Settings::width`] values.
pub fn add(settings: &Settings, count: f32, row: &mut [f32], change: &[f32]) {
    // A bias is a mean whose prior counts for so many ratings.
    let before = count + settings.values().bias_offset - 1.0;
    let share = side_by_side::share(before, change[COUNT], row[COUNT] - count);
    row[COUNT] += change[COUNT];
    row[SQUARED_GRADIENT_SUM] += change[SQUARED_GRADIENT_SUM];
    row[BIAS] += share * change[BIAS];
    side_by_side::add_share(&mut row[FACTORS..], &change[FACTORS..], share);
}

fn learn_bias(head: &mut [f32], error: f32, weight: f32, offset: f32, floor: f32) {
    head[BIAS] += formula::weighted_bias_step(head[COUNT], weight, offset, floor) * error;
    head[COUNT] += weight;
}
