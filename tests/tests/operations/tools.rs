//! Programs that check: those of the machine, and those that pip and npm fetch once into the build folder.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use weir_tests::place;

/// A path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    place::workspace_root().join(path)
}

fn list(name: &str) -> PathBuf {
    repository("tests/tests/operations").join(name)
}

/// Python with the packages of `requirements.txt`.
pub(crate) fn python() -> Command {
    let packages = fetched("python", "requirements.txt", |dir| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]).arg(dir);
        run(pip.arg("-r").arg(list("requirements.txt")), "Debian: python3-pip");
    });
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// The folder with the packages of `package.json`.
pub(crate) fn node_modules() -> PathBuf {
    fetched("node", "package.json", |dir| {
        fs::copy(list("package.json"), dir.join("package.json")).expect("copied");
        let mut npm = Command::new("npm");
        run(npm.args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(dir), "Debian: npm");
    })
}

/// A folder that `fetch` fills once for each content of a list.
fn fetched(kind: &str, name: &str, fetch: impl FnOnce(&Path)) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = place::target_dir().join("weir-tests-tools").join(kind);
    let (wanted, mark) = (fs::read(list(name)).expect("the list"), dir.join("weir-list"));
    if fs::read(&mark).is_ok_and(|found| found == wanted) {
        return dir;
    }
    // What an earlier list or a broken attempt has left.
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder");
    fetch(&dir);
    fs::write(mark, wanted).expect("a mark");
    dir
}

/// Runs a command that must succeed; what it printed.
pub(crate) fn run(command: &mut Command, needs: &str) -> String {
    let output = command.output();
    let output =
        output.unwrap_or_else(|error| panic!("cannot run {} ({needs}): {error}", command.get_program().display()));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{said}\n{errors}");
    said
}

/// Files of a folder with this ending, in order.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository(folder)).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension() == Some(OsStr::new(ending)));
    paths.sort();
    assert!(!paths.is_empty(), "nothing in {folder}");
    paths
}
