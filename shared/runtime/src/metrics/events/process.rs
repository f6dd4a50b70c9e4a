//! What happens in every role.

use std::time::Duration;

use super::total;
use crate::metrics::Metrics;

/// What a group did with partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It gave some, perhaps none.
    Assigned,
    /// It took them away.
    Revoked,
    /// It had given them to others already.
    Lost,
}

impl Moved {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Revoked => "revoked",
            Self::Lost => "lost",
        }
    }
}

impl Metrics {
    /// A part of a process begins. What has not happened yet is shown as 0, so that the first time is seen as a rise.
    pub fn part_begins(&self, part: &str) {
        self.process.restarts.with_label_values(&[part]);
    }

    /// A role begins to work on a model; for what has not happened yet see [`Self::part_begins`].
    pub fn role_begins(&self, role: &str, model: &str) {
        self.kafka.broker_errors.with_label_values(&[role]);
        self.process.fenced.with_label_values(&[role]);
        for moved in [Moved::Assigned, Moved::Revoked, Moved::Lost] {
            self.process.rebalances.with_label_values(&[role, model, moved.as_str()]);
        }
        for outcome in ["committed", "failed"] {
            self.process.transactions.with_label_values(&[role, model, outcome]);
        }
        self.transaction_open(role, model, Duration::ZERO);
    }

    /// A role failed and will be started again.
    pub fn role_failed(&self, role: &str) {
        self.process.restarts.with_label_values(&[role]).inc();
    }

    /// How often roles failed, all together.
    #[must_use]
    pub fn roles_failed(&self) -> u64 {
        total(&self.process.restarts) as u64
    }

    /// Bytes of keys and values that were written to pushes, pulls, replies and parameters, over all models.
    #[must_use]
    pub fn internal_bytes(&self) -> [f64; 4] {
        let (worker, server) = (&self.worker, &self.server);
        [&worker.pushed_bytes, &worker.pulled_bytes, &server.replied_bytes, &server.published_bytes].map(total)
    }

    /// The group moved partitions.
    pub fn rebalanced(&self, role: &str, model: &str, moved: Moved) {
        self.process.rebalances.with_label_values(&[role, model, moved.as_str()]).inc();
    }

    /// Another process under the same name took this one's place.
    pub fn fenced(&self, role: &str) {
        self.process.fenced.with_label_values(&[role]).inc();
    }

    /// A transaction was committed, `duration` after its begin.
    pub fn transaction_committed(&self, role: &str, model: &str, duration: Duration) {
        self.process.transactions.with_label_values(&[role, model, "committed"]).inc();
        self.process.transaction_seconds.with_label_values(&[role, model]).observe(duration.as_secs_f64());
    }

    /// A transaction failed or was given up; what it held will be done again.
    pub fn transaction_failed(&self, role: &str, model: &str) {
        self.process.transactions.with_label_values(&[role, model, "failed"]).inc();
    }

    /// The transaction at hand has been open for so long; zero where there is none.
    pub fn transaction_open(&self, role: &str, model: &str, age: Duration) {
        self.process.transaction_open.with_label_values(&[role, model]).set(age.as_secs_f64());
    }

    /// The policies begin to be read; none has been refused for these reasons yet.
    pub fn policies_begin<'a>(&self, reasons: impl IntoIterator<Item = &'a str>) {
        for reason in reasons {
            self.process.policies_rejected.with_label_values(&[reason]);
        }
        self.policies(0);
    }

    /// So many tenants have a policy.
    pub fn policies(&self, tenants: usize) {
        self.process.policies.with_label_values(&[] as &[&str]).set(tenants as i64);
    }

    /// A record of the topic of policies was refused, for one of the reasons' fixed names.
    pub fn policy_rejected(&self, reason: &str) {
        self.process.policies_rejected.with_label_values(&[reason]).inc();
    }

    /// A record on an internal topic was passed over; `reason` is one of the frame errors' names.
    pub fn frame_skipped(&self, role: &str, model: &str, reason: &'static str) {
        self.process.frames_skipped.with_label_values(&[role, model, reason]).inc();
    }
}
