//! That something of the input was refused: an outcome of its own, told apart by the exit code.

/// How much was refused, and of what.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{count} {what}")]
pub(crate) struct Refused {
    count: u64,
    what: &'static str,
}

impl Refused {
    /// The exit code: everything was done, and not all of it was right.
    pub(crate) const EXIT_CODE: u8 = 3;

    /// An error unless there is nothing of it.
    pub(crate) fn check(count: u64, what: &'static str) -> anyhow::Result<()> {
        if count == 0 { Ok(()) } else { Err(Self { count, what }.into()) }
    }
}
