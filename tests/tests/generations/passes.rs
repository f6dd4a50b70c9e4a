//! A recommender that has made many passes over the log begins beside the one that learns online, and goes on.

use serde_json::json;
use weir_tests::trial::PATIENCE;
use weir_tests::{Broker, Cluster, Deployment, Event, Producer, topic};

use crate::commands::{done, refused};
use crate::life::wait_served;

/// All of them like the even items and none of the odd ones.
const PEOPLE: usize = 40;
const ITEMS: usize = 20;

#[test]
fn many_passes_over_the_log_make_a_generation_without_those_who_are_forgotten() {
    let deployment = Deployment::new(Broker::shared(), "passes").with("MODELS", "recommender");
    let deployment = deployment.with("KAFKA__PARTITIONS", 2).with("SERVER__SHARDS", 2);
    let mut cluster = Cluster::start(deployment.clone(), 1, 1);
    write(&deployment, (0..PEOPLE).flat_map(|person| (0..ITEMS).map(move |item| rated(person, item))));
    // Whoever is forgotten goes with the record's key; nobody has told the partitioner another way.
    write(&deployment, [Event { payload: None, ..rated(0, 0) }]);
    wait_contained(&mut cluster);
    refused(&deployment, &["train", "recommender", "--averaged", "--epochs", "3"], "--averaged is for weir train spam");
    refused(&deployment, &["train", "recommender", "--rate", "0.1"], "--rate is for several passes: say --epochs N");

    let said = done(&deployment, &["train", "recommender", "--epochs", "30", "--held-out", "0"]);
    let trained = format!("{} users and {ITEMS} items", PEOPLE - 1);
    assert!(
        said.contains(&trained)
            && said.contains("after 30 passes")
            && said.contains("generation g2 of model recommender begins with"),
        "{said}"
    );
    done(&deployment, &["train", "recommender", "--follow", "g2"]);
    done(&deployment, &["promote", "recommender", "g2"]);
    let rest = cluster.rest();
    wait_served(&rest, "g2");
    let pairs = ["item-2", "item-3"].map(|item| json!({"user": "person-2", "item": item}));
    let answer = rest.post("/v1/predictions", &json!({ "pairs": pairs })).expect(200);
    let rating = |index: usize| answer["predictions"][index]["rating"].as_f64().expect("a number");
    assert!(rating(0) > rating(1) + 2.0, "good items are told from bad ones: {answer}");
    assert_eq!(rest.get("/v1/users/person-0").status, 404, "who was forgotten is in no row of it");
    // It goes on with what comes.
    write(&deployment, [rated(0, 1), rated(1, 1)]);
    wait_contained(&mut cluster);
    assert_eq!(rest.get("/v1/users/person-0").expect(200)["events"], 1);
    assert_eq!(rest.get("/v1/users/person-1").expect(200)["events"], ITEMS + 1);
}

fn rated(person: usize, item: usize) -> Event {
    let (user, rating) = (format!("person-{person}"), if item.is_multiple_of(2) { 5 } else { 1 });
    Event::keyed(&user, &json!({"user": user, "item": format!("item-{item}"), "rating": rating}))
}

fn write(deployment: &Deployment, events: impl IntoIterator<Item = Event>) {
    let events: Vec<Event> = events.into_iter().collect();
    let count = events.len();
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    assert_eq!(producer.send(events).len(), count);
}

fn wait_contained(cluster: &mut Cluster) {
    let deployment = cluster.deployment().clone();
    let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
    cluster.wait_contained("recommender", &ends, PATIENCE);
}
