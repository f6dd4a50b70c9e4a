//! What is to be done with a message, and on what grounds: the part that scored records and REST answers share.

use serde::{Deserialize, Serialize};

/// What is to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Let it pass.
    Accept,
    /// Have somebody look at it: the filter is not sure.
    Review,
    /// Block it.
    Reject,
}

/// Whether the model knows enough to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A class has fewer labels than are needed.
    Learning,
    /// Each class has as many labels as are needed, or more.
    Ready,
}

/// Labels that the model has learned, as far as is known where the answer is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// Messages that are spam by their latest label.
    pub spam: u64,
    /// Messages that are ham by their latest label.
    pub ham: u64,
    /// How many of each make the model ready.
    pub needed: u64,
}

/// The probabilities at which actions begin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// From here on a message is to be reviewed; below it is accepted.
    pub review: f32,
    /// From here on a message is to be rejected; not below `review`.
    pub reject: f32,
}

/// What is to be done with a message, and on what grounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is to be done with it.
    pub action: Action,
    /// Whether the model knows enough.
    pub state: State,
    /// How many labels it knows.
    pub labels: Labels,
    /// Where actions begin.
    pub thresholds: Thresholds,
}

impl Verdict {
    /// Of a message that is spam with this probability.
    ///
    /// A model that is still learning rejects nothing: one that knows a single class would take everything for it.
    #[must_use]
    pub fn new(probability: f32, labels: Labels, thresholds: Thresholds) -> Self {
        let is_ready = labels.spam.min(labels.ham) >= labels.needed;
        let action = match probability {
            low if low < thresholds.review => Action::Accept,
            high if high >= thresholds.reject && is_ready => Action::Reject,
            _ => Action::Review,
        };
        Self { action, state: if is_ready { State::Ready } else { State::Learning }, labels, thresholds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(probability: f32, (spam, ham): (u64, u64), state: State, action: Action) {
        let labels = Labels { spam, ham, needed: 50 };
        let verdict = Verdict::new(probability, labels, Thresholds { review: 0.5, reject: 0.9 });
        assert_eq!((verdict.state, verdict.action), (state, action), "{probability} {labels:?}");
    }

    #[test]
    fn actions_begin_at_their_thresholds() {
        check(0.49, (50, 50), State::Ready, Action::Accept);
        check(0.5, (50, 50), State::Ready, Action::Review);
        check(0.89, (50, 50), State::Ready, Action::Review);
        check(0.9, (50, 50), State::Ready, Action::Reject);
        check(1.0, (70, 50), State::Ready, Action::Reject);
    }

    #[test]
    fn a_model_that_is_learning_rejects_nothing() {
        check(1.0, (0, 0), State::Learning, Action::Review);
        check(1.0, (5_000, 49), State::Learning, Action::Review);
        check(1.0, (49, 5_000), State::Learning, Action::Review);
        check(0.1, (49, 5_000), State::Learning, Action::Accept);
    }

    #[test]
    fn equal_thresholds_leave_nothing_to_review() {
        let labels = Labels { spam: 9, ham: 9, needed: 0 };
        let action = |probability| Verdict::new(probability, labels, Thresholds { review: 0.5, reject: 0.5 }).action;
        assert_eq!((action(0.49), action(0.5)), (Action::Accept, Action::Reject));
    }
}
