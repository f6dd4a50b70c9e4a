//! How much of a message is looked at.

/// Bounds. What goes beyond one is left out and [said so](crate::Message::is_cut).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the message as it came. Of a longer one the first half of that and the last half are read.
    pub bytes: usize,
    /// MIME parts that are looked into.
    pub parts: usize,
    /// Times that a MIME boundary may be named, and so how deep multiparts may be nested. A mail with more is read without its parts: to
    /// search for each boundary to the end would cost the square of its length.
    pub boundaries: usize,
    /// Mails within mails that are looked into.
    pub nesting: usize,
    /// Links.
    pub links: usize,
    /// Facts of all kinds.
    pub facts: usize,
    /// Bytes of one fact.
    pub fact_bytes: usize,
    /// HTML elements that are open at a time.
    pub elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 512 * 1024,
            parts: 100,
            boundaries: 100,
            nesting: 4,
            links: 1_000,
            facts: 4_000,
            fact_bytes: 128,
            elements: 256,
        }
    }
}
