//! Input as users have it: topics that are not keyed by user, that grow while they are read, whose events were not made
//! for weir, on brokers with TLS and SASL; and files that are imported.

mod grown;
mod import;
mod mapped;
mod secured;
mod unkeyed;
mod validate;

use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(2);
