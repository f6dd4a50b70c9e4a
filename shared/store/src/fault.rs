//! The border to sled: its errors and panics, sorted by what they mean for us.

use std::{
    any::Any,
    io::{self, ErrorKind},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What a call to sled came to when it did not succeed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// sled's own files are not what it expects: they are of no further use.
    Damage(String),
    /// Another handle on the same files is still open.
    Locked,
    /// The file system refused; the files may well be sound.
    Io(io::Error),
}

/// Calls sled and catches what it throws.
///
/// sled 0.34 panics on some kinds of damage instead of returning an error. Its locks are released while unwinding and
/// its handles are only dropped after a fault, never used again, so nothing half-changed is seen.
pub(crate) fn call<T>(body: impl FnOnce() -> sled::Result<T>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result.map_err(Fault::from),
        Err(panic) => Err(Fault::Damage(format!("sled panicked: {}", panic_text(panic.as_ref())))),
    }
}

impl From<sled::Error> for Fault {
    fn from(error: sled::Error) -> Self {
        match error {
            // sled reports its file lock as an error of kind Other; there is nothing but the text to tell it by.
            sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => Self::Locked,
            sled::Error::Io(error) if is_damage(error.kind()) => Self::Damage(error.to_string()),
            sled::Error::Io(error) => Self::Io(error),
            other => Self::Damage(other.to_string()),
        }
    }
}

/// Reads past the end of a truncated file or of nonsense offsets, as opposed to refusals of the file system.
fn is_damage(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::NotFound)
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}
