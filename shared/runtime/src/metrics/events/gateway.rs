//! What happens in a gateway.

use std::time::Duration;

use prometheus::IntGauge;

use crate::metrics::GatewayMetrics;

impl GatewayMetrics {
    /// A gateway begins to serve; what has not happened yet is shown as 0.
    pub fn begins(&self) {
        for outcome in ["acknowledged", "failed"] {
            self.events_produced.with_label_values(&[outcome]);
        }
        for outcome in ["covered", "timed_out"] {
            self.at_least.with_label_values(&[outcome]);
        }
    }

    /// The catalogue begins to be read; none of its records has been refused for these reasons yet.
    pub fn catalogue_begins<'a>(&self, reasons: impl IntoIterator<Item = &'a str>) {
        for reason in reasons {
            self.catalogue_refused.with_label_values(&[reason]);
        }
        self.catalogue(0, 0);
    }

    /// So many items have a record, so many of them are hidden.
    pub fn catalogue(&self, items: usize, hidden: usize) {
        let count = |visibility, items: usize| self.catalogue_items.with_label_values(&[visibility]).set(items as i64);
        count("open", items.saturating_sub(hidden));
        count("hidden", hidden);
    }

    /// A record of the catalogue was refused, for one of the reasons' fixed names.
    pub fn item_refused(&self, reason: &str) {
        self.catalogue_refused.with_label_values(&[reason]).inc();
    }

    /// A request came; it is under way until the guard is dropped, also where its client goes away.
    #[must_use]
    pub fn request_begins(&self) -> InFlight {
        let gauge = self.requests_in_flight.with_label_values(&[] as &[&str]);
        gauge.inc();
        InFlight(gauge)
    }

    /// A request was answered. `route` is the route's template, never the path, which would hold users.
    pub fn request(&self, route: &str, method: &str, status: u16, duration: Duration) {
        self.requests.with_label_values(&[route, method, &status.to_string()]).inc();
        self.request_seconds.with_label_values(&[route, method]).observe(duration.as_secs_f64());
    }

    /// An event taken over REST was acknowledged by the broker.
    pub fn event_produced(&self) {
        self.events_produced.with_label_values(&["acknowledged"]).inc();
    }

    /// An event taken over REST could not be produced.
    pub fn event_failed(&self) {
        self.events_produced.with_label_values(&["failed"]).inc();
    }

    /// A request with `at_least` was covered in its time, or was not.
    pub fn at_least(&self, covered: bool) {
        self.at_least.with_label_values(&[if covered { "covered" } else { "timed_out" }]).inc();
    }

    /// `records` changelog records were taken into memory, which has `rows` rows of the model now.
    pub fn materialised(&self, model: &str, records: u64, rows: usize) {
        self.changelog_records.with_label_values(&[model]).inc_by(records);
        self.rows.with_label_values(&[model]).set(rows as i64);
    }

    /// Answers come from a changelog that was begun to be read `duration` ago.
    pub fn loaded(&self, model: &str, duration: Duration) {
        self.load_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
    }

    /// Answers contain an event `duration` after it was written.
    pub fn fresh(&self, model: &str, duration: Duration) {
        self.freshness.with_label_values(&[model]).observe(duration.as_secs_f64());
    }

    /// The oldest sampled event that answers do not contain yet is this old.
    pub fn behind(&self, model: &str, age: Duration) {
        self.freshness_lag.with_label_values(&[model]).set(age.as_secs_f64());
    }

    /// Answers cover `partition` of the input up to the offset `next`.
    pub fn covered(&self, model: &str, partition: u32, next: u64) {
        self.covered_offset.with_label_values(&[model, &partition.to_string()]).set(next as i64);
    }
}

/// A request under way.
#[derive(Debug)]
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
