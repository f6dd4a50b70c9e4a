//! What is measured of messages, under fixed names: never one by a message, a user or a tenant.

use weir_ps::Workspace;
use weir_wire::verdict::Action;

/// What was said of a message.
pub(super) fn said(unwanted: bool, action: Action, features: usize, work: &mut Workspace) {
    work.measure("share_spam", share(unwanted));
    work.measure("share_accepted", share(action == Action::Accept));
    work.measure("share_reviewed", share(action == Action::Review));
    work.measure("share_rejected", share(action == Action::Reject));
    work.measure("mean_features", features as f32);
}

/// A label was learned, in place of another one if it corrects.
pub(super) fn learned(corrects: bool, updates: bool, work: &mut Workspace) {
    work.measure("share_corrections", share(corrects));
    work.measure("share_updates", share(updates));
}

/// How wrong the score of a message was before its label was learned.
pub(super) struct Wrong {
    /// How likely it was said to be what it is.
    pub(super) likelihood: f32,
    /// Whether it was taken for another class.
    pub(super) error: bool,
    /// Whether it is unwanted.
    pub(super) unwanted: bool,
    /// Whether it was taken for an unwanted one.
    pub(super) said_unwanted: bool,
}

impl Wrong {
    pub(super) fn measure(&self, work: &mut Workspace) {
        // A certainty that is wrong would cost an infinity; it costs about 14.
        work.measure("log_loss", -self.likelihood.max(1e-6).ln());
        work.measure("error", share(self.error));
        let name = if self.unwanted { "false_negative" } else { "false_positive" };
        work.measure(name, share(self.unwanted != self.said_unwanted));
        // Honest probabilities have a small one.
        work.measure("brier", (1.0 - self.likelihood).powi(2));
    }
}

fn share(is_so: bool) -> f32 {
    if is_so { 1.0 } else { 0.0 }
}
