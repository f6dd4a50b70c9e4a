//! Where each setting in force comes from.

use std::fmt;
use std::path::PathBuf;

use figment::value::{Dict, Value};

use super::naming;

/// One of the layers above the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layered {
    File(PathBuf),
    Environment,
    CommandLine,
}

/// The origin of every setting that was loaded.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// What each layer says, the later the stronger.
    layers: Vec<(Layered, Dict)>,
}

impl Origins {
    pub(super) fn push(&mut self, layer: Layered, values: Dict) {
        self.layers.push((layer, values));
    }

    /// Where the setting `path` comes from, in words: `default`, `file weir.toml`, `environment WEIR_NAME`,
    /// `command line`.
    #[must_use]
    pub fn of(&self, path: &str) -> String {
        let strongest = self.layers.iter().rev().find(|(_, values)| says(values, path));
        Origin { layer: strongest.map(|(layer, _)| layer), path }.to_string()
    }
}

/// Whether there is something at `path` or below it; the names of levels may have dots.
fn says(values: &Dict, path: &str) -> bool {
    values.iter().any(|(name, value)| match path.strip_prefix(name.as_str()) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.').is_some_and(|rest| match value {
            Value::Dict(_, inner) => says(inner, rest),
            _ => false,
        }),
        None => false,
    })
}

struct Origin<'a> {
    layer: Option<&'a Layered>,
    path: &'a str,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            None => formatter.write_str("default"),
            // Comments of TOML hold no control characters.
            Some(Layered::File(path)) => write!(formatter, "file {}", path.display().to_string().escape_debug()),
            Some(Layered::Environment) => write!(formatter, "environment {}", naming::variable(self.path)),
            Some(Layered::CommandLine) => formatter.write_str("command line"),
        }
    }
}
