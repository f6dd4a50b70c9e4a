//! A generation that begins with rows from elsewhere.

use std::collections::BTreeMap;

use weir_kafka::Admin;
use weir_models::generations::Change;
use weir_runtime::Settings;
use weir_wire::Generation;

use super::control::{Control, state_of};

/// Reserves a generation, lets `write` write its rows, and hands it to the roles. `write` says how many rows there are.
///
/// # Errors
/// The broker cannot be reached, the rules or `write` refuse; then no role has seen the generation, and it is retired.
pub(crate) fn load(
    admin: &Admin,
    settings: &Settings,
    model: &str,
    own: BTreeMap<String, String>,
    write: impl FnOnce(Generation) -> anyhow::Result<usize>,
) -> anyhow::Result<()> {
    let control = Control::new(admin, settings);
    let state = state_of(&control.read()?, model);
    let generation = state.next;
    let reserved = control.change(model, state.version, Change::Reserve(own))?;
    let written = write(generation);
    let version = state_of(&control.read()?, model).version.max(reserved.version);
    match written {
        Ok(rows) => {
            control.change(model, version, Change::Loaded(generation))?;
            println!(
                "generation {generation} of model {model} begins with {rows} rows: weir train {model} --follow {generation} watches it"
            );
            Ok(())
        }
        Err(error) => {
            let retired = control.change(model, version, Change::Retire(generation));
            Err(match retired {
                Ok(_) => error,
                Err(left) => error.context(format!("generation {generation} is left loading ({left:#}); retire it")),
            })
        }
    }
}
