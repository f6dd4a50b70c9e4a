//! A factor model that orders items for a user, learned from what users chose: implicit feedback.
//!
//! score = `bias_item` + `p_user`·`q_item`, learned by default by least squares on targets: 1 of an item that the user chose ([`positive`]), 0
//! of a few that were drawn ([`negatives`]); or by pairs or lists of them ([`Loss`]). Steps are `AdaGrad`'s with one accumulator per row, those of the bias too. The error is held
//! within ±1, where it is anyway while scores are between 0 and 1: so several batches that learn side by side from the same rows, and
//! together move a popular item much too far, cannot drive each other further and further.
//!
//! Least squares did as well as pairs (BPR) at half the cost, and better than the logistic loss or a sampled softmax. A
//! user's first factor begins at a constant: what is learned of an item's first factor then counts for new users at once.
//!
//! A user's row is `[ratings, rating_sum, squared_gradient_sum, p_0 .. p_{k-1}]`, an item's `[bias, squared_gradient_sum, q_0 .. q_{k-1}]`.
//! Everything in them adds: what a worker sends is after - before.
//!
//! Sources: Vinagre, Jorge, Gama, "Fast Incremental Matrix Factorization for Recommendation with Positive-Only Feedback", UMAP 2014; Rendle,
//! Freudenthaler, Gantner, Schmidt-Thieme, "BPR", UAI 2009; Duchi, Jordan, `McMahan`, "Estimation, Optimization, and Parallelism when Data
//! is Sparse", NIPS 2013, on `AdaGrad` with stale rows.

mod choice;
mod fold_in;
pub mod negatives;
pub mod positive;
mod settings;

#[cfg(test)]
mod tests;

pub use choice::{Loss, Rows, learn_choice};
pub use fold_in::fold_in;
pub use settings::{HyperParameters, Settings};

use crate::{
    mf::{
        Side,
        formula::{factor_step, squared_gradient},
    },
    noise::Noise,
    side_by_side,
    vector::{self, Products, Pull},
};

/// Where a user's row has the number of its ratings.
pub const USER_RATINGS: usize = 0;
/// Where a user's row has the sum of its ratings.
pub const USER_RATING_SUM: usize = 1;
/// Where a user's row has the sum of its gradients' squared lengths.
pub const USER_SQUARED_GRADIENT_SUM: usize = 2;
/// Where a user's factors begin.
pub const USER_FACTORS: usize = 3;

/// Where an item's row has its bias.
pub const ITEM_BIAS: usize = 0;
/// Where an item's row has the sum of its gradients' squared lengths.
pub const ITEM_SQUARED_GRADIENT_SUM: usize = 1;
/// Where an item's factors begin.
pub const ITEM_FACTORS: usize = 2;

/// Tells the noise of these rows from that of [`crate::mf`]'s.
const NOISE: u8 = 2;

/// What a score should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// 1: the user chose the item.
    Positive,
    /// 0: the item was drawn.
    Negative,
}

/// Writes the row of a user or item of which nothing is known: small random factors, and the constant of a user's first;
/// the same for the same seed, side and key for ever.
///
/// `row` has [`Settings::user_width`] or [`Settings::item_width`] values; of a shorter one only what is there is written.
pub fn initial(settings: &Settings, seed: u64, side: Side, key: u64, row: &mut [f32]) {
    let values = settings.values();
    let (head, first) = match side {
        Side::User => (USER_FACTORS, values.initial_user_factor),
        Side::Item => (ITEM_FACTORS, 0.0),
    };
    let mut noise = Noise::new(seed, NOISE + side as u8, key);
    let (head, factors) = row.split_at_mut(head.min(row.len()));
    head.fill(0.0);
    factors.fill_with(|| values.initial_sd * noise.normal());
    if let Some(factor) = factors.first_mut() {
        *factor += first;
    }
}

/// Whether anything was learned of what this user chooses: the row is not the one that everybody begins with. Without
/// factors nothing of the kind can be learned.
#[must_use]
pub fn is_known(user_row: &[f32]) -> bool {
    user_row[USER_SQUARED_GRADIENT_SUM] > 0.0
}

/// How high the item stands for the user: the higher, the better; 0 to 1 as far as the model is good.
#[must_use]
pub fn score(user_row: &[f32], item_row: &[f32]) -> f32 {
    item_row[ITEM_BIAS] + vector::dot(&user_row[USER_FACTORS..], &item_row[ITEM_FACTORS..])
}

/// How alike two users' choices are: the cosine of their factors, -1 to 1; 0 if one has none.
#[must_use]
pub fn likeness(user_row: &[f32], other_row: &[f32]) -> f32 {
    let Products { user_item, user_user, item_item } =
        vector::products(&user_row[USER_FACTORS..], &other_row[USER_FACTORS..]);
    let length = (user_user * item_item).sqrt();
    if length > 0.0 { user_item / length } else { 0.0 }
}

/// Learns one target on the two rows and returns the error (target - score, held within ±1) from before.
pub fn learn(settings: &Settings, target: Target, user_row: &mut [f32], item_row: &mut [f32]) -> f32 {
    learn_weighted(settings, target, 1.0, user_row, item_row)
}

/// As [`learn`], with a gradient `weight` times as long, above 0, for an event that counts so much. A weight of 1 changes
/// nothing, to the last bit.
pub fn learn_weighted(
    settings: &Settings,
    target: Target,
    weight: f32,
    user_row: &mut [f32],
    item_row: &mut [f32],
) -> f32 {
    let target = if target == Target::Positive { 1.0 } else { 0.0 };
    learn_by(settings, |score| (target - score).clamp(-1.0, 1.0), weight, user_row, item_row)
}

/// Moves the item for the user by an `error` that is known, within ±1: how far it should have stood higher.
pub fn learn_error(settings: &Settings, error: f32, weight: f32, user_row: &mut [f32], item_row: &mut [f32]) {
    learn_by(settings, |_| error, weight, user_row, item_row);
}

/// Learns the error that this makes of the score, and returns it.
#[inline]
fn learn_by(
    settings: &Settings,
    error: impl FnOnce(f32) -> f32,
    weight: f32,
    user_row: &mut [f32],
    item_row: &mut [f32],
) -> f32 {
    let values = settings.values();
    let (user_head, user_factors) = user_row.split_at_mut(USER_FACTORS);
    let (item_head, item_factors) = item_row.split_at_mut(ITEM_FACTORS);
    let Products { user_item, user_user, item_item } = vector::products(user_factors, item_factors);
    let error = error(item_head[ITEM_BIAS] + user_item);

    let (regularisation, squared_weight) = (values.regularisation, weight * weight);
    let user_sum = &mut user_head[USER_SQUARED_GRADIENT_SUM];
    *user_sum += squared_weight * squared_gradient(error, regularisation, item_item, user_item, user_user);
    let user_step = weight * factor_step(values.factor_rate, values.initial_sum, *user_sum);

    // The bias is as a factor of the item beside a user's of 1.
    let item_sum = &mut item_head[ITEM_SQUARED_GRADIENT_SUM];
    let gradient = squared_gradient(error, regularisation, user_user, user_item, item_item) + error * error;
    *item_sum += squared_weight * gradient;
    let item_step = weight * factor_step(values.factor_rate, values.initial_sum, *item_sum);
    let bias_step = weight * factor_step(values.bias_rate, values.initial_sum, *item_sum);
    item_head[ITEM_BIAS] += bias_step * error;

    let pull = |step: f32| Pull { towards: step * error, back: step * regularisation };
    vector::move_both(pull(user_step), pull(item_step), user_factors, item_factors);
    error
}

/// Adds to an item's row what a batch has learned of it that read it with this `sum` of squared gradients
/// ([`side_by_side`]). `change` is the batch's row less what it read; both have [`Settings::item_width`] values.
pub fn add_item(settings: &Settings, sum: f32, row: &mut [f32], change: &[f32]) {
    let own = change[ITEM_SQUARED_GRADIENT_SUM];
    let others = row[ITEM_SQUARED_GRADIENT_SUM] - sum;
    let share = side_by_side::share(sum + settings.values().initial_sum, own, others);
    row[ITEM_SQUARED_GRADIENT_SUM] += own;
    row[ITEM_BIAS] += share * change[ITEM_BIAS];
    side_by_side::add_share(&mut row[ITEM_FACTORS..], &change[ITEM_FACTORS..], share);
}
