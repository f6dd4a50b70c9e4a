//! What an evaluation came to, as it is written for programs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use weir_learn::evaluate::significance::{paired_bootstrap, signed_mcnemar};
use weir_learn::evaluate::{Errors, Ranks, progressive, split};

use super::contenders::Contender;
use super::data::Data;
use super::{Goal, Known, Which};
use crate::evaluate::figures::known;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 1_000;

/// The whole report.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    file: String,
    pub(super) events: usize,
    pub(super) users: usize,
    pub(super) items: usize,
    pub(super) refused: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_refusal: Option<String>,
    pub(super) passed_over: u64,
    /// Figures by configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) progressive: Option<Comparison<progressive::Outcome>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) split: Option<Comparison<split::Outcome>>,
}

impl Report {
    pub(super) fn new(file: &Path, data: &Data) -> Self {
        Self {
            file: file.display().to_string(),
            events: data.events.len(),
            users: data.size.users,
            items: data.size.items,
            refused: data.refused,
            first_refusal: data.first_refusal.clone(),
            passed_over: data.passed_over,
            progressive: None,
            split: None,
        }
    }
}

impl Report {
    /// The name of the best of these by the figures of the last protocol that was run.
    pub(super) fn best<'a>(&self, contenders: &'a [Contender], goal: Goal) -> Option<&'a str> {
        let figures = match (&self.split, &self.progressive) {
            (Some(split), _) => &split.configurations,
            (None, Some(progressive)) => &progressive.configurations,
            (None, None) => return None,
        };
        let worth = |name: &str| {
            let Figures { ndcg, recall, mrr, rmse, .. } = figures.get(name)?;
            match goal {
                Goal::Ndcg => *ndcg,
                Goal::Recall => *recall,
                Goal::Mrr => *mrr,
                Goal::Rmse => rmse.map(|rmse| -rmse),
            }
        };
        let known = contenders.iter().filter_map(|contender| Some((worth(&contender.name)?, contender.name.as_str())));
        known.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name)| name)
    }
}

/// Several configurations under one protocol.
#[derive(Debug, Serialize)]
pub(super) struct Comparison<T> {
    pub(super) k: u16,
    pub(super) relevant: &'static str,
    /// Whether items that the user has had are left `out` of what is put in order, or kept `in`.
    pub(super) known: &'static str,
    /// In the order in which they are shown.
    pub(super) order: Vec<String>,
    pub(super) configurations: BTreeMap<String, Figures>,
    #[serde(skip)]
    pub(super) outcomes: Vec<(String, T)>,
}

/// One configuration's figures; null where it does not predict ratings, or makes no lists.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Figures {
    pub(super) rmse: Option<f64>,
    pub(super) mae: Option<f64>,
    pub(super) ndcg: Option<f64>,
    pub(super) precision: Option<f64>,
    pub(super) recall: Option<f64>,
    pub(super) mrr: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) map: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) coverage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) novelty: Option<f64>,
    /// Recall of lists of other lengths.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) recall_at: BTreeMap<usize, Option<f64>>,
    /// Events looked for, or lists made.
    pub(super) lists: u64,
    /// How the first configuration compares with this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_leads: Option<Lead>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    windows: Vec<WindowFigures>,
}

/// How far the first configuration is ahead of another, over the same events or users.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Lead {
    /// Mean difference of the NDCG, and the middle 95 % of the means of 1,000 resamples (paired bootstrap).
    pub(super) ndcg: f64,
    low: f64,
    high: f64,
    pub(super) p: f64,
    /// The signed statistic of `McNemar`'s test on items found in lists of k; beyond ±1.96 significant at 5 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    mcnemar: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct WindowFigures {
    events: usize,
    until_ms: i64,
    rmse: Option<f64>,
    mae: Option<f64>,
    ndcg: Option<f64>,
    recall: Option<f64>,
    mrr: Option<f64>,
}

/// An outcome from which figures can be made.
pub(super) trait Measured {
    fn figures(&self, k: u16) -> Figures;

    /// How far this one is ahead of the other; none if one of them makes no lists.
    fn lead(&self, other: &Self, k: u16) -> Option<Lead>;
}

impl<T: Measured> Comparison<T> {
    pub(super) fn new(k: u16, relevant: Which, known: Known, outcomes: Vec<(String, T)>) -> Self {
        let figures = |outcome: &T| {
            let mut figures = outcome.figures(k);
            let first = outcomes.first().map(|(_, first)| first).filter(|first| !std::ptr::eq(*first, outcome));
            figures.first_leads = first.and_then(|first| first.lead(outcome, k));
            figures
        };
        Self {
            k,
            relevant: if relevant == Which::All { "all" } else { "positives" },
            known: if known == Known::Out { "out" } else { "in" },
            order: outcomes.iter().map(|(name, _)| name.clone()).collect(),
            configurations: outcomes.iter().map(|(name, outcome)| (name.clone(), figures(outcome))).collect(),
            outcomes,
        }
    }
}

impl Measured for progressive::Outcome {
    fn figures(&self, k: u16) -> Figures {
        let window = |window: &progressive::Window| WindowFigures {
            events: window.events,
            until_ms: window.until_ms,
            rmse: known(window.errors.rmse()),
            mae: known(window.errors.mae()),
            ndcg: known(window.ranks.ndcg()),
            recall: known(window.ranks.recall()),
            mrr: known(window.ranks.mrr()),
        };
        Figures {
            ndcg: known(self.ranks.ndcg()),
            // One item is to be found by each list.
            precision: known(self.ranks.recall() / f64::from(k)),
            recall: known(self.ranks.recall()),
            mrr: known(self.ranks.mrr()),
            recall_at: recalls(&self.ranks),
            lists: self.ranks.count(),
            windows: self.windows.iter().map(window).collect(),
            ..errors(&self.errors)
        }
    }

    fn lead(&self, other: &Self, k: u16) -> Option<Lead> {
        let gain = |rank: &Option<usize>| {
            rank.filter(|rank| *rank <= usize::from(k)).map_or(0.0, weir_learn::evaluate::discount)
        };
        let pairs = || self.each.iter().zip(&other.each);
        let only = |one: &Option<usize>, two: &Option<usize>| gain(one) > 0.0 && gain(two) == 0.0;
        let first = pairs().filter(|(own, others)| only(own, others)).count();
        let second = pairs().filter(|(own, others)| only(others, own)).count();
        let differences: Vec<f64> = pairs().map(|(own, others)| gain(own) - gain(others)).collect();
        lead(&differences, Some(signed_mcnemar(first as u64, second as u64)))
    }
}

impl Measured for split::Outcome {
    fn figures(&self, _k: u16) -> Figures {
        Figures {
            ndcg: known(self.mean(|list| list.ndcg)),
            precision: known(self.mean(|list| list.precision)),
            recall: known(self.mean(|list| list.recall)),
            mrr: known(self.mean(|list| list.reciprocal_rank)),
            map: known(self.mean(|list| list.average_precision)),
            coverage: known(self.coverage).filter(|_| !self.each.is_empty()),
            novelty: known(self.novelty).filter(|_| !self.each.is_empty()),
            lists: self.each.len() as u64,
            ..errors(&self.errors)
        }
    }

    fn lead(&self, other: &Self, _k: u16) -> Option<Lead> {
        let pairs = self.each.iter().zip(&other.each);
        lead(&pairs.map(|(own, others)| own.ndcg - others.ndcg).collect::<Vec<_>>(), None)
    }
}

fn lead(differences: &[f64], mcnemar: Option<f64>) -> Option<Lead> {
    let found = paired_bootstrap(differences, RESAMPLES, 1)?;
    Some(Lead { ndcg: found.mean, low: found.low, high: found.high, p: found.p, mcnemar })
}

fn errors(errors: &Errors) -> Figures {
    Figures { rmse: known(errors.rmse()), mae: known(errors.mae()), ..Figures::default() }
}

fn recalls(ranks: &Ranks) -> BTreeMap<usize, Option<f64>> {
    if ranks.count() == 0 { BTreeMap::new() } else { ranks.recalls().map(|(k, recall)| (k, known(recall))).collect() }
}
