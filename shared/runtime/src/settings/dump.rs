//! The settings in force as TOML, each with where it comes from.

use toml_edit::{DocumentMut, Item, Table};

use super::{Origins, Settings, naming};
use crate::Error;

/// Stands where a secret would.
const HIDDEN: &str = "hidden, --show-secrets prints it";

/// Parts of the names of librdkafka's properties that are secrets, or may hold one.
const SECRETS: [&str; 5] = ["password", "passphrase", "secret", "key.pem", "oauthbearer.config"];

/// Every setting with a comment on its origin. A secret is a comment as a whole, so that what stands in its place
/// is never taken for it.
pub(super) fn dump(settings: &Settings, origins: &Origins, show_secrets: bool) -> Result<String, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Dump(error.to_string());
    let text = toml::to_string(settings).map_err(|error| failed(&error))?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| failed(&error))?;
    annotate(document.as_table_mut(), "", &Annotation { origins, show_secrets });
    Ok(document.to_string())
}

struct Annotation<'a> {
    origins: &'a Origins,
    show_secrets: bool,
}

fn annotate(table: &mut Table, section: &str, with: &Annotation<'_>) {
    let mut secrets = Vec::new();
    for (key, item) in table.iter_mut() {
        let path = if section.is_empty() { key.get().to_owned() } else { format!("{section}.{}", key.get()) };
        match item {
            Item::Table(inner) => annotate(inner, &path, with),
            Item::Value(value) => {
                if !with.show_secrets && is_secret(&path) {
                    *value = HIDDEN.into();
                    secrets.push(key.get().to_owned());
                }
                value.decor_mut().set_suffix(format!("  # {}", with.origins.of(&path)));
            }
            Item::None | Item::ArrayOfTables(_) => {}
        }
    }
    for name in secrets {
        if let Some(mut key) = table.key_mut(&name) {
            key.leaf_decor_mut().set_prefix("# ");
        }
    }
}

fn is_secret(path: &str) -> bool {
    path.strip_prefix(naming::PROPERTIES).is_some_and(|name| SECRETS.iter().any(|secret| name.contains(secret)))
}
