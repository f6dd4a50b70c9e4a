//! A disk that is full for one process: a small file system of its own where the tests may mount one, a limit on the size
//! of the process's files where they may not.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Instance;

/// Room of the file system: enough for a young store, and soon filled.
const MEBIBYTES: usize = 48;

/// The disk of one data directory.
#[derive(Debug)]
pub struct Room {
    dir: PathBuf,
    mounted: bool,
}

impl Room {
    /// Gives `dir`, in which nothing is yet, a file system of its own if that is allowed.
    ///
    /// # Panics
    /// When the directory cannot be created.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        fs::create_dir_all(dir).unwrap_or_else(|error| panic!("cannot create {}: {error}", dir.display()));
        let size = format!("size={MEBIBYTES}m");
        let mounted = succeeds(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir));
        println!("the disk is {}", if mounted { "a small file system" } else { "a limit on the size of files" });
        Self { dir: dir.to_owned(), mounted }
    }

    /// No more room for `instance`, whose data directory this is.
    ///
    /// # Panics
    /// When it cannot be filled.
    pub fn fill(&self, instance: &Instance) {
        if self.mounted {
            let mut file = File::create(self.filler()).expect("there is room for a file");
            let zeros = [0; 4_096];
            while file.write_all(&zeros).is_ok() {}
        } else {
            limit_files(instance, "65536");
        }
    }

    /// Room again.
    ///
    /// # Panics
    /// When the room cannot be given back.
    pub fn free(&self, instance: &Instance) {
        if self.mounted {
            fs::remove_file(self.filler()).expect("the filler is there");
        } else {
            limit_files(instance, "unlimited");
        }
    }

    fn filler(&self) -> PathBuf {
        self.dir.join("filler")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: whoever still has files open there is about to end.
            succeeds(Command::new("umount").arg("-l").arg(&self.dir));
        }
    }
}

fn limit_files(instance: &Instance, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let pid = instance.pid().to_string();
    assert!(succeeds(Command::new("prlimit").args(["--pid", &pid, &limit])), "prlimit (util-linux) does not work");
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
