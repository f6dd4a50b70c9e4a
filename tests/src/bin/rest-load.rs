//! How many lists a second a gateway answers, and how fast, while ratings flow and everything shares one machine.
//!
//! ```sh
//! cargo run -p weir-tests --bin rest-load -- --k 10 --set RECOMMENDER__FACTORS=10 --set RECOMMENDER__RANKING__FACTORS=10
//! ```
//! Broker, all roles of weir and the clients are on this machine. Ratings are learned first, so that users and items are known; then others follow at a
//! steady rate while clients ask for lists of random users, each as soon as it has the answer before. Figures are of this machine and of what else it did.

use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::json;
use weir_tests::load::Load;
use weir_tests::weir::wait_contained;
use weir_tests::{Broker, Client, Deployment, Event, Producer, Random, Role, topic};

const PATIENCE: Duration = Duration::from_mins(10);
/// Ratings that are sent together before the clients begin.
const PORTION: usize = 50_000;

/// Asks a gateway for lists while ratings flow.
#[derive(Debug, Parser)]
struct Arguments {
    /// Users who rate and are asked for.
    #[arg(long, default_value_t = 45_000)]
    users: usize,
    /// Items that they rate, few of them often.
    #[arg(long, default_value_t = 49_000)]
    items: usize,
    /// Ratings that are learned first.
    #[arg(long, default_value_t = 500_000)]
    ratings: usize,
    /// Ratings a second while clients ask.
    #[arg(long, default_value_t = 10_000)]
    rate: usize,
    /// Items in a list.
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// Clients, each with a connection of its own.
    #[arg(long, default_value_t = 8)]
    clients: u64,
    /// How long they ask.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Settings, as `NAME=VALUE` with the names of the environment without `WEIR_`.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
}

fn main() {
    let arguments = Arguments::parse();
    let mut deployment = Deployment::new(Broker::shared(), "rest-load");
    for setting in &arguments.settings {
        let (name, value) = setting.split_once('=').unwrap_or_else(|| panic!("{setting} is not NAME=VALUE"));
        deployment = deployment.with(name, value);
    }
    deployment.create_topics();
    let mut instance = deployment.start(Role::Standalone, "all");
    instance.wait_ready();
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    let (users, items) = (arguments.users, arguments.items);
    let mut random = Random::new(1);
    let mut next = move || rating(&mut random, users, items);
    let mut left = arguments.ratings;
    while left > 0 {
        let portion = left.min(PORTION);
        left -= portion;
        drop(producer.send((0..portion).map(|_| next())));
    }
    let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
    wait_contained(&instance.rest(), "recommender", deployment.ratings_topic(), &ends, PATIENCE);
    let learned = |events: u64| instance.metric("weir_worker_events_total") - events as f64;
    let before = learned(0) as u64;
    let load = Load::start(producer, arguments.rate, next);
    let began = Instant::now();
    let mut times = ask_all(&arguments, &instance.rest());
    let (elapsed, learned) = (began.elapsed().as_secs_f64(), learned(before));
    let written = load.stop();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{arguments:?}");
    println!(
        "{:.0} lists/s; {:.2} ms at the median, {:.2} at the 99th percentile, {:.2} at most",
        times.len() as f64 / elapsed,
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!("meanwhile {:.0} ratings/s written, {:.0} learned", written as f64 / elapsed, learned / elapsed);
}

fn rating(random: &mut Random, users: usize, items: usize) -> Event {
    let user = format!("user-{}", random.below(users));
    let (item, rating) = (random.skewed(items), 1 + random.below(5));
    Event::keyed(&user, &json!({"user": user, "item": format!("item-{item}"), "rating": rating}))
}

/// How long each answer took.
fn ask_all(arguments: &Arguments, rest: &Client) -> Vec<Duration> {
    let until = Instant::now() + Duration::from_secs(arguments.seconds);
    std::thread::scope(|scope| {
        let ask = |number| scope.spawn(move || ask(arguments, rest, Random::new(1_000 + number), until));
        let clients: Vec<_> = (0..arguments.clients).map(ask).collect();
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    })
}

fn ask(arguments: &Arguments, client: &Client, mut random: Random, until: Instant) -> Vec<Duration> {
    let mut times = Vec::new();
    while Instant::now() < until {
        let user = random.below(arguments.users);
        let began = Instant::now();
        let answer = client.get(&format!("/v1/users/user-{user}/recommendations?k={}", arguments.k));
        assert_eq!(answer.status, 200, "{}", answer.body);
        times.push(began.elapsed());
    }
    times
}
