//! A shop's topic: fields elsewhere, types of events with weights, and events that mean nothing.

use serde_json::{Value, json};
use weir_tests::weir::wait_contained;
use weir_tests::{Broker, Deployment, Event, Producer, Role, topic};

use crate::PATIENCE;

fn event(kind: &str, user: &str, item: &str) -> Value {
    json!({"type": kind, "customer": {"id": user}, "lines": [{"sku": item}], "id": {"no": "id"}})
}

fn shop() -> Deployment {
    let deployment = Deployment::new(Broker::shared(), "shop").with("KAFKA__PARTITIONS", 1);
    let fields = [("USER", "/customer/id"), ("ITEM", "/lines/0/sku"), ("EVENT", "/type"), ("ID", "absent")];
    let deployment = fields
        .into_iter()
        .fold(deployment, |deployment, (field, source)| deployment.with(&format!("INPUT__RATINGS__{field}"), source));
    let types =
        [("BUY__RATING", "5"), ("BUY__WEIGHT", "2.5"), ("VIEW__MEANING", "implicit"), ("LOGIN__MEANING", "skip")];
    types
        .into_iter()
        .fold(deployment, |deployment, (kind, value)| deployment.with(&format!("INPUT__RATINGS__TYPES__{kind}"), value))
}

#[test]
fn a_shops_events_are_read_by_its_mapping() {
    let deployment = shop();
    deployment.create_topics();
    let mut instance = deployment.start(Role::Standalone, "all");
    instance.wait_ready();
    let rest = instance.rest();
    let written = [
        event("view", "ann", "boots"),
        event("view", "ann", "hat"),
        event("buy", "ann", "hat"),
        event("login", "ann", "-"),
        event("logout", "ann", "-"),
        json!({"user": "ann", "item": "boots", "rating": 5}),
        json!({"type": "buy", "lines": [{"sku": "boots"}]}),
    ];
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    drop(producer.send(written.iter().map(|event| Event::keyed("ann", event))));
    let accepted = rest.post("/v1/ratings", &event("buy", "bob", "boots")).expect(202);
    assert_eq!(accepted["accepted"][0]["offset"], written.len());
    for (body, field) in [
        (json!({"user": "ann", "item": "boots", "rating": 5}), "event"),
        (event("login", "ann", "-"), "event"),
        (json!({"type": "buy", "lines": [{"sku": "boots"}]}), "user"),
    ] {
        assert_eq!(rest.post("/v1/ratings", &body).problem(422)["field"], field, "{body}");
    }
    let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
    wait_contained(&rest, "recommender", deployment.ratings_topic(), &ends, PATIENCE);
    assert_eq!(rest.get("/v1/users/ann").expect(200)["events"], 3);
    assert_eq!(rest.get("/v1/users/bob").expect(200)["events"], 1);
    // One view and one purchase of the hat, one view and one purchase of the boots: as many for both, decayed by moments.
    let popular = rest.get("/v1/users/nobody/recommendations?k=2").expect(200);
    assert_eq!(popular["source"], "popular");
    for item in popular["items"].as_array().expect("items") {
        assert!((item["score"].as_f64().expect("a score") - 3.5).abs() < 0.01, "{popular}");
    }
    let rejected = topic::read_all(deployment.brokers(), &format!("{}.rejected", deployment.ratings_topic()));
    let reasons: Vec<_> = rejected.iter().map(|record| (record.header("offset"), record.header("reason"))).collect();
    assert_eq!(reasons, [("4", "unknown_event"), ("5", "missing_field"), ("6", "missing_field")]);
    assert_eq!(rejected[2].header("detail"), "user: at /customer/id: is missing, every event needs it (missing_field)");
}
