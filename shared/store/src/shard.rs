//! One shard of a store: load it whole, write what changed, clear it.

use std::{
    borrow::Borrow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    Block, EncodedBlock, Error, Meta,
    block::{self, Refused},
    contents::Contents,
    fault::{self, Fault},
    meta::{self, Record},
    store::Files,
    write::Writer,
};

const META_KEY: &[u8] = b"M";
/// Keys removed at once while clearing, so that a batch stays small.
const CLEARED_AT_ONCE: usize = 1024;

/// Where blocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In force.
    Block = b'B' as isize,
    /// Written by a large write that is not committed, or committed and not yet moved into force.
    Pending = b'P' as isize,
}

impl Place {
    pub(crate) fn prefix(self) -> [u8; 1] {
        [self as u8]
    }

    /// Place, table, block number big-endian: sled's order is that of table and number.
    pub(crate) fn key(self, table: u8, block: u32) -> [u8; 6] {
        let [a, b, c, d] = block.to_be_bytes();
        [self as u8, table, a, b, c, d]
    }
}

/// The stored rows of one shard. Calls on one shard follow one another; several shards may be used by several threads.
#[derive(Debug)]
pub struct Shard {
    // Before `files`: the store closes when the last tree is gone, and its lock must be released after that.
    tree: sled::Tree,
    name: String,
    contents: Mutex<Option<Contents>>,
    files: Arc<Files>,
}

/// What one write cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the blocks and the meta data.
    pub bytes: u64,
    /// Bytes that the whole store takes on disk now, all its shards together.
    pub disk_bytes: u64,
    /// Until the disk had them.
    pub duration: Duration,
}

impl Shard {
    pub(crate) fn open(files: Arc<Files>, name: &str) -> Result<Self, Error> {
        let tree = fault::call(|| files.db.open_tree(name)).map_err(|fault| error(&files, "read", name, fault))?;
        Ok(Self { tree, name: name.to_owned(), contents: Mutex::new(None), files })
    }

    /// Gives every stored block to `each`, by table and number, and returns what they are a copy of; `None` and no
    /// block if nothing was written, or if it was cleared.
    ///
    /// # Errors
    /// [`Error::Damaged`] if this is not exactly what one `write` left behind: throw away the rows received so far,
    /// `clear`, rebuild. [`Error::Version`], [`Error::Io`].
    pub fn load(&self, each: &mut dyn FnMut(Block<'_>)) -> Result<Option<Meta>, Error> {
        let mut slot = self.contents();
        *slot = None;
        let (contents, meta) = self.scan(each)?;
        *slot = Some(contents);
        Ok(meta)
    }

    /// Replaces `meta` and the given blocks, removes those without rows, and returns when the disk has all of it.
    ///
    /// After a crash either all of it is there or nothing. `blocks` may be a slice, or an iterator that makes them as they
    /// are asked for: about 8 MiB of them are held at a time. A block given twice counts as the last.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`] (also if it was damaged before and not loaded). What is stored is then either
    /// the old barrier or the new one; drop the store and open it again.
    pub fn write<B: Borrow<EncodedBlock>>(
        &self,
        meta: &Meta,
        blocks: impl IntoIterator<Item = B>,
    ) -> Result<Written, Error> {
        let begun = Instant::now();
        let mut slot = self.contents();
        // Taken out until the write is known to have succeeded: after a failure the next call looks for itself.
        let contents = match slot.take() {
            Some(contents) => contents,
            None => self.scan(&mut |_| {})?.0,
        };
        let mut writer = Writer::new(self, contents);
        for block in blocks {
            writer.put(block)?;
        }
        let (contents, bytes) = writer.commit(meta)?;
        *slot = Some(contents);
        let disk_bytes = self.sled("write", |_| self.files.db.size_on_disk())?;
        Ok(Written { bytes, disk_bytes, duration: begun.elapsed() })
    }

    /// Forgets everything that is stored for this shard.
    ///
    /// # Errors
    /// [`Error::Damaged`] if sled cannot even do that; the next [`crate::Store::open`] then moves the store aside.
    /// [`Error::Io`].
    pub fn clear(&self) -> Result<(), Error> {
        let mut slot = self.contents();
        *slot = None;
        self.remove_all()?;
        *slot = Some(Contents::default());
        Ok(())
    }

    pub(crate) fn contents(&self) -> MutexGuard<'_, Option<Contents>> {
        // A panic of the caller's `each` leaves `None` behind, which is sound.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads and checks everything, and finishes or forgets a large write that was cut short. Blocks without meta
    /// data are left over from a `clear` or a first write that was cut short.
    fn scan(&self, each: &mut dyn FnMut(Block<'_>)) -> Result<(Contents, Option<Meta>), Error> {
        let stored = self.sled("read", |tree| tree.get(META_KEY))?;
        let Some(stored) = stored else {
            self.remove_all()?;
            return Ok((Contents::default(), None));
        };
        let mut record = Record::parse(&stored).map_err(|refused| self.refused(&refused, meta::VERSION))?;
        if record.pending {
            self.settle(&mut record)?;
        } else {
            self.remove(&Place::Pending.prefix())?;
        }
        let mut contents = Contents::of_stored();
        let mut blocks = self.tree.scan_prefix(Place::Block.prefix());
        while let Some((key, value)) = self.sled("read", |_| blocks.next().transpose())? {
            let block = self.parse(&value)?;
            if key != Place::Block.key(block.table, block.block) {
                return Err(self.damaged(format!("key {key:?} holds block {} of table {}", block.block, block.table)));
            }
            contents.replace(block.table, block.block, Some(block.checksum));
            each(block);
        }
        if !contents.matches(&record) {
            return Err(self.damaged("its blocks are not those of its barrier".to_owned()));
        }
        Ok((contents, Some(record.meta)))
    }

    /// Moves the blocks of a committed large write into force. It may be cut short anywhere and done again.
    pub(crate) fn settle(&self, record: &mut Record) -> Result<(), Error> {
        let mut pending = self.tree.scan_prefix(Place::Pending.prefix());
        let (mut batch, mut bytes) = (sled::Batch::default(), 0);
        while let Some((key, value)) = self.sled("read", |_| pending.next().transpose())? {
            let block = self.parse(&value)?;
            let target = Place::Block.key(block.table, block.block);
            if block.is_empty() {
                batch.remove(&target);
            } else {
                bytes += value.len();
                batch.insert(&target, value);
            }
            batch.remove(key);
            if bytes >= crate::write::BATCH_BYTES {
                self.apply(std::mem::take(&mut batch))?;
                bytes = 0;
            }
        }
        record.pending = false;
        self.put_record(&mut batch, record)?;
        self.apply(batch)
    }

    /// Removes the meta data first, so that a crash in between leaves nothing that looks like a barrier.
    fn remove_all(&self) -> Result<(), Error> {
        self.sled("clear", |tree| tree.remove(META_KEY))?;
        self.remove(&[])?;
        self.sync("clear")
    }

    fn remove(&self, prefix: &[u8]) -> Result<(), Error> {
        loop {
            let keys = self.sled("clear", |tree| {
                tree.scan_prefix(prefix).keys().take(CLEARED_AT_ONCE).collect::<sled::Result<Vec<_>>>()
            })?;
            if keys.is_empty() {
                return Ok(());
            }
            let mut batch = sled::Batch::default();
            for key in keys {
                batch.remove(key);
            }
            self.sled("clear", |tree| tree.apply_batch(batch))?;
        }
    }

    #[cfg(test)]
    pub(crate) fn pending_blocks(&self) -> usize {
        self.tree.scan_prefix(Place::Pending.prefix()).count()
    }

    pub(crate) fn put_record(&self, batch: &mut sled::Batch, record: &Record) -> Result<u64, Error> {
        let bytes = record.encode().map_err(|cause| self.fault("write", Fault::Io(cause.into())))?;
        let length = bytes.len() as u64;
        batch.insert(META_KEY, bytes);
        Ok(length)
    }

    pub(crate) fn apply(&self, batch: sled::Batch) -> Result<(), Error> {
        self.sled("write", |tree| tree.apply_batch(batch))
    }

    pub(crate) fn sync(&self, action: &'static str) -> Result<(), Error> {
        self.sled(action, |_| self.files.sync())
    }

    fn sled<T>(&self, action: &'static str, body: impl FnOnce(&sled::Tree) -> sled::Result<T>) -> Result<T, Error> {
        fault::call(|| body(&self.tree)).map_err(|fault| self.fault(action, fault))
    }

    fn parse<'a>(&self, value: &'a [u8]) -> Result<Block<'a>, Error> {
        Block::parse(value).map_err(|refused| self.refused(&refused, block::VERSION))
    }

    fn damaged(&self, detail: String) -> Error {
        Error::Damaged { shard: self.name.clone(), detail }
    }

    fn refused(&self, refused: &Refused, newest: u8) -> Error {
        match refused {
            Refused::Damaged(detail) => self.damaged((*detail).to_owned()),
            Refused::Version(found) => Error::Version { shard: self.name.clone(), found: *found, newest },
        }
    }

    fn fault(&self, action: &'static str, fault: Fault) -> Error {
        error(&self.files, action, &self.name, fault)
    }
}

/// Damage that sled itself reports concerns all of its files.
fn error(files: &Files, action: &'static str, shard: &str, fault: Fault) -> Error {
    let shard = shard.to_owned();
    match fault {
        Fault::Damage(detail) => {
            files.mark_damaged();
            Error::Damaged { shard, detail }
        }
        Fault::Locked => Error::Locked { dir: files.dir().to_owned() },
        Fault::Io(source) => Error::Io { action, shard, source },
    }
}
