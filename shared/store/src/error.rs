//! What can go wrong with a store, by what the caller has to do about it.

use std::{io, path::PathBuf};

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else has this directory open: another process, or a store of this one that was not dropped yet.
    #[error("the store {} is in use by another process; give each process a data directory of its own", .dir.display())]
    Locked {
        /// The directory that was to be opened.
        dir: PathBuf,
    },
    /// The directory cannot be created, read or written.
    #[error("the store {} cannot be used: {source}; check the path, its owner and the free space", .dir.display())]
    Unusable {
        /// The directory that was to be opened.
        dir: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// What is stored for this shard is not one whole barrier: clear it and rebuild it from the changelog. Rows that
    /// `load` gave before this error must be thrown away.
    #[error("the stored shard {shard} is damaged: {detail}")]
    Damaged {
        /// Name of the shard.
        shard: String,
        /// What was found.
        detail: String,
    },
    /// A newer weir wrote this. Either run that one, or clear the shard and rebuild it.
    #[error(
        "the stored shard {shard} has format {found}, this program reads up to {newest}; run the newer program or delete \
         the store, it is rebuilt from the changelog"
    )]
    Version {
        /// Name of the shard.
        shard: String,
        /// Format version found.
        found: u8,
        /// Newest format version that this program reads.
        newest: u8,
    },
    /// The disk refused (full, failing). The store must be dropped and opened again.
    #[error("the store could not {action} shard {shard}: {source}")]
    Io {
        /// What was being done: "read", "write" or "clear".
        action: &'static str,
        /// Name of the shard.
        shard: String,
        /// What the file system said.
        source: io::Error,
    },
    /// A block would be larger than [`crate::MAX_BLOCK_BYTES`]: put fewer rows into one.
    #[error("block {block} of table {table} would have {bytes} bytes, at most {} are allowed", crate::MAX_BLOCK_BYTES)]
    TooLarge {
        /// Table of the block.
        table: u8,
        /// Number of the block.
        block: u32,
        /// Its size with the row that was refused.
        bytes: usize,
    },
    /// A row with another number of words than its block was begun with.
    #[error("a row of {found} words does not fit into table {table}, whose rows have {width}")]
    Width {
        /// Table of the block.
        table: u8,
        /// Words a row of this block has.
        width: u16,
        /// Words of the row that was refused.
        found: usize,
    },
}
