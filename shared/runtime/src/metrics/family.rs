//! How a family of metrics is named and registered, and the list of all that were.

use prometheus::core::{Collector, Desc};
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    CounterVec, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, Result,
    exponential_buckets,
};

/// What kind of metric a family has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts in buckets.
    Histogram,
}

impl Kind {
    /// Its name in Prometheus's text format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One name with all its label values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The whole name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its labels, none with a user, an item or a message.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: String,
}

/// Upper bounds of a histogram's buckets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Buckets {
    /// Requests, pulls, transactions and freshness: 0.25 ms to 8 s, each twice the one before.
    Seconds,
    /// Restores: 10 ms to about 11 min.
    LongSeconds,
    /// Events and rows: 1 to about a million.
    Sizes,
}

impl Buckets {
    fn bounds(self) -> Result<Vec<f64>> {
        match self {
            Self::Seconds => exponential_buckets(0.000_25, 2.0, 16),
            Self::LongSeconds => exponential_buckets(0.01, 2.0, 17),
            Self::Sizes => exponential_buckets(1.0, 4.0, 11),
        }
    }
}

type Labels = &'static [&'static str];

/// Registers families and remembers them.
pub(super) struct Register<'a> {
    registry: &'a Registry,
    pub(super) families: Vec<Family>,
}

impl<'a> Register<'a> {
    pub(super) fn new(registry: &'a Registry) -> Self {
        Self { registry, families: Vec::new() }
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, labels: Labels) -> Result<IntCounterVec> {
        self.add(Kind::Counter, (name, help, labels), IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    /// A counter of what is no whole number.
    pub(super) fn sum(&mut self, name: &str, help: &str, labels: Labels) -> Result<CounterVec> {
        self.add(Kind::Counter, (name, help, labels), CounterVec::new(Opts::new(name, help), labels)?)
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, labels: Labels) -> Result<IntGaugeVec> {
        self.add(Kind::Gauge, (name, help, labels), IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    /// A gauge of what is no whole number.
    pub(super) fn level(&mut self, name: &str, help: &str, labels: Labels) -> Result<GaugeVec> {
        self.add(Kind::Gauge, (name, help, labels), GaugeVec::new(Opts::new(name, help), labels)?)
    }

    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        labels: Labels,
        buckets: Buckets,
    ) -> Result<HistogramVec> {
        let options = HistogramOpts::new(name, help).buckets(buckets.bounds()?);
        self.add(Kind::Histogram, (name, help, labels), HistogramVec::new(options, labels)?)
    }

    /// What the operating system says of the process.
    pub(super) fn process(&mut self) -> Result<()> {
        let collector = ProcessCollector::new(std::process::id() as i32, "weir");
        let of = |desc: &&Desc| {
            let kind = if desc.fq_name.ends_with("_total") { Kind::Counter } else { Kind::Gauge };
            Family { name: desc.fq_name.clone(), kind, labels: &[], help: desc.help.clone() }
        };
        self.families.extend(collector.desc().iter().map(of));
        self.registry.register(Box::new(collector))
    }

    fn add<C: Collector + Clone + 'static>(
        &mut self,
        kind: Kind,
        (name, help, labels): (&str, &str, Labels),
        collector: C,
    ) -> Result<C> {
        self.registry.register(Box::new(collector.clone()))?;
        self.families.push(Family { name: name.to_owned(), kind, labels, help: help.to_owned() });
        Ok(collector)
    }
}
