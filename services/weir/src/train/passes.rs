//! The progress of passes over events.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar of passes, and how fast the fastest was.
pub(super) struct Passes {
    bar: ProgressBar,
    events: usize,
    began: Instant,
    shortest: Duration,
}

impl Passes {
    /// Of so many passes over so many events.
    pub(super) fn new(what: &'static str, passes: u64, events: usize) -> Self {
        let bar = ProgressBar::new(passes).with_message(what);
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} passes, {eta} left at most {prefix}")
        {
            bar.set_style(style);
        }
        Self { bar, events, began: Instant::now(), shortest: Duration::MAX }
    }

    /// A pass has ended as `said`.
    pub(super) fn epoch(&mut self, said: String) -> bool {
        self.bar.set_prefix(said);
        self.pass()
    }

    /// A pass has ended.
    pub(super) fn pass(&mut self) -> bool {
        self.shortest = self.shortest.min(self.began.elapsed());
        self.began = Instant::now();
        self.bar.inc(1);
        true
    }

    /// Events a second of the fastest pass.
    pub(super) fn end(self) -> f64 {
        self.bar.finish_and_clear();
        self.events as f64 / self.shortest.as_secs_f64()
    }
}
