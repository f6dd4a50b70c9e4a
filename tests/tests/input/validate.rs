//! A sample of a topic judged before anything learns from it.

use serde_json::json;
use weir_tests::{Broker, Deployment, Event, Producer};

#[test]
fn a_sample_of_a_topic_is_counted_by_kinds_and_reasons() {
    let deployment = Deployment::new(Broker::shared(), "sample").with("KAFKA__PARTITIONS", 2);
    deployment.create_topics();
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    let good =
        (0..20).map(|n| Event::keyed(&format!("u{n}"), &json!({"user": format!("u{n}"), "item": "i", "rating": 1})));
    drop(producer.send(good));
    let bad = [json!({"user": 1.5, "item": "i"}), json!({"user": "u"}), json!({"user": "v"})];
    drop(producer.send(bad.iter().map(|event| Event::raw(0, event.to_string()))));
    let validate = |more: &[&str]| {
        let output = deployment.run(&[&["validate", "ratings", "--from-topic"][..], more].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = validate(&[]);
    assert_eq!(code, Some(3), "{said}");
    for part in [
        "23 events, 3 would be refused",
        "refused: wrong_type user",
        "refused: missing_field item",
        "partition 0, offset ",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    let (code, said) = validate(&["--first", "4"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("4 events, 0 would be refused"), "{said}");
    let (code, said) = validate(&["--last", "6"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("6 events, 3 would be refused"), "{said}");
    // The same events under a mapping that wants something else.
    let other = deployment.with("INPUT__RATINGS__USER", "/customer");
    let output = other.run(&["validate", "ratings", "--from-topic", "--last", "2"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("at /customer: is missing"), "{output:?}");
}
