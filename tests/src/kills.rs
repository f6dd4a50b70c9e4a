//! `kill -9` of any process at random moments.

use std::fmt;

use crate::random::Random;
use crate::trial::Trial;
use crate::{Broker, Deployment};

/// What happened to one process.
#[derive(Clone, Debug)]
pub struct Kill {
    /// Its name.
    pub name: String,
    /// Events that were written before it was started again.
    pub down: usize,
    /// Whether it was ready again before anything else happened.
    pub recovers: bool,
}

impl fmt::Display for Kill {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let then = if self.recovers { "recovers" } else { "and on" };
        write!(formatter, "{}, down for {} events, {then}", self.name, self.down)
    }
}

impl Kill {
    /// One of so many processes, down for up to a second at `per_second` events.
    fn draw(trial: &mut Trial, per_second: usize, random: &mut Random) -> Self {
        let instances = trial.cluster().instances();
        let name = instances[random.below(instances.len())].name().to_owned();
        Self { name, down: random.below(per_second), recovers: random.below(3) > 0 }
    }
}

/// The counting learner with 4 partitions, which never fall evenly to 3 shards.
#[must_use]
pub fn deployment(broker: &Broker, label: &str) -> Deployment {
    let deployment = Deployment::new(broker, label).with("MODELS", "counting");
    deployment.with("KAFKA__PARTITIONS", 4).with("SERVER__SHARDS", 3)
}

/// Kills one process, starts it in place after a while, and lets some load pass. Sometimes it may recover, sometimes
/// the next one is killed while it still does.
///
/// # Panics
/// When it does not come back.
pub fn kill_one(trial: &mut Trial, per_second: usize, random: &mut Random) -> Kill {
    let kill = Kill::draw(trial, per_second, random);
    trial.instance(&kill.name).kill();
    trial.let_pass(kill.down);
    trial.instance(&kill.name).start();
    if kill.recovers {
        trial.instance(&kill.name).wait_ready();
    }
    trial.let_pass(random.below(2 * per_second));
    kill
}
