//! Layering: defaults, file, environment, command line.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::value::{Dict, Map, Num, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::naming::{self, COSTS, EVENT_TYPES};
use super::origins::{Layered, Origins};
use super::{Settings, how_to_set};
use crate::Error;

/// Where settings come from, apart from the defaults; plain values, so that a test can name its own.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file of `--config`; without one `WEIR_CONFIG` of the environment names it.
    pub file: Option<PathBuf>,
    /// The environment; only names that begin with `WEIR_` count, and empty values do not: compose files and charts
    /// write `WEIR_NAME=` where they mean none.
    pub environment: Vec<(String, String)>,
    /// The command line as (setting, value), for example `("worker.in_flight", "4")`.
    pub arguments: Vec<(String, String)>,
}

impl Sources {
    /// The process's environment together with what the command line says.
    ///
    /// # Errors
    /// [`Error::Setting`] for a variable of ours that is not Unicode.
    pub fn of_process(file: Option<PathBuf>, arguments: Vec<(String, String)>) -> Result<Self, Error> {
        let environment = std::env::vars_os().filter_map(ours).collect::<Result<_, _>>()?;
        Ok(Self { file, environment, arguments })
    }

    fn file(&self) -> Option<PathBuf> {
        let named = || self.environment.iter().find(|(name, value)| name == "WEIR_CONFIG" && !value.is_empty());
        self.file.clone().or_else(|| named().map(|(_, value)| value.into()))
    }
}

fn ours((name, value): (OsString, OsString)) -> Option<Result<(String, String), Error>> {
    let name = name.into_string().ok().filter(|name| name.starts_with(naming::ENVIRONMENT_PREFIX))?;
    Some(match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(value) => Err(Error::Source(format!("{name} is not valid Unicode: {}", value.display()))),
    })
}

/// Merges the layers without validating the outcome.
pub(super) fn merge(sources: &Sources) -> Result<(Settings, Origins), Error> {
    let defaults = Value::serialize(Settings::default()).map_err(|error| Error::Dump(error.to_string()))?;
    let environment = sources
        .environment
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| naming::path_of_variable(name).map(|path| (path, value.clone())));
    let mut layers = Vec::new();
    if let Some(path) = sources.file() {
        layers.push((read_file(&path)?, Layered::File(path)));
    }
    layers.push((Layer::from_text("the environment", environment, &defaults), Layered::Environment));
    let arguments = sources.arguments.iter().cloned();
    layers.push((Layer::from_text("the command line", arguments, &defaults), Layered::CommandLine));
    let mut figment = Figment::from(Layer::new("the defaults", defaults.clone()));
    let mut origins = Origins::default();
    for (layer, layered) in layers {
        origins.push(layered, layer.values.clone());
        figment = figment.merge(layer);
    }
    let settings = figment.extract().map_err(|error| explain(error, &defaults))?;
    Ok((settings, origins))
}

/// Lays values given as text over settings, without validating the outcome.
pub(super) fn with(settings: &Settings, over: &BTreeMap<String, String>) -> Result<Settings, Error> {
    let below = Value::serialize(settings).map_err(|error| Error::Dump(error.to_string()))?;
    let entries = over.iter().map(|(name, value)| (name.clone(), value.clone()));
    let layer = Layer::from_text("the generation's settings", entries, &below);
    let figment = Figment::from(Layer::new("the process's settings", below.clone())).merge(layer);
    figment.extract().map_err(|error| explain(error, &below))
}

/// One source of values under its name.
struct Layer {
    name: String,
    values: Dict,
}

impl Layer {
    fn new(name: impl Into<String>, values: Value) -> Self {
        Self { name: name.into(), values: values.into_dict().unwrap_or_default() }
    }

    /// Values given as text become what the setting's default is, so that a name of digits stays a name.
    fn from_text(name: &str, entries: impl Iterator<Item = (String, String)>, defaults: &Value) -> Self {
        let mut values = Dict::new();
        for (path, text) in entries {
            let parts = naming::parts(&path);
            let value = typed(&text, default_of(&path, defaults).as_ref());
            insert(&mut values, &parts, value);
        }
        Self { name: name.to_owned(), values }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// The default of a setting, whose kind a text becomes. Of an entry under a name of the user's own it is that of all such
/// entries.
fn default_of(path: &str, defaults: &Value) -> Option<Value> {
    if path.starts_with(COSTS) {
        return Some(Value::from(1.0));
    }
    match (path.strip_prefix(EVENT_TYPES), naming::parts(path).last()) {
        (Some(_), Some(&("rating" | "weight"))) => Some(Value::from(1.0)),
        _ => defaults.find_ref(path).cloned(),
    }
}

fn insert(values: &mut Dict, path: &[&str], value: Value) {
    let [first, rest @ ..] = path else { return };
    if rest.is_empty() {
        values.insert((*first).to_owned(), value);
        return;
    }
    let mut inner = values.remove(*first).and_then(Value::into_dict).unwrap_or_default();
    insert(&mut inner, rest, value);
    values.insert((*first).to_owned(), inner.into());
}

/// `text` as a value of the default's kind. What does not parse stays text: the error of reading it as the setting's
/// type then says what was found and what was expected.
fn typed(text: &str, default: Option<&Value>) -> Value {
    let digits = || text.replace('_', "");
    let parsed = match default {
        Some(Value::Num(_, Num::F32(_) | Num::F64(_))) => text.parse::<f64>().ok().map(Value::from),
        Some(Value::Num(..)) => {
            digits().parse::<u64>().map(Value::from).or_else(|_| digits().parse::<i64>().map(Value::from)).ok()
        }
        Some(Value::Bool(..)) => text.parse::<bool>().ok().map(Value::from),
        Some(Value::Array(_, elements)) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(parts.map(|part| typed(part, elements.first())).collect::<Vec<_>>().into())
        }
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

fn read_file(path: &Path) -> Result<Layer, Error> {
    let refused = |what: String| Error::Source(format!("configuration file {}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        refused(format!("line {line}: {}", error.message().replace('\n', ", ")))
    })?;
    let values = Value::serialize(table).map_err(|error| refused(error.to_string()))?;
    Ok(Layer::new(format!("configuration file {}", path.display()), values))
}

/// One sentence from figment's error: the setting, what is wrong, where it came from and how to set it.
fn explain(error: figment::Error, defaults: &Value) -> Error {
    let origin = error.metadata.as_ref().map_or_else(String::new, |source| format!(" in {}", source.name));
    let path = error.path.join(".");
    match error.kind {
        Kind::UnknownField(..) => {
            Error::Source(format!("there is no setting {path}{origin}{}", nearest(&path, defaults)))
        }
        kind => Error::Source(format!("setting {path}{origin}: {kind}; {}", how_to_set(&path))),
    }
}

/// The settings that end as `unknown` does, or else those of its section.
fn nearest(unknown: &str, defaults: &Value) -> String {
    let mut known = vec!["ops".to_owned(), "name".to_owned()];
    collect_paths(defaults, "", &mut known);
    let (section, leaf) = unknown.rsplit_once('.').map_or(("", unknown), |(section, leaf)| (section, leaf));
    let same_leaf: Vec<_> = known.iter().filter(|path| path.rsplit('.').next() == Some(leaf)).cloned().collect();
    if !same_leaf.is_empty() {
        return format!(", only {}", same_leaf.join(", "));
    }
    let in_section = |path: &&String| path.rsplit_once('.').map_or("", |(section, _)| section) == section;
    let siblings: Vec<_> = known.iter().filter(in_section).cloned().collect();
    if siblings.is_empty() { String::new() } else { format!(", only {}", siblings.join(", ")) }
}

fn collect_paths(value: &Value, path: &str, into: &mut Vec<String>) {
    match value {
        Value::Dict(_, entries) if !entries.is_empty() && path != "kafka.settings" => {
            for (name, entry) in entries {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect_paths(entry, &inner, into);
            }
        }
        _ => into.push(path.to_owned()),
    }
}
