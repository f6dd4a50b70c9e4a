//! Rating events: what is written is read, and whatever else comes in is a clear refusal.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use weir_wire::MAX_ID_BYTES;
use weir_wire::rating::{MAX_RATING, RatingEvent, Reason, Reject, parse, to_record};

/// Ids of every kind of character, none longer than allowed.
fn id() -> impl Strategy<Value = Cow<'static, str>> {
    prop_oneof![
        "[a-z0-9]{1,12}",
        "\\PC{1,60}",
        vec(any::<char>(), 1..60).prop_map(String::from_iter),
        "-?[1-9][0-9]{0,30}"
    ]
    .prop_map(Cow::Owned)
}

fn event() -> impl Strategy<Value = RatingEvent<'static>> {
    let rating = prop_oneof![-MAX_RATING..=MAX_RATING, (-10_i16..10).prop_map(f32::from), Just(f32::MIN_POSITIVE)];
    let about = (id(), id(), prop::option::of(any::<i64>()), prop::option::of(id()), prop::option::of(id()));
    (about, prop::option::of(rating), 0..10).prop_map(|((user, item, ts, event, id), rating, kind)| match kind {
        0 => RatingEvent::Forget { user },
        1 | 2 => RatingEvent::Removed { user, item, ts, event, id },
        _ => RatingEvent::Rated { user, item, rating, ts, event, id },
    })
}

/// JSON values of all types, right and wrong for a field.
fn value() -> impl Strategy<Value = String> {
    let text = |text: String| Value::String(text).to_string();
    prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        "\\PC{0,20}".prop_map(text),
        "[a-z]{250,260}".prop_map(text),
        Just(r#""\ud800""#.to_owned()),
        Just(r#"[1,{"user":"x"}]"#.to_owned()),
        Just(r#"{"user":[]}"#.to_owned()),
    ]
}

fn object() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec!["user", "item", "rating", "ts", "event", "id", "more", "us\\u0065r"]);
    vec((names, value()), 0..8).prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", fields.join(", "))
    })
}

/// Whatever comes out of arbitrary bytes must be within bounds.
fn check_bounds(parsed: &Result<RatingEvent<'_>, Reject>) {
    let ids = match parsed {
        Ok(RatingEvent::Rated { user, item, rating, event, id, .. }) => {
            assert!(rating.is_none_or(|rating| rating.abs() <= MAX_RATING), "{parsed:?}");
            vec![Some(user), Some(item), event.as_ref(), id.as_ref()]
        }
        Ok(RatingEvent::Removed { user, item, event, id, .. }) => {
            vec![Some(user), Some(item), event.as_ref(), id.as_ref()]
        }
        Ok(RatingEvent::Forget { user }) => vec![Some(user)],
        Err(reject) => {
            assert!(reject.to_string().len() < 300, "{reject}");
            assert!(Reason::ALL.contains(&reject.reason));
            vec![]
        }
    };
    assert!(ids.into_iter().flatten().all(|id| (1..=MAX_ID_BYTES).contains(&id.len())), "{parsed:?}");
}

/// What `serde_json` itself makes of a field that was taken as an id.
fn same_id(id: Option<&str>, value: Option<&Value>) -> bool {
    match (id, value) {
        (None, None | Some(Value::Null)) => true,
        (Some(id), Some(Value::String(text))) => id == text,
        // Beyond 64 bits serde_json keeps a float only.
        (Some(id), Some(Value::Number(number))) => id == number.to_string() || number.is_f64(),
        _ => false,
    }
}

fn check_against_serde_json(payload: &str) {
    let parsed = parse(None, Some(payload.as_bytes()));
    check_bounds(&parsed);
    let Ok(RatingEvent::Rated { user, item, ts, event, id, .. } | RatingEvent::Removed { user, item, ts, event, id }) =
        &parsed
    else {
        return;
    };
    // Numbers beyond 64-bit floats in fields that are ignored are no reason to refuse an event; serde_json's is.
    let Ok(oracle) = serde_json::from_str::<Value>(payload) else { return };
    for (field, id) in [("user", Some(user)), ("item", Some(item)), ("event", event.as_ref()), ("id", id.as_ref())] {
        assert!(same_id(id.map(AsRef::as_ref), oracle.get(field)), "{field} of {payload}");
    }
    assert_eq!(*ts, oracle.get("ts").and_then(Value::as_i64), "{payload}");
    let null = oracle.get("rating").is_some_and(Value::is_null);
    assert_eq!(null, matches!(parsed, Ok(RatingEvent::Removed { .. })), "{payload}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(event in event()) {
        let record = to_record(&event);
        let parsed = parse(Some(&record.key), record.payload.as_deref());
        prop_assert_eq!(parsed.clone().map(RatingEvent::into_owned), Ok(event));
        check_bounds(&parsed);
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(key in prop::option::of(vec(any::<u8>(), 0..300)), payload in prop::option::of(vec(any::<u8>(), 0..100))) {
        check_bounds(&parse(key.as_deref(), payload.as_deref()));
    }

    #[test]
    fn arbitrary_objects_are_read_as_serde_json_reads_them(payload in object()) {
        check_against_serde_json(&payload);
    }

    #[test]
    fn damaged_events_are_read_or_refused(event in event(), place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut payload = to_record(&event).payload.unwrap_or_else(|| b"null".to_vec());
        let place = place.index(payload.len());
        payload[place] = byte;
        if cut {
            payload.truncate(place);
        }
        check_bounds(&parse(None, Some(&payload)));
        if let Ok(text) = str::from_utf8(&payload) {
            check_against_serde_json(text);
        }
    }
}
