//! The one directory that a process owns: its lock, its name and, below it, the stores of its shards.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::settings::is_name;

/// A directory locked for the life of this value. The operating system releases the lock of a process that was killed.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Creates the directory where it is missing and takes its lock.
    ///
    /// # Errors
    /// [`Error::DataDirectoryLocked`], or [`Error::DataDirectory`] where it cannot be created or written.
    pub fn lock(path: &Path) -> Result<Self, Error> {
        let refused = |error: std::io::Error| unusable(path, &error);
        std::fs::create_dir_all(path).map_err(refused)?;
        let file = File::options().create(true).truncate(false).write(true).open(path.join("lock")).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::DataDirectoryLocked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        // Who holds it, for people; and a write, so that a full disk is told now and not in the middle of work.
        file.set_len(0).and_then(|()| (&file).write_all(std::process::id().to_string().as_bytes())).map_err(refused)?;
        Ok(Self { path: path.to_owned(), _lock: file })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The instance's name: `given`, else the one kept here, else one drawn now and kept.
    ///
    /// # Errors
    /// [`Error::KeptName`] for a file that holds no name, [`Error::DataDirectory`] where it cannot be read or written.
    pub fn instance_name(&self, given: Option<&str>) -> Result<String, Error> {
        if let Some(name) = given {
            return Ok(name.to_owned());
        }
        let file = self.path.join("name");
        match std::fs::read_to_string(&file) {
            Ok(kept) if is_name(kept.trim()) => Ok(kept.trim().to_owned()),
            Ok(_) => Err(Error::KeptName(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.keep(&file, draw_name()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(Error::KeptName(file)),
            Err(error) => Err(unusable(&file, &error)),
        }
    }

    /// Half a name would be another name, and it names the transactions that this process may leave open.
    fn keep(&self, file: &Path, name: String) -> Result<String, Error> {
        write_whole(&self.path, file, &name)?;
        Ok(name)
    }
}

/// Remembers in a process's data directory which Kafka cluster its data is of, and refuses any other one from then on:
/// offsets of one cluster's logs mean nothing in another's, even under the same address.
///
/// # Errors
/// [`Error::OtherCluster`], or [`Error::DataDirectory`] where it cannot be read or written.
pub fn remember_cluster(directory: &Path, brokers: &str, cluster_id: &str) -> Result<(), Error> {
    /// The roles of a process look at the same time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let file = directory.join("cluster");
    match std::fs::read_to_string(&file) {
        Ok(kept) if kept.trim() == cluster_id => Ok(()),
        Ok(kept) => Err(Error::OtherCluster {
            path: directory.to_owned(),
            kept: kept.trim().to_owned(),
            brokers: brokers.to_owned(),
            found: cluster_id.to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => write_whole(directory, &file, cluster_id),
        Err(error) => Err(unusable(&file, &error)),
    }
}

/// Written beside and moved into place, so that a half is never taken for the whole, and so that it outlives a power cut.
fn write_whole(directory: &Path, file: &Path, text: &str) -> Result<(), Error> {
    let write = || {
        let beside = file.with_extension("new");
        let mut new = File::create(&beside)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        std::fs::rename(&beside, file)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|error| unusable(file, &error))
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::DataDirectory { path: path.to_owned(), reason: error.to_string() }
}

/// A name for an instance that was given none: 48 random bits, which two instances of a deployment never share.
#[must_use]
pub fn draw_name() -> String {
    format!("{:012x}", rand::random::<u64>() >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_process_is_refused_until_the_first_is_gone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("new").join("data");
        let first = DataDirectory::lock(&path).expect("the first takes it");
        let refused = DataDirectory::lock(&path).expect_err("the second does not");
        assert!(matches!(refused, Error::DataDirectoryLocked(_)));
        let text = refused.to_string();
        assert!(text.contains("--data-dir") && text.contains("WEIR_DATA_DIR") && !text.contains('\n'), "{text}");
        drop(first);
        DataDirectory::lock(&path).expect("free again");
    }

    #[test]
    fn what_is_no_directory_is_refused_in_one_sentence() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        std::fs::write(&file, "").expect("a file");
        let text = DataDirectory::lock(&file.join("data")).expect_err("not below a file").to_string();
        assert!(text.contains("cannot be used") && text.contains("--data-dir") && !text.contains('\n'), "{text}");
    }

    #[test]
    fn another_cluster_than_the_first_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let look = |cluster| remember_cluster(directory.path(), "kafka:9092", cluster);
        look("one").expect("the first is kept");
        look("one").expect("it is the same");
        let text = look("two").expect_err("another one").to_string();
        let said = ["one", "two", "kafka:9092", "--data-dir"];
        assert!(said.iter().all(|part| text.contains(part)) && !text.contains('\n'), "{text}");
    }

    #[test]
    fn a_name_is_drawn_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let data = DataDirectory::lock(directory.path()).expect("locked");
        let drawn = data.instance_name(None).expect("a name");
        assert!(is_name(&drawn));
        assert_eq!(data.instance_name(None).expect("kept"), drawn);
        assert_eq!(data.instance_name(Some("w0")).expect("given"), "w0");
        assert_eq!(data.instance_name(None).expect("kept all the same"), drawn);
        assert_ne!(draw_name(), drawn);
    }

    #[test]
    fn a_spoilt_name_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let data = DataDirectory::lock(directory.path()).expect("locked");
        for spoilt in [&b""[..], b"a b", b"\xff\xfe"] {
            std::fs::write(directory.path().join("name"), spoilt).expect("written");
            assert!(matches!(data.instance_name(None), Err(Error::KeptName(_))), "{spoilt:?}");
        }
    }
}
