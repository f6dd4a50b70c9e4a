//! Where in a source partition something stands.

/// A place in one source partition: `(pass, sequence)`, ordered.
///
/// Online the pass is 0 and the sequence is the offset *next to read*; in an offline pass, which may shuffle, it is
/// the step of a seeded schedule. It always names the next event, never the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Which reading of the source this is; 0 is the online one.
    pub pass: u32,
    /// The next event of that reading.
    pub sequence: u64,
}

impl Position {
    /// The online position whose next event has this offset.
    #[must_use]
    pub const fn online(offset: u64) -> Self {
        Self { pass: 0, sequence: offset }
    }
}

/// The events of one source partition that something covers: from `first` up to, but not including, `next`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRange {
    /// The source partition.
    pub source: u32,
    /// The first event covered.
    pub first: Position,
    /// The first event that is not covered any more.
    pub next: Position,
}
