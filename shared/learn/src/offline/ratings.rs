//! Biased matrix factorisation for explicit ratings, in several passes.
//!
//! The model is that of [`crate::mf`]. A pass visits every block of ratings once, stratum by stratum in random order, the blocks of a
//! stratum on all threads ([`super::blocks`]). The rate is a *bold driver's*: 5 % more when the loss of a pass fell, half when it rose. Of all
//! passes the rows with the least loss on what was held out are kept.
//!
//! Sources: Gemulla et al., KDD 2011 (strata, section 4; bold driver, section 5); Koren, Bell, Volinsky, IEEE Computer 2009 (the model).

use std::sync::Mutex;
use std::thread;

use super::Diverged;
use super::blocks::{Blocks, Groups, Rating};
use super::sweep::{self, BIAS_OF_ITEM, BIAS_OF_USER, Step};
use crate::error::{Error, in_range};
use crate::evaluate::Size;
use crate::mf::{self, Side};
use crate::noise::Noise;
use crate::vector;

/// Tells the order of strata from other random numbers.
const NOISE: u8 = 10;
/// Groups on each side for each thread: several, so that no thread waits long for the slowest.
const GROUPS_PER_THREAD: usize = 4;
/// How often a pass that came to no numbers is tried again at half the rate.
const RETRIES: u32 = 8;

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// Passes at most, 1 to 10,000.
    pub epochs: u32,
    /// Passes without a new least loss on what is held out, after which training ends; 1 to 10,000.
    pub patience: u32,
    /// The first rate, 1e-6 to 1.
    pub rate: f32,
    /// Pull of biases and factors to 0, at each rating, 0 to 10.
    pub regularisation: f32,
    /// Threads, 1 to 1,024.
    pub threads: usize,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self { epochs: 100, patience: 5, rate: 0.01, regularisation: 0.08, threads: 1 }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("epochs", values.epochs.into(), 1.0, 10_000.0)?;
    in_range("patience", values.patience.into(), 1.0, 10_000.0)?;
    in_range("rate", values.rate.into(), 1e-6, 1.0)?;
    in_range("regularisation", values.regularisation.into(), 0.0, 10.0)?;
    in_range("threads", values.threads as f64, 1.0, 1_024.0)?;
    Ok(())
}

/// How a pass went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: u32,
    /// Its rate.
    pub rate: f32,
    /// Root of the mean squared error on the ratings learned, each from just before it was learned.
    pub rmse: f64,
    /// The same on what is held out, after the pass; none where nothing is.
    pub held_out: Option<f64>,
}

/// What was learned.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The mean of the ratings learned.
    pub mean: f32,
    /// Users' rows, one after the other, as [`crate::mf`] has them.
    pub users: Vec<f32>,
    /// Items' rows.
    pub items: Vec<f32>,
    /// The pass that they are of.
    pub best: Epoch,
}

/// The rows under training: by group, each row as [`sweep`] has it.
#[derive(Clone, Debug)]
struct Rows {
    width: usize,
    users: Vec<Vec<f32>>,
    items: Vec<Vec<f32>>,
}

/// Learns `ratings`, which are not none, until the loss on those `held_out` falls no more. `on_epoch` is told of each pass and says
/// whether to go on.
///
/// # Errors
/// [`Diverged`] where values become no numbers at any rate.
pub fn train(
    (ratings, held_out): (&[Rating], &[Rating]),
    size: Size,
    model: &mf::Settings,
    settings: &Settings,
    seed: u64,
    mut on_epoch: impl FnMut(&Epoch) -> bool,
) -> Result<Trained, Diverged> {
    let values = *settings.values();
    let blocks = Blocks::new(ratings, size, GROUPS_PER_THREAD * values.threads, seed);
    let mean = (ratings.iter().map(|rating| f64::from(rating.rating)).sum::<f64>() / ratings.len() as f64) as f32;
    let mut rows = Rows::new(&blocks, size, model, seed);
    let (mut rate, mut last, mut waited) = (values.rate, f64::INFINITY, 0);
    let mut best: Option<(Epoch, Rows)> = None;
    for number in 1..=values.epochs {
        let rmse = pass(&mut rows, &blocks, mean, &mut rate, &values, (seed, number), ratings.len())?;
        let held = (!held_out.is_empty()).then(|| rows.rmse(&blocks, mean, held_out));
        let epoch = Epoch { number, rate, rmse, held_out: held };
        let loss = |epoch: &Epoch| epoch.held_out.unwrap_or(epoch.rmse);
        if best.as_ref().is_none_or(|(known, _)| loss(&epoch) < loss(known)) {
            (best, waited) = (Some((epoch, rows.clone())), 0);
        } else {
            waited += 1;
        }
        rate = if rmse < last { (rate * 1.05).min(1.0) } else { rate * 0.5 };
        last = rmse;
        if !on_epoch(&epoch) || waited >= values.patience {
            break;
        }
    }
    let Some((best, rows)) = best else { return Err(Diverged { rate }) };
    Ok(rows.finish(&blocks, mean, ratings, size, model, best))
}

/// One pass; where it came to no numbers, it is tried again from where it began, at half the rate.
fn pass(
    rows: &mut Rows,
    blocks: &Blocks,
    mean: f32,
    rate: &mut f32,
    values: &HyperParameters,
    (seed, number): (u64, u32),
    count: usize,
) -> Result<f64, Diverged> {
    let before = rows.clone();
    for _ in 0..RETRIES {
        let step = Step { mean, rate: *rate, regularisation: values.regularisation };
        let mut noise = Noise::new(seed, NOISE, number.into());
        let squared = rows.pass(blocks, step, values.threads, &mut noise);
        if squared.is_finite() {
            return Ok((squared / count as f64).sqrt());
        }
        rows.clone_from(&before);
        *rate *= 0.5;
    }
    Err(Diverged { rate: *rate })
}

impl Rows {
    fn new(blocks: &Blocks, size: Size, model: &mf::Settings, seed: u64) -> Self {
        let width = sweep::width(model.values().factors);
        let empty = |groups: &Groups| groups.sizes.iter().map(|size| vec![0.0; size * width]).collect::<Vec<_>>();
        let (mut users, mut items) = (empty(&blocks.users), empty(&blocks.items));
        let mut initial = vec![0.0; model.width()];
        let mut fill = |side, groups: &Groups, rows: &mut [Vec<f32>], count: usize, one| {
            for number in 0..count as u32 {
                // Keys are not 0.
                mf::initial(model, seed, side, u64::from(number) + 1, &mut initial);
                let (group, place) = groups.place(number);
                let row = &mut rows[group][place * width..][..width];
                row[one] = 1.0;
                row[sweep::FACTORS..][..model.values().factors].copy_from_slice(&initial[mf::FACTORS..]);
            }
        };
        fill(Side::User, &blocks.users, &mut users, size.users, BIAS_OF_ITEM);
        fill(Side::Item, &blocks.items, &mut items, size.items, BIAS_OF_USER);
        Self { width, users, items }
    }

    /// Visits every block once and returns the sum of squared errors.
    fn pass(&mut self, blocks: &Blocks, step: Step, threads: usize, noise: &mut Noise) -> f64 {
        let (groups, width) = (blocks.groups, self.width);
        let mut shifts: Vec<usize> = (0..groups).collect();
        for last in (1..groups).rev() {
            shifts.swap(last, (noise.next() % (last as u64 + 1)) as usize);
        }
        let (mut squared, mut turned) = (0.0, 0);
        for shift in shifts {
            // Group g of the users meets group g + shift of the items.
            self.items.rotate_left((shift + groups - turned) % groups);
            turned = shift;
            let pairs = self.users.iter_mut().zip(&mut self.items).enumerate();
            let pairs = Mutex::new(pairs);
            let work = || {
                let mut sum = 0.0;
                loop {
                    let next = pairs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
                    let Some((group, (users, items))) = next else { return sum };
                    let ratings = blocks.block(group, (group + shift) % groups);
                    sum += sweep::learn(step, ratings, width, users, items);
                }
            };
            squared += side_by_side(threads, work);
        }
        self.items.rotate_left((groups - turned) % groups);
        squared
    }

    fn row<'a>(&self, groups: &Groups, rows: &'a [Vec<f32>], number: u32) -> &'a [f32] {
        let (group, place) = groups.place(number);
        &rows[group][place * self.width..][..self.width]
    }

    fn error(&self, blocks: &Blocks, mean: f32, rating: &Rating) -> f32 {
        let user = self.row(&blocks.users, &self.users, rating.user);
        let item = self.row(&blocks.items, &self.items, rating.item);
        rating.rating - mean - vector::dot(user, item)
    }

    fn rmse(&self, blocks: &Blocks, mean: f32, ratings: &[Rating]) -> f64 {
        let squared = ratings.iter().map(|rating| f64::from(self.error(blocks, mean, rating)).powi(2));
        (squared.sum::<f64>() / ratings.len() as f64).sqrt()
    }

    /// As rows of [`crate::mf`]: with the counts and sums of squared gradients that set the steps of what is learned next.
    fn finish(
        &self,
        blocks: &Blocks,
        mean: f32,
        ratings: &[Rating],
        size: Size,
        model: &mf::Settings,
        best: Epoch,
    ) -> Trained {
        let (width, factors) = (model.width(), model.values().factors);
        let copy = |groups: &Groups, rows: &[Vec<f32>], count: usize, bias| {
            let mut all = vec![0.0; count * width];
            for (number, row) in (0..).zip(all.chunks_exact_mut(width)) {
                let own = self.row(groups, rows, number);
                row[mf::BIAS] = own[bias];
                row[mf::FACTORS..].copy_from_slice(&own[sweep::FACTORS..][..factors]);
            }
            all
        };
        let mut users = copy(&blocks.users, &self.users, size.users, BIAS_OF_USER);
        let mut items = copy(&blocks.items, &self.items, size.items, BIAS_OF_ITEM);
        let regularisation = model.values().regularisation;
        for rating in ratings {
            let error = self.error(blocks, mean, rating);
            let user = &mut users[rating.user as usize * width..][..width];
            let item = &mut items[rating.item as usize * width..][..width];
            let vector::Products { user_item, user_user, item_item } =
                vector::products(&user[mf::FACTORS..], &item[mf::FACTORS..]);
            for (row, other, own) in [(user, item_item, user_user), (item, user_user, item_item)] {
                row[mf::COUNT] += 1.0;
                row[mf::SQUARED_GRADIENT_SUM] +=
                    mf::formula::squared_gradient(error, regularisation, other, user_item, own);
            }
        }
        Trained { mean, users, items, best }
    }
}

/// Runs `work` on so many threads and adds up what it returns.
fn side_by_side(threads: usize, work: impl Fn() -> f64 + Sync) -> f64 {
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let own = work();
        own + others.into_iter().map(|other| other.join().unwrap_or(f64::NAN)).sum::<f64>()
    })
}

#[cfg(test)]
mod tests;
