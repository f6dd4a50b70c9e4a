//! Pulls that wait for a position.

use std::collections::VecDeque;

use crate::Pull;

/// Bounded in number and in time; a pull asked again while it waits is kept once.
pub(super) struct Held {
    pulls: VecDeque<(u64, Pull)>,
    max: usize,
    max_ms: u64,
}

impl Held {
    pub(super) fn new(max: usize, max_ms: u64) -> Self {
        Self { pulls: VecDeque::new(), max, max_ms }
    }

    pub(super) fn hold(&mut self, pull: Pull, now_ms: u64) -> bool {
        if let Some(known) = self.pulls.iter_mut().find(|(_, known)| known.request == pull.request) {
            known.0 = now_ms;
            return true;
        }
        let fits = self.pulls.len() < self.max;
        if fits {
            self.pulls.push_back((now_ms, pull));
        }
        fits
    }

    pub(super) fn release(&mut self, now_ms: u64, is_ready: impl Fn(&Pull) -> bool) -> Vec<Pull> {
        let mut ready = Vec::new();
        if self.pulls.is_empty() {
            return ready;
        }
        let max_ms = self.max_ms;
        for (since, pull) in std::mem::take(&mut self.pulls) {
            if is_ready(&pull) {
                ready.push(pull);
            } else if now_ms.saturating_sub(since) < max_ms {
                self.pulls.push_back((since, pull));
            }
        }
        ready
    }
}
