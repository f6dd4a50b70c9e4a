use proptest::prelude::*;
use serde_json::{Value, json};

use super::pointer::array_index;
use super::*;
use crate::rating::{RatingMapping, RatingSources};

/// Three fields, which is enough to see how they meet.
struct Three;

impl Fields<3> for Three {
    const NAMES: [&'static str; 3] = ["a", "b", "c"];
    const FORGOTTEN: &'static str = "thing";

    fn place(_: &str) -> u8 {
        crate::event::OTHER
    }
}

fn sources(fields: &[(&str, Source)]) -> BTreeMap<String, Source> {
    fields.iter().map(|(field, source)| ((*field).to_owned(), source.clone())).collect()
}

fn at(pointer: &str) -> Source {
    Source::Pointer(pointer.to_owned())
}

fn mapping(fields: &[(&str, Source)]) -> Result<FieldMapping<3>, MappingError> {
    FieldMapping::new::<Three>(&sources(fields), |place| place == 2)
}

fn check(fields: &[(&str, Source)], text: &str, expected: [Option<&str>; 3]) {
    let mapping = mapping(fields).unwrap();
    let mut values = [None; 3];
    mapping.read::<Three>(text, &mut values).unwrap();
    assert_eq!(values, expected, "{fields:?} in {text}");
}

#[test]
fn pointers_lead_into_objects_and_arrays() {
    let nested = [("a", at("/x/id")), ("b", at("/x/list/1/y")), ("c", at("/x/list/0"))];
    check(
        &nested,
        r#"{"n":[1e999],"x":{"id": 7 ,"list":[ true , {"y":"z"}, 3]}}"#,
        [Some("7"), Some("\"z\""), Some("true")],
    );
    check(&nested, r#"{"x":{"list":[]}}"#, [None; 3]);
    for nothing in ["null", "5", "\"id\"", "[]", "{}", "1e999", r#""\ud800""#] {
        check(&nested, &format!(r#"{{"x":{nothing}}}"#), [None; 3]);
    }
    // Numbers are keys in objects.
    check(&nested, r#"{"x":{"list":{"0":1,"1":{"y":2}}}}"#, [None, Some("2"), Some("1")]);
    check(&[("a", at("/a~1b~0/~01"))], r#"{"a/b~":{"~1":1},"b":2}"#, [Some("1"), Some("2"), None]);
    check(&[("a", at("/"))], r#"{"":1}"#, [Some("1"), None, None]);
}

#[test]
fn one_value_may_be_several_fields_and_a_constant_needs_none() {
    let fields = [("a", at("/k")), ("b", at("/k")), ("c", Source::Constant("4.5".to_owned()))];
    check(&fields, r#"{"k":1}"#, [Some("1"), Some("1"), Some("4.5")]);
    let quoted = [("a", Source::Constant("4\"5".to_owned())), ("b", Source::Absent)];
    check(&quoted, r#"{"a":1,"b":2,"c":3}"#, [Some("\"4\\\"5\""), None, Some("3")]);
}

#[test]
fn a_key_that_is_there_twice_is_refused_on_every_level() {
    let mapping = mapping(&[("a", at("/x/id")), ("b", at("/x/n"))]).unwrap();
    for text in [r#"{"x":{"id":1,"id":2}}"#, r#"{"x":{"id":1},"x":{"n":2}}"#] {
        let reject = mapping.read::<Three>(text, &mut [None; 3]).unwrap_err();
        let located = mapping.located::<Three>(reject).to_string();
        assert_eq!(located, "a: at /x/id: is there twice, send it once (duplicate_field)", "{text}");
    }
    // Elsewhere it does not matter.
    assert!(mapping.read::<Three>(r#"{"x":{"o":1,"o":2},"y":1,"y":2}"#, &mut [None; 3]).is_ok());
}

#[test]
fn what_is_no_event_is_refused() {
    let mapping = mapping(&[("a", at("/0"))]).unwrap();
    let refused = |text: &str| mapping.read::<Three>(text, &mut [None; 3]).unwrap_err().to_string();
    assert_eq!(refused("[1]"), "an event must be a JSON object (wrong_type)");
    assert!(refused("{} x").starts_with("not JSON: trailing characters"));
    assert!(refused("").ends_with("only a record without any value (null) forgets a thing (undecodable_json)"));
}

#[test]
fn mappings_that_cannot_be_right_quote_what_was_configured() {
    let refused = |fields: &[(&str, Source)]| mapping(fields).unwrap_err().to_string();
    assert_eq!(refused(&[("user", at("/x"))]), "\"user\" is no field of these events, they have a, b, c");
    assert_eq!(
        refused(&[("a", at("customer/id"))]),
        "a = \"customer/id\": a JSON pointer begins with \"/\", as \"/customer/id\" does"
    );
    assert!(refused(&[("a", at(""))]).starts_with("a = \"\": is empty"));
    assert!(refused(&[("a", at("/x~2"))]).starts_with("a = \"/x~2\": has a \"~\" that is neither"));
    assert!(refused(&[("a", at("/x~"))]).starts_with("a = \"/x~\": has a \"~\""));
    assert!(refused(&[("a", at("/x\u{1b}"))]).ends_with("has a control character"));
    assert!(refused(&[("a", at(&"/x".repeat(17)))]).ends_with("has more than 16 levels"));
    assert!(refused(&[("a", at(&format!("/{}", "x".repeat(256))))]).ends_with("is longer than 256 bytes"));
    assert_eq!(refused(&[("a", at("/b/id"))]), "a = \"/b/id\" leads into b = \"/b\", which must be a single value");
    assert_eq!(refused(&[("b", at("/a/0"))]), "b = \"/a/0\" leads into a = \"/a\", which must be a single value");
    assert_eq!(refused(&[("c", Source::Constant("four".to_owned()))]), "c: the constant \"four\" is no number");
    assert!(mapping(&[("c", Source::Constant("inf".to_owned()))]).is_err());
}

#[test]
fn a_mapping_that_changes_nothing_is_known_as_such() {
    assert!(mapping(&[]).unwrap().is_default::<Three>());
    assert!(mapping(&[("a", at("/a"))]).unwrap().is_default::<Three>());
    for source in [at("/x"), Source::Absent, Source::Constant("1".to_owned())] {
        assert!(!mapping(&[("a", source)]).unwrap().is_default::<Three>());
    }
}

#[test]
fn elements_are_numbered_without_leading_zeros() {
    let indexes = ["0", "12", "01", "-", "", "+1", "99999999999999999999999"].map(array_index);
    assert_eq!(indexes, [Some(0), Some(12), None, None, None, None, None]);
}

/// Values in which the tokens of [`pointer`] lead somewhere.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(null)), any::<bool>().prop_map(Value::from), (0..9).prop_map(Value::from)];
    leaf.prop_recursive(4, 30, 4, |inner| {
        let object = proptest::collection::btree_map("[a-c0-2/~]", inner.clone(), 0..4);
        prop_oneof![
            object.prop_map(|object| Value::Object(object.into_iter().collect())),
            proptest::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

fn pointer() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["[a-c0-2]", Just("~0".to_owned()), Just("~1".to_owned())], 1..4)
        .prop_map(|tokens| format!("/{}", tokens.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pointers_find_what_serde_json_finds(pointers in [pointer(), pointer(), pointer()], value in value()) {
        let fields: Vec<_> = ["a", "b", "c"].into_iter().zip(pointers.iter().map(|pointer| at(pointer))).collect();
        let Ok(mapping) = mapping(&fields) else { return Ok(()) };
        let text = value.to_string();
        let mut values = [None; 3];
        let read = mapping.read::<Three>(&text, &mut values);
        prop_assert_eq!(read.is_ok(), value.is_object());
        if value.is_object() {
            let expected = pointers.each_ref().map(|pointer| value.pointer(pointer).map(Value::to_string));
            prop_assert_eq!(values.map(|raw| raw.map(str::to_owned)), expected);
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(payload in proptest::collection::vec(any::<u8>(), 0..100)) {
        let fields = sources(&[("user", at("/x/0/id"))]);
        let mapping = RatingMapping::new(&RatingSources { fields, ..RatingSources::default() }).unwrap();
        prop_assert!(mapping.parse(None, Some(&payload)).is_err());
    }
}
