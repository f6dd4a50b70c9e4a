//! The small file beside the input that says how far an import has got.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// As much of a file's beginning tells it from another one of the same size.
const HEAD_BYTES: u64 = 1 << 16;
const VERSION: u32 = 1;
const SUFFIX: &str = ".weir-import";

/// Which file goes where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Bytes of the file.
    pub(super) bytes: u64,
    /// xxh3 of its first 64 KiB, in hexadecimal.
    pub(super) head: String,
    /// The topic.
    pub(super) topic: String,
    /// The cluster that the topic is on.
    pub(super) cluster: String,
}

impl Identity {
    /// Of the file as it is now.
    pub(super) fn of(file: &Path, topic: &str, cluster: &str) -> io::Result<Self> {
        let opened = File::open(file)?;
        let bytes = opened.metadata()?.len();
        let mut head = Vec::new();
        opened.take(HEAD_BYTES).read_to_end(&mut head)?;
        let head = format!("{:016x}", xxh3_64(&head));
        Ok(Self { bytes, head, topic: topic.to_owned(), cluster: cluster.to_owned() })
    }
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    #[serde(flatten)]
    pub(super) identity: Identity,
    /// Every line up to this one is acknowledged, refused or empty.
    pub(super) lines: u64,
    /// Whether that is all of the file.
    pub(super) is_finished: bool,
}

impl State {
    /// Every line up to `lines` is done, and that is not all.
    pub(super) fn new(identity: Identity, lines: u64) -> Self {
        Self { version: VERSION, identity, lines, is_finished: false }
    }
}

/// Where the state is kept.
#[derive(Clone, Debug)]
pub(super) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// The file named, or the one beside `input`.
    pub(super) fn of(input: &Path, named: Option<&Path>) -> Self {
        let beside = || {
            let mut name = input.as_os_str().to_owned();
            name.push(SUFFIX);
            PathBuf::from(name)
        };
        Self { path: named.map_or_else(beside, Path::to_owned) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What an earlier import left; none if there was none.
    pub(super) fn read(&self) -> anyhow::Result<Option<State>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("read {}", self.path.display())),
        };
        let state = serde_json::from_str::<State>(&text).ok().filter(|state| state.version == VERSION);
        let unknown = || format!("{} is no state of an import; name another one with --state", self.path.display());
        state.with_context(unknown).map(Some)
    }

    /// Removes it; if it stays, the next import says what it is.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Writes it whole or not at all, and safe from a crash of the machine once this returns.
    pub(super) fn write(&self, state: &State) -> anyhow::Result<()> {
        let mut aside = self.path.as_os_str().to_owned();
        aside.push(".new");
        let write = || -> io::Result<()> {
            let mut file = File::create(&aside)?;
            file.write_all(serde_json::to_string(state)?.as_bytes())?;
            file.sync_all()?;
            fs::rename(&aside, &self.path)
        };
        write().with_context(|| format!("write {} (name another place with --state)", self.path.display()))
    }
}

/// The line behind which an import begins.
///
/// # Errors
/// What was left belongs to another file or topic, or is not finished and nobody asked to resume it.
pub(super) fn begin_behind(
    left: Option<&State>,
    identity: &Identity,
    resume: bool,
    file: &StateFile,
) -> anyhow::Result<u64> {
    let path = file.path().display();
    match left {
        None => Ok(0),
        Some(state) if resume => {
            anyhow::ensure!(
                state.identity == *identity,
                "{path} is of another file, topic or cluster ({:?}, now {identity:?}); remove it to begin anew",
                state.identity
            );
            Ok(state.lines)
        }
        Some(state) if state.is_finished || state.identity != *identity => Ok(0),
        Some(state) => anyhow::bail!(
            "an import of this file stopped behind line {}; go on with --resume, or remove {path} to begin anew",
            state.lines
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_another_file_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let input = directory.path().join("ratings.csv");
        fs::write(&input, "a,b,1\n").unwrap();
        let file = StateFile::of(&input, None);
        assert_eq!(file.path(), directory.path().join("ratings.csv.weir-import"));
        assert_eq!(file.read().unwrap(), None);
        let identity = Identity::of(&input, "ratings", "cluster").unwrap();
        let state = State::new(identity.clone(), 7);
        file.write(&state).unwrap();
        assert_eq!(file.read().unwrap().as_ref(), Some(&state));
        fs::write(&input, "a,b,2\n").unwrap();
        assert_ne!(Identity::of(&input, "ratings", "cluster").unwrap(), identity, "of the same size");
        fs::write(file.path(), "nonsense").unwrap();
        assert!(file.read().unwrap_err().to_string().contains("--state"));
    }

    #[test]
    fn an_import_goes_on_only_where_it_is_meant_to() {
        let identity = |topic: &str| Identity { bytes: 1, head: "0".into(), topic: topic.into(), cluster: "c".into() };
        let file = StateFile::of(Path::new("f"), None);
        let left = State::new(identity("ratings"), 7);
        let finished = State { is_finished: true, ..left.clone() };
        let begin = |left: Option<&State>, topic: &str, resume| {
            begin_behind(left, &identity(topic), resume, &file).map_err(|error| error.to_string())
        };
        assert_eq!(begin(None, "ratings", true), Ok(0));
        assert_eq!(begin(Some(&left), "ratings", true), Ok(7));
        assert_eq!(begin(Some(&finished), "ratings", true), Ok(7));
        assert_eq!(begin(Some(&finished), "ratings", false), Ok(0));
        assert!(begin(Some(&left), "ratings", false).is_err_and(|error| error.contains("--resume")));
        assert!(begin(Some(&left), "other", true).is_err_and(|error| error.contains("another file, topic")));
    }
}
