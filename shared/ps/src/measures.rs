//! How good predictions were, summed up by measure.

/// Sums of a few measures under fixed names: what a learner predicted before it learned, against what came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures(Vec<Measure>);

/// One measure of some events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// What is measured, such as `squared_error`.
    pub name: &'static str,
    /// The sum over the events.
    pub sum: f64,
    /// How many events are in it.
    pub events: u64,
}

impl Measures {
    /// Adds what was measured of one event.
    #[inline]
    pub fn add(&mut self, name: &'static str, value: f64) {
        self.merge(Measure { name, sum: value, events: 1 });
    }

    /// Adds all of `others`, and leaves nothing there.
    pub fn append(&mut self, others: &mut Self) {
        others.0.drain(..).for_each(|measure| self.merge(measure));
    }

    /// What was measured.
    pub fn iter(&self) -> impl Iterator<Item = &Measure> {
        self.0.iter()
    }

    fn merge(&mut self, more: Measure) {
        // A handful at the most, so looking at each is the fastest.
        match self.0.iter_mut().find(|known| known.name == more.name) {
            Some(known) => {
                known.sum += more.sum;
                known.events += more.events;
            }
            None => self.0.push(more),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_kept_apart_by_name_and_move_whole() {
        let (mut first, mut second) = (Measures::default(), Measures::default());
        first.add("squared_error", 2.0);
        second.add("squared_error", 1.0);
        second.add("log_loss", 0.5);
        first.append(&mut second);
        first.add("log_loss", 0.25);
        let found: Vec<Measure> = first.iter().copied().collect();
        let measure = |name, sum| Measure { name, sum, events: 2 };
        assert_eq!(found, [measure("squared_error", 3.0), measure("log_loss", 0.75)]);
        assert_eq!(second, Measures::default());
    }
}
