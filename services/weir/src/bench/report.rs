//! Medians and spread of the rounds, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use comfy_table::{Table, presets};
use serde::Serialize;

use super::pipeline::{LOGS, Measured};

/// One round: both measured one after the other, so that what else the machine does meets both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// Seconds of the bare consumer.
    pub(super) bare: f64,
    pub(super) pipeline: Measured,
}

impl Round {
    pub(super) fn line(&self, events: u64) -> String {
        let (bare, weir) = (events as f64 / self.bare, events as f64 / self.pipeline.seconds);
        format!("bare consumer {bare:.0}/s, weir {weir:.0}/s, ratio {:.3}", weir / bare)
    }
}

/// A figure over the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.as_slice() {
            [] => 0.0,
            _ if values.len() % 2 == 1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        let (least, most) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
        Self { median, least, most }
    }
}

/// The outcome of a benchmark.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    name: &'static str,
    events: u64,
    rounds: usize,
    events_per_second: f64,
    bare_events_per_second: f64,
    ratio: f64,
    cpu_seconds_per_million: f64,
    /// Keys and values written to all internal topics.
    bytes_per_event: f64,
    bytes_per_event_by_topic: BTreeMap<&'static str, f64>,
    rss_bytes: u64,
    spread: Vec<(&'static str, Spread)>,
}

impl Report {
    pub(super) fn new(name: &'static str, events: u64, rounds: &[Round]) -> Self {
        let count = events as f64;
        let weir = Spread::of(rounds.iter().map(|round| count / round.pipeline.seconds));
        let bare = Spread::of(rounds.iter().map(|round| count / round.bare));
        let ratio = Spread::of(rounds.iter().map(|round| round.bare / round.pipeline.seconds));
        let cpu = Spread::of(rounds.iter().map(|round| round.pipeline.cpu_seconds * 1e6 / count));
        let bytes = Spread::of(rounds.iter().map(|round| round.pipeline.bytes.iter().sum::<f64>() / count));
        let of_topic = |topic: usize| Spread::of(rounds.iter().map(|round| round.pipeline.bytes[topic] / count)).median;
        Self {
            name,
            events,
            rounds: rounds.len(),
            events_per_second: weir.median,
            bare_events_per_second: bare.median,
            ratio: ratio.median,
            cpu_seconds_per_million: cpu.median,
            bytes_per_event: bytes.median,
            bytes_per_event_by_topic: LOGS.into_iter().enumerate().map(|(topic, log)| (log, of_topic(topic))).collect(),
            rss_bytes: rounds.iter().map(|round| round.pipeline.rss_bytes).max().unwrap_or_default(),
            spread: vec![
                ("events/s", weir),
                ("bare consumer, events/s", bare),
                ("ratio", ratio),
                ("CPU seconds per million events", cpu),
                ("bytes per event on internal topics", bytes),
            ],
        }
    }

    pub(super) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header([self.name, "median", "least", "most"]);
        for (name, Spread { median, least, most }) in &self.spread {
            let digits = if *median < 100.0 { 3 } else { 0 };
            table.add_row([
                (*name).to_owned(),
                format!("{median:.digits$}"),
                format!("{least:.digits$}"),
                format!("{most:.digits$}"),
            ]);
        }
        writeln!(formatter, "{table}")?;
        let bytes: Vec<String> =
            self.bytes_per_event_by_topic.iter().map(|(log, bytes)| format!("{bytes:.0} {log}")).collect();
        writeln!(formatter, "bytes per event: {}", bytes.join(", "))?;
        write!(formatter, "{} events, {} rounds, peak memory {} MiB", self.events, self.rounds, self.rss_bytes >> 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(bare: f64, seconds: f64) -> Round {
        Round {
            bare,
            pipeline: Measured { seconds, cpu_seconds: 2.0, rss_bytes: 7, bytes: [3_000.0, 500.0, 500.0, 2_000.0] },
        }
    }

    #[test]
    fn the_report_gives_medians_of_rounds() {
        let report = Report::new("ratings", 1_000, &[round(1.0, 2.0), round(1.0, 4.0), round(2.0, 5.0)]);
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["events_per_second"], 250.0);
        assert_eq!(json["bare_events_per_second"], 1_000.0);
        assert_eq!(json["ratio"], 0.4);
        assert_eq!((json["cpu_seconds_per_million"].as_f64(), json["rss_bytes"].as_u64()), (Some(2_000.0), Some(7)));
        assert_eq!(json["bytes_per_event"], 6.0);
        assert_eq!(json["bytes_per_event_by_topic"]["parameters"], 2.0);
        assert!(report.to_string().contains("0.400"), "{report}");
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(Spread::of([4.0, 1.0].into_iter()), Spread { median: 2.5, least: 1.0, most: 4.0 });
    }
}
