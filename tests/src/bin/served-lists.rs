//! How good lists are as people get them: ratings through Kafka into servers and workers, lists asked of the gateway.
//!
//! ```sh
//! cargo run -p weir-tests --bin served-lists
//! ```
//! The split of `weir evaluate ratings --protocol split` on `MovieLens` 100K: a random quarter of each user's ratings is kept back, the rest is learned once
//! in time order, and lists of ten unseen items are held against what was kept back, all of it relevant (NDCG). There they are learned by one thread; here
//! by batches of four partitions side by side.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use clap::Parser;
use weir_tests::data::{self, Rating};
use weir_tests::http::segment;
use weir_tests::weir::wait_contained;
use weir_tests::{Broker, Client, Deployment, Event, Producer, Random, Role, topic};

/// Items in a list.
const LENGTH: usize = 10;
const PATIENCE: Duration = Duration::from_mins(5);

/// Learns `MovieLens` 100K through Kafka, and holds the gateway's lists against what was kept back.
#[derive(Debug, Parser)]
struct Arguments {
    /// Seed of what is kept back.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Settings, as `NAME=VALUE` with the names of the environment without `WEIR_`: `KAFKA__PARTITIONS=1`.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
}

fn main() {
    let arguments = Arguments::parse();
    let (learned, kept_back) = split(data::movielens(), &mut Random::new(arguments.seed));
    let mut deployment = Deployment::new(Broker::shared(), "served-lists");
    for setting in &arguments.settings {
        let (name, value) = setting.split_once('=').unwrap_or_else(|| panic!("{setting} is not NAME=VALUE"));
        deployment = deployment.with(name, value);
    }
    deployment.create_topics();
    let began = Instant::now();
    let mut instance = deployment.start(Role::Standalone, "all");
    instance.wait_ready();
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    drop(producer.send(learned.iter().map(|rating| Event::keyed(&rating.user, &rating.event()))));
    let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
    wait_contained(&instance.rest(), "recommender", deployment.ratings_topic(), &ends, PATIENCE);
    println!("{} ratings learned in {:.1} s", learned.len(), began.elapsed().as_secs_f64());
    let rest = instance.rest();
    let sum: f64 = kept_back.iter().map(|(user, items)| ndcg(&list(&rest, user), items)).sum();
    println!("NDCG@{LENGTH} of {} users: {:.4}", kept_back.len(), sum / kept_back.len() as f64);
}

/// What is learned, in time order, and by user the items that are kept back.
fn split(mut ratings: Vec<Rating>, random: &mut Random) -> (Vec<Rating>, BTreeMap<String, HashSet<String>>) {
    ratings.sort_by_key(|rating| rating.ts);
    let (mut learned, mut kept_back) = (Vec::new(), BTreeMap::<String, HashSet<String>>::new());
    for rating in ratings {
        if random.below(4) == 0 {
            kept_back.entry(rating.user).or_default().insert(rating.item);
        } else {
            learned.push(rating);
        }
    }
    (learned, kept_back)
}

fn list(rest: &Client, user: &str) -> Vec<String> {
    let answer = rest.get(&format!("/v1/users/{}/recommendations?k={LENGTH}", segment(user))).expect(200);
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("no items in {answer}"));
    items.iter().filter_map(|item| item["item"].as_str().map(str::to_owned)).collect()
}

/// Normalised discounted cumulative gain of a list whose relevant items are worth the same.
fn ndcg(list: &[String], relevant: &HashSet<String>) -> f64 {
    let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let found = list.iter().enumerate().filter(|(_, item)| relevant.contains(*item));
    let ideal: f64 = (0..relevant.len().min(LENGTH)).map(gain).sum();
    found.map(|(place, _)| gain(place)).sum::<f64>() / ideal
}
