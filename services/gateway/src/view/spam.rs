//! What the spam filter's rows say of texts and messages.

use weir_learn::linear::Learner;
use weir_learn::text;
use weir_models::spam::{
    CALIBRATION, CALIBRATION_KEY, CLASSES, CLASSES_KEY, Calibration, Explanation, KnownMessage, REMEMBERED, Score,
    TextScorer, WEIGHTS,
};
use weir_ps::words;

use super::View;

impl View {
    /// Scores texts, in their order, as a worker with these rows would.
    pub(crate) fn score<'a>(
        &self,
        (settings, learner): (text::Settings, Learner),
        texts: impl Iterator<Item = &'a str>,
    ) -> Vec<Score> {
        let calibration = self.row(CALIBRATION, CALIBRATION_KEY).map(words::f32s);
        let calibration = calibration.map_or_else(Calibration::default, Calibration::from_values);
        let mut scorer = TextScorer::new(settings, learner);
        texts.map(|text| scorer.score(text, &calibration, |key| self.weights(key))).collect()
    }

    /// Says of texts, in their order, what spoke for and against them.
    pub(crate) fn explain<'a>(
        &self,
        (settings, learner): (text::Settings, Learner),
        texts: impl Iterator<Item = &'a str>,
    ) -> Vec<Explanation> {
        let mut scorer = TextScorer::new(settings, learner);
        texts.map(|text| scorer.explain(text, |key| self.weights(key))).collect()
    }

    /// How many labels were learned, for [`weir_models::spam::Policy::verdict`].
    pub(crate) fn classes(&self) -> &[u32] {
        self.row(CLASSES, CLASSES_KEY).unwrap_or_default()
    }

    /// What is remembered of the message of this key.
    pub(crate) fn known_message(&self, key: u64) -> Option<KnownMessage> {
        KnownMessage::from_row(self.row(REMEMBERED, key)?)
    }

    fn weights(&self, key: u64) -> Option<&[f32]> {
        self.row(WEIGHTS, key).map(words::f32s)
    }
}
