use proptest::prelude::*;

use super::*;
use crate::event::Fields as _;

fn put(item: &'static str, details: Details<'static>) -> ItemEvent<'static> {
    ItemEvent::Put { item: item.into(), details }
}

#[test]
fn records_say_what_is_known_of_an_item() {
    let check = |key: Option<&'static str>, payload: Option<&'static str>, expected: ItemEvent<'_>| {
        let found = parse(key.map(str::as_bytes), payload.map(str::as_bytes));
        assert_eq!(found, Ok(expected), "{key:?} {payload:?}");
    };
    check(Some("i"), Some("{}"), put("i", Details::default()));
    check(Some("7"), Some(r#"{"item":7,"hidden":true}"#), put("7", Details { hidden: true, ..Details::default() }));
    let whole = Details {
        title: Some("Toy \"Story\"".into()),
        categories: vec!["film".into(), "für Kinder".into()],
        hidden: false,
        expires: Some(1_800_000_000_000),
        published: Some(-1),
    };
    let text = r#"{"item":"i","title":"Toy \"Story\"","categories":["film","für Kinder"],"hidden":false,
                   "expires":1800000000000,"published":-1,"price":{"of":"no matter"}}"#;
    check(None, Some(text), put("i", whole));
    let nothing = r#"{"title":null,"categories":null,"hidden":null,"expires":null,"published":null}"#;
    check(Some("i"), Some(nothing), put("i", Details::default()));
    check(Some("i"), None, ItemEvent::Remove { item: "i".into() });
}

#[test]
fn bad_records_say_what_is_wrong() {
    let check = |key: Option<&str>, payload: Option<&str>, expected: &str| {
        let found = parse(key.map(str::as_bytes), payload.map(str::as_bytes)).unwrap_err().to_string();
        assert_eq!(found, expected);
    };
    let other =
        "item: is another one than the record's key; make the key the item's id, or leave this out (wrong_type)";
    check(Some("i"), Some(r#"{"item":"j"}"#), other);
    check(None, Some("{}"), "item: is missing; make it the record's key, or send it here (missing_field)");
    check(None, None, "key: a record needs a value, or a key to forget that item (missing_field)");
    check(Some("i"), Some("[]"), "an event must be a JSON object (wrong_type)");
    check(Some("i"), Some(r#"{"title":7}"#), "title: must be a string, not a number (wrong_type)");
    check(Some("i"), Some(r#"{"title":""}"#), "title: is empty, leave it out (empty_id)");
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(1025));
    check(Some("i"), Some(&long), "title: has 1025 bytes, a title has at most 1024 (too_large)");
    check(Some("i"), Some(r#"{"hidden":"no"}"#), "hidden: must be true or false, not a string (wrong_type)");
    let strings = "categories: must be strings, not a number (wrong_type)";
    check(Some("i"), Some(r#"{"categories":["a",1]}"#), strings);
    let array = "categories: must be an array of strings, not a string (wrong_type)";
    check(Some("i"), Some(r#"{"categories":"a"}"#), array);
    let empty = "categories: is empty, it needs at least one character (empty_id)";
    check(Some("i"), Some(r#"{"categories":[""]}"#), empty);
    let not = "categories: have one that begins with !, which in a query means all but that category; call it otherwise \
               (wrong_type)";
    check(Some("i"), Some(r#"{"categories":["!a"]}"#), not);
    let many = format!(r#"{{"categories":[{}]}}"#, vec![r#""a""#; 65].join(","));
    check(Some("i"), Some(&many), "categories: are 65, an item has at most 64 (too_large)");
    let time = "expires: must be an integer, milliseconds since 1970, not a string (wrong_type)";
    check(Some("i"), Some(r#"{"expires":"2030-01-01"}"#), time);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(parse(None, Some(&payload)).is_err());
    }

    #[test]
    fn whatever_a_field_holds_is_taken_or_refused(value in "[ -~]{0,40}", place in 0_usize..COUNT) {
        let payload = format!(r#"{{"{}":{value}}}"#, ItemFields::NAMES[place]);
        let _ = parse(Some(b"i"), Some(payload.as_bytes()));
    }
}
