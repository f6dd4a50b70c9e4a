//! Which parts of a process are ready, and why the others are not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The registry of all parts; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Why a part is not ready, by its name.
    parts: Arc<Mutex<BTreeMap<String, Reasons>>>,
}

#[derive(Debug, Default)]
struct Reasons {
    /// What the part says of itself.
    own: Option<String>,
    /// What is wrong around it, whatever it says.
    outage: Option<String>,
    /// Whether the process is ready without it.
    aside: bool,
}

impl Reasons {
    fn reason(&self) -> Option<&String> {
        self.outage.as_ref().or(self.own.as_ref())
    }
}

/// One part as a probe sees it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PartState {
    /// The part's name.
    pub name: String,
    /// Whether it does its work.
    pub ready: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What one part says of itself; cheap to clone.
#[derive(Clone, Debug)]
pub struct HealthPart {
    health: Health,
    name: String,
}

impl Health {
    /// A registry without parts, which is not ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The part called `name`; a new one is not ready.
    #[must_use]
    pub fn part(&self, name: &str) -> HealthPart {
        let starting = || Reasons { own: Some("starting".into()), ..Reasons::default() };
        self.lock().entry(name.to_owned()).or_insert_with(starting);
        HealthPart { health: self.clone(), name: name.to_owned() }
    }

    /// Whether there are parts and all are ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let parts = self.lock();
        !parts.is_empty() && parts.values().all(|reasons| reasons.aside || reasons.reason().is_none())
    }

    /// Whether the process is ready only if the part `name` is; each part counts until somebody says otherwise.
    pub fn count(&self, name: &str, counts: bool) {
        let _there = self.part(name);
        self.lock().entry(name.to_owned()).or_default().aside = !counts;
    }

    /// All parts in the order of their names.
    #[must_use]
    pub fn parts(&self) -> Vec<PartState> {
        let state = |(name, reasons): (&String, &Reasons)| PartState {
            name: name.clone(),
            ready: reasons.reason().is_none(),
            reason: reasons.reason().cloned(),
        };
        self.lock().iter().map(state).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Reasons>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HealthPart {
    /// The part does its work.
    pub fn ready(&self) {
        self.set(None);
    }

    /// The part does not do its work because of `reason`.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    /// The part no longer exists, and no longer counts.
    pub fn remove(&self) {
        self.health.lock().remove(&self.name);
    }

    /// What the part depends on is away, or is back with none: until then it is not ready, whatever it says of itself.
    pub(crate) fn outage(&self, reason: Option<String>) {
        self.health.lock().entry(self.name.clone()).or_default().outage = reason;
    }

    fn set(&self, reason: Option<String>) {
        self.health.lock().entry(self.name.clone()).or_default().own = reason;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_when_every_part_is() {
        let health = Health::new();
        assert!(!health.is_ready(), "nothing has started yet");
        let (worker, gateway) = (health.part("worker"), health.part("gateway"));
        worker.ready();
        assert!(!health.is_ready());
        gateway.ready();
        assert!(health.is_ready());
        worker.not_ready("broker away");
        let expected = PartState { name: "worker".into(), ready: false, reason: Some("broker away".into()) };
        assert_eq!(health.parts()[1], expected);
        worker.remove();
        assert!(health.is_ready());
    }

    #[test]
    fn a_part_that_does_not_count_is_listed_all_the_same() {
        let health = Health::new();
        health.part("worker").ready();
        health.count("worker-g2", false);
        assert!(health.is_ready());
        health.part("worker-g2").not_ready("catching up");
        assert!(health.is_ready() && health.parts().iter().any(|part| part.name == "worker-g2" && !part.ready));
        health.count("worker-g2", true);
        assert!(!health.is_ready());
    }

    #[test]
    fn asking_for_a_part_again_keeps_its_state() {
        let health = Health::new();
        health.part("worker").ready();
        let _again = health.part("worker");
        assert!(health.is_ready());
    }
}
