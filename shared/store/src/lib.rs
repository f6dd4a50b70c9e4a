//! The local copy of shards in sled; the only crate that names sled.
//!
//! A store saves the time of reading a changelog from its beginning: it holds, per shard, the rows **as they were at one
//! committed barrier**, with that barrier's positions and the changelog offset to go on from. Rows are packed into
//! blocks; one [`Shard::write`] replaces the blocks that changed and the [`Meta`] all or nothing and returns once the
//! disk has them. What [`Shard::load`] gives back is exactly one whole barrier, or [`Error::Damaged`].
//!
//! Deliberately not here: the truth (that is the changelog; every store can be lost, and a damaged one is moved aside
//! rather than repaired), reads of single rows (rows are served from memory; sled stops all readers during a batch), what a
//! row or a layout means, when to write, and any clock.
//!
//! Calls block on the disk. sled can panic on damaged files; such panics are caught here and become
//! [`Error::Damaged`], which needs `panic = "unwind"`.

mod block;
mod contents;
mod error;
mod fault;
mod meta;
mod shard;
mod store;
mod write;

pub use block::{Block, BlockEncoder, EncodedBlock, MAX_BLOCK_BYTES, Row, Rows, Words, rows_that_fit};
pub use error::Error;
pub use meta::{Meta, Position};
pub use shard::{Shard, Written};
pub use store::{Opened, Store};
