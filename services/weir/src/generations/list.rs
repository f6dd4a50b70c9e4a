//! `weir models`: the generations there are.

use clap::Args;
use weir_kafka::Admin;
use weir_runtime::Settings;
use weir_wire::control::Stage;

use super::LOOKUP;
use super::control::{Control, state_of};
use super::progress::{Progress, in_a_line};
use crate::arguments::CommonOptions;
use crate::topics;

/// What `weir models` takes.
#[derive(Debug, Args)]
pub(crate) struct ModelsCommand {
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

/// Prints a line for each generation.
///
/// # Errors
/// The broker cannot be reached.
pub(crate) fn list(settings: &Settings) -> anyhow::Result<()> {
    let admin = Admin::connect(&topics::connection(settings), LOOKUP)?;
    let states = Control::new(&admin, settings).read()?;
    for model in &settings.models {
        let state = state_of(&states, model);
        println!("model {model}, version {}", state.version);
        for entry in &state.generations {
            let (generation, stage) = (entry.generation.to_string(), entry.stage.name());
            if entry.stage == Stage::Retired {
                println!("  {generation:<6} {stage:<12}");
                continue;
            }
            let progress = Progress::look_up(&admin, settings, model, entry)?;
            let before = if state.served.contains(&entry.generation) { ", served before" } else { "" };
            println!(
                "  {generation:<6} {stage:<12} learned {}, {} to go, next {:?}{before}  {}",
                progress.learned(),
                progress.lag(),
                progress.next,
                in_a_line(&entry.settings)
            );
        }
    }
    Ok(())
}
