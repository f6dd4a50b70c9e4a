//! The spam filter's tables.

use weir_learn::linear::Learner;
use weir_learn::{calibration, text};
use weir_ps::{Rule, Schema, TableSpec, words};
use weir_wire::message::Label;

use super::learning::{Learning, Method};
use super::{CALIBRATION, COUNT_VALUES, SpamSettings, features, remembered};

/// Raised when rows mean something else. 2: what is remembered names classes by number. 3: tenants have weights of their own.
const ROWS: u32 = 3;

/// What the spam filter's rows look like.
pub struct SpamSchema {
    tables: [TableSpec; 7],
    slot_bits: u32,
    learning: Learning,
}

impl SpamSchema {
    /// The tables under these settings.
    #[must_use]
    pub fn new(settings: &SpamSettings) -> Self {
        let table = |id, name, width, rule| TableSpec { id, name, width, rule, cached: false, named: false };
        let features = features::width(settings.remembered_bytes);
        let tables = [
            table(super::WEIGHTS, "weights", settings.learning.width(), Rule::AddF32),
            table(CALIBRATION, "calibration", calibration::WIDTH, Rule::AddF32),
            TableSpec { cached: true, ..table(super::COUNTS, "counts", 2 * COUNT_VALUES, Rule::AddU64) },
            table(super::FEATURES, "features", features, Rule::Replace),
            TableSpec { cached: true, ..table(super::REMEMBERED, "remembered", remembered::WIDTH, Rule::Replace) },
            table(super::CLASSES, "classes", 2 * settings.learning.classes.labels().len(), Rule::AddU64),
            table(super::TENANTS, "tenants", 2, Rule::AddU64),
        ];
        Self { tables, slot_bits: settings.text.values().slot_bits, learning: settings.learning.clone() }
    }
}

impl Schema for SpamSchema {
    fn tables(&self) -> &[TableSpec] {
        &self.tables
    }

    fn initial(&self, table: u8, _: u64, row: &mut [u32]) {
        if table == CALIBRATION {
            words::f32s_mut(row).copy_from_slice(&calibration::INITIAL);
        }
    }

    /// The widths alone do not say whose rows they are.
    fn settings(&self) -> Vec<(&'static str, u64)> {
        let name = match &self.learning.method {
            Method::Two(Learner::PassiveAggressive(_), _) => "spam.learner.pa",
            Method::Two(Learner::Arow(_), _) => "spam.learner.arow",
            Method::Two(Learner::Ftrl(_), _) => "spam.learner.ftrl",
            Method::Two(Learner::AdaGrad(_), _) => "spam.learner.adagrad",
            Method::Several(..) => "spam.learner.pa.several",
        };
        let labels: Vec<&str> = self.learning.classes.labels().iter().map(Label::as_str).collect();
        let labels = weir_wire::key(0, &labels.join(","));
        vec![(name, self.learning.width() as u64), ("spam.labels (hash)", labels)]
    }

    /// Weights of one number of slots mean nothing under another, and neither do those of features that were hashed otherwise.
    fn version(&self) -> u32 {
        text::VERSION * 10_000 + ROWS * 100 + self.slot_bits
    }
}
