//! Generations of a model side by side: the commands that begin, show and change them, and the roles that follow.
//!
//! Which generations there are, and which one serves, is a record of the control topic (`weir_wire::control`); which
//! changes are allowed is `weir_models::generations`. A generation is a model with settings of its own that learns from
//! the same log, from its beginning, by the same roles, transactions and topics of its own.

mod begin;
mod change;
pub(crate) mod control;
mod follow;
mod list;
mod load;
mod own;
mod progress;
mod running;

pub(crate) use begin::{begin, own};
pub(crate) use change::{ChangeCommand, RollBackCommand, promote, retire, roll_back};
pub(crate) use follow::spawn;
pub(crate) use list::{ModelsCommand, list};
pub(crate) use load::load;
pub(crate) use own::settings_of;
pub(crate) use running::Generations;

use std::time::Duration;

use weir_kafka::Admin;
use weir_runtime::Settings;

use crate::topics;

/// How long a broker may take to answer a command.
const LOOKUP: Duration = Duration::from_secs(10);
/// How long it may take to answer a role before it counts as away.
const ROLE_LOOKUP: Duration = Duration::from_secs(5);

/// Administration for a command that is about `model`, which the setting `models` must name.
fn connect(settings: &Settings, model: &str) -> anyhow::Result<Admin> {
    let known = settings.models.iter().any(|name| name == model);
    anyhow::ensure!(known, "model {model} is not one of the setting models ({})", settings.models.join(","));
    Ok(Admin::connect(&topics::connection(settings), LOOKUP)?)
}
