//! Free ports that stay reserved for this test process.
//!
//! They are taken from below the range from which the kernel gives ports to outgoing connections: a role that was
//! killed must find its port free when it comes back.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};

use crate::place;

const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

/// The reserved ports with their lock files; a lock ends with the process, however it ends.
static RESERVED: Mutex<BTreeMap<u16, File>> = Mutex::new(BTreeMap::new());

/// A port of 127.0.0.1 on which nobody listens, and which no other test process gets while this one lives.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn reserve() -> u16 {
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    let start = (std::process::id() % 997 * 17) as u16;
    let mut candidates = (0..COUNT).map(|step| FIRST + (start + step) % COUNT);
    let free = candidates.find_map(|port| if reserved.contains_key(&port) { None } else { Some((port, lock(port)?)) });
    let (port, file) = free.unwrap_or_else(|| panic!("no free port from {FIRST} to {}", FIRST + COUNT - 1));
    reserved.insert(port, file);
    port
}

fn lock(port: u16) -> Option<File> {
    let dir = place::existing(std::env::temp_dir().join("weir-tests-ports"));
    let file = File::create(dir.join(port.to_string())).ok()?;
    file.try_lock().ok()?;
    TcpListener::bind(("127.0.0.1", port)).ok()?;
    Some(file)
}
