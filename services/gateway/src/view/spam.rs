//! What the spam filter's rows say of texts and messages.

use weir_learn::text;
use weir_models::spam::{
    CLASSES, CLASSES_KEY, Content, Explanation, KnownMessage, Learning, REMEMBERED, Score, TextScorer,
};

use super::View;

impl View {
    /// Scores texts of tenants, in their order, as a worker with these rows would.
    pub(crate) fn score<'a>(
        &self,
        (settings, learning): (text::Settings, &Learning),
        texts: impl Iterator<Item = (Content<'a>, u64)>,
    ) -> Vec<Score> {
        let mut scorer = TextScorer::new(settings, learning.clone());
        texts.map(|(text, tenant)| scorer.score(text, tenant, |table, key| self.row(table, key))).collect()
    }

    /// Says of texts, in their order, what spoke for and against them.
    pub(crate) fn explain<'a>(
        &self,
        (settings, learning): (text::Settings, &Learning),
        texts: impl Iterator<Item = (Content<'a>, u64)>,
    ) -> Vec<Explanation> {
        let mut scorer = TextScorer::new(settings, learning.clone());
        texts.map(|(text, tenant)| scorer.explain(text, tenant, |table, key| self.row(table, key))).collect()
    }

    /// How many labels were learned, for [`weir_models::spam::Policy::verdict`].
    pub(crate) fn classes(&self) -> &[u32] {
        self.row(CLASSES, CLASSES_KEY).unwrap_or_default()
    }

    /// What is remembered of the message of this key.
    pub(crate) fn known_message(&self, key: u64) -> Option<KnownMessage> {
        KnownMessage::from_row(self.row(REMEMBERED, key)?)
    }
}
