//! The figures of all learners, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde::Serialize;
use weir_learn::evaluate::classes;
use weir_learn::passive_aggressive::Label;

use super::Run;
use super::attacks::{Disguise, Effect, Effects};
use super::data::Data;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    messages: usize,
    spam: usize,
    refused: u64,
    passed_over: u64,
    first_refusal: Option<String>,
    /// By name.
    learners: BTreeMap<&'static str, Figures>,
    /// By name and disguise, where it was asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attacks: BTreeMap<&'static str, Effects>,
    #[serde(skip)]
    order: Vec<&'static str>,
}

/// Percentages, but for the last two.
#[derive(Clone, Copy, Debug, Serialize)]
struct Figures {
    accuracy: f64,
    precision: f64,
    recall: f64,
    f1: f64,
    ham_blocked: f64,
    spam_missed: f64,
    one_minus_roca: f64,
    calibration_error: f64,
    log_loss: f64,
    messages_per_second: f64,
}

impl Figures {
    fn of(run: &Run) -> Self {
        let report = classes::report(&run.outcomes);
        Self {
            accuracy: report.accuracy,
            precision: report.precision,
            recall: report.recall,
            f1: report.f1,
            ham_blocked: report.false_positives,
            spam_missed: report.false_negatives,
            one_minus_roca: report.one_minus_roca,
            calibration_error: report.calibration_error,
            log_loss: report.log_loss,
            messages_per_second: run.outcomes.len() as f64 / run.seconds,
        }
    }
}

impl Report {
    pub(super) fn new(data: &Data, runs: &[Run]) -> Self {
        Self {
            messages: data.messages.len(),
            spam: data.messages.iter().filter(|message| message.truth == Label::Positive).count(),
            refused: data.refused,
            passed_over: data.passed_over,
            first_refusal: data.first_refusal.clone(),
            learners: runs.iter().map(|run| (run.name, Figures::of(run))).collect(),
            attacks: runs.iter().filter_map(|run| Some((run.name, run.effects.clone()?))).collect(),
            order: runs.iter().map(|run| run.name).collect(),
        }
    }

    /// As text; `own` is the learner that workers use.
    pub(super) fn text(&self, own: &str) -> String {
        let mut text = String::new();
        let Self { messages, spam, refused, passed_over, .. } = self;
        let _ = writeln!(
            text,
            "{messages} messages, {spam} of them spam, each scored before its label came; {refused} lines refused, \
             {passed_over} passed over"
        );
        if let Some(first) = &self.first_refusal {
            let _ = writeln!(text, "first refused: {first}");
        }
        let mut table = Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY).set_header([
            "learner",
            "accuracy %",
            "precision %",
            "recall %",
            "F1 %",
            "ham blocked %",
            "spam missed %",
            "1-ROCA %",
            "log loss",
            "calibration error %",
            "messages/s",
        ]);
        for (name, figures) in self.order.iter().filter_map(|name| Some((name, self.learners.get(name)?))) {
            table.add_row(row(name, figures, *name == own));
        }
        let _ = writeln!(text, "{table}\n* the one that workers use");
        for name in &self.order {
            if let Some(effects) = self.attacks.get(name) {
                let _ = writeln!(
                    text,
                    "\n{name}: the last fifth in disguise, all before it learned\n{}",
                    disguises(effects)
                );
            }
        }
        text
    }
}

fn disguises(effects: &Effects) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(["disguise", "spam missed %", "ham blocked %"]);
    for disguise in Disguise::ALL {
        if let Some(Effect { spam_missed, ham_blocked }) = effects.get(disguise.name()) {
            table.add_row([disguise.name().to_owned(), format!("{spam_missed:.2}"), format!("{ham_blocked:.2}")]);
        }
    }
    table
}

fn row(name: &str, figures: &Figures, is_own: bool) -> Vec<String> {
    let percent = |value: f64| format!("{value:.2}");
    let Figures { accuracy, precision, recall, f1, ham_blocked, spam_missed, .. } = *figures;
    let mut row = vec![format!("{name}{}", if is_own { " *" } else { "" })];
    row.extend([accuracy, precision, recall, f1, ham_blocked, spam_missed].map(percent));
    row.push(format!("{:.3}", figures.one_minus_roca));
    row.push(format!("{:.4}", figures.log_loss));
    row.push(percent(figures.calibration_error));
    row.push(format!("{:.0}", figures.messages_per_second));
    row
}

#[cfg(test)]
mod tests {
    use weir_learn::evaluate::classes::Outcome;

    use super::super::data::Message;
    use super::*;

    #[test]
    fn the_table_and_the_json_have_every_learner() {
        let outcome = |margin: f32, truth| Outcome { margin, probability: 0.5 + margin / 4.0, truth };
        let outcomes =
            vec![outcome(1.0, Label::Positive), outcome(-1.0, Label::Negative), outcome(-1.0, Label::Positive)];
        let message = |outcome: &Outcome| Message { text: Vec::new(), content_type: None, truth: outcome.truth };
        let messages = outcomes.iter().map(message).collect();
        let data = Data { messages, ..Data::default() };
        let report = Report::new(&data, &[Run { name: "arow", outcomes, seconds: 0.5, effects: None }]);
        let text = report.text("arow");
        assert!(text.contains("3 messages, 2 of them spam") && text.contains("arow *"), "{text}");
        let json = serde_json::to_value(&report).expect("JSON");
        let figures = &json["learners"]["arow"];
        assert_eq!((&figures["spam_missed"], &figures["ham_blocked"]), (&50.0.into(), &0.0.into()));
        assert_eq!(figures["messages_per_second"], 6.0);
        for name in ["accuracy", "f1", "one_minus_roca", "log_loss", "calibration_error"] {
            assert!(figures[name].is_number(), "{name}");
        }
    }
}
