use std::borrow::Cow;

use super::*;
use crate::MAX_ID_BYTES;

fn message(text: Option<&str>, label: Option<Label>) -> MessageEvent<'_> {
    let text = text.map(Cow::Borrowed);
    MessageEvent::Message { id: "m".into(), text, label, ts: None, tenant: None, content_type: None, sender: None }
}

fn check(payload: &str, expected: &MessageEvent<'_>) {
    let parsed = parse(Some(b"any key"), Some(payload.as_bytes()));
    assert_eq!(parsed.as_ref(), Ok(expected), "{payload}");
}

fn reject(payload: &[u8]) -> Reject {
    let shown = String::from_utf8_lossy(payload);
    parse(None, Some(payload)).map_or_else(|reject| reject, |event| panic!("{shown} is taken as {event:?}"))
}

/// A payload whose `field` is `value`, the rest being right.
fn check_field(field: &str, value: &str, expected: &str) {
    let mut fields = vec![("id", "\"m\""), ("text", "\"t\"")];
    fields.retain(|(name, _)| *name != field);
    fields.push((field, value));
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    let rejected = reject(format!("{{{}}}", body.join(", ")).as_bytes());
    assert_eq!(rejected.to_string(), expected, "{field} = {value}");
    assert_eq!(rejected.field, Some(field), "{field} = {value}");
}

#[test]
fn messages_are_read() {
    check(r#"{"id":"m","text":"win a prize"}"#, &message(Some("win a prize"), None));
    check(r#"{"id":"m","text":"win","label":"spam"}"#, &message(Some("win"), Some(Label::SPAM)));
    check(r#"{"id":"m","label":"ham"}"#, &message(None, Some(Label::HAM)));
    check(r#"{"id":"m","text":""}"#, &message(Some(""), None));
    let full = MessageEvent::Message {
        id: "77".into(),
        text: Some("a \"b\" 😀".into()),
        label: Some(Label::HAM),
        ts: Some(-5),
        tenant: Some("shop".into()),
        content_type: Some("text/plain".into()),
        sender: None,
    };
    let payload = r#"{"content_type":"text/plain","tenant":"shop","ts":-5,"label":"h\u0061m",
        "text":"a \"b\" \ud83d\ude00","id":77}"#;
    check(payload, &full);
}

#[test]
fn nulls_are_absent_and_unknown_fields_are_ignored() {
    check(
        r#"{"id":"m","text":"t","label":null,"ts":null,"tenant":null,"content_type":null}"#,
        &message(Some("t"), None),
    );
    check(r#"{"id":"m","text":null,"label":"ham","user":[1e999]}"#, &message(None, Some(Label::HAM)));
}

#[test]
fn a_text_is_borrowed_unless_it_has_escapes() {
    let borrowed = |payload: &str| match parse(None, Some(payload.as_bytes())).unwrap() {
        MessageEvent::Message { text: Some(text), .. } => matches!(text, Cow::Borrowed(_)),
        event => panic!("{event:?}"),
    };
    assert!(borrowed(r#"{"id":"m","text":"naïve 😀"}"#));
    assert!(!borrowed(r#"{"id":"m","text":"two\nlines"}"#));
}

#[test]
fn a_tombstone_forgets_the_message_of_its_key() {
    assert_eq!(parse(Some(b"m"), None), Ok(MessageEvent::Forget { id: "m".into() }));
    let refused = |key: Option<&[u8]>| parse(key, None).unwrap_err().to_string();
    assert_eq!(refused(None), "key: a record needs a value, or a key to forget that message (missing_field)");
    assert_eq!(refused(Some(b"")), "key: is empty, it needs at least one character (empty_id)");
    assert_eq!(refused(Some(b"\xFF")), "key: is not UTF-8, it must be the id of the message to forget (invalid_utf8)");
}

#[test]
fn a_message_without_text_and_label_is_refused() {
    let expected =
        "text: is missing and so is label, a message needs a text to score or a label to learn (missing_field)";
    for payload in [r#"{"id":"m"}"#, r#"{"id":"m","text":null,"label":null,"ts":5}"#] {
        assert_eq!(reject(payload.as_bytes()).to_string(), expected);
    }
}

#[test]
fn bad_fields_are_refused() {
    check_field("id", "null", "id: is missing, every event needs it (missing_field)");
    check_field("id", "1.5", "id: is a number with a fraction or exponent, send a string (wrong_type)");
    check_field("text", "5", "text: must be a string, not a number (wrong_type)");
    check_field("text", "\"\\udc00\"", "text: has an escape that is no character (undecodable_json)");
    check_field("label", "true", "label: must be \"spam\" or \"ham\", not true or false (wrong_type)");
    let known = "a label is \"spam\" or \"ham\" (unknown_label)";
    check_field("label", "\"Spam\"", &format!("label: is \"Spam\", {known}"));
    check_field("label", "\"\"", &format!("label: is \"\", {known}"));
    check_field("label", "\"\\u001b[2J\"", &format!("label: is \"\\u{{1b}}[2J\", {known}"));
    let long = format!("\"{}\"", "é".repeat(300));
    check_field("label", &long, &format!("label: is \"{}...\", {known}", "é".repeat(24)));
    check_field("ts", "1.5", "ts: is 1.5, a time is whole milliseconds since 1970 in 64 bits (bad_number)");
    check_field("tenant", "\"\"", "tenant: is empty, it needs at least one character (empty_id)");
    let long = MAX_ID_BYTES + 1;
    let expected = format!("content_type: has {long} bytes, an id has at most {MAX_ID_BYTES} (long_id)");
    check_field("content_type", &format!("\"{}\"", "x".repeat(long)), &expected);
}

#[test]
fn the_payload_has_a_bound() {
    let frame = r#"{"id":"m","text":""}"#.len();
    let text = "x".repeat(MAX_PAYLOAD_BYTES - frame);
    let payload = format!(r#"{{"id":"m","text":"{text}"}}"#);
    check(&payload, &message(Some(&text), None));
    let expected = "the value has 524289 bytes, at most 524288 are read (too_large)";
    assert_eq!(reject(format!("{payload} ").as_bytes()).to_string(), expected);
    let expected = "not JSON: EOF while parsing a value at line 1 column 0; \
                    only a record without any value (null) forgets a message (undecodable_json)";
    assert_eq!(reject(b"").to_string(), expected);
}

#[test]
fn what_has_no_json_is_empty() {
    assert_eq!(to_json(&MessageEvent::Forget { id: "m".into() }), b"");
    assert_eq!(to_json(&message(None, None)), b"");
    let record = to_record(&MessageEvent::Forget { id: "m".into() });
    assert_eq!(record, Record { key: b"m".to_vec(), payload: None });
}

#[test]
fn lists_of_messages_are_read_by_serde_with_the_same_messages() {
    let events: Vec<MessageEvent<'static>> = serde_json::from_str(r#"[{"id":"m","text":"t"}]"#).unwrap();
    assert_eq!(events, [message(Some("t"), None)]);
    let error = serde_json::from_str::<Vec<MessageEvent<'static>>>(r#"[{"id":"m"}]"#).unwrap_err();
    assert!(error.to_string().starts_with("text: is missing"), "{error}");
}
