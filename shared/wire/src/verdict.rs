//! What is to be done with a message, and on what grounds: the part that scored records and REST answers share.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::message::Label;

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
///
/// In JSON one object: `{"spam":7,"ham":50,"needed":50}`. So no label is called [`NEEDED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Messages of each class by their latest label.
    pub counts: Vec<(Label, u64)>,
    /// How many of each make the model ready.
    pub needed: u64,
}

/// The name beside those of labels.
pub const NEEDED: &str = "needed";

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.counts.len() + 1))?;
        for (label, count) in &self.counts {
            map.serialize_entry(label, count)?;
        }
        map.serialize_entry(NEEDED, &self.needed)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries: Vec<(Cow<'de, str>, u64)> = deserializer.deserialize_map(Entries(std::marker::PhantomData))?;
        let (mut counts, mut needed) = (Vec::with_capacity(entries.len()), None);
        for (name, count) in entries {
            match Label::named(&name) {
                _ if name == NEEDED => needed = Some(count),
                Some(label) => counts.push((label, count)),
                None => return Err(D::Error::custom(format!("{name:?} is no name of a label"))),
            }
        }
        let needed = needed.ok_or_else(|| D::Error::missing_field(NEEDED))?;
        Ok(Self { counts, needed })
    }
}

/// How likely each class is, in the model's order; in JSON one object. They sum to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Probabilities(pub Vec<(Label, f32)>);

impl Serialize for Probabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(label, probability)| (label, probability)))
    }
}

impl<'de> Deserialize<'de> for Probabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries: Vec<(Cow<'de, str>, f32)> = deserializer.deserialize_map(Entries(std::marker::PhantomData))?;
        let named = |(name, probability): (Cow<'_, str>, f32)| {
            let label = Label::named(&name);
            let label = label.ok_or_else(|| D::Error::custom(format!("{name:?} is no name of a label")))?;
            Ok((label, probability))
        };
        entries.into_iter().map(named).collect::<Result<_, _>>().map(Self)
    }
}

/// Reads the entries of an object in their order.
struct Entries<T>(std::marker::PhantomData<T>);

/// Most entries of an object that are read: more labels than any model has.
const MOST_ENTRIES: usize = 256;

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Vec<(Cow<'de, str>, T)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            if entries.len() == MOST_ENTRIES {
                return Err(A::Error::custom("it has too many labels"));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// The probabilities at which actions begin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// From here on a message is to be reviewed; below it is accepted.
    pub review: f32,
    /// From here on a message is to be rejected; not below `review`.
    pub reject: f32,
}

/// One of a tenant's two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// What is always let pass.
    Allow,
    /// What is always rejected.
    Deny,
}

/// What of a message a pattern is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// Who sent it.
    Sender,
    /// A host that it names.
    Host,
    /// Its id.
    Id,
}

/// Why something is done with a message whatever the model says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListReason {
    /// The list that it is on.
    pub list: List,
    /// What it is on it for.
    pub kind: ListKind,
    /// The pattern that it matches.
    pub pattern: String,
}

/// What is to be done with a message, and on what grounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is to be done with it.
    pub action: Action,
    /// Whether the model knows enough.
    pub state: State,
    /// How many labels it knows.
    pub labels: Labels,
    /// Where actions begin.
    pub thresholds: Thresholds,
    /// The list that decides, where the message is on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ListReason>,
}

impl Verdict {
    /// Of a message that is unwanted with this probability.
    ///
    /// A model that is still learning rejects nothing: one that knows a single class would take everything for it.
    #[must_use]
    pub fn new(probability: f32, labels: Labels, thresholds: Thresholds) -> Self {
        let is_ready = labels.counts.iter().all(|(_, count)| *count >= labels.needed);
        let action = match probability {
            low if low < thresholds.review => Action::Accept,
            high if high >= thresholds.reject && is_ready => Action::Reject,
            _ => Action::Review,
        };
        Self { action, state: if is_ready { State::Ready } else { State::Learning }, labels, thresholds, reason: None }
    }

    /// The same of a message that may be on a list: what is allowed is accepted and what is denied rejected, also by a model that is
    /// learning.
    #[must_use]
    pub fn listed(self, reason: Option<ListReason>) -> Self {
        let action = match reason.as_ref().map(|reason| reason.list) {
            None => self.action,
            Some(List::Allow) => Action::Accept,
            Some(List::Deny) => Action::Reject,
        };
        Self { action, reason, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(spam: u64, ham: u64, needed: u64) -> Labels {
        Labels { counts: vec![(Label::SPAM, spam), (Label::HAM, ham)], needed }
    }

    #[test]
    fn labels_are_one_object_in_their_order() {
        let text = r#"{"spam":7,"ham":50,"phishing":0,"needed":50}"#;
        let labels: Labels = serde_json::from_str(text).unwrap();
        assert_eq!(labels.counts[2], (Label::named("phishing").unwrap(), 0));
        assert_eq!(serde_json::to_string(&labels).unwrap(), text);
        for bad in [r#"{"spam":7}"#, r#"{"Spam":7,"needed":1}"#, r#"{"spam":-1,"needed":1}"#, "[]"] {
            assert!(serde_json::from_str::<Labels>(bad).is_err(), "{bad}");
        }
        let text = r#"{"spam":0.25,"ham":0.75}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Probabilities>(text).unwrap()).unwrap(), text);
    }

    fn check(probability: f32, (spam, ham): (u64, u64), state: State, action: Action) {
        let labels = labels(spam, ham, 50);
        let verdict = Verdict::new(probability, labels, Thresholds { review: 0.5, reject: 0.9 });
        assert_eq!((verdict.state, verdict.action), (state, action), "{probability} {verdict:?}");
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
    fn lists_decide_whatever_the_model_says() {
        let check = |list, probability, action| {
            let reason = ListReason { list, kind: ListKind::Host, pattern: "a.example".into() };
            let thresholds = Thresholds { review: 0.5, reject: 0.9 };
            let verdict = Verdict::new(probability, labels(0, 0, 50), thresholds).listed(Some(reason.clone()));
            assert_eq!((verdict.action, verdict.reason, verdict.state), (action, Some(reason), State::Learning));
        };
        check(List::Allow, 1.0, Action::Accept);
        check(List::Deny, 0.0, Action::Reject);
    }

    #[test]
    fn equal_thresholds_leave_nothing_to_review() {
        let action =
            |probability| Verdict::new(probability, labels(9, 9, 0), Thresholds { review: 0.5, reject: 0.5 }).action;
        assert_eq!((action(0.49), action(0.5)), (Action::Accept, Action::Reject));
    }
}
