//! Which items go together, kept so that what all items of a user's history say is added up in one sweep.
//!
//! Items have numbers of this process's own, so that a list is numbers and weights, and sums lie in one vector by number. The affinity of two
//! items is weight / √((total + d)(other total + d)) ([`weir_learn::neighbours::affinity`]): the other's part is taken out of the sum.

use std::cell::RefCell;

use nohash_hasher::IntMap;
use weir_learn::neighbours::{self, Neighbour};

/// Every item's neighbours.
pub(super) struct Together {
    settings: neighbours::Settings,
    // Keys are hashes already: an identity hasher is enough.
    numbers: IntMap<u64, u32>,
    items: Vec<Item>,
}

struct Item {
    key: u64,
    total: f32,
    chunks: Vec<Chunk>,
}

#[derive(Clone, Default)]
struct Chunk {
    total: f32,
    neighbours: Vec<(u32, f32)>,
}

/// What a user's history says of one item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) item: u64,
    /// What the last few say.
    pub(super) transitions: f32,
    /// What all say.
    pub(super) company: f32,
}

/// Sums by number, all 0 between two uses.
#[derive(Default)]
struct Sums {
    transitions: Vec<f32>,
    company: Vec<f32>,
    touched: Vec<u32>,
}

thread_local! {
    static SUMS: RefCell<Sums> = RefCell::default();
}

impl Together {
    /// Of no items.
    pub(super) fn new(settings: neighbours::Settings) -> Self {
        Self { settings, numbers: IntMap::default(), items: Vec::new() }
    }

    /// The chunk of this key is this now.
    pub(super) fn put(&mut self, key: u64, words: &[u32]) {
        let Some((item, row)) = neighbours::chunk(words) else { return };
        let list: Vec<(u32, f32)> =
            neighbours::neighbours(row).map(|Neighbour { item, weight }| (self.number(item), weight)).collect();
        self.set(key, item, Chunk { total: neighbours::total(row), neighbours: list });
    }

    /// There is no chunk of this key any more; it was this.
    pub(super) fn remove(&mut self, key: u64, before: &[u32]) {
        if let Some((item, _)) = neighbours::chunk(before) {
            self.set(key, item, Chunk::default());
        }
    }

    fn set(&mut self, key: u64, item: u64, chunk: Chunk) {
        let count = self.settings.chunks();
        let Some(place) = (0..count).find(|number| neighbours::chunk_key(item, *number) == key) else { return };
        let number = self.number(item) as usize;
        let own = &mut self.items[number];
        own.chunks.resize(count as usize, Chunk::default());
        own.chunks[place as usize] = chunk;
        own.total = own.chunks.iter().map(|chunk| chunk.total).sum();
    }

    fn number(&mut self, key: u64) -> u32 {
        let next = self.items.len() as u32;
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.items.push(Item { key, total: 0.0, chunks: Vec::new() });
        }
        number
    }

    /// What the items of a history say, the first `last` of them being the last ones, of others; by item in no order that matters.
    pub(super) fn say(&self, last: &[u64], history: &[u64]) -> Vec<Said> {
        SUMS.with_borrow_mut(|sums| {
            for item in history {
                self.add(sums, *item, last.contains(item), true);
            }
            // What was seen so long ago that it is not in the history may still be among the last.
            for item in last.iter().filter(|item| !history.contains(item)) {
                self.add(sums, *item, true, false);
            }
            self.take(sums)
        })
    }

    fn add(&self, sums: &mut Sums, item: u64, is_last: bool, is_company: bool) {
        let Some(item) = self.numbers.get(&item).and_then(|number| self.items.get(*number as usize)) else { return };
        sums.transitions.resize(sums.transitions.len().max(self.items.len()), 0.0);
        sums.company.resize(sums.transitions.len(), 0.0);
        let share = self.share(item.total);
        for &(number, weight) in item.chunks.iter().flat_map(|chunk| &chunk.neighbours) {
            let place = number as usize;
            let affinity = weight * share;
            if sums.transitions[place] == 0.0 && sums.company[place] == 0.0 {
                sums.touched.push(number);
            }
            sums.transitions[place] += if is_last { affinity } else { 0.0 };
            sums.company[place] += if is_company { affinity } else { 0.0 };
        }
    }

    fn take(&self, sums: &mut Sums) -> Vec<Said> {
        let Sums { transitions, company, touched } = sums;
        let said = touched.drain(..).map(|number| {
            let place = number as usize;
            let (Item { key, total, .. }, of) = (&self.items[place], (&mut transitions[place], &mut company[place]));
            let share = self.share(*total);
            Said { item: *key, transitions: std::mem::take(of.0) * share, company: std::mem::take(of.1) * share }
        });
        said.collect()
    }

    fn share(&self, total: f32) -> f32 {
        (total + self.settings.values().damping).max(f32::MIN_POSITIVE).sqrt().recip()
    }

    /// How strongly an item speaks for another; 0 where nothing is known.
    pub(super) fn affinity(&self, item: u64, other: u64) -> f32 {
        let of = |key| self.numbers.get(&key).and_then(|number| Some((*number, self.items.get(*number as usize)?)));
        let (Some((_, own)), Some((number, other))) = (of(item), of(other)) else { return 0.0 };
        let chunk = own.chunks.get(neighbours::chunk_of(other.key, self.settings.chunks()) as usize);
        let weight = chunk.and_then(|chunk| chunk.neighbours.iter().find(|found| found.0 == number));
        weight.map_or(0.0, |(_, weight)| weight * self.share(own.total) * self.share(other.total))
    }
}
