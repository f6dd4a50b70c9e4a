//! Progressive quality: each answer is given before its event is learned, and compared with a baseline's.

use std::collections::VecDeque;

/// Answers that the figures are of: the last ones, so that they follow the drift.
const WINDOW: usize = 5_000;

/// Losses of the model and of a baseline on the same events.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    last: VecDeque<(f64, f64)>,
    sums: (f64, f64),
}

/// Mean losses of the last answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) answers: usize,
    pub(super) model: f64,
    pub(super) baseline: f64,
}

impl Losses {
    /// An event came that both had answered for.
    pub(super) fn add(&mut self, model: f64, baseline: f64) {
        self.last.push_back((model, baseline));
        self.sums = (self.sums.0 + model, self.sums.1 + baseline);
        if self.last.len() > WINDOW
            && let Some(oldest) = self.last.pop_front()
        {
            self.sums = (self.sums.0 - oldest.0, self.sums.1 - oldest.1);
        }
    }

    /// The figures of the last answers.
    pub(super) fn figures(&self) -> Figures {
        let mean = |sum: f64| sum.max(0.0) / self.last.len().max(1) as f64;
        Figures { answers: self.last.len(), model: mean(self.sums.0), baseline: mean(self.sums.1) }
    }
}

/// What all values were on average: the baseline of ratings, and of labels as 0 and 1.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RunningMean {
    sum: f64,
    count: f64,
}

impl RunningMean {
    pub(super) fn learn(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    /// The mean, or `before` while there was no value.
    pub(super) fn or(&self, before: f64) -> f64 {
        if self.count == 0.0 { before } else { self.sum / self.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_means() {
        let mut losses = Losses::default();
        assert_eq!(losses.figures(), Figures::default());
        losses.add(0.0, 4.0);
        losses.add(1.0, 5.0);
        assert_eq!(losses.figures(), Figures { answers: 2, model: 0.5, baseline: 4.5 });
    }

    #[test]
    fn old_losses_are_forgotten() {
        let mut losses = Losses::default();
        losses.add(100.0, 100.0);
        for _ in 0..WINDOW {
            losses.add(1.0, 0.0);
        }
        assert_eq!(losses.figures(), Figures { answers: WINDOW, model: 1.0, baseline: 0.0 });
    }

    #[test]
    fn a_mean_runs() {
        let mut mean = RunningMean::default();
        assert_eq!(mean.or(3.0), 3.0);
        mean.learn(1.0);
        mean.learn(4.0);
        assert_eq!(mean.or(3.0), 2.5);
    }
}
