//! Reading one's own write, and how fast a new user's rating changes what that user is shown.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_tests::http::segment;
use weir_tests::weir::wait_contained;
use weir_tests::{Broker, Client, Deployment, Event, Instance, Producer, Role, alone, data, topic};

/// Ratings that are learned before: enough for items to recommend.
const PAST: usize = 20_000;
const NEW_USERS: usize = 20;
/// From the broker's acknowledgement to an answer that contains the rating, at the median; on an idle machine it is some
/// ten milliseconds.
const FAST: Duration = Duration::from_secs(1);

#[test]
fn a_client_reads_its_own_write() {
    let _alone = alone();
    let shop = Shop::open("own-write");
    for user in ["own-write", "with/slash and ünïcode?", "7"] {
        let path = format!("/v1/users/{}", segment(user));
        let _ = shop.rest.get(&path).problem(404);
        let popular = shop.recommendations(user, "");
        assert_eq!(popular["source"], "popular");
        let item = first_item(&popular);
        let at_least = shop.rate(user, &item, 9.0);
        let known = shop.rest.get(&format!("{path}?{at_least}")).expect(200);
        assert_eq!((&known["user"], &known["events"]), (&json!(user), &json!(1)));
        check_contains(&known["model"], &at_least);
        let personal = shop.recommendations(user, &at_least);
        assert_eq!(personal["source"], "blended");
        assert!(!items(&personal).contains(&item), "{item} was rated and is recommended: {personal}");
        let pair = json!({"pairs": [{"user": user, "item": item}]});
        let predicted = shop.rest.post(&format!("/v1/predictions?{at_least}"), &pair).expect(200);
        check_contains(&predicted["model"], &at_least);
    }
}

#[test]
fn a_list_of_events_is_accepted_in_its_order() {
    let _alone = alone();
    let shop = Shop::open("list");
    let event = |item: &str| json!({"user": "lister", "item": item, "rating": 5, "id": format!("sent-{item}")});
    let events = json!([event("a"), event("b"), event("c"), {"user": "lister", "item": "d"}]);
    let accepted = shop.rest.post("/v1/ratings", &events).expect(202);
    let offsets: Vec<u64> =
        accepted["accepted"].as_array().into_iter().flatten().filter_map(|a| a["offset"].as_u64()).collect();
    assert_eq!(offsets.len(), 4, "{accepted}");
    // One user's events share a partition and keep their order there.
    assert!(offsets.is_sorted(), "{accepted}");
    let known = shop.rest.get(&format!("/v1/users/lister?{}", at_least(&accepted["accepted"][3]))).expect(200);
    assert_eq!(known["events"], 4);
    // As a client does that had no answer: what has an id counts once, what has none is a new event.
    let again = shop.rest.post("/v1/ratings", &events).expect(202);
    let known = shop.rest.get(&format!("/v1/users/lister?{}", at_least(&again["accepted"][3]))).expect(200);
    assert_eq!(known["events"], 5);
}

#[test]
fn what_cannot_be_contained_in_time_is_a_503_that_says_what_is() {
    let _alone = alone();
    let shop = Shop::open("beyond");
    let topic = &shop.topic;
    for path in ["/v1/users/somebody", "/v1/users/somebody/recommendations"] {
        let begin = Instant::now();
        let problem = shop.rest.get(&format!("{path}?at_least={topic}:0:999999999")).problem(503);
        assert!(problem.to_string().contains(topic.as_str()), "{problem} does not say what is covered");
        assert!(begin.elapsed() >= Duration::from_millis(500), "{path} did not wait");
    }
}

#[test]
fn a_new_users_rating_changes_what_they_are_shown_and_fast() {
    let _alone = alone();
    let shop = Shop::open("new-users");
    let mut times = Vec::new();
    for number in 0..NEW_USERS {
        let user = format!("new-{number}");
        let mut shown = shop.recommendations(&user, "");
        for rating in [10.0, 1.0] {
            let item = first_item(&shown);
            let at_least = shop.rate(&user, &item, rating);
            let begin = Instant::now();
            let next = shop.recommendations(&user, &at_least);
            times.push(begin.elapsed());
            assert_eq!(next["source"], "blended", "{next}");
            assert_ne!(items(&next), items(&shown), "a rating of {rating} changed nothing");
            shown = next;
        }
    }
    times.sort_unstable();
    let median = times[times.len() / 2];
    println!("rating to recommendation: median {median:?}, longest {:?}", times.last());
    assert!(median < FAST, "a rating changes recommendations after {median:?}");
}

/// A `weir standalone` that has learned some of the real ratings.
pub(crate) struct Shop {
    pub(crate) rest: Client,
    topic: String,
    _instance: Instance,
}

impl Shop {
    pub(crate) fn open(label: &str) -> Self {
        let deployment = Deployment::new(Broker::shared(), label).with("GATEWAY__AT_LEAST_TIMEOUT_MS", 3_000);
        deployment.create_topics();
        let topic = deployment.ratings_topic().to_owned();
        let ratings = data::ratings();
        let events = ratings[..PAST].iter().map(|rating| Event::keyed(&rating.user, &rating.event()));
        drop(Producer::new(deployment.brokers(), &topic).send(events));
        let mut instance = deployment.start(Role::Standalone, "all");
        instance.wait_ready();
        let rest = instance.rest();
        let ends = topic::ends(deployment.brokers(), &topic);
        wait_contained(&rest, "recommender", &topic, &ends, Duration::from_mins(1));
        Self { rest, topic, _instance: instance }
    }

    pub(crate) fn recommendations(&self, user: &str, query: &str) -> Value {
        let answer = self.rest.get(&format!("/v1/users/{}/recommendations?k=10&{query}", segment(user))).expect(200);
        assert_eq!((&answer["user"], items(&answer).len()), (&json!(user), 10), "{answer}");
        answer
    }

    /// Rates over REST; the query that asks for an answer that contains it.
    pub(crate) fn rate(&self, user: &str, item: &str, rating: f64) -> String {
        let accepted =
            self.rest.post("/v1/ratings", &json!({"user": user, "item": item, "rating": rating})).expect(202);
        assert_eq!(accepted["accepted"][0]["topic"], self.topic.as_str(), "{accepted}");
        at_least(&accepted["accepted"][0])
    }
}

fn at_least(place: &Value) -> String {
    let topic = place["topic"].as_str().unwrap_or_else(|| panic!("no topic in {place}"));
    format!("at_least={topic}:{}:{}", place["partition"], place["offset"])
}

/// The offset next to read lies behind the record that was asked for.
fn check_contains(model: &Value, at_least: &str) {
    let mut parts = at_least.trim_start_matches("at_least=").split(':');
    let topic = parts.next().unwrap_or_default();
    let numbers: Vec<u64> = parts.filter_map(|part| part.parse().ok()).collect();
    let next = model["offsets"][topic][numbers[0] as usize].as_u64();
    assert!(next > Some(numbers[1]), "{model} does not contain {at_least}");
    assert_eq!((&model["name"], &model["generation"]), (&json!("recommender"), &json!("g1")));
}

pub(crate) fn items(recommendations: &Value) -> Vec<String> {
    let items = recommendations["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["item"].as_str().map(str::to_owned)).collect()
}

pub(crate) fn first_item(recommendations: &Value) -> String {
    items(recommendations).into_iter().next().unwrap_or_else(|| panic!("nothing in {recommendations}"))
}
