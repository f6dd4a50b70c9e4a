//! A broker that goes and comes back, told once per role.

use crate::{Context, HealthPart};

/// What a role says of its broker: each loss is counted and logged once, and as long as it lasts the part is not ready.
/// A broker that was never reached is not lost; the role says that itself when it cannot start.
#[derive(Debug)]
pub struct BrokerWatch {
    health: HealthPart,
    role: &'static str,
    model: &'static str,
    meanwhile: &'static str,
    reached: bool,
    /// Why the part is not ready.
    lost: Option<String>,
}

impl BrokerWatch {
    /// For a role's work on one model; `meanwhile` says what a lost broker means for it.
    #[must_use]
    pub fn new(health: &HealthPart, role: &'static str, model: &'static str, meanwhile: &'static str) -> Self {
        Self { health: health.clone(), role, model, meanwhile, reached: false, lost: None }
    }

    /// Takes in whether a broker is connected now.
    pub fn look(&mut self, connected: bool, context: &Context) {
        self.reached |= connected;
        let Self { role, model, meanwhile, .. } = *self;
        let brokers = &context.settings.brokers;
        if !connected && self.reached && self.lost.is_none() {
            context.metrics.broker_error(role);
            tracing::warn!(role, model, brokers, "no kafka broker can be reached, {meanwhile}; trying again");
            self.lost = Some(format!("no kafka broker can be reached at {brokers}; {meanwhile}"));
            self.health.outage(self.lost.clone());
        } else if connected && self.lost.take().is_some() {
            tracing::info!(role, model, brokers, "kafka can be reached again");
            self.health.outage(None);
        }
    }
}

/// A role that fails while its broker is away must not look ready until that is known.
impl Drop for BrokerWatch {
    fn drop(&mut self) {
        if let Some(reason) = self.lost.take() {
            self.health.not_ready(reason);
            self.health.outage(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::tests::context;

    fn errors(context: &Context) -> bool {
        let text = String::from_utf8(context.metrics.encode(true).expect("encoded")).expect("text");
        text.contains("weir_broker_errors_total{role=\"worker\"} 1\n")
    }

    #[test]
    fn a_loss_is_counted_once_and_lasts_until_the_broker_is_back() {
        let context = context();
        let health = context.health.part("worker");
        health.ready();
        let mut watch = BrokerWatch::new(&health, "worker", "counting", "nothing is learned");
        watch.look(false, &context);
        assert!(context.health.is_ready() && !errors(&context), "not reached yet is not lost");
        watch.look(true, &context);
        for _ in 0..3 {
            watch.look(false, &context);
        }
        assert!(!context.health.is_ready() && errors(&context));
        let reason = context.health.parts()[0].reason.clone().expect("a reason");
        assert!(reason.contains(&context.settings.brokers) && reason.contains("nothing is learned"), "{reason}");
        health.ready();
        assert!(!context.health.is_ready(), "what the part says of itself does not bring the broker back");
        watch.look(true, &context);
        assert!(context.health.is_ready());
        watch.look(false, &context);
        drop(watch);
        assert!(!context.health.is_ready());
        health.ready();
        assert!(context.health.is_ready(), "the next start is on its own");
    }
}
