//! Where the harness keeps its files: everything below the build folder of the running test binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The test binary's path below the build folder, as cargo lays it out.
struct Layout {
    target: PathBuf,
    profile: PathBuf,
}

/// The build folder, the one that `CARGO_TARGET_DIR` or cargo's default chose for this binary.
///
/// # Panics
/// When the test binary does not lie in a cargo build folder.
#[must_use]
pub fn target_dir() -> &'static Path {
    &layout().target
}

/// The folder of this profile, where cargo puts `weir` (`target/debug`, or `target/TRIPLE/release`).
#[must_use]
pub fn profile_dir() -> &'static Path {
    &layout().profile
}

/// The root of the workspace.
#[must_use]
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The name of this suite: the test binary's file name without cargo's hash.
#[must_use]
pub fn suite() -> &'static str {
    static SUITE: OnceLock<String> = OnceLock::new();
    SUITE.get_or_init(|| {
        let exe = current_exe();
        let stem = exe.file_stem().unwrap_or_default().to_string_lossy();
        stem.rsplit_once('-').map_or(stem.as_ref(), |(name, _hash)| name).to_owned()
    })
}

/// `target/weir-tests/SUITE`, which keeps the logs of the last run.
#[must_use]
pub fn log_dir() -> PathBuf {
    existing(target_dir().join("weir-tests").join(suite()))
}

/// Creates `dir` where it is missing and hands it back.
///
/// # Panics
/// When it cannot be created.
#[must_use]
pub fn existing(dir: PathBuf) -> PathBuf {
    fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("cannot create {}: {error}", dir.display()));
    dir
}

fn layout() -> &'static Layout {
    static LAYOUT: OnceLock<Layout> = OnceLock::new();
    LAYOUT.get_or_init(|| {
        let exe = current_exe();
        // PROFILE/deps/suite-hash for tests, PROFILE/examples/name for examples, PROFILE/name for programs.
        let folder = exe.parent().unwrap_or(&exe);
        let deeper = folder.ends_with("deps") || folder.ends_with("examples");
        let profile = if deeper { folder.parent().unwrap_or(folder) } else { folder }.to_owned();
        let target = exe.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file());
        let target = target.unwrap_or_else(|| panic!("{} lies in no cargo build folder", exe.display())).to_owned();
        Layout { target, profile }
    })
}

fn current_exe() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|error| panic!("cannot tell the test binary's path: {error}"))
}
