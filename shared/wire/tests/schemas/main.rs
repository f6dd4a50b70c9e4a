//! The schemas and the parsers say the same of the same events.

mod validate;

use serde_json::{Value, json};
use weir_wire::message::{Label, MessageEvent};
use weir_wire::rating::RatingEvent;
use weir_wire::scored::{Model, Scored, Source};
use weir_wire::verdict::{Labels, Thresholds, Verdict};
use weir_wire::{Reject, catalogue, control, message, predicted, rating, schema, scored};

use validate::refusal;

/// Whether the topic's parser takes the event.
fn parse(topic: &str, payload: &[u8]) -> Result<(), Reject> {
    match topic {
        "ratings" => rating::parse(None, Some(payload)).map(drop),
        // As under a key: without one the record itself has to name the item.
        "items" => catalogue::parse(if is_named(payload) { None } else { Some(b"i") }, Some(payload)).map(drop),
        "messages" => message::parse(None, Some(payload)).map(drop),
        "messages.scored" => scored::parse(payload).map(drop),
        "ratings.predicted" => predicted::parse(payload).map(drop),
        "weir.models" => control::parse(payload).map(drop),
        other => panic!("no parser for {other}"),
    }
}

fn is_named(payload: &[u8]) -> bool {
    serde_json::from_slice::<Value>(payload).is_ok_and(|value| value.get("item").is_some_and(|item| !item.is_null()))
}

fn schema_of(topic: &str) -> Value {
    let (_, text) = schema::all().into_iter().find(|(name, _)| *name == topic).unwrap();
    serde_json::from_str(text).unwrap()
}

fn check_taken(topic: &str, value: &Value) {
    let schema = schema_of(topic);
    assert_eq!(refusal(&schema, &schema, value), None, "{topic}: {value}");
    assert_eq!(parse(topic, value.to_string().as_bytes()), Ok(()), "{topic}: {value}");
}

fn check_refused(topic: &str, value: &Value) {
    let schema = schema_of(topic);
    assert!(refusal(&schema, &schema, value).is_some(), "the schema of {topic} takes {value}");
    assert!(parse(topic, value.to_string().as_bytes()).is_err(), "the parser of {topic} takes {value}");
}

/// `base` with `field` changed, field by field and value by value.
fn changed<'a>(base: &'a Value, changes: &'a [(&str, Vec<Value>)]) -> impl Iterator<Item = Value> + 'a {
    let change = |field: &str, value: &Value| {
        let mut event = base.clone();
        let (object, field) = field.rsplit_once('/').unwrap_or(("", field));
        event.pointer_mut(object).unwrap()[field] = value.clone();
        event
    };
    changes.iter().flat_map(move |(field, values)| values.iter().map(move |value| change(field, value)))
}

/// What is neither a string nor an integer.
fn no_ids() -> Vec<Value> {
    vec![json!(""), json!(1.5), json!(true), json!([]), json!({}), json!("x".repeat(257))]
}

#[test]
fn the_examples_of_the_schemas_are_taken() {
    for (topic, text) in schema::all() {
        let schema: Value = serde_json::from_str(text).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let examples = schema["examples"].as_array().unwrap();
        assert!(examples.len() > 1, "{topic}");
        for example in examples {
            check_taken(topic, example);
        }
    }
}

#[test]
fn what_is_at_the_edge_is_taken() {
    let rating = json!({"user": "u", "item": "i"});
    let changes = [
        ("user", vec![json!("x".repeat(256)), json!(-1), json!(u64::MAX)]),
        ("rating", vec![json!(null), json!(1e6), json!(-1e6), json!(0)]),
        ("ts", vec![json!(null), json!(i64::MIN), json!(i64::MAX)]),
        ("event", vec![json!(null), json!(3)]),
        ("more", vec![json!({"user": []})]),
    ];
    changed(&rating, &changes).for_each(|event| check_taken("ratings", &event));
    let message = json!({"id": "m", "text": "t"});
    let changes = [
        ("text", vec![json!(""), json!("x".repeat(100_000))]),
        ("label", vec![json!(null), json!("spam"), json!("ham")]),
        ("tenant", vec![json!(null), json!(3)]),
    ];
    changed(&message, &changes).for_each(|event| check_taken("messages", &event));
}

#[test]
fn wrong_ratings_are_refused_by_both() {
    let base = json!({"user": "u", "item": "i"});
    let changes = [
        ("user", [no_ids(), vec![json!(null)]].concat()),
        ("item", [no_ids(), vec![json!(null)]].concat()),
        ("rating", vec![json!(1_000_001), json!(-1e7), json!("5"), json!(true), json!([])]),
        ("ts", vec![json!(1.5), json!("now"), json!(1e30)]),
        ("event", no_ids()),
        ("id", no_ids()),
    ];
    changed(&base, &changes).for_each(|event| check_refused("ratings", &event));
    let others = [json!(null), json!([]), json!("u"), json!({"user": "u"}), json!({"item": "i"})];
    for event in &others {
        check_refused("ratings", event);
    }
}

#[test]
fn wrong_messages_are_refused_by_both() {
    let base = json!({"id": "m", "text": "t", "label": "ham"});
    let changes = [
        ("id", [no_ids(), vec![json!(null)]].concat()),
        ("text", vec![json!(5), json!(false), json!(["t"])]),
        ("label", vec![json!("x".repeat(25)), json!(""), json!(1), json!(true)]),
        ("ts", vec![json!(1.5), json!("now")]),
        ("tenant", no_ids()),
        ("content_type", no_ids()),
        ("sender", no_ids()),
    ];
    changed(&base, &changes).for_each(|event| check_refused("messages", &event));
    let others = [json!([]), json!({"id": "m"}), json!({"text": "t"}), json!({"id": "m", "text": null, "label": null})];
    for event in &others {
        check_refused("messages", event);
    }
}

#[test]
fn wrong_items_are_refused_by_both() {
    let base = json!({"item": "i", "title": "t", "categories": ["c"]});
    let changes = [
        ("item", no_ids()),
        ("title", vec![json!(""), json!(5), json!("x".repeat(1025))]),
        ("categories", vec![json!("c"), json!([1]), json!([""]), json!([null]), json!(vec!["c"; 65])]),
        ("hidden", vec![json!("true"), json!(1)]),
        ("expires", vec![json!(1.5), json!("now"), json!(true)]),
        ("published", vec![json!("2030"), json!([])]),
    ];
    changed(&base, &changes).for_each(|event| check_refused("items", &event));
    for event in &[json!(null), json!([]), json!("i"), json!(7)] {
        check_refused("items", event);
    }
}

#[test]
fn wrong_scores_are_refused_by_both() {
    let base = schema_of("messages.scored")["examples"][0].clone();
    let changes = [
        ("id", vec![json!(1), json!(null)]),
        ("label", vec![json!("x".repeat(25)), json!(null)]),
        ("true_label", vec![json!(""), json!(1)]),
        ("probabilities", vec![json!([]), json!({"spam": "1"})]),
        ("probability", vec![json!(1.5), json!(-0.1), json!("1"), json!(null)]),
        ("margin", vec![json!("1"), json!(null), json!(1e300)]),
        ("/source/partition", vec![json!(-1), json!(1.5), json!(1_u64 << 32)]),
        ("/source/offset", vec![json!(-1), json!("1")]),
        ("/model/generation", vec![json!(1)]),
        ("/model/learned", vec![json!(-1)]),
        ("action", vec![json!("block"), json!(1)]),
        ("state", vec![json!("new")]),
        ("/labels/ham", vec![json!(-1), json!("1")]),
        ("/thresholds/reject", vec![json!("1"), json!(null)]),
        ("labels", vec![json!({"spam": 1})]),
        ("source", vec![json!({})]),
        ("model", vec![json!({"name": "spam"})]),
    ];
    changed(&base, &changes).for_each(|event| check_refused("messages.scored", &event));
}

#[test]
fn wrong_states_of_generations_are_refused_by_both() {
    let base = schema_of("weir.models")["examples"][0].clone();
    let no_generations = || vec![json!(1), json!(null), json!(""), json!("g"), json!("g12345678901")];
    let changes = [
        ("version", vec![json!(0), json!(-1), json!("1"), json!(1.5), json!(null)]),
        ("generations", vec![json!([]), json!({}), json!(null), json!(vec![&base["generations"][0]; 65])]),
        ("/generations/1/stage", vec![json!("asleep"), json!(1), json!(null)]),
        ("/generations/1/settings", vec![json!([]), json!({"recommender.factors": 20})]),
        ("served", vec![json!("g1"), json!([1])]),
        ("next", no_generations()),
    ];
    changed(&base, &changes).for_each(|state| check_refused("weir.models", &state));
    for entry in [json!({}), json!("g1"), json!({"generation": "g1"}), json!({"stage": "shadow"})] {
        let mut state = base.clone();
        state["generations"][0] = entry;
        check_refused("weir.models", &state);
    }
    check_taken("weir.models", &base);
}

#[test]
fn what_is_written_is_as_the_schemas_say() {
    let rated = |rating| RatingEvent::Rated {
        user: "u".into(),
        item: "7".into(),
        rating,
        ts: Some(5),
        event: Some("e".into()),
        id: None,
    };
    for event in [rated(Some(-0.1)), rated(None)] {
        check_taken("ratings", &serde_json::to_value(&event).unwrap());
    }
    let (text, label) = (Some("t".into()), Some(Label::SPAM));
    let event =
        MessageEvent::Message { id: "m".into(), text, label, ts: None, tenant: None, content_type: None, sender: None };
    check_taken("messages", &serde_json::to_value(&event).unwrap());
    let scored = Scored {
        id: "m".into(),
        label: Label::HAM,
        probability: 0.0,
        probabilities: None,
        margin: f32::MIN,
        true_label: None,
        action: None,
        state: None,
        labels: None,
        thresholds: None,
        reason: None,
        source: Source { topic: "messages".into(), partition: u32::MAX, offset: u64::MAX },
        model: Model { name: "spam".into(), generation: "g1".into(), learned: None },
    };
    let mut payload = Vec::new();
    scored.write(&mut payload).unwrap();
    check_taken("messages.scored", &serde_json::from_slice(&payload).unwrap());
    let labels = Labels { counts: vec![(Label::SPAM, 0), (Label::HAM, u64::MAX)], needed: 50 };
    let verdict = Verdict::new(0.0, labels, Thresholds { review: 0.5, reject: 0.9 });
    let mut payload = Vec::new();
    scored.with_verdict(verdict).write(&mut payload).unwrap();
    check_taken("messages.scored", &serde_json::from_slice(&payload).unwrap());
}
