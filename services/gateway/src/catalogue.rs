//! What the catalogue says of items, in memory, pure: changes in, answers out. It knows neither Kafka nor HTTP, nor the time but as it is told.
//!
//! Of an item without a record nothing is known: it is shown, and belongs to no category.

mod follow;
mod moment;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use nohash_hasher::IntMap;
use weir_wire::catalogue::ItemEvent;

use crate::sides::Side;

pub(crate) use follow::{PART, Shared, follow};
pub(crate) use moment::{Categories, Moment};

/// The items, by the keys that they have in the model.
pub(crate) struct Catalogue {
    entries: IntMap<u64, Arc<Entry>>,
    /// Items that say when they were published, the latest first, equal ones by key.
    latest: BTreeSet<(Reverse<i64>, u64)>,
    /// Items that are kept.
    most: usize,
    /// How many of them are hidden.
    hidden: usize,
}

/// What is known of one item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its id.
    pub(crate) item: Box<str>,
    /// What it is called.
    pub(crate) title: Option<Box<str>>,
    /// Where it belongs.
    pub(crate) categories: Box<[Category]>,
    /// Whether it is never shown.
    pub(crate) hidden: bool,
    /// From then on it is not shown, in milliseconds since 1970.
    pub(crate) expires: Option<i64>,
    /// Before that it is not shown, likewise.
    pub(crate) published: Option<i64>,
}

/// A category: looked for by its hash, shown by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) key: u64,
    pub(crate) name: Box<str>,
}

impl Category {
    /// Of this name.
    pub(crate) fn new(name: &str) -> Self {
        Self { key: Self::key(name), name: name.into() }
    }

    /// The hash of a name. It is in no store: it may be another one in another version.
    pub(crate) fn key(name: &str) -> u64 {
        weir_wire::key(0, name)
    }
}

/// One thing that a record says.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Which item.
    pub(crate) key: u64,
    /// None: the catalogue says nothing of it any more.
    pub(crate) entry: Option<Arc<Entry>>,
}

impl Change {
    /// What `event` says of the item that has this key.
    pub(crate) fn new(key: u64, event: &ItemEvent<'_>) -> Self {
        let ItemEvent::Put { item, details } = event else { return Self { key, entry: None } };
        let entry = Entry {
            item: item.as_ref().into(),
            title: details.title.as_deref().map(Into::into),
            categories: details.categories.iter().map(|name| Category::new(name)).collect(),
            hidden: details.hidden,
            expires: details.expires,
            published: details.published,
        };
        Self { key, entry: Some(Arc::new(entry)) }
    }
}

/// What a catalogue has after a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Items.
    pub(crate) items: usize,
    /// Of them, those that are hidden.
    pub(crate) hidden: usize,
    /// Items of the batch that there was no room for.
    pub(crate) refused: usize,
}

impl Side for Catalogue {
    type Changes = Vec<Change>;
    type Applied = Kept;

    fn apply(&mut self, changes: &Vec<Change>) -> Kept {
        let refused = changes.iter().filter(|change| !self.take(change)).count();
        Kept { items: self.entries.len(), hidden: self.hidden, refused }
    }
}

impl Catalogue {
    /// Of no items; at most `most` are kept.
    pub(crate) fn new(most: usize) -> Self {
        Self { entries: IntMap::default(), latest: BTreeSet::new(), most, hidden: 0 }
    }

    /// Whether there was room.
    fn take(&mut self, Change { key, entry }: &Change) -> bool {
        if entry.is_some() && self.entries.len() >= self.most && !self.entries.contains_key(key) {
            return false;
        }
        if let Some(before) = self.entries.remove(key) {
            self.hidden -= usize::from(before.hidden);
            before.published.map(|at| self.latest.remove(&(Reverse(at), *key)));
        }
        if let Some(entry) = entry {
            self.hidden += usize::from(entry.hidden);
            self.latest.extend(entry.published.map(|at| (Reverse(at), *key)));
            self.entries.insert(*key, Arc::clone(entry));
        }
        true
    }

    /// What is known of an item.
    pub(crate) fn get(&self, key: u64) -> Option<&Entry> {
        self.entries.get(&key).map(AsRef::as_ref)
    }

    /// Keys of the items that say when they were published, the latest first, equal ones by key.
    pub(crate) fn latest(&self) -> impl Iterator<Item = (u64, i64)> {
        self.latest.iter().map(|(Reverse(at), key)| (*key, *at))
    }
}

impl Entry {
    /// Whether it may be shown at `now_ms`, in milliseconds since 1970.
    pub(crate) fn is_shown(&self, now_ms: i64) -> bool {
        !self.hidden
            && self.expires.is_none_or(|expires| now_ms < expires)
            && self.published.is_none_or(|published| published <= now_ms)
    }

    /// Whether it belongs to the category of this hash.
    fn is_in(&self, category: u64) -> bool {
        self.categories.iter().any(|own| own.key == category)
    }
}

#[cfg(test)]
pub(crate) mod tests;
