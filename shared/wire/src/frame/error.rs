//! What is wrong with a frame.

use super::VERSION;

/// Why bytes are not a frame, or why values cannot become one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Something else was written to this topic.
    #[error("not a weir frame: it does not begin with the magic bytes")]
    Magic,
    /// Shorter than a header.
    #[error("frame of {0} bytes is shorter than its header")]
    Truncated(usize),
    /// Written by a newer weir.
    #[error("frame version {0} is not known: this weir reads versions 1 to {VERSION}, upgrade it")]
    Version(u16),
    /// A kind that this version does not have.
    #[error("frame kind {0} is not known")]
    Kind(u8),
    /// The bytes are not those that were written.
    #[error("frame checksum does not match its bytes: it was damaged or cut")]
    Checksum,
    /// A frame of another model or generation, whose number this is.
    #[error("frame of another model or generation, number {0:#010x}")]
    Model(u32),
    /// The checksum is right and the structure is not: a writer's mistake. Names the part.
    #[error("malformed frame: {0}")]
    Malformed(&'static str),
    /// The layout of a barrier is not the JSON expected.
    #[error("unreadable layout in a barrier: {0}")]
    Layout(String),
    /// Keys, words and flags given to an encoder do not fit together, or a count does not fit its field.
    #[error("cannot encode frame: {0}")]
    Encode(&'static str),
}

impl FrameError {
    /// The error's class, as the label of a metric on skipped frames.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Magic => "magic",
            Self::Truncated(_) => "truncated",
            Self::Version(_) => "version",
            Self::Kind(_) => "kind",
            Self::Checksum => "checksum",
            Self::Model(_) => "model",
            Self::Malformed(_) => "malformed",
            Self::Layout(_) => "layout",
            Self::Encode(_) => "encode",
        }
    }
}
