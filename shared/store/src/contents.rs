//! Which blocks make up a barrier.

use std::collections::HashMap;

use crate::meta::Record;

/// The checksums of the blocks that are stored.
///
/// They are summed up in the meta data, so that a barrier's rows are recognised as whole: sled's batches are atomic, but a
/// damaged log may lose some writes and keep later ones, and such a mix must not pass for a barrier.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Whether there is a barrier at all: otherwise nobody can see blocks before the meta data is written.
    pub(crate) stored: bool,
    checksums: HashMap<(u8, u32), u64>,
    digest: u64,
}

impl Contents {
    pub(crate) fn of_stored() -> Self {
        Self { stored: true, ..Self::default() }
    }

    /// Notes a block under its number; `None` removes it.
    pub(crate) fn replace(&mut self, table: u8, block: u32, checksum: Option<u64>) {
        let old = match checksum {
            Some(new) => self.checksums.insert((table, block), new),
            None => self.checksums.remove(&(table, block)),
        };
        self.digest = self.digest.wrapping_sub(old.unwrap_or(0)).wrapping_add(checksum.unwrap_or(0));
    }

    pub(crate) fn blocks(&self) -> u64 {
        self.checksums.len() as u64
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    pub(crate) fn matches(&self, record: &Record) -> bool {
        self.blocks() == record.blocks && self.digest == record.digest
    }
}
