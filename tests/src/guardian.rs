//! A child process that outlives this one just long enough to end what it started.
//!
//! Destructors do not run when a test process is killed, and statics are never dropped. The guardian is a shell in a
//! process group of its own that reads from a pipe; the kernel closes the pipe when this process is gone, in whatever
//! way, and then the guardian kills the processes and removes the folders that it was told of.

use std::fmt::Display;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

const SCRIPT: &str = r#"
processes=" "
folders=""
while read -r verb value; do
    case $verb in
        watch) processes="$processes$value " ;;
        forget) processes=$(printf %s "$processes" | sed "s/ $value / /") ;;
        remove) folders="$folders$value
" ;;
    esac
done
for process in $processes; do kill -9 "$process" 2>/dev/null; done
printf %s "$folders" | while read -r folder; do rm -rf "$folder"; done
"#;

/// Kills the process `pid` when this one is gone.
pub(crate) fn watch(pid: u32) {
    tell("watch", pid);
}

/// `pid` has been waited for: its number may belong to somebody else from now on.
pub(crate) fn forget(pid: u32) {
    tell("forget", pid);
}

/// Removes the folder when this process is gone.
pub(crate) fn remove(folder: &Path) {
    tell("remove", folder.display());
}

fn tell(verb: &str, value: impl Display) {
    static GUARDIAN: OnceLock<Mutex<Child>> = OnceLock::new();
    let guardian = GUARDIAN.get_or_init(|| Mutex::new(start()));
    let mut guardian = guardian.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(pipe) = guardian.stdin.as_mut() else { panic!("the guardian has no pipe") };
    // One write per line: it must be whole even if this process is killed right now.
    let line = format!("{verb} {value}\n");
    pipe.write_all(line.as_bytes()).unwrap_or_else(|error| panic!("the guardian process is gone: {error}"));
}

// It is never waited for: that it outlives this process is its purpose.
fn start() -> Child {
    let mut command = Command::new("sh");
    // Its own group: a Ctrl-C for the tests must not reach it.
    command.args(["-c", SCRIPT]).process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("cannot start sh: {error}"))
}
