//! Records of the topic `messages.scored`: what the spam filter said of a message before it learned from it.
//!
//! Written by workers for every message with a text, read by whoever blocks or audits. `source` names the record that
//! was scored, so that a reader can tell a repetition; unknown fields are ignored, so that later versions can say more.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::event::{Reason, Reject};
use crate::message::Label;
use crate::output;
use crate::verdict::{Action, Labels, ListReason, Probabilities, State, Thresholds, Verdict};

/// A scored message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored<'a> {
    /// The message's id, an [`Id`](crate::Id) (serde borrows only what it sees to be a `Cow`).
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// What the model takes it for.
    pub label: Label,
    /// How likely it is unwanted, from 0 to 1.
    pub probability: f32,
    /// How likely each class is, of a model of more than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Probabilities>,
    /// w·x: above 0 is unwanted, and the further from 0 the surer. Finite.
    pub margin: f32,
    /// The label that came with the message, learned after it was scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_label: Option<Label>,
    /// What is to be done with the message; this and the next three are missing in records of early versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Whether the model knows enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// How many labels it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// Where actions begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// The list that decides, where the message is on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ListReason>,
    /// The record that was scored.
    #[serde(borrow)]
    pub source: Source<'a>,
    /// The model that scored it.
    #[serde(borrow)]
    pub model: Model<'a>,
}

/// A record of an input topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source<'a> {
    /// Its topic.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
}

/// A model and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model<'a> {
    /// Its name: `spam`.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its generation: `g1`.
    #[serde(borrow)]
    pub generation: Cow<'a, str>,
    /// Labelled messages of the source's partition that the weights cover, as far as the worker knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<u64>,
}

impl Scored<'_> {
    /// With this verdict.
    #[must_use]
    pub fn with_verdict(self, verdict: Verdict) -> Self {
        let Verdict { action, state, labels, thresholds, reason } = verdict;
        let (action, state) = (Some(action), Some(state));
        Self { action, state, labels: Some(labels), thresholds: Some(thresholds), reason, ..self }
    }

    /// Appends the record as JSON to `out`; nothing else is allocated.
    ///
    /// # Errors
    /// A margin that is not finite, or a probability outside 0 to 1: JSON has no such numbers, and a score that is
    /// none must not leave the filter. `out` is as before.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Reject> {
        self.check()?;
        output::append(out, self)
    }

    fn check(&self) -> Result<(), Reject> {
        let bad = |field, detail: String| Err(Reject::new(Reason::BadNumber, field, detail));
        if !(0.0..=1.0).contains(&self.probability) {
            return bad("probability", format!("is {}, a probability lies between 0 and 1", self.probability));
        }
        if !self.margin.is_finite() {
            return bad("margin", format!("is {}, a margin is finite", self.margin));
        }
        Ok(())
    }
}

/// Reads one record's value.
///
/// # Errors
/// A [`Reject`] that says what is wrong; arbitrary bytes are no more than that.
pub fn parse(payload: &[u8]) -> Result<Scored<'_>, Reject> {
    let scored: Scored<'_> = output::read(payload, "scored message")?;
    scored.check()?;
    Ok(scored)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scored(margin: f32, probability: f32) -> Scored<'static> {
        Scored {
            id: "sms-1".into(),
            label: Label::SPAM,
            probability,
            probabilities: None,
            margin,
            true_label: None,
            action: None,
            state: None,
            labels: None,
            thresholds: None,
            reason: None,
            source: Source { topic: "messages".into(), partition: 3, offset: 17 },
            model: Model { name: "spam".into(), generation: "g1".into(), learned: None },
        }
    }

    fn written(scored: &Scored<'_>) -> Vec<u8> {
        let mut out = b"before".to_vec();
        scored.write(&mut out).unwrap();
        out.split_off("before".len())
    }

    #[test]
    fn scores_are_written_in_the_order_of_the_fields() {
        let full = Scored {
            true_label: Some(Label::HAM),
            model: Model { learned: Some(12), ..scored(0.0, 0.0).model },
            ..scored(0.75, 0.68)
        };
        let labels = Labels { counts: vec![(Label::SPAM, 7), (Label::HAM, 50)], needed: 50 };
        let full = full.with_verdict(Verdict::new(0.68, labels, Thresholds { review: 0.5, reject: 0.9 }));
        assert_eq!(
            String::from_utf8(written(&full)).unwrap(),
            r#"{"id":"sms-1","label":"spam","probability":0.68,"margin":0.75,"true_label":"ham","#.to_owned()
                + r#""action":"review","state":"learning","labels":{"spam":7,"ham":50,"needed":50},"#
                + r#""thresholds":{"review":0.5,"reject":0.9},"#
                + r#""source":{"topic":"messages","partition":3,"offset":17},"#
                + r#""model":{"name":"spam","generation":"g1","learned":12}}"#
        );
    }

    #[test]
    fn what_is_no_score_is_not_written() {
        let refused = |scored: &Scored<'_>| {
            let mut out = b"before".to_vec();
            let reject = scored.write(&mut out).unwrap_err().to_string();
            assert_eq!(out, b"before");
            reject
        };
        assert_eq!(refused(&scored(f32::INFINITY, 1.0)), "margin: is inf, a margin is finite (bad_number)");
        let expected = "probability: is NaN, a probability lies between 0 and 1 (bad_number)";
        assert_eq!(refused(&scored(1.0, f32::NAN)), expected);
        assert!(scored(1.0, 1.5).write(&mut Vec::new()).is_err());
    }

    #[test]
    fn strings_are_borrowed_and_unknown_fields_ignored() {
        let text = String::from_utf8(written(&scored(-1.0, 0.25))).unwrap();
        let more = text.replacen('{', r#"{"later":[1],"#, 1);
        let parsed = parse(more.as_bytes()).unwrap();
        assert_eq!(parsed, scored(-1.0, 0.25));
        assert!(matches!((&parsed.id, &parsed.source.topic), (Cow::Borrowed(_), Cow::Borrowed(_))));
    }

    #[test]
    fn bad_records_say_what_is_wrong() {
        let check = |payload: &str, expected: &str| {
            let reject = parse(payload.as_bytes()).unwrap_err().to_string();
            assert!(reject.starts_with(expected), "{reject}");
        };
        check("{", "not JSON: EOF");
        check("[]", "not a scored message: invalid length 0");
        check(r#"{"id":"m"}"#, "not a scored message: missing field `label`");
        check(r#"{"id":"m","label":"Eggs"}"#, "not a scored message: \"Eggs\" is no name of a label");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(id in "\\PC{1,40}", margin in any::<f32>(), probability in 0.0_f32..=1.0, offset in any::<u64>()) {
            prop_assume!(margin.is_finite());
            let mut said = scored(margin, probability);
            said.id = id.into();
            said.source.offset = offset;
            let payload = written(&said);
            prop_assert_eq!(parse(&payload), Ok(said));
        }

        #[test]
        fn arbitrary_bytes_are_refused(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&payload).is_err());
        }
    }
}
