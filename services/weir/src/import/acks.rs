//! How far an import has got: the lines up to which everything is acknowledged, whatever order acknowledgements come in.

use std::collections::VecDeque;

/// Lines under way, and those below all of them. Pure.
#[derive(Debug)]
pub(super) struct Acks {
    /// Every line up to this one is done.
    done: u64,
    /// Lines that were sent and lie above it, in their order, and whether each is acknowledged.
    sent: VecDeque<(u64, bool)>,
    /// Number of the first of them, counted over all that were ever sent.
    first: u64,
    under_way: usize,
}

impl Acks {
    /// Every line up to `done` is done already.
    pub(super) fn behind(done: u64) -> Self {
        Self { done, sent: VecDeque::new(), first: 0, under_way: 0 }
    }

    /// A line goes on its way; its number for [`Acks::acknowledged`].
    pub(super) fn send(&mut self, line: u64) -> u64 {
        self.sent.push_back((line, false));
        self.under_way += 1;
        self.first + self.sent.len() as u64 - 1
    }

    /// A line that needs no acknowledgement: it was refused, or there is nothing in it.
    pub(super) fn pass(&mut self, line: u64) {
        if self.sent.is_empty() {
            self.done = line;
        } else {
            let number = self.send(line);
            self.acknowledged(number);
        }
    }

    /// The line of this number is safe.
    pub(super) fn acknowledged(&mut self, number: u64) {
        let place = number.checked_sub(self.first).and_then(|place| self.sent.get_mut(place as usize));
        if let Some((_, acknowledged @ false)) = place {
            *acknowledged = true;
            self.under_way -= 1;
        }
        while let Some(&(line, true)) = self.sent.front() {
            self.sent.pop_front();
            self.first += 1;
            self.done = line;
        }
    }

    /// Every line up to this one needs nothing more.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// Lines that were sent and are not acknowledged.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Lines that are remembered: those under way and what is between them.
    pub(super) fn remembered(&self) -> usize {
        self.sent.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_gap_holds_back_what_is_behind_it() {
        let mut acks = Acks::behind(10);
        let numbers = [11, 12, 14].map(|line| acks.send(line));
        acks.pass(15);
        assert_eq!((acks.done(), acks.under_way()), (10, 3));
        acks.acknowledged(numbers[1]);
        acks.acknowledged(numbers[2]);
        assert_eq!((acks.done(), acks.under_way()), (10, 1));
        acks.acknowledged(numbers[0]);
        assert_eq!((acks.done(), acks.under_way(), acks.remembered()), (15, 0, 0));
        acks.pass(16);
        assert_eq!(acks.done(), 16);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_unacknowledged_is_ever_done(
            lines in proptest::collection::vec(any::<bool>(), 1..40),
            order in proptest::collection::vec(any::<u64>(), 40),
        ) {
            let mut acks = Acks::behind(0);
            let mut waiting: Vec<(u64, u64)> = Vec::new();
            for (line, is_sent) in (1..).zip(&lines) {
                if *is_sent { waiting.push((line, acks.send(line))) } else { acks.pass(line) }
            }
            for choice in order {
                let first = waiting.iter().map(|(line, _)| *line).min();
                let expected = first.map_or(lines.len() as u64, |line| line - 1);
                prop_assert_eq!((acks.done(), acks.under_way()), (expected, waiting.len()));
                if waiting.is_empty() {
                    break;
                }
                let (_, number) = waiting.swap_remove(choice as usize % waiting.len());
                acks.acknowledged(number);
                acks.acknowledged(number);
            }
        }
    }
}
