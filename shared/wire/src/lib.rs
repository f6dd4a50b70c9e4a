//! What weir reads and writes: topic names, JSON events and binary frames.
//!
//! One place says what stands in a Kafka record, so that roles, tools and tests cannot disagree about it. Bytes come
//! in, checked values that borrow from them come out, and the other way round. Everything here faces untrusted bytes:
//! no input makes it panic, and what is refused says which field, why, and what to do.
//!
//! Deliberately not in it: Kafka itself, what an event *means* to a model, hash partitioning, size limits and the
//! splitting into parts (the worker's; [`frame::size`] only says how large a frame becomes).

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod catalogue;
pub mod control;
mod event;
pub mod frame;
mod generation;
pub mod mapping;
pub mod message;
mod output;
pub mod policy;
pub mod predicted;
pub mod rating;
pub mod rejected;
pub mod schema;
pub mod scored;
pub mod snapshot;
pub mod topic;
pub mod verdict;

pub use event::{Id, Reason, Record, Reject};
pub use frame::{Frame, FrameError};
pub use generation::{Generation, NoGeneration};
pub use mapping::MappingError;

/// Longest id in bytes of UTF-8, for users, items, events and the names in frames.
pub const MAX_ID_BYTES: usize = 256;

/// Internal key of the id `id`: the 64-bit xxh3 of its UTF-8 bytes under the model's hash seed.
///
/// 0 marks an empty slot in row tables, so the one id in 2^64 that hashes to it shares the key 1. Stable for ever:
/// keys are in changelogs and stores.
#[must_use]
pub fn key(seed: u64, id: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(id.as_bytes(), seed).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_stable() {
        // Computed with the reference implementation of xxh3 (64 bits).
        let cases = [
            (0, "", 0x2d06_8005_38d3_94c2),
            (0, "u1", 0x9dc0_2546_854d_5df1),
            (42, "u1", 0x9e8a_58a4_5681_92e5),
            (42, "Zoë", 0x7e3e_61c8_5426_1595),
            (u64::MAX, "0114508", 0x23c2_5fcb_cc33_e456),
        ];
        for (seed, id, expected) in cases {
            assert_eq!(key(seed, id), expected, "{id:?} under seed {seed}");
        }
    }
}
