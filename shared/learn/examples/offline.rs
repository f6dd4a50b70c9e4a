//! How fast training from a pile of ratings is, without any file:
//! `cargo run --release -p weir-learn --example offline -- [RATINGS [FACTORS]]`
//!
//! Ratings as those of `weir bench ratings`: 45,000 users at random, 49,000 items of which few are popular. Prints updates a second of each
//! pass with one thread and with all there are; an update is one rating learned.

use std::time::Instant;
use std::{env, error::Error, thread};

use weir_learn::evaluate::Size;
use weir_learn::mf;
use weir_learn::offline::blocks::Rating;
use weir_learn::offline::ratings::{HyperParameters, Settings, train};

const SIZE: Size = Size { users: 45_000, items: 49_000 };
const PASSES: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |place: usize, default: usize| arguments.get(place).map_or(Ok(default), |text| text.parse::<usize>());
    let (count, factors) = (number(0, 10_000_000)?, number(1, 10)?);
    let mut random = fastrand::Rng::with_seed(1);
    let ratings: Vec<Rating> = (0..count).map(|_| rating(&mut random)).collect();
    let model = mf::Settings::try_from(mf::HyperParameters { factors, ..mf::HyperParameters::default() })?;
    let all = thread::available_parallelism()?.get();
    let mut rates = Vec::new();
    for threads in [1, all] {
        let values = HyperParameters { threads, epochs: PASSES, patience: PASSES, ..HyperParameters::default() };
        let (mut began, mut fastest) = (None::<Instant>, f64::INFINITY);
        train((&ratings, &[]), SIZE, &model, &Settings::try_from(values)?, 1, |_| {
            // What comes before the end of the first pass is more than a pass.
            if let Some(began) = began.replace(Instant::now()) {
                fastest = fastest.min(began.elapsed().as_secs_f64());
            }
            true
        })?;
        rates.push(count as f64 / fastest);
        println!("{threads} threads, {factors} factors: {:.1} million updates/s", rates[rates.len() - 1] / 1e6);
    }
    println!(
        "each of {all} threads works at {:.0} % of the speed of one alone",
        100.0 * rates[1] / rates[0] / all as f64
    );
    Ok(())
}

fn rating(random: &mut fastrand::Rng) -> Rating {
    let item = (SIZE.items as f64).powf(random.f64()) as u32;
    Rating {
        user: random.u32(..SIZE.users as u32),
        item: item.min(SIZE.items as u32 - 1),
        rating: f32::from(random.u8(1..=10)) / 2.0,
    }
}
