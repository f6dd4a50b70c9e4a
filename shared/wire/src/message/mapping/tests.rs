use super::*;
use crate::message::parse;

fn at(pointer: &str) -> Source {
    Source::Pointer(pointer.to_owned())
}

fn mail() -> MessageSources {
    let fields = [
        ("id", at("/headers/message-id")),
        ("text", at("/parts/0/body")),
        ("label", at("/verdict")),
        ("tenant", Source::Constant("shop".to_owned())),
    ];
    let labels = [
        ("junk", Some(Label::SPAM)),
        ("true", Some(Label::SPAM)),
        ("1", Some(Label::SPAM)),
        ("inbox", Some(Label::HAM)),
        ("pending", None),
    ];
    MessageSources {
        fields: fields.map(|(field, source)| (field.to_owned(), source)).into(),
        labels: labels.map(|(name, label)| (name.to_owned(), label)).into(),
        ..MessageSources::default()
    }
}

fn parse_mail(verdict: &str) -> Result<Option<Label>, String> {
    let mapping = MessageMapping::new(&mail()).unwrap();
    let payload =
        format!(r#"{{"headers":{{"message-id":"m"}},"parts":[{{"body":"hi"}}],"verdict":{verdict},"tenant":"x"}}"#);
    match mapping.parse(None, Some(payload.as_bytes())) {
        Ok(MessageEvent::Message { id, text, label, ts: None, tenant, content_type: None, .. }) => {
            assert_eq!((&*id, text.as_deref(), tenant.as_deref()), ("m", Some("hi"), Some("shop")));
            Ok(label)
        }
        Ok(event) => panic!("{event:?}"),
        Err(reject) => Err(reject.to_string()),
    }
}

#[test]
fn labels_mean_what_the_mapping_says() {
    for value in ["\"junk\"", "true", "1", "\"\\u006aunk\""] {
        assert_eq!(parse_mail(value), Ok(Some(Label::SPAM)), "{value}");
    }
    assert_eq!(parse_mail("\"inbox\""), Ok(Some(Label::HAM)));
    assert_eq!(parse_mail("\"pending\""), Ok(None));
    assert_eq!(parse_mail("null"), Ok(None));
    let refused = |value: &str| parse_mail(value).unwrap_err();
    let expected = "label: at /verdict: is \"spam\", which the mapping does not list (unknown_label)";
    assert_eq!(refused("\"spam\""), expected);
    assert_eq!(refused("[]"), "label: at /verdict: must be a single value, not an array (wrong_type)");
}

#[test]
fn refusals_name_the_configured_pointer() {
    let mapping = MessageMapping::new(&mail()).unwrap();
    let refused = |payload: &str| mapping.parse(None, Some(payload.as_bytes())).unwrap_err().to_string();
    let expected = "id: at /headers/message-id: is missing, every event needs it (missing_field)";
    assert_eq!(refused(r#"{"id":"m","verdict":1}"#), expected);
    let expected = "text: at /parts/0/body: is missing and so is label, \
                    a message needs a text to score or a label to learn (missing_field)";
    assert_eq!(refused(r#"{"headers":{"message-id":"m"},"text":"hi"}"#), expected);
}

#[test]
fn mappings_that_cannot_be_right_are_refused() {
    let check = |fields: &[(&str, Source)], expected: &str| {
        let fields = fields.iter().map(|(field, source)| ((*field).to_owned(), source.clone())).collect();
        let sources = MessageSources { fields, ..MessageSources::default() };
        assert_eq!(MessageMapping::new(&sources).unwrap_err().to_string(), expected);
    };
    let expected = "no event could be right: text: is missing and so is label, \
                    a message needs a text to score or a label to learn (missing_field)";
    check(&[("text", Source::Absent), ("label", Source::Absent)], expected);
    let expected = "no event could be right: label: is \"junk\", a label is \"spam\" or \"ham\" (unknown_label)";
    check(&[("label", Source::Constant("junk".to_owned()))], expected);
    let mut sources = mail();
    sources.fields.insert("label".to_owned(), Source::Absent);
    let expected = "no event could be right: label: is not read from events, but its values are listed";
    assert_eq!(MessageMapping::new(&sources).unwrap_err().to_string(), expected);
}

#[test]
fn without_a_mapping_messages_are_read_as_ever() {
    let mapping = MessageMapping::new(&MessageSources::default()).unwrap();
    assert!(mapping.mapped.is_none());
    let payload = br#"{"id":"m","text":"t","label":"ham"}"#;
    assert_eq!(mapping.parse(None, Some(payload)), parse(None, Some(payload)));
    assert_eq!(mapping.parse(Some(b"m"), None), Ok(MessageEvent::Forget { id: "m".into() }));
}

#[test]
fn labels_are_those_that_are_known() {
    let known = ["spam", "ham", "phishing"].map(|name| Label::named(name).unwrap()).to_vec();
    let parse = |sources: &MessageSources, label: &str| {
        let payload = format!(r#"{{"id":"m","label":"{label}"}}"#);
        match MessageMapping::new(sources).unwrap().parse(None, Some(payload.as_bytes())) {
            Ok(MessageEvent::Message { label, .. }) => Ok(label),
            Ok(event) => panic!("{event:?}"),
            Err(reject) => Err(reject.to_string()),
        }
    };
    let mut sources = MessageSources { known, ..MessageSources::default() };
    assert_eq!(parse(&sources, "phishing"), Ok(Label::named("phishing")));
    let expected = "label: is \"eggs\", a label is \"spam\" or \"ham\" or \"phishing\" (unknown_label)";
    assert_eq!(parse(&sources, "eggs"), Err(expected.to_owned()));
    sources.labels.insert("bank".to_owned(), Label::named("phishing"));
    assert_eq!(parse(&sources, "bank"), Ok(Label::named("phishing")));
}
