//! Implicit feedback by alternating least squares.
//!
//! Every pair of user and item counts: one that was chosen should score 1, with weight 1 + `unobserved`; one that was not should score 0, with
//! weight `unobserved`. With the items' vectors fixed, each user's vector is the solution of a small linear system, and the other way
//! round; a sweep does both. The pull to 0 of a row grows with what it learns from. What comes out are rows of [`crate::ranking`], turned so
//! that the mean of all users lies along the first factor: there new users begin.
//!
//! Sources: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008 (equation 4, and the Gram matrix of
//! section 4); Rendle, Krichene, Zhang, Koren, "Revisiting the Performance of iALS on Item Recommendation Benchmarks", `RecSys` 2022 (the
//! weights, equation 3). The pull is theirs (equation 5, exponent 1) with a constant instead of a share of all items: theirs, set for
//! `MovieLens` 100K, draws everything to 0 where there are six times as many items.

use std::thread;

use super::cholesky;
use crate::error::{Error, in_range};
use crate::evaluate::Size;
use crate::mf::Side;
use crate::mf::formula::squared_gradient;
use crate::ranking::{self, ITEM_FACTORS, ITEM_SQUARED_GRADIENT_SUM, USER_FACTORS, USER_SQUARED_GRADIENT_SUM};
use crate::vector::{self, Products};

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
///
/// NDCG@10 with the defaults and 64 factors, a random quarter of each user's events kept back, every event a choice: `MovieLens` 100K .486,
/// `MovieLens` latest-small .395. `MovieTweetings` 100K, of which users have six events at the median, wants a prior twice as large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// Sweeps, 1 to 1,000.
    pub sweeps: u32,
    /// Weight of a pair that was not chosen, 1e-6 to 10.
    pub unobserved: f32,
    /// Pull of a row to 0 for each choice, 1e-6 to 10.
    pub regularisation: f32,
    /// As if every row had so many choices more, for the pull alone; 0 to 1e6.
    pub prior: f32,
    /// Threads, 1 to 1,024.
    pub threads: usize,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self { sweeps: 10, unobserved: 0.3, regularisation: 0.03, prior: 150.0, threads: 1 }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("sweeps", values.sweeps.into(), 1.0, 1_000.0)?;
    in_range("unobserved", values.unobserved.into(), 1e-6, 10.0)?;
    in_range("regularisation", values.regularisation.into(), 1e-6, 10.0)?;
    in_range("prior", values.prior.into(), 0.0, 1e6)?;
    in_range("threads", values.threads as f64, 1.0, 1_024.0)?;
    Ok(())
}

/// What was learned: rows of [`crate::ranking`], one after the other.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Of users. How many ratings they gave and of which sum, which the rows begin with, is 0: the caller knows.
    pub users: Vec<f32>,
    /// Of items.
    pub items: Vec<f32>,
}

/// Who chose what, from one side.
#[derive(Clone, Debug)]
struct Lists {
    ends: Vec<usize>,
    others: Vec<u32>,
}

impl Lists {
    fn new(pairs: &[(u32, u32)], count: usize, sides: impl Fn(&(u32, u32)) -> (u32, u32)) -> Self {
        let mut pairs: Vec<(u32, u32)> = pairs.iter().map(sides).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut ends = vec![0; count];
        for (own, _) in &pairs {
            ends[*own as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        Self { ends, others: pairs.into_iter().map(|(_, other)| other).collect() }
    }

    fn of(&self, own: usize) -> &[u32] {
        let begin = if own == 0 { 0 } else { self.ends[own - 1] };
        &self.others[begin..self.ends[own]]
    }
}

/// Vectors of one side, one after the other.
struct Vectors {
    factors: usize,
    values: Vec<f32>,
}

impl Vectors {
    fn initial(settings: &ranking::Settings, side: Side, count: usize, seed: u64) -> Self {
        let factors = settings.values().factors;
        let (width, head) = match side {
            Side::User => (settings.user_width(), USER_FACTORS),
            Side::Item => (settings.item_width(), ITEM_FACTORS),
        };
        let (mut row, mut values) = (vec![0.0; width], Vec::with_capacity(count * factors));
        for key in 1..=count as u64 {
            ranking::initial(settings, seed, side, key, &mut row);
            values.extend_from_slice(&row[head..]);
        }
        Self { factors, values }
    }

    fn of(&self, number: u32) -> &[f32] {
        &self.values[number as usize * self.factors..][..self.factors]
    }

    /// The lower triangle of Σ v·vᵀ, in a square.
    fn gram(&self) -> Vec<f32> {
        let mut sum = vec![0.0; self.factors * self.factors];
        self.values.chunks_exact(self.factors).for_each(|vector| add_square(&mut sum, vector));
        sum
    }

    /// Solves every vector of this side with the other side's as they are.
    fn solve(&mut self, lists: &Lists, other: &Self, values: &HyperParameters) {
        let gram: Vec<f32> = other.gram().iter().map(|value| values.unobserved * value).collect();
        let each = (lists.ends.len().div_ceil(values.threads)).max(1);
        let factors = self.factors;
        thread::scope(|scope| {
            for (part, vectors) in self.values.chunks_mut(each * factors).enumerate() {
                let gram = &gram;
                scope.spawn(move || {
                    let mut square = vec![0.0; factors * factors];
                    for (place, vector) in vectors.chunks_exact_mut(factors).enumerate() {
                        let chosen = lists.of(part * each + place);
                        square.copy_from_slice(gram);
                        vector.fill(0.0);
                        for other_vector in chosen.iter().map(|number| other.of(*number)) {
                            add_square(&mut square, other_vector);
                            vector.iter_mut().zip(other_vector).for_each(|(sum, value)| *sum += value);
                        }
                        let weight = chosen.len() as f32 + values.prior;
                        square
                            .iter_mut()
                            .step_by(factors + 1)
                            .for_each(|value| *value += values.regularisation * weight);
                        if !cholesky::solve(&mut square, vector) {
                            vector.fill(0.0);
                        }
                    }
                });
            }
        });
    }
}

/// Adds v·vᵀ to the lower triangle of a square.
fn add_square(square: &mut [f32], vector: &[f32]) {
    for (row, own) in vector.iter().enumerate() {
        let place = &mut square[row * vector.len()..][..=row];
        place.iter_mut().zip(vector).for_each(|(sum, other)| *sum += own * other);
    }
}

/// Learns which items go to which users from pairs (user, item) that were chosen; a pair counts once. `on_sweep` is told the number of
/// each sweep and says whether to go on. Without factors there is nothing to learn, and the rows are as they begin.
#[must_use]
pub fn train(
    pairs: &[(u32, u32)],
    size: Size,
    model: &ranking::Settings,
    settings: &Settings,
    seed: u64,
    mut on_sweep: impl FnMut(u32) -> bool,
) -> Trained {
    let mut users = Vectors::initial(model, Side::User, size.users, seed);
    let mut items = Vectors::initial(model, Side::Item, size.items, seed);
    let of_users = Lists::new(pairs, size.users, |pair| *pair);
    if users.factors > 0 {
        let of_items = Lists::new(pairs, size.items, |(user, item)| (*item, *user));
        for sweep in 1..=settings.values().sweeps {
            users.solve(&of_users, &items, settings.values());
            items.solve(&of_items, &users, settings.values());
            if !on_sweep(sweep) {
                break;
            }
        }
        turn(&mut users, &mut items);
    }
    rows(&users, &items, size, &of_users, model)
}

/// Reflects all vectors so that the mean of the users lies along the first factor; scores stay as they are.
///
/// Source: Golub, Van Loan, section 5.1.2 (Householder reflections).
fn turn(users: &mut Vectors, items: &mut Vectors) {
    let factors = users.factors;
    let mut axis = vec![0.0; factors];
    for vector in users.values.chunks_exact(factors) {
        axis.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
    }
    let length = vector::dot(&axis, &axis).sqrt();
    // Away from the mean's own direction, so that nothing cancels, and back by the sign.
    let sign = if axis[0] >= 0.0 { 1.0 } else { -1.0 };
    axis[0] += sign * length;
    let squared = vector::dot(&axis, &axis);
    if squared == 0.0 || !squared.is_finite() {
        return;
    }
    for vector in users.values.chunks_exact_mut(factors).chain(items.values.chunks_exact_mut(factors)) {
        let along = 2.0 * vector::dot(vector, &axis) / squared;
        vector.iter_mut().zip(&axis).for_each(|(value, axis)| *value = -sign * (*value - along * axis));
    }
}

/// As rows of [`crate::ranking`], with the sums of squared gradients that the choices have at the end.
fn rows(users: &Vectors, items: &Vectors, size: Size, chosen: &Lists, model: &ranking::Settings) -> Trained {
    let (user_width, item_width) = (model.user_width(), model.item_width());
    let spread = |vectors: &Vectors, width: usize, head: usize, count: usize| {
        let mut all = vec![0.0; width * count];
        for (number, row) in (0..).zip(all.chunks_exact_mut(width)) {
            row[head..].copy_from_slice(vectors.of(number));
        }
        all
    };
    let mut user_rows = spread(users, user_width, USER_FACTORS, size.users);
    let mut item_rows = spread(items, item_width, ITEM_FACTORS, size.items);
    let regularisation = model.values().regularisation;
    for (user, row) in user_rows.chunks_exact_mut(user_width).enumerate() {
        for item in chosen.of(user) {
            let item = &mut item_rows[*item as usize * item_width..][..item_width];
            let Products { user_item, user_user, item_item } =
                vector::products(&row[USER_FACTORS..], &item[ITEM_FACTORS..]);
            let error = 1.0 - user_item;
            row[USER_SQUARED_GRADIENT_SUM] += squared_gradient(error, regularisation, item_item, user_item, user_user);
            item[ITEM_SQUARED_GRADIENT_SUM] +=
                squared_gradient(error, regularisation, user_user, user_item, item_item) + error * error;
        }
    }
    Trained { users: user_rows, items: item_rows }
}

#[cfg(test)]
mod tests;
