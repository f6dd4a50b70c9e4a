use crate::settings::{Settings, Sources};

use super::*;

/// The input settings of a file of `text` under an environment, or why they are refused.
fn load(text: &str, environment: &[(&str, &str)]) -> Result<InputSettings, String> {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("weir.toml");
    std::fs::write(&file, text).expect("a file");
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sources = Sources { file: Some(file), environment, arguments: Vec::new() };
    Settings::load(&sources).map(|settings| settings.input).map_err(|error| error.to_string())
}

fn refused(text: &str, expected: &[&str]) {
    let error = load(text, &[]).expect_err(text);
    for part in expected {
        assert!(error.contains(part), "{error:?} does not contain {part:?}");
    }
}

#[test]
fn by_default_fields_are_where_their_names_say() {
    let input = load("", &[]).expect("loaded");
    assert_eq!(input, InputSettings::default());
    assert_eq!(input.ratings.user, FieldSource::Pointer("/user".into()));
    assert_eq!(input.messages.content_type, FieldSource::Pointer("/content_type".into()));
}

#[test]
fn a_shops_events_are_described_in_a_few_lines() {
    let text = r#"
        [input.ratings]
        user = "/customer/id"
        item = "/lines/0/sku"
        rating = "absent"
        event = { constant = 5 }
        id = "constant:a:b"
        unlisted = "skip"
        [input.ratings.types]
        buy = { rating = 5, weight = 2 }
        view = { meaning = "implicit", weight = 0.25 }
        "page.left" = { meaning = "skip" }
        [input.messages.labels]
        junk = "spam"
        0 = "ham"
        unknown = "none"
    "#;
    let input = load(text, &[]).expect("loaded");
    let ratings = &input.ratings;
    assert_eq!(ratings.user, FieldSource::Pointer("/customer/id".into()));
    assert_eq!(ratings.rating, FieldSource::Absent);
    assert_eq!(ratings.event, FieldSource::Constant("5".into()));
    assert_eq!(ratings.id, FieldSource::Constant("a:b".into()));
    assert_eq!(ratings.unlisted, UnlistedEvents::Skip);
    let types: Vec<_> =
        ratings.types.iter().map(|(name, kind)| (name.as_str(), kind.meaning(), kind.rating, kind.weight)).collect();
    let expected = [
        ("buy", EventMeaning::Rating, Some(5.0), 2.0),
        ("page.left", EventMeaning::Skip, None, 1.0),
        ("view", EventMeaning::Implicit, None, 0.25),
    ];
    assert_eq!(types, expected);
    let labels: Vec<_> =
        input.messages.labels.iter().map(|(name, meaning)| (name.as_str(), meaning.as_str())).collect();
    assert_eq!(labels, [("0", "ham"), ("junk", "spam"), ("unknown", "none")]);
}

#[test]
fn the_environment_can_say_all_of_it() {
    let environment = [
        ("WEIR_INPUT__RATINGS__USER", "/customer/id"),
        ("WEIR_INPUT__RATINGS__EVENT", "constant:buy"),
        ("WEIR_INPUT__RATINGS__TYPES__BUY__RATING", "5"),
        ("WEIR_INPUT__RATINGS__TYPES__BUY__WEIGHT", "2.5"),
        ("WEIR_INPUT__RATINGS__TYPES__VIEW__MEANING", "implicit"),
        ("WEIR_INPUT__MESSAGES__LABELS__1", "spam"),
    ];
    // What the file says of the same field gives way, a table to a text too.
    let input = load("[input.ratings]\nevent = { constant = \"view\" }\nitem = \"/i\"", &environment).expect("loaded");
    assert_eq!(input.ratings.user, FieldSource::Pointer("/customer/id".into()));
    assert_eq!(input.ratings.item, FieldSource::Pointer("/i".into()));
    assert_eq!(input.ratings.event, FieldSource::Constant("buy".into()));
    let buy = EventTypeSettings { meaning: None, rating: Some(5.0), weight: 2.5 };
    let view = EventTypeSettings { meaning: Some(EventMeaning::Implicit), ..EventTypeSettings::default() };
    assert_eq!(input.ratings.types, BTreeMap::from([("buy".to_owned(), buy), ("view".to_owned(), view)]));
    assert_eq!(input.messages.labels, BTreeMap::from([("1".to_owned(), "spam".to_owned())]));
}

#[test]
fn the_command_line_can_name_types_with_dots() {
    let arguments = vec![("input.ratings.types.page.view.weight".to_owned(), "3".to_owned())];
    let settings = Settings::load(&Sources { arguments, ..Sources::default() }).expect("loaded");
    assert_eq!(settings.input.ratings.types["page.view"].weight, 3.0);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_name_and_the_way_to_set_it() {
    let how = ["--set input.ratings.user=VALUE", "WEIR_INPUT__RATINGS__USER", "user under [input.ratings]"];
    let expected =
        [&["setting input.ratings.user", "customer.id", "JSON pointer", "constant:VALUE"][..], &how].concat();
    refused("[input.ratings]\nuser = \"customer.id\"", &expected);
    refused("[input.ratings]\nuser = 5", &["setting input.ratings.user", "JSON pointer"]);
    refused("[input.ratings]\nuser = { pointer = \"/u\" }", &["setting input.ratings.user", "only a constant"]);
    refused("[input.ratings]\nusr = \"/u\"", &["no setting input.ratings.usr", "input.ratings.user"]);
    refused("[input.ratings]\nunlisted = \"drop\"", &["setting input.ratings.unlisted", "drop", "as_sent"]);
    let expected = ["setting input.ratings.types.buy.weight", "0", "[input.ratings.types.buy]"];
    refused("[input.ratings.types.buy]\nweight = 0", &expected);
    refused("[input.ratings.types.buy]\nmeaning = \"rating\"", &["setting input.ratings.types.buy.rating"]);
    refused("[input.ratings.types.buy]\nmeaning = \"skip\"\nrating = 1", &["setting input.ratings.types.buy.rating"]);
    refused("[input.ratings.types.buy]\nrate = 1", &["no setting input.ratings.types.buy.rate"]);
    refused("[input.messages.labels]\njunk = \"bad\"", &["setting input.messages.labels.junk", "bad", "spam"]);
}
