//! What a setting is called in each layer.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

/// Settings with an option of their own; all others are reached by `--set`.
const OPTIONS: [(&str, &str); 7] = [
    ("brokers", "--brokers"),
    ("data_dir", "--data-dir"),
    ("listen", "--listen"),
    ("ops", "--ops"),
    ("name", "--name"),
    ("prefix", "--prefix"),
    ("models", "--models"),
];

/// First part of every environment variable.
pub(super) const ENVIRONMENT_PREFIX: &str = "WEIR_";
/// Where librdkafka's own properties live; what follows in a path is one property name, dots and all.
pub(super) const PROPERTIES: &str = "kafka.settings.";
/// Where types of events are described: the type's name follows, dots and all, and then one field.
pub(super) const EVENT_TYPES: &str = "input.ratings.types.";
/// What mistakes cost: two labels follow.
pub(super) const COSTS: &str = "spam.costs.";
/// Where values of labels are explained: what follows is one value, dots and all.
const LABELS: &str = "input.messages.labels.";

/// A path cut into the names of its levels. Names that are not weir's own may have dots.
pub(super) fn parts(path: &str) -> Vec<&str> {
    let event_type = || path.strip_prefix(EVENT_TYPES).and_then(|rest| rest.rsplit_once('.'));
    if let Some(property) = path.strip_prefix(PROPERTIES) {
        vec!["kafka", "settings", property]
    } else if let Some((name, field)) = event_type() {
        vec!["input", "ratings", "types", name, field]
    } else if let Some(label) = path.strip_prefix(LABELS) {
        vec!["input", "messages", "labels", label]
    } else {
        path.split('.').collect()
    }
}

/// How the setting `path` is set in each layer, for the end of an error.
#[must_use]
pub fn how_to_set(path: &str) -> String {
    let (command, variable) = (command_line(path), variable(path));
    let parts: Vec<_> = parts(path).into_iter().map(quoted).collect();
    let in_file = match parts.split_last() {
        Some((field, section)) if !section.is_empty() => format!("{field} under [{}]", section.join(".")),
        _ => path.to_owned(),
    };
    format!("set it with {command}, {variable} in the environment, or {in_file} in the file")
}

/// A name as TOML wants it.
fn quoted(name: &str) -> String {
    let bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { name.to_owned() } else { format!("\"{name}\"") }
}

/// `--brokers`, or `--set worker.in_flight=VALUE`.
fn command_line(path: &str) -> String {
    OPTIONS
        .iter()
        .find(|(setting, _)| *setting == path)
        .map_or_else(|| format!("--set {path}=VALUE"), |(_, option)| (*option).to_owned())
}

/// The environment variable of the setting `path`.
pub(super) fn variable(path: &str) -> String {
    let nested = match path.strip_prefix(PROPERTIES) {
        Some(property) => format!("KAFKA__SETTINGS__{}", property.replace('.', "_")),
        None => path.replace('.', "__"),
    };
    format!("{ENVIRONMENT_PREFIX}{}", nested.to_uppercase())
}

/// The setting that an environment variable names, or `None` where it is none of ours.
///
/// Shells take no dots in names, so the underscores of a librdkafka property stand for dots; no property of its own has
/// underscores. Kubernetes adds variables for each service in the namespace: a service called `weir` must not
/// make weir refuse its environment.
pub(super) fn path_of_variable(name: &str) -> Option<String> {
    let rest = name.strip_prefix(ENVIRONMENT_PREFIX)?;
    if rest == "CONFIG" || rest.starts_with("TEST_") || is_from_kubernetes(name) {
        return None;
    }
    let path = rest.to_lowercase().replace("__", ".");
    match path.strip_prefix(PROPERTIES) {
        Some(property) => Some(format!("{PROPERTIES}{}", property.replace('_', "."))),
        None => Some(path),
    }
}

/// `WEIR_SERVICE_HOST`, `WEIR_GATEWAY_SERVICE_PORT_HTTP`, `WEIR_PORT`, `WEIR_PORT_8080_TCP_ADDR` and their like.
fn is_from_kubernetes(name: &str) -> bool {
    let numbered = || {
        name.split_once("_PORT_")
            .is_some_and(|(_, after)| after.starts_with(|character: char| character.is_ascii_digit()))
    };
    name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.ends_with("_PORT") || numbered()
}

/// Reads librdkafka's properties: numbers and booleans become text, and `ssl.ca.location` may be written without
/// quotes, which TOML takes for nested tables.
pub(super) fn properties<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let nested = BTreeMap::<String, Property>::deserialize(deserializer)?;
    let mut flat = BTreeMap::new();
    for (name, property) in nested {
        property.flatten(name, &mut flat);
    }
    Ok(flat)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Property {
    Text(String),
    Flag(bool),
    Integer(i64),
    Number(f64),
    Nested(BTreeMap<String, Property>),
}

impl Property {
    fn flatten(self, name: String, into: &mut BTreeMap<String, String>) {
        let text = match self {
            Self::Text(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::Integer(integer) => integer.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Nested(nested) => {
                for (inner, property) in nested {
                    property.flatten(format!("{name}.{inner}"), into);
                }
                return;
            }
        };
        into.insert(name, text);
    }
}
