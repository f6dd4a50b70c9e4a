//! Builds the command that is under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::place;

/// The `weir` command of this profile, built when the suite first asks for it.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| build("--bin", "weir").join("weir"))
}

/// An example of this profile, built again if need be.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    build("--example", name).join("examples").join(name)
}

/// Builds a target; the folder of the profile.
fn build(kind: &str, name: &str) -> &'static Path {
    let mut cargo = Command::new(env!("CARGO"));
    // For the whole workspace and with one of its tests, because that is how `cargo test --workspace` chooses the features of
    // dependencies: built alone, the command would have most of them, librdkafka's binding too, compiled once more.
    cargo.current_dir(place::workspace_root()).args(["build", "--quiet", "--workspace"]);
    cargo.args([kind, name, "--test", "command"]);
    cargo.arg("--target-dir").arg(place::target_dir());
    let profile = place::profile_dir();
    match profile.file_name().map(|name| name.to_string_lossy().into_owned()).as_deref() {
        None | Some("debug") => {}
        Some(other) => {
            cargo.args(["--profile", other]);
        }
    }
    // A build for a named target lies one folder deeper.
    if let Some(triple) = profile.parent().filter(|dir| *dir != place::target_dir()).and_then(Path::file_name) {
        cargo.arg("--target").arg(triple);
    }
    // What cargo tells a test about its own package would make build scripts run again.
    for (name, _) in std::env::vars().filter(|(name, _)| is_about_this_package(name)) {
        cargo.env_remove(name);
    }
    let output = cargo.output().unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
    assert!(output.status.success(), "{name} does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    profile
}

fn is_about_this_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
}
