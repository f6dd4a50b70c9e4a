//! What all records of output topics share: JSON that is appended to a buffer, and read with errors of our own.

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use crate::event::{self, Reason, Reject};

/// Longest record that is read.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Appends a record as JSON; where that fails, `out` is as before.
pub(crate) fn append(out: &mut Vec<u8>, record: &impl Serialize) -> Result<(), Reject> {
    let length = out.len();
    serde_json::to_writer(&mut *out, record).map_err(|error| {
        out.truncate(length);
        Reject::whole(Reason::UndecodableJson, error.to_string())
    })
}

/// Reads a record; `what` it should be is named where it is something else.
pub(crate) fn read<'a, T: Deserialize<'a>>(payload: &'a [u8], what: &str) -> Result<T, Reject> {
    let text = event::text(payload, MAX_PAYLOAD_BYTES)?;
    serde_json::from_str(text).map_err(|error| match error.classify() {
        // Cut, because serde quotes whatever stands where a label should.
        Category::Data => Reject::whole(Reason::WrongType, format!("not a {what}: {:.200}", error.to_string())),
        Category::Io | Category::Syntax | Category::Eof => {
            Reject::whole(Reason::UndecodableJson, format!("not JSON: {error}"))
        }
    })
}
