//! The ratings that are measured with: users at random, items by Zipf's law, a few stars each.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};

use super::events::Event;
use crate::arguments::BenchRatings;

/// How skewed items are: a little less than Zipf's own law, as catalogues are.
const EXPONENT: f64 = 0.9;

/// Makes ratings, the same ones of the same seed.
pub(super) fn generator(command: &BenchRatings) -> anyhow::Result<impl FnMut() -> Event + use<>> {
    let mut random = StdRng::seed_from_u64(command.seed);
    let (users, items) = (command.users.max(1), Zipf::new(command.items as f64, EXPONENT)?);
    Ok(move || {
        let user = format!("u{}", random.random_range(0..users));
        let (item, stars) = (items.sample(&mut random) as u64, random.random_range(1..=10));
        let value = format!(r#"{{"user":"{user}","item":"i{item}","rating":{}}}"#, f64::from(stars) / 2.0);
        (user.into_bytes(), value.into_bytes())
    })
}
