//! What the spam filter's rows say of texts.

use weir_learn::text;
use weir_models::spam::{CALIBRATION, CALIBRATION_KEY, Calibration, Score, TextScorer, WEIGHTS};
use weir_ps::words;

use super::View;

impl View {
    /// Scores texts, in their order, as a worker with these rows would.
    pub(crate) fn score<'a>(&self, settings: text::Settings, texts: impl Iterator<Item = &'a str>) -> Vec<Score> {
        let calibration = self.row(CALIBRATION, CALIBRATION_KEY).map(words::f32s);
        let calibration = calibration.map_or_else(Calibration::default, Calibration::from_values);
        let mut scorer = TextScorer::new(settings);
        let weight = |key| self.row(WEIGHTS, key).and_then(|row| words::f32s(row).first().copied()).unwrap_or(0.0);
        texts.map(|text| scorer.score(text, &calibration, weight)).collect()
    }
}
