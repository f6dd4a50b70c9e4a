use super::*;
use Said::{Implicit, Rated, Removed};

fn at(pointer: &str) -> Source {
    Source::Pointer(pointer.to_owned())
}

fn shop() -> RatingSources {
    let fields = [("user", at("/customer/id")), ("item", at("/lines/0/sku")), ("event", at("/type"))];
    let typed = |meaning, weight| EventType { meaning, weight };
    let types = [
        ("stars", typed(Meaning::AsSent, 1.0)),
        ("buy", typed(Meaning::Rating(4.5), 3.0)),
        ("view", typed(Meaning::Implicit, 0.25)),
        ("hide", typed(Meaning::Disliked, 2.0)),
        ("return", typed(Meaning::Removed, 1.0)),
        ("login", typed(Meaning::Skip, 1.0)),
    ];
    RatingSources {
        fields: fields.map(|(field, source)| (field.to_owned(), source)).into(),
        types: types.map(|(name, kind)| (name.to_owned(), kind)).into(),
        unlisted: Unlisted::Refuse,
    }
}

fn payload(kind: &str, more: &str) -> String {
    format!(r#"{{"type":{kind},"customer":{{"id":7}},"lines":[{{"sku":"s"}}]{more}}}"#)
}

#[derive(Clone, Copy)]
enum Said {
    Rated(f32),
    Implicit,
    Removed,
}

fn check(kind: &str, more: &str, expected: Said, weight: f32) {
    let (mapping, payload) = (RatingMapping::new(&shop()).unwrap(), payload(kind, more));
    let (user, item, event) = ("7".into(), "s".into(), Some(kind.trim_matches('"').to_owned().into()));
    let expected = match expected {
        Removed => RatingEvent::Removed { user, item, ts: None, event, id: None },
        Rated(rating) => RatingEvent::Rated { user, item, rating: Some(rating), ts: None, event, id: None },
        Implicit => RatingEvent::Rated { user, item, rating: None, ts: None, event, id: None },
    };
    let parsed = mapping.parse(None, Some(payload.as_bytes()));
    assert_eq!(parsed, Ok(Some(Weighted { event: expected, weight, disliked: false })), "{payload}");
}

fn refused(sources: &RatingSources, payload: &str) -> String {
    let mapping = RatingMapping::new(sources).unwrap();
    mapping.parse(None, Some(payload.as_bytes())).unwrap_err().to_string()
}

#[test]
fn a_dislike_has_no_rating_and_says_so() {
    let mapping = RatingMapping::new(&shop()).unwrap();
    let payload = payload("\"hide\"", ",\"rating\":5");
    let parsed = mapping.parse(None, Some(payload.as_bytes())).unwrap().unwrap();
    assert_eq!((parsed.disliked, parsed.weight), (true, 2.0));
    assert!(matches!(parsed.event, RatingEvent::Rated { rating: None, .. }), "{parsed:?}");
}

#[test]
fn the_type_says_what_an_event_means() {
    check("\"stars\"", ",\"rating\":2", Rated(2.0), 1.0);
    check("\"stars\"", ",\"rating\":null", Removed, 1.0);
    check("\"stars\"", "", Implicit, 1.0);
    check("\"buy\"", "", Rated(4.5), 3.0);
    check("\"buy\"", ",\"rating\":null", Rated(4.5), 3.0);
    check("\"buy\"", ",\"rating\":1", Rated(1.0), 3.0);
    check("\"view\"", ",\"rating\":1", Implicit, 0.25);
    check("\"return\"", "", Removed, 1.0);
}

#[test]
fn types_are_passed_over_or_refused() {
    let parse = |sources: &RatingSources, payload: &str| {
        RatingMapping::new(sources).unwrap().parse(None, Some(payload.as_bytes())).map(|event| event.map(|e| e.weight))
    };
    assert_eq!(parse(&shop(), r#"{"type":"login"}"#), Ok(None));
    let expected = "event: at /type: is \"logout\", which the mapping does not list (unknown_event)";
    assert_eq!(refused(&shop(), &payload("\"logout\"", "")), expected);
    let expected = "event: at /type: is missing, the mapping lists events by it (missing_field)";
    assert_eq!(refused(&shop(), &payload("null", "")), expected);
    let skip = RatingSources { unlisted: Unlisted::Skip, ..shop() };
    assert_eq!(parse(&skip, &payload("\"logout\"", "")), Ok(None));
    let keep = RatingSources { unlisted: Unlisted::AsSent, ..shop() };
    assert_eq!(parse(&keep, &payload("null", "")), Ok(Some(1.0)));
}

#[test]
fn refusals_name_the_configured_pointer() {
    let text = r#"{"type":"buy","customer":{},"lines":[{"sku":1.5}]}"#;
    let expected = "user: at /customer/id: is missing, every event needs it (missing_field)";
    assert_eq!(refused(&shop(), text), expected);
    let text = r#"{"type":"buy","customer":{"id":1},"lines":[{"sku":{}}]}"#;
    let expected = "item: at /lines/0/sku: must be a string or an integer, not an object (wrong_type)";
    assert_eq!(refused(&shop(), text), expected);
}

#[test]
fn a_tombstone_forgets_the_user_of_its_key() {
    let mapping = RatingMapping::new(&shop()).unwrap();
    let event = RatingEvent::Forget { user: "u".into() };
    assert_eq!(mapping.parse(Some(b"u"), None), Ok(Some(Weighted { event, weight: 1.0, disliked: false })));
    assert!(mapping.parse(None, None).is_err());
}

#[test]
fn mappings_that_cannot_be_right_are_refused() {
    let check = |change: &dyn Fn(&mut RatingSources), expected: &str| {
        let mut sources = shop();
        change(&mut sources);
        assert_eq!(RatingMapping::new(&sources).unwrap_err().to_string(), expected);
    };
    let field = |name: &'static str, source: Source| {
        move |sources: &mut RatingSources| {
            sources.fields.insert(name.to_owned(), source.clone());
        }
    };
    let kind = |name: &'static str, meaning, weight| {
        move |sources: &mut RatingSources| {
            sources.types.insert(name.to_owned(), EventType { meaning, weight });
        }
    };
    let none = "no event could be right: ";
    check(&field("user", Source::Absent), &format!("{none}user: is missing, every event needs it (missing_field)"));
    let constant = Source::Constant("2000000".to_owned());
    let expected = "rating: is 2000000, a rating lies between -1000000 and 1000000 (bad_number)";
    check(&field("rating", constant), &format!("{none}{expected}"));
    let expected = "item: is empty, it needs at least one character (empty_id)";
    check(&field("item", Source::Constant(String::new())), &format!("{none}{expected}"));
    check(&field("event", Source::Absent), &format!("{none}event: is absent, but there are event types"));
    let expected = "event type \"x\": its weight is 0, it must be above 0 and at most 1000";
    check(&kind("x", Meaning::Implicit, 0.0), expected);
    let expected = "event type \"x\": its weight is NaN, it must be above 0 and at most 1000";
    check(&kind("x", Meaning::Implicit, f32::NAN), expected);
    let expected = "event type \"x\": its rating is inf, a rating lies between -1000000 and 1000000";
    check(&kind("x", Meaning::Rating(f32::INFINITY), 1.0), expected);
    let expected = "event type \"\": is empty, it needs at least one character";
    check(&kind("", Meaning::AsSent, 1.0), expected);
}

#[test]
fn without_a_mapping_events_are_read_as_ever() {
    let mapping = RatingMapping::new(&RatingSources::default()).unwrap();
    assert!(mapping.mapped.is_none());
    let payload = br#"{"user":"u","item":"i","rating":4}"#;
    let event = parse(None, Some(payload)).unwrap();
    assert_eq!(mapping.parse(None, Some(payload)), Ok(Some(Weighted { event, weight: 1.0, disliked: false })));
    let reject = mapping.parse(None, Some(b"{}")).unwrap_err().to_string();
    assert_eq!(reject, "user: is missing, every event needs it (missing_field)");
}
