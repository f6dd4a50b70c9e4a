//! What the index of the best k costs, beside a plain loop over all items:
//! `cargo run --release -p weir-learn --example top_k -- [FACTORS [ITEMS [K]]]`
//!
//! Items as a factor model has them: factors about normal, their lengths and biases spread as popularity is, so that few are long. Between
//! queries some items change. Both give the same lists, which is checked.

use std::error::Error;
use std::time::{Duration, Instant};

use weir_learn::top_k::TopK;
use weir_learn::top_k::index::{Index, Query};

const FEATURES: usize = 4;
/// Queries of each way.
const QUERIES: usize = 200;
/// Items that change between two queries.
const CHANGES: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| arguments.get(place).map(|text| text.parse::<usize>()).transpose();
    let k = number(2)?.unwrap_or(10);
    for factors in number(0)?.map_or(vec![10, 64], |factors| vec![factors]) {
        for items in number(1)?.map_or(vec![10_000, 49_000, 1_000_000], |items| vec![items]) {
            measure(factors, items, k);
        }
    }
    Ok(())
}

/// An item's values: factors, then features.
fn item(random: &mut fastrand::Rng, factors: usize, place: usize) -> Vec<f32> {
    let popularity = 1.0 / (1.0 + place as f32).powf(0.4);
    let normal = |random: &mut fastrand::Rng| (0..4).map(|_| random.f32() - 0.5).sum::<f32>();
    let scale = (0.1 + popularity) / (factors as f32).sqrt();
    let factors = (0..factors).map(|_| scale * normal(random)).collect::<Vec<_>>();
    let features = (0..FEATURES).map(|_| popularity * (0.5 + random.f32())).collect::<Vec<_>>();
    [factors, features].concat()
}

fn measure(factors: usize, items: usize, k: usize) {
    let mut random = fastrand::Rng::with_seed(1);
    let mut all: Vec<Vec<f32>> = (0..items).map(|place| item(&mut random, factors, place)).collect();
    let mut index = Index::new(factors, FEATURES);
    let put = |index: &mut Index, place: usize, values: &[f32]| {
        let (factors, features) = values.split_at(factors);
        index.put(place as u64 + 1, factors, features);
    };
    all.iter().enumerate().for_each(|(place, values)| put(&mut index, place, values));
    let begun = Instant::now();
    index.rebuild();
    let rebuilt = begun.elapsed();
    let (mut by_index, mut by_loop) = (Vec::new(), Vec::new());
    for _ in 0..QUERIES {
        for _ in 0..CHANGES {
            let place = (items as f64).powf(random.f64()) as usize % items;
            all[place] = item(&mut random, factors, place);
            put(&mut index, place, &all[place]);
        }
        let values = item(&mut random, factors, 0);
        let query = Query { factors: &values[..factors], weights: &values[factors..] };
        let begun = Instant::now();
        let mut found = TopK::new(k);
        index.offer(query, &mut found, |_| true);
        by_index.push(begun.elapsed());
        let begun = Instant::now();
        let mut expected = TopK::new(k);
        for (place, item) in all.iter().enumerate() {
            expected.offer(place as u64 + 1, values.iter().zip(item).fold(0.0, |sum, (one, other)| sum + one * other));
        }
        by_loop.push(begun.elapsed());
        assert_eq!(found.into_sorted(), expected.into_sorted());
    }
    let (index, plain) = (median(by_index), median(by_loop));
    let times = plain.as_secs_f64() / index.as_secs_f64();
    println!(
        "{items} items, {factors} factors, k {k}: index {index:?}, plain loop {plain:?} ({times:.1} times), rebuild {rebuilt:?}"
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
