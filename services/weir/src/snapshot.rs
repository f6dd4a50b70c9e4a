//! `weir export` and `weir import-model`: a whole model in a file, and a model that begins with one.
//!
//! A file has the rows of all shards as they are after the same events, and says which events those are. So a copy can go
//! on with the next one, under another prefix on the same cluster; elsewhere, whoever imports says where it begins.

mod content;
mod export;
mod import;
mod vectors;

pub(crate) use export::{ExportCommand, export};
pub(crate) use import::{ImportModelCommand, import};

use weir_models::{Description, descriptions};
use weir_runtime::Settings;

/// One of the models in force.
fn described(model: &str, settings: &Settings) -> anyhow::Result<Description> {
    let found = descriptions(settings)?.into_iter().find(|description| description.name == model);
    found.ok_or_else(|| {
        anyhow::anyhow!("model {model} is not one of the setting models ({})", settings.models.join(","))
    })
}
