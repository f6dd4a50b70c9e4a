//! What is measured of messages, under fixed names: never one by a message, a user or a tenant.

use weir_ps::Workspace;
use weir_wire::verdict::Action;

/// By a class's place among more than two labels: the share of messages that are taken for it.
const CLASSES: [&str; 32] = [
    "share_class_0",
    "share_class_1",
    "share_class_2",
    "share_class_3",
    "share_class_4",
    "share_class_5",
    "share_class_6",
    "share_class_7",
    "share_class_8",
    "share_class_9",
    "share_class_10",
    "share_class_11",
    "share_class_12",
    "share_class_13",
    "share_class_14",
    "share_class_15",
    "share_class_16",
    "share_class_17",
    "share_class_18",
    "share_class_19",
    "share_class_20",
    "share_class_21",
    "share_class_22",
    "share_class_23",
    "share_class_24",
    "share_class_25",
    "share_class_26",
    "share_class_27",
    "share_class_28",
    "share_class_29",
    "share_class_30",
    "share_class_31",
];

/// By tenths of the probability: what was said to be likely, and what was the case.
const TENTHS: [[&str; 2]; 10] = [
    ["predicted_0", "unwanted_0"],
    ["predicted_1", "unwanted_1"],
    ["predicted_2", "unwanted_2"],
    ["predicted_3", "unwanted_3"],
    ["predicted_4", "unwanted_4"],
    ["predicted_5", "unwanted_5"],
    ["predicted_6", "unwanted_6"],
    ["predicted_7", "unwanted_7"],
    ["predicted_8", "unwanted_8"],
    ["predicted_9", "unwanted_9"],
];

/// What was said of a message.
pub(super) struct Said {
    /// Whether it is taken for something unwanted.
    pub(super) unwanted: bool,
    /// What it is taken for, where there are more than two classes.
    pub(super) class: Option<u8>,
    /// What is to be done with it.
    pub(super) action: Action,
    /// Whether a list says so.
    pub(super) listed: bool,
    /// How many features it has.
    pub(super) features: usize,
    /// How long it took to find them.
    pub(super) extraction_seconds: f32,
}

impl Said {
    pub(super) fn measure(&self, work: &mut Workspace) {
        work.measure("share_spam", share(self.unwanted));
        work.measure("share_accepted", share(self.action == Action::Accept));
        work.measure("share_reviewed", share(self.action == Action::Review));
        work.measure("share_rejected", share(self.action == Action::Reject));
        work.measure("share_spam_rejected", share(self.unwanted && self.action == Action::Reject));
        work.measure("share_listed", share(self.listed));
        work.measure("mean_features", self.features as f32);
        work.measure("extraction_seconds", self.extraction_seconds);
        if let Some(name) = self.class.and_then(|class| CLASSES.get(usize::from(class))) {
            work.measure(name, 1.0);
        }
    }
}

/// A label was learned, in place of another one if it corrects; of a tenant's, whether it taught the tenant alone.
pub(super) fn learned(corrects: bool, updates: bool, tenant: Option<bool>, work: &mut Workspace) {
    work.measure("share_corrections", share(corrects));
    work.measure("share_updates", share(updates));
    if let Some(own) = tenant {
        work.measure("share_held_back", share(own));
    }
}

/// How wrong the score of a message was before its label was learned.
pub(super) struct Wrong {
    /// How likely it was said to be unwanted.
    pub(super) probability: f32,
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
        let tenth = ((self.probability * 10.0) as usize).min(TENTHS.len() - 1);
        let [predicted, unwanted] = TENTHS[tenth];
        work.measure(predicted, self.probability);
        work.measure(unwanted, share(self.unwanted));
        // Honest probabilities have a small one.
        work.measure("brier", (1.0 - self.likelihood).powi(2));
    }
}

fn share(is_so: bool) -> f32 {
    if is_so { 1.0 } else { 0.0 }
}
