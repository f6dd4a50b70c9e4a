//! Appends a frame to a vector and seals it with its checksum.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::raw::{Header, MAGIC, checksum};
use super::{FrameError, VERSION};

/// What the header says besides magic, version and checksum.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) model: u32,
    pub(crate) shard: u32,
}

/// Writes a header, lets `body` append the rest, seals it. On an error `out` is as it was before.
pub(crate) fn frame(
    out: &mut Vec<u8>,
    start: Start,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), FrameError>,
) -> Result<(), FrameError> {
    let begin = out.len();
    part(out, &header(start, 0));
    let done = body(out).and_then(|()| seal(out, begin, start));
    if done.is_err() {
        out.truncate(begin);
    }
    done
}

fn header(start: Start, checksum: u64) -> Header {
    Header {
        magic: MAGIC,
        version: VERSION.into(),
        kind: start.kind,
        flags: start.flags,
        checksum: checksum.into(),
        model: start.model.into(),
        shard: start.shard.into(),
    }
}

fn seal(out: &mut [u8], begin: usize, start: Start) -> Result<(), FrameError> {
    let lost = FrameError::Encode("the header is gone");
    let frame = out.get_mut(begin..).ok_or(lost.clone())?;
    let sum = checksum(frame).ok_or(lost.clone())?;
    replace(frame, 0, &header(start, sum))
}

/// Appends a fixed part.
pub(crate) fn part<T: IntoBytes + Immutable>(out: &mut Vec<u8>, part: &T) {
    out.extend_from_slice(part.as_bytes());
}

/// Writes a fixed part over the one of the same size at `at`, once its counts are known.
pub(crate) fn replace<T>(out: &mut [u8], at: usize, part: &T) -> Result<(), FrameError>
where
    T: FromBytes + IntoBytes + Immutable + KnownLayout,
{
    let place = out.get_mut(at..).ok_or(FrameError::Encode("a part is gone"))?;
    part.write_to_prefix(place).map_err(|_| FrameError::Encode("a part is gone"))
}

/// Appends words as little-endian bytes: one copy where that is the machine's own order.
pub(crate) fn words(out: &mut Vec<u8>, words: &[u32]) {
    if cfg!(target_endian = "little") {
        out.extend_from_slice(words.as_bytes());
    } else {
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
}

/// Appends keys as little-endian bytes: one copy where that is the machine's own order.
pub(crate) fn keys(out: &mut Vec<u8>, keys: &[u64]) {
    if cfg!(target_endian = "little") {
        out.extend_from_slice(keys.as_bytes());
    } else {
        for key in keys {
            out.extend_from_slice(&key.to_le_bytes());
        }
    }
}

/// A count as the 32 bits that frames have for it.
pub(crate) fn count(length: usize) -> Result<u32, FrameError> {
    u32::try_from(length).map_err(|_| FrameError::Encode("more than 2^32 entries"))
}
