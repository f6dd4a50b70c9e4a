//! The report for people: a table by protocol, and pictures of quality over time.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use weir_learn::evaluate::progressive;

use super::outcome::{Comparison, Figures, Report};
use crate::evaluate::figures::figure;
use crate::evaluate::plot::{self, Labels, Line};

/// The whole report as text.
pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    let Report { events, users, items, refused, passed_over, .. } = report;
    let _ = writeln!(
        text,
        "{events} events of {users} users and {items} items; {refused} lines refused, {passed_over} passed over"
    );
    if let Some(first) = &report.first_refusal {
        let _ = writeln!(text, "first refused: {first}");
    }
    if let Some(comparison) = &report.progressive {
        let _ = writeln!(
            text,
            "\nprogressive, in time order, {} to be found, items that the user has had {}\n{}",
            comparison.relevant,
            if comparison.known == "out" { "left out" } else { "kept in" },
            table(comparison, true)
        );
    }
    if let Some(comparison) = &report.split {
        let _ = writeln!(
            text,
            "\nsplit, {} relevant, items that the user has had left out\n{}",
            comparison.relevant,
            table(comparison, false)
        );
    }
    text
}

fn table<T>(comparison: &Comparison<T>, progressive: bool) -> Table {
    let k = comparison.k;
    let mut heading = vec!["configuration".to_owned(), "RMSE".into(), "MAE".into()];
    heading.extend(["NDCG", "precision", "recall"].map(|name| format!("{name}@{k}")));
    heading.push("MRR".into());
    let more: &[&str] = if progressive { &["recall@20", "recall@100"] } else { &["MAP", "coverage", "novelty"] };
    heading.extend(more.iter().map(|name| (*name).to_owned()));
    heading.push("p of NDCG".into());
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(heading);
    for (name, figures) in comparison.order.iter().filter_map(|name| Some((name, comparison.configurations.get(name)?)))
    {
        table.add_row(row(name, figures, progressive));
    }
    table
}

fn row(name: &str, figures: &Figures, progressive: bool) -> Vec<String> {
    let number = |value: Option<f64>| figure(value.unwrap_or(f64::NAN));
    let at = |k: usize| figures.recall_at.get(&k).copied().flatten();
    let mut values = vec![figures.rmse, figures.mae, figures.ndcg, figures.precision, figures.recall, figures.mrr];
    if progressive {
        values.extend([at(20), at(100)]);
    } else {
        values.extend([figures.map, figures.coverage, figures.novelty]);
    }
    let lead = figures.first_leads.map_or_else(String::new, |lead| format!("{:.3}", lead.p));
    std::iter::once(name.to_owned()).chain(values.into_iter().map(number)).chain([lead]).collect()
}

/// Draws RMSE and recall over the events, a line for each configuration.
pub(super) fn draw(dir: &Path, comparison: &Comparison<progressive::Outcome>) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    let lines = |value: fn(&progressive::Window) -> f64| -> Vec<Line> {
        let line = |(name, outcome): &(String, progressive::Outcome)| {
            let ends = outcome.windows.iter().scan(0, |events, window| {
                *events += window.events;
                Some((*events as f64, value(window)))
            });
            Line { name: name.clone(), points: ends.filter(|point| point.1.is_finite()).collect() }
        };
        comparison.outcomes.iter().map(line).collect()
    };
    let recall = format!("recall@{}", comparison.k);
    let labels = |title, y| Labels { title, x: "events", y };
    plot::draw(
        &dir.join("rmse.svg"),
        labels("Predicted ratings, before each was learned", "RMSE"),
        &lines(|window| window.errors.rmse()),
    )?;
    plot::draw(
        &dir.join("recall.svg"),
        labels("Next items found, before each was learned", &recall),
        &lines(|window| window.ranks.recall()),
    )
}
