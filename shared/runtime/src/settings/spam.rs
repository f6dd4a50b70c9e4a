//! The section `spam`, and its ranges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::range;
use crate::Error;

/// The model `spam`. What shapes its rows (`labels`, `learner`, `seed`, `slot_bits`, `remembered_bytes`) is stored with the model: a change of
/// it is refused at start. `max_bytes` and `max_features` decide what is seen of a text, and take effect at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpamSettings {
    /// What messages are told apart into: 2 to 32 names of a-z, 0-9, `_` and `-`. Of more than two the learner must be one of
    /// passive-aggressive learning. Stored with the model, in their order.
    pub labels: Vec<String>,
    /// Those of `labels` that are let pass; the probability is that of the others.
    pub wanted: Vec<String>,
    /// Which wrong class a mistake is corrected against where there are more than two.
    pub multiclass: MulticlassUpdate,
    /// By label, and then by what it is taken for: what that mistake costs. What is not named costs 1.
    pub costs: BTreeMap<String, BTreeMap<String, f32>>,
    /// How many times as many labels wanted or unwanted messages may have as the others before theirs count less, 1 to 1e6.
    pub balance: f32,
    /// How far the labels of one tenant may move the weights of everyone in any case: the sum of the lengths of its steps, of which
    /// one is about 0.5 at most; 0 to 1e6. Beyond, `tenant_share` counts, and then its labels teach its own weights alone.
    pub tenant_influence: f32,
    /// The share of all that has moved the weights of everyone which may come from one tenant, 0 to 1.
    pub tenant_share: f32,
    /// How a label teaches. What a learner keeps of a feature is stored with the model, so another one needs another model; the
    /// three of passive-aggressive learning keep the same.
    pub learner: SpamLearner,
    /// How far one message may move the weights of passive-aggressive learning: 0.5 to 1 suit labels by people, more only clean
    /// ones. `pa` has no use for it.
    pub aggressiveness: f32,
    /// Where `learner` is `arow`.
    pub arow: ArowSettings,
    /// Where it is `ftrl`.
    pub ftrl: FtrlSettings,
    /// Where it is `adagrad`.
    pub adagrad: AdagradSettings,
    /// Seed of the hashing of ids and of texts' features.
    pub seed: u64,
    /// The binary logarithm of the number of weights.
    pub slot_bits: u16,
    /// Bytes of a text that are read: of a longer one the first half of that and the last half.
    pub max_bytes: usize,
    /// Features of a text at most.
    pub max_features: usize,
    /// Messages that a shard remembers; those first seen are forgotten first.
    pub remembered_ids: usize,
    /// Hours for which a message is remembered, by its record's time.
    pub remembered_hours: u32,
    /// Bytes of a message's features that are remembered, for labels that come without a text; a multiple of 4.
    pub remembered_bytes: usize,
    /// What becomes of a label without a text if its message is not remembered, or not any more: true, and it waits for
    /// the text; false, and it goes to the rejected topic.
    pub labels_wait: bool,
    /// Labels of each class from which on the model is `ready`; before that nothing is rejected.
    pub ready_labels: u64,
    /// The probability of spam from which on messages are to be reviewed; below it they are accepted.
    pub review_from: f32,
    /// The probability from which on they are to be rejected; not below `review_from`.
    pub reject_from: f32,
    /// Whether messages are keyed by their ids, which makes each partition the only one that writes what is remembered
    /// of its messages.
    pub keyed_by_id: bool,
    /// As `worker.in_flight`, for messages. With 1, a batch is learned with all that its partition taught before, and it
    /// does not matter how messages are cut into batches. Classifiers of this kind overshoot when batches of one
    /// partition do not see one another.
    pub in_flight: usize,
    /// As `worker.history_share`, for messages.
    pub history_share: u64,
}

impl Default for SpamSettings {
    fn default() -> Self {
        Self {
            labels: vec!["spam".into(), "ham".into()],
            wanted: vec!["ham".into()],
            multiclass: MulticlassUpdate::MaxLoss,
            costs: BTreeMap::new(),
            balance: 10.0,
            tenant_influence: 50.0,
            tenant_share: 0.2,
            learner: SpamLearner::PaI,
            aggressiveness: 1.0,
            arow: ArowSettings::default(),
            ftrl: FtrlSettings::default(),
            adagrad: AdagradSettings::default(),
            seed: 1,
            slot_bits: 22,
            max_bytes: 10_240,
            max_features: 8_192,
            remembered_ids: 100_000,
            remembered_hours: 720,
            remembered_bytes: 480,
            labels_wait: false,
            ready_labels: 50,
            review_from: 0.5,
            reject_from: 0.9,
            keyed_by_id: true,
            in_flight: 1,
            history_share: 16,
        }
    }
}

/// The learners of two classes; what each does is written in `weir-learn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpamLearner {
    /// Passive-aggressive: each message is corrected fully, and one wrong label can undo much.
    Pa,
    /// Passive-aggressive, each step capped.
    PaI,
    /// Passive-aggressive, all steps smaller.
    PaIi,
    /// Adaptive regularisation: the surer a weight is, the smaller its steps.
    Arow,
    /// Logistic regression by FTRL-Proximal, whose weights may be drawn to exactly 0.
    Ftrl,
    /// Logistic regression by `AdaGrad`.
    Adagrad,
}

impl SpamLearner {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Pa, Self::PaI, Self::PaIi, Self::Arow, Self::Ftrl, Self::Adagrad];
}

/// Passive-aggressive learning of several classes: which wrong class a mistake is corrected against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MulticlassUpdate {
    /// The one that was taken for right; nothing is learned where that is so.
    PredictionBased,
    /// The one with the largest loss, costs included.
    MaxLoss,
}

/// Of the learner `arow`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ArowSettings {
    /// How little one message is to be trusted: 0.1 suits clean labels, 10 noisy ones.
    pub regularisation: f32,
}

impl Default for ArowSettings {
    fn default() -> Self {
        Self { regularisation: 0.1 }
    }
}

/// Of the learner `ftrl`. What its rows hold depends on `rate`; a change of it takes effect at once, on what is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FtrlSettings {
    /// The rate.
    pub rate: f32,
    /// Holds back the first steps.
    pub smoothing: f32,
    /// Weights that little speaks for are 0: how little.
    pub l1: f32,
    /// How strongly all weights are drawn to 0.
    pub l2: f32,
}

impl Default for FtrlSettings {
    fn default() -> Self {
        Self { rate: 1.0, smoothing: 0.03, l1: 0.0, l2: 0.0 }
    }
}

/// Of the learner `adagrad`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdagradSettings {
    /// The rate.
    pub rate: f32,
    /// Where the sums of squared gradients begin.
    pub initial_sum: f32,
    /// How far a probability may be off and still teach nothing.
    pub tolerance: f32,
}

impl Default for AdagradSettings {
    fn default() -> Self {
        Self { rate: 1.0, initial_sum: 5e-4, tolerance: 0.05 }
    }
}

pub(super) fn check(spam: &SpamSettings) -> Result<(), Error> {
    labels(spam)?;
    costs(spam)?;
    learners(spam)?;
    range("spam.seed", spam.seed, 0..=i64::MAX as u64)?;
    range("spam.slot_bits", spam.slot_bits, 8..=31)?;
    range("spam.max_bytes", spam.max_bytes, 64..=1 << 24)?;
    range("spam.max_features", spam.max_features, 16..=1 << 24)?;
    range("spam.remembered_ids", spam.remembered_ids, 1..=1_000_000_000)?;
    range("spam.remembered_hours", spam.remembered_hours, 1..=100_000)?;
    // A row of features goes into a block of the store, which takes 60,000 bytes.
    range("spam.remembered_bytes", spam.remembered_bytes, 16..=32_768)?;
    range("spam.in_flight", spam.in_flight, 1..=1_000)?;
    range("spam.history_share", spam.history_share, 0..=1_000_000)?;
    if !spam.remembered_bytes.is_multiple_of(4) {
        return Err(Error::setting("spam.remembered_bytes", spam.remembered_bytes, "a multiple of 4"));
    }
    range("spam.ready_labels", spam.ready_labels, 0..=1_000_000_000)?;
    range("spam.review_from", spam.review_from, 0.0..=1.0)?;
    range("spam.reject_from", spam.reject_from, 0.0..=1.0)?;
    if spam.reject_from < spam.review_from {
        return Err(Error::setting("spam.reject_from", spam.reject_from, "not below spam.review_from"));
    }
    Ok(())
}

/// Longest label, as `weir-wire` has it.
const LABEL_BYTES: usize = 24;

fn labels(spam: &SpamSettings) -> Result<(), Error> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    // What scored records say beside the labels must not be one.
    let is_name = |name: &String| {
        (1..=LABEL_BYTES).contains(&name.len()) && name.bytes().all(is_allowed) && name != "needed" && name != "none"
    };
    let repeated = |names: &[String]| names.iter().enumerate().any(|(place, name)| names[..place].contains(name));
    if !(2..=32).contains(&spam.labels.len()) || !spam.labels.iter().all(is_name) || repeated(&spam.labels) {
        let allowed =
            "2 to 32 different names of 1 to 24 of the characters a-z, 0-9, '_' and '-', none of them needed or none";
        return Err(Error::setting("spam.labels", spam.labels.join(","), allowed));
    }
    let known = spam.wanted.iter().all(|name| spam.labels.contains(name));
    if spam.wanted.is_empty() || spam.wanted.len() >= spam.labels.len() || !known || repeated(&spam.wanted) {
        let allowed = format!("one or more of {}, but not all, each once", spam.labels.join(", "));
        return Err(Error::setting("spam.wanted", spam.wanted.join(","), allowed));
    }
    let several = matches!(spam.learner, SpamLearner::Pa | SpamLearner::PaI | SpamLearner::PaIi);
    if spam.labels.len() > 2 && !several {
        let allowed = "pa, pa-i or pa-ii where spam.labels has more than two";
        return Err(Error::setting("spam.learner", format!("{:?}", spam.learner).to_lowercase(), allowed));
    }
    Ok(())
}

fn costs(spam: &SpamSettings) -> Result<(), Error> {
    range("spam.balance", spam.balance, 1.0..=1e6)?;
    range("spam.tenant_influence", spam.tenant_influence, 0.0..=1e6)?;
    range("spam.tenant_share", spam.tenant_share, 0.0..=1.0)?;
    for (right, answers) in &spam.costs {
        for (answer, &cost) in answers {
            let path = format!("spam.costs.{right}.{answer}");
            if !spam.labels.contains(right) || !spam.labels.contains(answer) || right == answer {
                let allowed = format!("left out, or for two different ones of {}", spam.labels.join(", "));
                return Err(Error::setting(&path, cost, allowed));
            }
            range(&path, cost, 1e-6..=1e6)?;
        }
    }
    Ok(())
}

/// The ranges are those of `weir-learn`.
fn learners(spam: &SpamSettings) -> Result<(), Error> {
    range("spam.aggressiveness", spam.aggressiveness, 1e-6..=1e6)?;
    range("spam.arow.regularisation", spam.arow.regularisation, 1e-4..=1e4)?;
    range("spam.ftrl.rate", spam.ftrl.rate, 1e-4..=1e3)?;
    range("spam.ftrl.smoothing", spam.ftrl.smoothing, 1e-6..=1e3)?;
    range("spam.ftrl.l1", spam.ftrl.l1, 0.0..=1e3)?;
    range("spam.ftrl.l2", spam.ftrl.l2, 0.0..=1e3)?;
    range("spam.adagrad.rate", spam.adagrad.rate, 1e-4..=1e3)?;
    range("spam.adagrad.initial_sum", spam.adagrad.initial_sum, 1e-12..=1e3)?;
    range("spam.adagrad.tolerance", spam.adagrad.tolerance, 0.0..=0.5)
}
