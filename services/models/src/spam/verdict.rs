//! What is made of a score: by how many labels of each class there are, and by thresholds.

use weir_ps::words;
use weir_wire::verdict::{Labels, ListReason, Thresholds, Verdict};

use super::{Classes, Listable, PolicyBook};

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

/// What a message is judged by besides its score.
#[derive(Clone, Debug, PartialEq)]
pub struct Grounds {
    /// Where actions begin for its tenant.
    pub thresholds: Thresholds,
    /// The list of its tenant that it is on.
    pub reason: Option<ListReason>,
}

impl Policy {
    /// What a message of this tenant, or of none, is judged by.
    #[must_use]
    pub fn grounds(&self, policies: &PolicyBook, tenant: Option<&str>, message: Listable<'_>) -> Grounds {
        let rules = policies.of(tenant);
        let thresholds = rules.as_ref().and_then(|rules| rules.policy().thresholds);
        Grounds {
            thresholds: thresholds.unwrap_or(self.thresholds),
            reason: rules.and_then(|rules| rules.listed(message)),
        }
    }

    /// What is to be done with a message of this probability by a model with this row of [`super::CLASSES`]; an empty row
    /// is one of no labels.
    #[must_use]
    pub fn verdict(&self, probability: f32, classes: &Classes, row: &[u32], grounds: Grounds) -> Verdict {
        let mut counts = Vec::with_capacity(classes.len());
        counts_of(row, classes.len(), |count| counts.push(count));
        let counts = classes.labels().iter().copied().zip(counts).collect();
        let labels = Labels { counts, needed: self.ready_labels };
        Verdict::new(probability, labels, grounds.thresholds).listed(grounds.reason)
    }
}

fn counts_of(row: &[u32], classes: usize, push: impl FnMut(u64)) {
    (0..classes).map(|class| words::u64_at(row, class)).for_each(push);
}

/// Writes the labels of each class out of a row of [`super::CLASSES`].
pub(super) fn counts(row: &[u32], classes: usize, counts: &mut Vec<u64>) {
    counts.clear();
    counts_of(row, classes, |count| counts.push(count));
}

/// Counts a message whose label was learned, which had the label `before` if it was corrected.
pub(super) fn count_label(classes: &mut [u32], class: u8, before: Option<u8>) {
    let mut add = |class: u8, number| {
        let place = usize::from(class);
        words::set_u64(classes, place, words::u64_at(classes, place).wrapping_add(number));
    };
    add(class, 1);
    if let Some(before) = before {
        // Rows add modulo 2^64, so this takes one away.
        add(before, u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use weir_wire::message::Label;
    use weir_wire::verdict::{Action, State};

    use super::*;

    fn grounds() -> Grounds {
        Grounds { thresholds: Policy::default().thresholds, reason: None }
    }

    #[test]
    fn corrections_move_a_message_to_the_other_class() {
        let mut row = [0; 4];
        let mut check = |class, before, spam, ham| {
            count_label(&mut row, class, before);
            let labels = Policy::default().verdict(0.0, &Classes::default(), &row, grounds()).labels;
            assert_eq!(labels, Labels { counts: vec![(Label::SPAM, spam), (Label::HAM, ham)], needed: 50 });
        };
        check(0, None, 1, 0);
        check(1, None, 1, 1);
        check(1, Some(0), 0, 2);
        check(0, Some(1), 1, 1);
    }

    #[test]
    fn nothing_learned_is_not_ready() {
        let verdict = Policy::default().verdict(0.95, &Classes::default(), &[], grounds());
        assert_eq!((verdict.state, verdict.action), (State::Learning, Action::Review));
        assert_eq!(verdict.labels.counts, [(Label::SPAM, 0), (Label::HAM, 0)]);
    }
}
