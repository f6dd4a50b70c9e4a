use std::borrow::Cow;

use super::*;
use crate::MAX_ID_BYTES;

fn check(payload: &str, expected: &RatingEvent<'_>) {
    let parsed = parse(Some(b"any key"), Some(payload.as_bytes()));
    assert_eq!(parsed.as_ref(), Ok(expected), "{payload}");
}

fn rated<'a>(rating: Option<f32>) -> RatingEvent<'a> {
    RatingEvent::Rated { user: "u".into(), item: "i".into(), rating, ts: None, event: None, id: None }
}

fn reject(payload: &[u8]) -> Reject {
    let shown = String::from_utf8_lossy(payload);
    parse(None, Some(payload)).map_or_else(|reject| reject, |event| panic!("{shown} is taken as {event:?}"))
}

/// A payload whose `field` is `value`, the rest being right.
fn check_field(field: &str, value: &str, expected: &str) {
    let mut fields = vec![("user", "\"u\""), ("item", "\"i\"")];
    fields.retain(|(name, _)| *name != field);
    fields.push((field, value));
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    let rejected = reject(format!("{{{}}}", body.join(", ")).as_bytes());
    assert_eq!(rejected.to_string(), expected, "{field} = {value}");
    assert_eq!(rejected.field, Some(expected.split(':').next().unwrap()), "{field} = {value}");
}

#[test]
fn ratings_are_read() {
    check(r#"{"user":"u","item":"i","rating":4.5}"#, &rated(Some(4.5)));
    check(r#" { "item" : "i" , "rating" : -1e6 , "user" : "u" } "#, &rated(Some(-1e6)));
    check(r#"{"user":"u","item":"i"}"#, &rated(None));
    let full = RatingEvent::Rated {
        user: "u".into(),
        item: "i".into(),
        rating: Some(3.7),
        ts: Some(-1_700_000_000_000),
        event: Some("click".into()),
        id: Some("77".into()),
    };
    check(r#"{"id":77,"event":"click","ts":-1700000000000,"rating":3.7,"item":"i","user":"u"}"#, &full);
}

#[test]
fn null_removes_and_other_nulls_are_absent() {
    let removed =
        RatingEvent::Removed { user: "u".into(), item: "i".into(), ts: Some(5), event: None, id: Some("x".into()) };
    check(r#"{"user":"u","item":"i","rating":null,"ts":5,"id":"x","event":null}"#, &removed);
    check(r#"{"user":"u","item":"i","ts":null,"event":null,"id":null}"#, &rated(None));
}

#[test]
fn unknown_fields_are_ignored_whatever_they_hold() {
    check(r#"{"user":"u","x":{"user":["\ud800",1e999]},"item":"i","y":null,"x":1}"#, &rated(None));
}

#[test]
fn integers_are_ids_digit_for_digit_and_without_a_copy() {
    let payload = r#"{"user":123456789012345678901234567890,"item":-0}"#;
    let Ok(RatingEvent::Rated { user, item, .. }) = parse(None, Some(payload.as_bytes())) else { panic!("{payload}") };
    assert!(matches!(user, Cow::Borrowed("123456789012345678901234567890")));
    assert_eq!(item, "0");
}

#[test]
fn strings_are_borrowed_unless_they_have_escapes() {
    let payload = r#"{"user":"Zoë","\u0069tem":"\u00e9\n\ud83d\ude00"}"#;
    let Ok(RatingEvent::Rated { user, item, .. }) = parse(None, Some(payload.as_bytes())) else { panic!("{payload}") };
    assert!(matches!(user, Cow::Borrowed("Zoë")));
    assert_eq!(item, "é\n😀");
}

#[test]
fn a_key_without_a_value_forgets() {
    assert_eq!(parse(Some("Zoë".as_bytes()), None), Ok(RatingEvent::Forget { user: "Zoë".into() }));
    let refused = |key: Option<&[u8]>| parse(key, None).unwrap_err().reason;
    assert_eq!(refused(Some(b"")), Reason::EmptyId);
    assert_eq!(refused(Some(&[0xFF])), Reason::InvalidUtf8);
    assert_eq!(refused(Some(&[b'a'; MAX_ID_BYTES + 1])), Reason::LongId);
    assert_eq!(refused(None), Reason::MissingField);
}

#[test]
fn bad_payloads_are_refused() {
    let cases: [(&[u8], &str); 12] = [
        (
            b"",
            "not JSON: EOF while parsing a value at line 1 column 0; only a record without any value (null) forgets a user (undecodable_json)",
        ),
        (b"{\"user\":\"u\"", "not JSON: EOF while parsing an object at line 1 column 11 (undecodable_json)"),
        (b"{\"user\":\"u\",}", "not JSON: trailing comma at line 1 column 13 (undecodable_json)"),
        (b"{\"user\":\"u\",\"item\":\"i\"} x", "not JSON: trailing characters at line 1 column 25 (undecodable_json)"),
        (
            b"{\"user\":\"u\",\"item\":\"i\",\"rating\":NaN}",
            "not JSON: expected value at line 1 column 33; NaN and Infinity are not JSON, leave the event out (undecodable_json)",
        ),
        (b"[]", "an event must be a JSON object (wrong_type)"),
        (b"null", "an event must be a JSON object (wrong_type)"),
        (b"17", "an event must be a JSON object (wrong_type)"),
        (b"\"text\"", "an event must be a JSON object (wrong_type)"),
        (b"{\"user\":\"u\xFF\",\"item\":\"i\"}", "byte 10 of the value is not UTF-8 (invalid_utf8)"),
        (b"{\"user\":\"u\",\"item\":\"i\",\"x\":\"\xC3\"}", "byte 28 of the value is not UTF-8 (invalid_utf8)"),
        (b"{\"user\":\"u\",\"item\":\"i\",\"user\":\"v\"}", "user: is there twice, send it once (duplicate_field)"),
    ];
    for (payload, expected) in cases {
        assert_eq!(reject(payload).to_string(), expected);
    }
}

#[test]
fn bad_ids_are_refused() {
    check_field("user", "null", "user: is missing, every event needs it (missing_field)");
    check_field("item", "\"\"", "item: is empty, it needs at least one character (empty_id)");
    check_field("item", "true", "item: must be a string or an integer, not true or false (wrong_type)");
    check_field("user", "[1]", "user: must be a string or an integer, not an array (wrong_type)");
    check_field("event", "{}", "event: must be a string or an integer, not an object (wrong_type)");
    check_field("id", "1.0", "id: is a number with a fraction or exponent, send a string (wrong_type)");
    check_field("user", "1e3", "user: is a number with a fraction or exponent, send a string (wrong_type)");
    check_field("user", "\"\\ud800\"", "user: has an escape that is no character (undecodable_json)");
    let longest = "é".repeat(MAX_ID_BYTES / 2);
    check_field("id", &format!("\"{longest}x\""), "id: has 257 bytes, an id has at most 256 (long_id)");
    check_field("user", &"1".repeat(300), "user: has 300 bytes, an id has at most 256 (long_id)");
    assert!(parse(None, Some(format!(r#"{{"user":"{longest}","item":1}}"#).as_bytes())).is_ok());
    assert_eq!(reject(b"{}").to_string(), "user: is missing, every event needs it (missing_field)");
}

#[test]
fn bad_numbers_are_refused() {
    let absurd = "a rating lies between -1000000 and 1000000 (bad_number)";
    check_field("rating", "1e999", &format!("rating: is 1e999, {absurd}"));
    check_field("rating", "-1000000.1", &format!("rating: is -1000000.1, {absurd}"));
    check_field("rating", &"9".repeat(60_000), &format!("rating: is {}..., {absurd}", "9".repeat(24)));
    check_field("rating", "\"5\"", "rating: must be a number, or null to remove the item, not a string (wrong_type)");
    let time = "a time is whole milliseconds since 1970 in 64 bits (bad_number)";
    check_field("ts", "1.5", &format!("ts: is 1.5, {time}"));
    check_field("ts", "9223372036854775808", &format!("ts: is 9223372036854775808, {time}"));
    check_field("ts", "\"now\"", "ts: must be an integer, milliseconds since 1970, not a string (wrong_type)");
}

#[test]
fn the_payload_has_a_bound() {
    let mut payload = br#"{"user":"u","item":"i"}"#.to_vec();
    payload.resize(MAX_PAYLOAD_BYTES, b' ');
    assert!(parse(None, Some(&payload)).is_ok());
    payload.push(b' ');
    assert_eq!(reject(&payload).to_string(), "the value has 65537 bytes, at most 65536 are read (too_large)");
    // Nesting is skipped without recursion, however deep.
    let deep = format!("{{\"x\":{}", "[".repeat(60_000));
    assert_eq!(reject(deep.as_bytes()).reason, Reason::UndecodableJson);
}

#[test]
fn what_has_no_json_is_empty() {
    assert_eq!(to_json(&RatingEvent::Forget { user: "u".into() }), b"");
    assert_eq!(to_json(&rated(Some(f32::NAN))), b"");
    let record = to_record(&RatingEvent::Forget { user: "u".into() });
    assert_eq!(record, Record { key: b"u".to_vec(), payload: None });
}

#[test]
fn lists_of_events_are_read_by_serde_with_the_same_messages() {
    let events: Vec<RatingEvent<'static>> = serde_json::from_str(r#"[{"user":"u","item":"i","rating":2}]"#).unwrap();
    assert_eq!(events, [rated(Some(2.0))]);
    let error = serde_json::from_str::<Vec<RatingEvent<'static>>>(r#"[{"user":"u"}]"#).unwrap_err();
    assert!(error.to_string().starts_with("item: is missing"), "{error}");
}

#[test]
fn every_reason_has_a_name_of_its_own() {
    let mut names = Reason::ALL.map(Reason::as_str).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Reason::ALL.len());
}
