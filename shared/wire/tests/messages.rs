//! Messages: what is written is read, and whatever else comes in is a clear refusal.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;
use weir_wire::message::{Label, MAX_PAYLOAD_BYTES, MessageEvent, parse, to_record};
use weir_wire::{MAX_ID_BYTES, Reason, Reject};

fn id() -> impl Strategy<Value = Cow<'static, str>> {
    prop_oneof!["[a-z0-9]{1,12}", "\\PC{1,60}", vec(any::<char>(), 1..60).prop_map(String::from_iter)]
        .prop_map(Cow::Owned)
}

fn text() -> impl Strategy<Value = Cow<'static, str>> {
    prop_oneof!["\\PC{0,200}", vec(any::<char>(), 0..100).prop_map(String::from_iter)].prop_map(Cow::Owned)
}

fn event() -> impl Strategy<Value = MessageEvent<'static>> {
    let label = prop_oneof![Just(Label::SPAM), Just(Label::HAM)];
    let said = prop_oneof![(text().prop_map(Some), option::of(label.clone())), (Just(None), label.prop_map(Some)),];
    let about = (id(), option::of(any::<i64>()), option::of(id()), option::of(id()), option::of(id()));
    (about, said, 0..10).prop_map(|((id, ts, tenant, content_type, sender), (text, label), kind)| match kind {
        0 => MessageEvent::Forget { id },
        _ => MessageEvent::Message { id, text, label, ts, tenant, content_type, sender },
    })
}

/// JSON values of all types, right and wrong for a field.
fn value() -> impl Strategy<Value = String> {
    let text = |text: String| Value::String(text).to_string();
    prop_oneof![
        Just("null".to_owned()),
        Just("\"spam\"".to_owned()),
        Just("\"ham\"".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        "\\PC{0,20}".prop_map(text),
        "[a-z]{250,260}".prop_map(text),
        Just(r#""\ud800""#.to_owned()),
        Just(r#"[1,{"id":"x"}]"#.to_owned()),
    ]
}

fn object() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "id",
        "text",
        "label",
        "ts",
        "tenant",
        "content_type",
        "sender",
        "more",
        "la\\u0062el",
    ]);
    vec((names, value()), 0..8).prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", fields.join(", "))
    })
}

/// An integer; `serde_json` takes -0 for a number with a fraction.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| (value.as_f64() == Some(0.0)).then_some(0))
}

/// Whatever comes out of arbitrary bytes must be within bounds.
fn check_bounds(parsed: &Result<MessageEvent<'_>, Reject>) {
    let ids = match parsed {
        Ok(MessageEvent::Message { id, text, label, tenant, content_type, .. }) => {
            assert!(text.is_some() || label.is_some(), "{parsed:?}");
            assert!(text.as_ref().is_none_or(|text| text.len() <= MAX_PAYLOAD_BYTES));
            vec![Some(id), tenant.as_ref(), content_type.as_ref()]
        }
        Ok(MessageEvent::Forget { id }) => vec![Some(id)],
        Err(reject) => {
            assert!(reject.to_string().len() < 400, "{reject}");
            assert!(Reason::ALL.contains(&reject.reason));
            vec![]
        }
    };
    assert!(ids.into_iter().flatten().all(|id| (1..=MAX_ID_BYTES).contains(&id.len())), "{parsed:?}");
}

fn check_against_serde_json(payload: &str) {
    let parsed = parse(None, Some(payload.as_bytes()));
    check_bounds(&parsed);
    let Ok(MessageEvent::Message { text, label, ts, .. }) = &parsed else { return };
    // Numbers beyond 64-bit floats in fields that are ignored are no reason to refuse an event; serde_json's is.
    let Ok(oracle) = serde_json::from_str::<Value>(payload) else { return };
    let field = |name: &str| oracle.get(name);
    assert_eq!(text.as_deref(), field("text").and_then(Value::as_str), "{payload}");
    assert_eq!(label.as_ref().map(Label::as_str), field("label").and_then(Value::as_str), "{payload}");
    assert_eq!(*ts, field("ts").and_then(integer), "{payload}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(event in event()) {
        let record = to_record(&event);
        let parsed = parse(Some(&record.key), record.payload.as_deref());
        prop_assert_eq!(parsed.clone().map(MessageEvent::into_owned), Ok(event));
        check_bounds(&parsed);
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(key in option::of(vec(any::<u8>(), 0..300)), payload in option::of(vec(any::<u8>(), 0..100))) {
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
