//! The counting learner, with events that forget a user added, and what it must come to.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use fastrand::Rng;
use weir_ps::{
    Batch, Names, Position, Pulls, Schema, WorkerLogic, Workspace,
    counting::{Counting, CountingEvent, CountingSchema, ITEMS, SUMS, USERS},
};

use crate::{
    environment::{Environment, Layout},
    record::{Event, Record, Topic},
};

pub(crate) const TABLES: usize = 3;
/// Users and items have keys below this.
pub(crate) const KEYS: u64 = 16;

pub(crate) fn schema() -> Arc<dyn Schema> {
    Arc::new(CountingSchema::default())
}

/// A decoded event.
pub(crate) struct Decoded {
    event: CountingEvent,
    forgets: bool,
}

/// The counting learner, which also forgets.
pub(crate) struct Forgetful(Counting);

impl Forgetful {
    pub(crate) fn new() -> Self {
        Self(Counting)
    }
}

fn one(range: weir_ps::SourceRange, event: CountingEvent) -> Batch<CountingEvent> {
    let (names, words) = (Names::default(), Vec::new());
    Batch { range, events: vec![event], names, words, outputs: Vec::new(), shared_slots: Vec::new(), repeated: 0 }
}

impl WorkerLogic for Forgetful {
    type Event = Decoded;

    fn on_recv(&mut self, batch: &mut Batch<Decoded>, pulls: &mut Pulls<'_>) {
        for decoded in &mut batch.events {
            if decoded.forgets {
                pulls.pull_named(USERS, decoded.event.user, decoded.event.user_name);
            } else {
                let mut single = one(batch.range, decoded.event);
                self.0.on_recv(&mut single, pulls);
                decoded.event = single.events[0];
            }
        }
    }

    fn on_pull_recv(&mut self, batch: &mut Batch<Decoded>, work: &mut Workspace) {
        for decoded in &batch.events {
            if decoded.forgets {
                work.forget(USERS, decoded.event.user);
                work.forget(SUMS, decoded.event.user);
            } else {
                self.0.on_pull_recv(&mut one(batch.range, decoded.event), work);
            }
        }
    }
}

/// What a decoder makes of a record of the input.
pub(crate) fn decode(event: Event, batch: &mut Batch<Decoded>) {
    let (Event::Count { user, .. } | Event::Forget { user }) = event;
    let item = if let Event::Count { item, .. } = event { item } else { 0 };
    let (user_name, item_name) = (batch.names.push(&name(USERS, user)), batch.names.push(&name(ITEMS, item)));
    let decoded = CountingEvent::new((user, user_name), (item, item_name));
    batch.events.push(Decoded { event: decoded, forgets: matches!(event, Event::Forget { .. }) });
}

/// The id behind a key; sums have none.
pub(crate) fn name(table: u8, key: u64) -> String {
    match table {
        USERS => format!("user-{key}"),
        ITEMS => format!("item-{key}"),
        _ => String::new(),
    }
}

/// The input of a run: each user's events are in one source partition.
pub(crate) struct Input {
    /// By source partition: offsets and events.
    events: Vec<Vec<(u64, Event)>>,
    left: Vec<(u32, Event)>,
}

impl Input {
    pub(crate) fn draw(layout: &Layout, random: &mut Rng) -> Self {
        let sources = u64::from(layout.sources);
        let mut left: Vec<(u32, Event)> = (0..layout.events)
            .map(|_| {
                let user = random.u64(..KEYS);
                let forgets = random.u8(..20) == 0;
                let event =
                    if forgets { Event::Forget { user } } else { Event::Count { user, item: random.u64(..KEYS) } };
                ((user % sources) as u32, event)
            })
            .collect();
        // Every source partition has something to learn.
        left.extend((0..sources).map(|user| (user as u32, Event::Count { user, item: 0 })));
        Self { events: vec![Vec::new(); sources as usize], left }
    }

    /// Source partitions do not begin at offset 0, and there are holes in them.
    pub(crate) fn begin(&self, env: &mut Environment) {
        for source in 0..self.events.len() as u32 {
            let first = env.random.u64(..5);
            let log = env.log((Topic::Input, source));
            (0..first).for_each(|_| log.hole());
            log.delete_before(first);
        }
    }

    /// Appends the next event; false if there is none left.
    pub(crate) fn feed(&mut self, env: &mut Environment) -> bool {
        let Some((source, event)) = self.left.pop() else { return false };
        let with_hole = env.one_in(8);
        let log = env.log((Topic::Input, source));
        if with_hole {
            log.hole();
        }
        let offset = log.append(None, Rc::new(Record::Event(event)));
        self.events[source as usize].push((offset, event));
        true
    }

    /// Where a source partition is learned to its end.
    pub(crate) fn end(&self, source: u32) -> Option<Position> {
        self.events[source as usize].last().map(|(offset, _)| Position::online(offset + 1))
    }

    pub(crate) fn sources(&self) -> u32 {
        self.events.len() as u32
    }

    /// The rows that all events below these positions make; those of nobody are not there.
    pub(crate) fn fold(&self, positions: &BTreeMap<u32, Position>) -> Rows {
        let mut rows = Rows::default();
        for (source, events) in self.events.iter().enumerate() {
            let next = positions.get(&(source as u32)).map_or(0, |position| position.sequence);
            events.iter().take_while(|(offset, _)| *offset < next).for_each(|(_, event)| rows.learn(*event));
        }
        rows
    }
}

/// The counting learner's rows, by table and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows(pub(crate) [[Option<u64>; KEYS as usize]; TABLES]);

impl Rows {
    fn learn(&mut self, event: Event) {
        match event {
            Event::Count { user, item } => {
                let count = self.add(USERS, user, 1);
                self.add(ITEMS, item, 1);
                self.add(SUMS, user, count);
            }
            Event::Forget { user } => {
                self.set(USERS, user, None);
                self.set(SUMS, user, None);
            }
        }
    }

    fn add(&mut self, table: u8, key: u64, count: u64) -> u64 {
        let row = self.0[usize::from(table)][key as usize].get_or_insert(0);
        *row += count;
        *row
    }

    pub(crate) fn set(&mut self, table: u8, key: u64, value: Option<u64>) {
        self.0[usize::from(table)][key as usize] = value;
    }

    /// What differs from what is expected, among the keys that are looked at.
    pub(crate) fn difference(&self, expected: &Self, looks_at: impl Fn(u64) -> bool) -> Option<String> {
        for (table, (found, expected)) in self.0.iter().zip(&expected.0).enumerate() {
            for key in (0..KEYS).filter(|key| looks_at(*key)) {
                let (found, expected) = (found[key as usize], expected[key as usize]);
                if found != expected {
                    let table = ["items", "users", "sums"][table];
                    return Some(format!("{table}, key {key}: {found:?}, expected {expected:?}"));
                }
            }
        }
        None
    }
}
