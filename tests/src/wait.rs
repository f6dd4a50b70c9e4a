//! Waiting for a condition: what is waited for is in other processes, so it is looked at again and again.

use std::thread::park_timeout;
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Asks `attempt` again and again until it has a value, and returns that value.
///
/// # Panics
/// After `timeout`, naming `what` was waited for: in a test that is the failed assertion.
#[track_caller]
pub fn wait_until<T>(what: &str, timeout: Duration, attempt: impl FnMut() -> Option<T>) -> T {
    match try_wait_until(timeout, attempt) {
        Some(value) => value,
        None => panic!("waited {timeout:?} in vain: {what}"),
    }
}

/// Like [`wait_until`], for a caller that has something to say itself when `timeout` is over.
pub fn try_wait_until<T>(timeout: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + timeout;
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(value) = attempt() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return None;
        }
        // Too early a return, which is allowed, is one more look.
        park_timeout(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
