//! How the events of the input topics are read, as the settings describe it.

use std::collections::BTreeMap;

use weir_runtime::{
    EventMeaning, EventTypeSettings, FieldSource, MessageInputSettings, RatingInputSettings, Settings, UnlistedEvents,
    how_to_set,
};
use weir_wire::MappingError;
use weir_wire::mapping::Source;
use weir_wire::message::{Label, MessageMapping, MessageSources};
use weir_wire::rating::{EventType, Meaning, RatingMapping, RatingSources, Unlisted};

/// A setting of `[input]` under which no event could be read.
#[derive(Debug, thiserror::Error)]
#[error("setting {setting}: {error}; {}", how_to_set(.setting))]
pub struct InputError {
    /// Dotted name of the setting.
    pub setting: String,
    /// What is wrong with it.
    pub error: MappingError,
}

/// How ratings are read.
///
/// # Errors
/// The first setting that makes no sense.
pub fn rating_mapping(settings: &Settings) -> Result<RatingMapping, InputError> {
    RatingMapping::new(&rating_sources(&settings.input.ratings)).map_err(|error| named("input.ratings", "types", error))
}

/// How messages are read.
///
/// # Errors
/// The first setting that makes no sense.
pub fn message_mapping(settings: &Settings) -> Result<MessageMapping, InputError> {
    let sources = message_sources(&settings.input.messages, &settings.spam.labels);
    MessageMapping::new(&sources).map_err(|error| named("input.messages", "labels", error))
}

fn rating_sources(input: &RatingInputSettings) -> RatingSources {
    let RatingInputSettings { user, item, rating, ts, event, id, unlisted, types } = input;
    let fields = [("user", user), ("item", item), ("rating", rating), ("ts", ts), ("event", event), ("id", id)];
    RatingSources {
        fields: sources(fields),
        types: types.iter().map(|(name, kind)| (name.clone(), event_type(kind))).collect(),
        unlisted: match unlisted {
            UnlistedEvents::Refuse => Unlisted::Refuse,
            UnlistedEvents::AsSent => Unlisted::AsSent,
            UnlistedEvents::Skip => Unlisted::Skip,
        },
    }
}

fn event_type(kind: &EventTypeSettings) -> EventType {
    let meaning = match kind.meaning() {
        // The settings' own check refuses a meaning of a rating without one.
        EventMeaning::Rating => Meaning::Rating(kind.rating.unwrap_or_default()),
        EventMeaning::Implicit => Meaning::Implicit,
        EventMeaning::Disliked => Meaning::Disliked,
        EventMeaning::Removed => Meaning::Removed,
        EventMeaning::AsSent => Meaning::AsSent,
        EventMeaning::Skip => Meaning::Skip,
    };
    EventType { meaning, weight: kind.weight }
}

fn message_sources(input: &MessageInputSettings, known: &[String]) -> MessageSources {
    let MessageInputSettings { id, text, label, ts, tenant, content_type, sender, labels } = input;
    let fields = [
        ("id", id),
        ("text", text),
        ("label", label),
        ("ts", ts),
        ("tenant", tenant),
        ("content_type", content_type),
        ("sender", sender),
    ];
    MessageSources {
        fields: sources(fields),
        // What the settings' own check lets through is a label or says that there is none.
        labels: labels
            .iter()
            .map(|(value, label)| (value.clone(), Label::named(label).filter(|_| label != "none")))
            .collect(),
        known: known.iter().filter_map(|name| Label::named(name)).collect(),
    }
}

fn sources<const N: usize>(fields: [(&str, &FieldSource); N]) -> BTreeMap<String, Source> {
    let source = |source: &FieldSource| match source {
        FieldSource::Pointer(pointer) => Source::Pointer(pointer.clone()),
        FieldSource::Constant(text) => Source::Constant(text.clone()),
        FieldSource::Absent => Source::Absent,
    };
    fields.into_iter().map(|(name, found)| (name.to_owned(), source(found))).collect()
}

/// The setting that a mapping's error is about: the field that is to blame, or an entry of `entries`.
fn named(section: &str, entries: &str, error: MappingError) -> InputError {
    let setting = match &error {
        MappingError::Pointer { field, .. } | MappingError::Constant { field, .. } => format!("{section}.{field}"),
        MappingError::Inside { inner_field, .. } => format!("{section}.{inner_field}"),
        MappingError::Value { name, .. } => format!("{section}.{entries}.{name}"),
        MappingError::UnknownField { .. } | MappingError::Unusable { .. } => section.to_owned(),
    };
    InputError { setting, error }
}

#[cfg(test)]
mod tests {
    use weir_runtime::Sources;
    use weir_wire::rating::{RatingEvent, Weighted};

    use super::*;

    fn settings(arguments: &[(&str, &str)]) -> Settings {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::load(&Sources { arguments, ..Sources::default() }).unwrap()
    }

    #[test]
    fn ratings_are_read_as_the_settings_say() {
        let settings = settings(&[
            ("input.ratings.user", "/customer/id"),
            ("input.ratings.item", "constant:shop"),
            ("input.ratings.id", "absent"),
            ("input.ratings.types.buy.rating", "4.5"),
            ("input.ratings.types.buy.weight", "3"),
            ("input.ratings.types.login.meaning", "skip"),
        ]);
        let mapping = rating_mapping(&settings).unwrap();
        let parse = |payload: &'static str| mapping.parse(None, Some(payload.as_bytes()));
        let event = RatingEvent::Rated {
            user: "7".into(),
            item: "shop".into(),
            rating: Some(4.5),
            ts: None,
            event: Some("buy".into()),
            id: None,
        };
        let bought = parse(r#"{"customer":{"id":7},"event":"buy","id":[]}"#);
        assert_eq!(bought, Ok(Some(Weighted { event, weight: 3.0, disliked: false })));
        assert_eq!(parse(r#"{"event":"login"}"#), Ok(None));
        assert!(parse(r#"{"customer":{"id":7},"event":"view"}"#).is_err());
    }

    #[test]
    fn messages_are_read_as_the_settings_say() {
        let settings = settings(&[
            ("input.messages.text", "/body/plain"),
            ("input.messages.labels.junk", "spam"),
            ("input.messages.labels.unknown", "none"),
        ]);
        let mapping = message_mapping(&settings).unwrap();
        let parse = |payload: &'static str| mapping.parse(None, Some(payload.as_bytes())).unwrap();
        let weir_wire::message::MessageEvent::Message { text, label, .. } =
            parse(r#"{"id":1,"body":{"plain":"hello"},"label":"junk"}"#)
        else {
            panic!("no message");
        };
        assert_eq!((text.as_deref(), label), (Some("hello"), Some(Label::SPAM)));
    }

    #[test]
    fn errors_name_the_setting() {
        let check = |arguments: &[(&str, &str)], expected: &[&str]| {
            let error = rating_mapping(&settings(arguments)).unwrap_err().to_string();
            assert!(!error.contains('\n'), "{error}");
            for part in expected {
                assert!(error.contains(part), "{error:?} does not contain {part:?}");
            }
        };
        let expected = ["setting input.ratings.user: ", "~", "WEIR_INPUT__RATINGS__USER"];
        check(&[("input.ratings.user", "/a~2")], &expected);
        let inside = [("input.ratings.user", "/a/b"), ("input.ratings.item", "/a")];
        check(&inside, &["setting input.ratings.user: ", "/a/b", "leads into"]);
        check(
            &[("input.ratings.user", "absent")],
            &["setting input.ratings: no event could be right: user: is missing"],
        );
        check(&[("input.ratings.rating", "constant:x")], &["setting input.ratings.rating: ", "no number"]);
    }

    #[test]
    fn by_default_nothing_is_mapped() {
        let event = br#"{"user":"u","item":"i","event":"anything"}"#;
        assert!(rating_mapping(&Settings::default()).unwrap().parse(None, Some(event)).unwrap().is_some());
        assert!(message_mapping(&Settings::default()).is_ok());
    }
}
