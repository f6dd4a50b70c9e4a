//! Exit codes of the process beyond 0, 1 (an error that was printed) and 2 (a command line that was not understood).

/// A teardown or the whole shutdown did not end in its time. What is committed is safe; a restart recovers from it.
pub const TEARDOWN: u8 = 70;
/// A second SIGTERM or SIGINT.
pub const SECOND_SIGNAL: u8 = 130;
