//! The spam filter's tables.

use weir_learn::calibration;
use weir_learn::linear::Learner;
use weir_ps::{Rule, Schema, TableSpec, words};

use super::{CALIBRATION, COUNT_VALUES, SpamSettings, features, remembered, verdict};

/// What the spam filter's rows look like.
pub struct SpamSchema {
    tables: [TableSpec; 6],
    slot_bits: u32,
    learner: Learner,
}

impl SpamSchema {
    /// The tables under these settings.
    #[must_use]
    pub fn new(settings: &SpamSettings) -> Self {
        let table = |id, name, width, rule| TableSpec { id, name, width, rule, cached: false, named: false };
        let features = features::width(settings.remembered_bytes);
        let tables = [
            table(super::WEIGHTS, "weights", settings.learner.width(), Rule::AddF32),
            table(CALIBRATION, "calibration", calibration::WIDTH, Rule::AddF32),
            TableSpec { cached: true, ..table(super::COUNTS, "counts", 2 * COUNT_VALUES, Rule::AddU64) },
            table(super::FEATURES, "features", features, Rule::Replace),
            TableSpec { cached: true, ..table(super::REMEMBERED, "remembered", remembered::WIDTH, Rule::Replace) },
            table(super::CLASSES, "classes", 2 * verdict::CLASS_VALUES, Rule::AddU64),
        ];
        Self { tables, slot_bits: settings.text.values().slot_bits, learner: settings.learner }
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
        let name = match self.learner {
            Learner::PassiveAggressive(_) => "spam.learner.pa",
            Learner::Arow(_) => "spam.learner.arow",
            Learner::Ftrl(_) => "spam.learner.ftrl",
            Learner::AdaGrad(_) => "spam.learner.adagrad",
        };
        vec![(name, self.learner.width() as u64)]
    }

    /// Weights of one number of slots mean nothing under another.
    fn version(&self) -> u32 {
        100 + self.slot_bits
    }
}
