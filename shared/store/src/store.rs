//! Opening and closing: one writer per directory, and damage moved out of the way.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tracing::warn;

use crate::{
    Error, Shard,
    fault::{self, Fault},
};

/// sled's cache only has to hold its own tree nodes: blocks are written, and read once at the start.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;
/// How long sled's background threads may keep their file after the last handle was dropped.
const CLOSING: Duration = Duration::from_secs(10);
/// Moved-aside stores that are kept for a look; older ones are deleted, so that damage cannot fill the disk.
const KEPT_DAMAGED: usize = 2;

/// A directory with the stored shards of one process. Closed when it and all its [`Shard`]s are dropped; it can be opened
/// again at once.
#[derive(Clone, Debug)]
pub struct Store {
    files: Arc<Files>,
}

/// What [`Store::open`] did.
#[derive(Debug)]
pub struct Opened {
    /// The open store.
    pub store: Store,
    /// Where the old store was moved because it was damaged. The new one is empty.
    pub moved_aside: Option<PathBuf>,
}

impl Store {
    /// Opens the store in `dir`, and creates it if it is not there.
    ///
    /// A store that sled cannot read is moved to `<dir>.damaged-<n>` (of which the newest two are kept) and a new one is
    /// begun. `dir` should therefore not itself be a mount point.
    ///
    /// # Errors
    /// [`Error::Locked`] if it is open already, [`Error::Unusable`] if the file system refuses.
    pub fn open(dir: impl AsRef<Path>) -> Result<Opened, Error> {
        let dir = dir.as_ref();
        let lock = lock(dir)?;
        let unusable = |source| Error::Unusable { dir: dir.to_owned(), source };
        let mut moved_aside = None;
        if marker(dir).exists() {
            moved_aside = Some(move_aside(dir).map_err(unusable)?);
        }
        let (db, file) = match start(&dir.join("sled")) {
            Err(Fault::Damage(detail)) => {
                warn!(dir = %dir.display(), detail, "damaged store");
                moved_aside = Some(move_aside(dir).map_err(unusable)?);
                start(&dir.join("sled"))
            }
            result => result,
        }
        .map_err(|fault| match fault {
            Fault::Locked => Error::Locked { dir: dir.to_owned() },
            Fault::Io(source) => unusable(source),
            Fault::Damage(detail) => unusable(io::Error::other(detail)),
        })?;
        Ok(Opened {
            store: Self { files: Arc::new(Files { db, file, dir: dir.to_owned(), _lock: lock }) },
            moved_aside,
        })
    }

    /// Whether a shard of this name was ever begun.
    #[must_use]
    pub fn has_shard(&self, name: &str) -> bool {
        self.files.db.tree_names().iter().any(|tree| tree == name.as_bytes())
    }

    /// The shard of this name, empty if it was never written. Names need only differ from one another.
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::Io`] if sled cannot begin it.
    pub fn shard(&self, name: &str) -> Result<Shard, Error> {
        Shard::open(Arc::clone(&self.files), name)
    }
}

/// Everything that is open. The order of the fields matters: the lock is released last.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) db: sled::Db,
    file: File,
    dir: PathBuf,
    _lock: File,
}

impl Files {
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes sure that the disk has what was written: sled's flush leaves it in the system's cache.
    pub(crate) fn sync(&self) -> sled::Result<()> {
        self.db.flush()?;
        self.file.sync_all()?;
        Ok(())
    }

    /// Notes that sled's files are of no use, so that the next `open` moves them aside: opening alone may not notice.
    pub(crate) fn mark_damaged(&self) {
        if let Err(error) = File::create(marker(&self.dir)) {
            warn!(dir = %self.dir.display(), %error, "cannot mark the store as damaged");
        }
    }
}

fn marker(dir: &Path) -> PathBuf {
    dir.join("damaged")
}

/// Creates the directory and takes its lock, which a crash releases.
fn lock(dir: &Path) -> Result<File, Error> {
    let open = || {
        fs::create_dir_all(dir)?;
        File::options().create(true).truncate(false).write(true).open(dir.join("lock"))
    };
    let file = open().map_err(|source| Error::Unusable { dir: dir.to_owned(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::Unusable { dir: dir.to_owned(), source }),
    }
}

/// Opens sled and the file that it writes to.
///
/// We hold our own lock here, so whoever has sled's lock is a closed store of this process whose background threads are
/// not done yet: worth waiting for.
fn start(dir: &Path) -> Result<(sled::Db, File), Fault> {
    remove_unfinished_snapshots(dir).map_err(Fault::Io)?;
    let begun = Instant::now();
    let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    let db = loop {
        match fault::call(|| config.open()) {
            Err(Fault::Locked) if begun.elapsed() < CLOSING => thread::sleep(Duration::from_millis(5)),
            result => break result?,
        }
    };
    let synced = || {
        let file = File::open(dir.join("db"))?;
        // The directory entries of a new store.
        File::open(dir)?.sync_all()?;
        Ok(file)
    };
    Ok((db, synced().map_err(Fault::Io)?))
}

/// A crash in the middle of sled's snapshot leaves a file that sled stumbles over; without it, it reads its log instead.
fn remove_unfinished_snapshots(dir: &Path) -> io::Result<()> {
    for entry in entries(dir)? {
        let name = entry.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(dir.join(&entry))?;
        }
    }
    Ok(())
}

/// Moves sled's files to the first free `<dir>.damaged-<n>` after all others, and deletes the oldest of those.
fn move_aside(dir: &Path) -> io::Result<PathBuf> {
    let parent = match dir.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut prefix = dir.file_name().unwrap_or(dir.as_os_str()).to_owned();
    prefix.push(".damaged-");
    let named = |number: u64| {
        let mut name = prefix.clone();
        name.push(number.to_string());
        parent.join(name)
    };
    let mut numbers: Vec<u64> = entries(parent)?.iter().filter_map(|entry| number_after(&prefix, entry)).collect();
    numbers.sort_unstable();
    let target = named(numbers.last().map_or(1, |last| last + 1));
    fs::rename(dir.join("sled"), &target)?;
    match fs::remove_file(marker(dir)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    for old in numbers.iter().rev().skip(KEPT_DAMAGED - 1) {
        fs::remove_dir_all(named(*old))?;
    }
    warn!(to = %target.display(), "damaged store moved aside, a new one is begun");
    Ok(target)
}

fn number_after(prefix: &OsString, name: &OsString) -> Option<u64> {
    name.to_str()?.strip_prefix(prefix.to_str()?)?.parse().ok()
}

/// Names in a directory; none if it does not exist.
fn entries(dir: &Path) -> io::Result<Vec<OsString>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
