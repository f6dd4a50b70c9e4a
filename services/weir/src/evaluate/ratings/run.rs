//! Runs all contenders, as many at once as there are cores, with a progress bar.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};

use super::contenders::Contender;

/// Events between two moves of the progress bar.
const STEP: u64 = 256;

/// Runs each contender over so many `events` and gives name and outcome of each, in order. `run` calls what it is given after
/// each event.
pub(super) fn all<T: Send>(
    what: &'static str,
    events: usize,
    contenders: &[Contender],
    run: impl Fn(&Contender, &dyn Fn()) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<(String, T)>> {
    let bar = ProgressBar::new((events * contenders.len()) as u64).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {percent} % {eta} left") {
        bar.set_style(style);
    }
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((place, contender)) = nth(contenders, next.fetch_add(1, Ordering::Relaxed)) {
            let count = std::cell::Cell::new(0);
            let on_event = || {
                count.set(count.get() + 1);
                if u64::is_multiple_of(count.get(), STEP) {
                    bar.inc(STEP);
                }
            };
            let outcome = run(contender, &on_event);
            outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((place, outcome));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    bar.finish_and_clear();
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(place, outcome)| Ok((contenders[place].name.clone(), outcome?))).collect()
}

fn nth(contenders: &[Contender], place: usize) -> Option<(usize, &Contender)> {
    contenders.get(place).map(|contender| (place, contender))
}
