//! JSON events as they were first written are read for ever, and are still what is written.
//!
//! `NAME.json` is the record's value, `NAME.txt` what it says. A file of a released version is never changed; new ones
//! are made by `WEIR_GOLDEN=write cargo test -p weir-wire`.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use weir_wire::control::{self, Entry, Stage, State};
use weir_wire::message::{self, Label, MessageEvent};
use weir_wire::predicted::{self, Predicted};
use weir_wire::rating::{self, RatingEvent};
use weir_wire::scored::{self, Model, Scored, Source};
use weir_wire::verdict::{Labels, Thresholds, Verdict};

/// Compares one file, or writes it if it is to be made.
fn check_file(name: &str, kind: &str, content: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events").join(format!("{name}.{kind}"));
    if std::env::var_os("WEIR_GOLDEN").is_some_and(|value| value == "write") && !file.exists() {
        fs::write(&file, content).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), content, "{}", file.display());
}

fn check(name: &str, written: Vec<u8>, read: &impl Debug) {
    check_file(name, "json", &String::from_utf8(written).unwrap());
    check_file(name, "txt", &format!("{read:#?}\n"));
}

fn check_rating(name: &str, event: &RatingEvent<'_>) {
    let payload = rating::to_json(event);
    check(name, payload.clone(), &rating::parse(None, Some(&payload)).unwrap());
}

fn check_message(name: &str, event: &MessageEvent<'_>) {
    let payload = message::to_json(event);
    check(name, payload.clone(), &message::parse(None, Some(&payload)).unwrap());
}

fn check_scored(name: &str, scored: &Scored<'_>) {
    let mut payload = Vec::new();
    scored.write(&mut payload).unwrap();
    check(name, payload.clone(), &scored::parse(&payload).unwrap());
}

#[test]
fn ratings_are_as_ever() {
    let (user, item) = ("Zoë \"z\"", "tt0114709");
    let (ts, event, id) = (Some(-1_700_000_000_000), Some("play".into()), Some("e-1".into()));
    let rated = RatingEvent::Rated { user: user.into(), item: item.into(), rating: Some(3.7), ts, event, id };
    check_rating("rated", &rated);
    let (user, item) = ("17".into(), "862".into());
    check_rating("implicit", &RatingEvent::Rated { user, item, rating: None, ts: None, event: None, id: None });
    let (user, item) = ("17".into(), "862".into());
    check_rating("removed", &RatingEvent::Removed { user, item, ts: Some(5), event: None, id: None });
}

#[test]
fn messages_are_as_ever() {
    let (text, label) = (Some("two\nlines \u{0}\u{1b} 😀".into()), Some(Label::SPAM));
    let (tenant, content_type) = (Some("shop".into()), Some("text/plain".into()));
    check_message(
        "message",
        &MessageEvent::Message { id: "m-1".into(), text, label, ts: Some(5), tenant, content_type, sender: None },
    );
    let (text, label) = (None, Some(Label::HAM));
    let event = MessageEvent::Message {
        id: "m-1".into(),
        text,
        label,
        ts: None,
        tenant: None,
        content_type: None,
        sender: None,
    };
    check_message("message-label", &event);
    let (text, label) = (Some("".into()), None);
    let event =
        MessageEvent::Message { id: "3".into(), text, label, ts: None, tenant: None, content_type: None, sender: None };
    check_message("message-unlabelled", &event);
}

#[test]
fn scored_messages_are_as_ever() {
    let scored = Scored {
        id: "m \"1\"".into(),
        label: Label::SPAM,
        probability: 0.679_178_7,
        probabilities: None,
        margin: 0.75,
        true_label: Some(Label::HAM),
        action: None,
        state: None,
        labels: None,
        thresholds: None,
        reason: None,
        source: Source { topic: "messages".into(), partition: 3, offset: u64::MAX },
        model: Model { name: "spam".into(), generation: "g1".into(), learned: Some(12) },
    };
    check_scored("scored", &scored);
    let labels = Labels { counts: vec![(Label::SPAM, 7), (Label::HAM, 50)], needed: 50 };
    let verdict = Verdict::new(0.679_178_7, labels, Thresholds { review: 0.5, reject: 0.9 });
    check_scored("scored-verdict", &scored.clone().with_verdict(verdict));
    let model = Model { learned: None, ..scored.model.clone() };
    check_scored("scored-unlabelled", &Scored { true_label: None, margin: -1e-9, model, ..scored });
}

#[test]
fn predicted_ratings_are_as_ever() {
    let predicted = Predicted {
        user: "d \"1\"".into(),
        item: "a/\u{1F47D}".into(),
        rating: 4.5,
        predicted: -1e-9,
        source: Source { topic: "ratings".into(), partition: 3, offset: u64::MAX },
        model: Model { name: "recommender".into(), generation: "g1".into(), learned: None },
    };
    let mut payload = Vec::new();
    predicted.write(&mut payload).unwrap();
    check("predicted", payload.clone(), &predicted::parse(&payload).unwrap());
}

#[test]
fn states_of_generations_are_as_ever() {
    let entry =
        |generation: &str, stage| Entry { generation: generation.parse().unwrap(), stage, settings: BTreeMap::new() };
    let own = [("recommender.factors".to_owned(), "20".to_owned()), ("server.shards".to_owned(), "6".to_owned())];
    let state = State {
        version: u64::MAX,
        generations: vec![
            entry("g1", Stage::Retired),
            entry("g2", Stage::Shadow),
            Entry { settings: own.into(), ..entry("g3", Stage::Live) },
            entry("g4", Stage::CatchingUp),
            entry("g4294967294", Stage::Training),
        ],
        served: vec!["g2".parse().unwrap()],
        next: "g4294967295".parse().unwrap(),
    };
    let mut payload = Vec::new();
    state.write(&mut payload).unwrap();
    check("generations", payload.clone(), &control::parse(&payload).unwrap());
}
