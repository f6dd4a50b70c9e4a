//! Lists that are read page by page: kept as they were made, so that nothing is on two pages or on none.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use weir_learn::top_k::Scored;
use weir_wire::Generation;

use crate::view::{Offsets, Source};

/// Lists kept; the oldest goes first. At [`MOST_ITEMS`] each they take 16 MB.
const MOST_LISTS: usize = 1_024;
/// Items of such a list.
pub(crate) const MOST_ITEMS: usize = 1_000;
/// How long a list is kept.
const MAX_AGE: Duration = Duration::from_mins(10);

/// A list as it was made.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// The generation that it was made from.
    pub(crate) generation: Generation,
    /// Key of the user that it is for.
    pub(crate) user: u64,
    pub(crate) source: Source,
    pub(crate) items: Vec<Scored>,
    /// What it contains.
    pub(crate) offsets: Offsets,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The process that has the list.
    keeper: u64,
    list: u64,
    pub(crate) offset: usize,
}

impl Cursor {
    /// The same list from another place on.
    pub(crate) fn at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:x}.{:x}.{:x}", self.keeper, self.list, self.offset)
    }
}

impl FromStr for Cursor {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '.').map(|part| u64::from_str_radix(part, 16));
        let mut part = || parts.next().unwrap_or_else(|| u64::from_str_radix("", 16));
        Ok(Self { keeper: part()?, list: part()?, offset: part()? as usize })
    }
}

/// The lists of this process.
#[derive(Debug)]
pub(crate) struct Pages {
    keeper: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Number of the oldest list.
    first: u64,
    lists: VecDeque<(Instant, Arc<List>)>,
}

impl Pages {
    /// Without any. `keeper` is a number that no other process has, nor this one before it was started.
    pub(crate) fn new(keeper: u64) -> Self {
        Self { keeper, kept: Mutex::default() }
    }

    /// Keeps a list that was made at `now`; the cursor of its first page.
    pub(crate) fn keep(&self, list: Arc<List>, now: Instant) -> Cursor {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.lists.len() >= MOST_LISTS || kept.lists.front().is_some_and(|(made, _)| is_old(*made, now)) {
            kept.lists.pop_front();
            kept.first += 1;
        }
        kept.lists.push_back((now, list));
        Cursor { keeper: self.keeper, list: kept.first + kept.lists.len() as u64 - 1, offset: 0 }
    }

    /// The list of a cursor; none if it is not kept any more, or not by this process.
    pub(crate) fn get(&self, cursor: Cursor, now: Instant) -> Option<Arc<List>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = cursor.list.checked_sub(kept.first)?;
        let (made, list) = kept.lists.get(usize::try_from(place).ok()?)?;
        (cursor.keeper == self.keeper && !is_old(*made, now)).then(|| Arc::clone(list))
    }
}

fn is_old(made: Instant, now: Instant) -> bool {
    now.saturating_duration_since(made) > MAX_AGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(user: u64) -> Arc<List> {
        Arc::new(List {
            generation: Generation::FIRST,
            user,
            source: Source::Personal,
            items: Vec::new(),
            offsets: Arc::from([]),
        })
    }

    #[test]
    fn lists_are_kept_for_a_time_and_to_a_number() {
        let (pages, begin) = (Pages::new(7), Instant::now());
        let cursors: Vec<Cursor> = (0..=MOST_LISTS as u64).map(|user| pages.keep(list(user), begin)).collect();
        let user = |cursor: Cursor, now| pages.get(cursor, now).map(|list| list.user);
        assert_eq!(user(cursors[0], begin), None, "one too many");
        assert_eq!(user(cursors[1], begin), Some(1));
        assert_eq!(user(cursors[MOST_LISTS], begin + MAX_AGE), Some(MOST_LISTS as u64));
        let later = begin + MAX_AGE + Duration::from_millis(1);
        assert_eq!(user(cursors[MOST_LISTS], later), None, "too old");
        let newest = pages.keep(list(99), later);
        assert_eq!((user(newest, later), pages.kept.lock().unwrap().lists.len()), (Some(99), 1));
        assert_eq!(user(Cursor { keeper: 8, ..newest }, later), None, "of another process");
        assert_eq!(user(Cursor { list: newest.list + 1, ..newest }, later), None);
    }

    #[test]
    fn cursors_are_text_and_back() {
        let cursor = Cursor { keeper: u64::MAX, list: 3, offset: 20 };
        assert_eq!((cursor.to_string().parse(), cursor.at(0).offset), (Ok(cursor), 0));
        for text in ["", "1", "1.2", "1.2.", "1.2.3.4", "1.2.x", "1.-2.3", "1.2.1ffffffffffffffff"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
