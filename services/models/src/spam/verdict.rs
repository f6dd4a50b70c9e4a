//! What is made of a score: by how many labels of each class there are, and by thresholds.

use weir_ps::words;
use weir_wire::message::Label;
use weir_wire::verdict::{Labels, Thresholds, Verdict};

/// `u64`s of the row of [`super::CLASSES`].
pub(super) const CLASS_VALUES: usize = 2;

/// When the model is ready, and from which probability on something is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Labels of each class that make the model ready.
    pub ready_labels: u64,
    /// Where actions begin.
    pub thresholds: Thresholds,
}

impl Default for Policy {
    fn default() -> Self {
        Self { ready_labels: 50, thresholds: Thresholds { review: 0.5, reject: 0.9 } }
    }
}

impl Policy {
    /// What is to be done with a message of this probability by a model with this row of [`super::CLASSES`]; an empty row
    /// is one of no labels.
    #[must_use]
    pub fn verdict(&self, probability: f32, classes: &[u32]) -> Verdict {
        let count = |label| if classes.len() < 2 * CLASS_VALUES { 0 } else { words::u64_at(classes, place(label)) };
        let labels = Labels { spam: count(Label::Spam), ham: count(Label::Ham), needed: self.ready_labels };
        Verdict::new(probability, labels, self.thresholds)
    }
}

/// Counts a message whose label was learned, which had the label `before` if it was corrected.
pub(super) fn count_label(classes: &mut [u32], label: Label, before: Option<Label>) {
    let mut add = |label, number| {
        let place = place(label);
        words::set_u64(classes, place, words::u64_at(classes, place).wrapping_add(number));
    };
    add(label, 1);
    if let Some(before) = before {
        // Rows add modulo 2^64, so this takes one away.
        add(before, u64::MAX);
    }
}

fn place(label: Label) -> usize {
    match label {
        Label::Spam => 0,
        Label::Ham => 1,
    }
}

#[cfg(test)]
mod tests {
    use weir_wire::verdict::{Action, State};

    use super::*;

    #[test]
    fn corrections_move_a_message_to_the_other_class() {
        let mut row = [0; 2 * CLASS_VALUES];
        let mut check = |label, before, spam, ham| {
            count_label(&mut row, label, before);
            assert_eq!(Policy::default().verdict(0.0, &row).labels, Labels { spam, ham, needed: 50 });
        };
        check(Label::Spam, None, 1, 0);
        check(Label::Ham, None, 1, 1);
        check(Label::Ham, Some(Label::Spam), 0, 2);
        check(Label::Spam, Some(Label::Ham), 1, 1);
    }

    #[test]
    fn nothing_learned_is_not_ready() {
        let verdict = Policy::default().verdict(0.95, &[]);
        assert_eq!((verdict.state, verdict.action, verdict.labels.spam), (State::Learning, Action::Review, 0));
    }
}
