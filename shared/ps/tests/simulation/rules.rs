//! The rules that exactly once rests on. Each can be left out of the simulated world, never out of the product: then
//! the simulation must find out.

/// A rule of Kafka, or of how the drivers treat the state machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The broker refuses a producer that has a successor.
    ProducerFencing,
    /// The broker refuses the offsets of workers that are not members of this generation.
    WorkerFencing,
    /// The broker refuses the offsets of servers that are not members of this generation.
    ServerFencing,
    /// A shard refuses pushes that leave a gap or overlap.
    GapCheck,
    /// A store is a copy of the rows at a committed barrier.
    StoreAtBarrier,
    /// The first pulls after a take-over ask for at least the position that was taken over.
    AtLeast,
    /// Whoever looks up committed offsets waits for pending ones.
    StableOffsets,
    /// A producer's first transaction at every start is aborted.
    AbortFirst,
    /// A worker that cannot take over looks again at what is committed before it gives up for good.
    LookAgain,
    /// A server looks up where its push log begins before it reads the changelog.
    BeginningFirst,
}

impl Rule {
    pub(crate) const ALL: [Self; 10] = [
        Self::ProducerFencing,
        Self::WorkerFencing,
        Self::ServerFencing,
        Self::GapCheck,
        Self::StoreAtBarrier,
        Self::AtLeast,
        Self::StableOffsets,
        Self::AbortFirst,
        Self::LookAgain,
        Self::BeginningFirst,
    ];

    /// The rule of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| format!("{rule:?}") == name)
    }
}

/// The rules that hold in a run: all but some.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) without: &'static [Rule],
}

impl Rules {
    pub(crate) fn hold(self, rule: Rule) -> bool {
        !self.without.contains(&rule)
    }
}
