//! The counting learner: it learns nothing, and shows whether the parameter server lost or repeated anything.
//!
//! Each event adds 1 to its item's row, adds 1 to its user's row, which workers cache, and pushes the user's running
//! count as the cache has it to a third table. At the end item and user counts are exact, and where the input is keyed
//! by user each user's sum is n(n+1)/2: plain counts would not notice a cache that is wrong for a while.

use std::sync::Arc;

use crate::{Batch, ByRule, Model, NameRef, Pulls, Rule, Schema, TableSpec, WorkerLogic, Workspace, repeats, words};

/// Events by item.
pub const ITEMS: u8 = 0;
/// Events by user.
pub const USERS: u8 = 1;
/// Sums of the users' running counts.
pub const SUMS: u8 = 2;
/// Ids of the users' latest events.
pub const EVENT_IDS: u8 = 3;

/// The counting learner's three tables of one `u64` each, and the one by which it knows repeats.
#[derive(Clone, Debug)]
pub struct CountingSchema([TableSpec; 4]);

impl Default for CountingSchema {
    fn default() -> Self {
        let table = |id, name, cached, named| TableSpec { id, name, width: 2, rule: Rule::AddU64, cached, named };
        let [items, users] = [table(ITEMS, "items", false, true), table(USERS, "users", true, true)];
        Self([items, users, table(SUMS, "sums", false, false), repeats::table(EVENT_IDS)])
    }
}

impl Schema for CountingSchema {
    fn tables(&self) -> &[TableSpec] {
        &self.0
    }

    /// 2: repeats do not count.
    fn version(&self) -> u32 {
        2
    }
}

/// Somebody did something with an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountingEvent {
    /// The user's key.
    pub user: u64,
    /// The user's id.
    pub user_name: NameRef,
    /// The item's key.
    pub item: u64,
    /// The item's id.
    pub item_name: NameRef,
    /// The event's own id, hashed.
    id: Option<u64>,
    user_slot: u32,
    item_slot: u32,
    id_slot: u32,
}

impl CountingEvent {
    /// An event of `user` with `item`.
    #[must_use]
    pub fn new((user, user_name): (u64, NameRef), (item, item_name): (u64, NameRef)) -> Self {
        Self { user, user_name, item, item_name, ..Self::default() }
    }

    /// The same with a hashed id of its own: it counts once, however often it comes.
    #[must_use]
    pub fn with_id(self, id: Option<u64>) -> Self {
        Self { id, ..self }
    }
}

/// The worker's side.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

impl WorkerLogic for Counting {
    type Event = CountingEvent;

    fn on_recv(&mut self, batch: &mut Batch<CountingEvent>, pulls: &mut Pulls<'_>) {
        for event in &mut batch.events {
            event.user_slot = pulls.pull_named(USERS, event.user, event.user_name);
            event.item_slot = pulls.pull_named(ITEMS, event.item, event.item_name);
            if event.id.is_some() {
                event.id_slot = pulls.pull(EVENT_IDS, event.user);
            }
        }
    }

    fn on_pull_recv(&mut self, batch: &mut Batch<CountingEvent>, work: &mut Workspace) {
        for event in &batch.events {
            if event.id.is_some_and(|id| repeats::is_repeat(work.row_mut(EVENT_IDS, event.id_slot), id)) {
                batch.repeated += 1;
                continue;
            }
            words::add_u64(work.row_mut(ITEMS, event.item_slot), &words::from_u64(1));
            let user = work.row_mut(USERS, event.user_slot);
            words::add_u64(user, &words::from_u64(1));
            let running = words::u64_at(user, 0);
            work.push(SUMS, event.user, &words::from_u64(running));
        }
    }
}

/// The whole learner.
#[derive(Clone, Debug, Default)]
pub struct CountingModel;

impl Model for CountingModel {
    type Worker = Counting;
    type Server = ByRule;

    fn schema(&self) -> Arc<dyn Schema> {
        Arc::new(CountingSchema::default())
    }

    fn worker(&self) -> Counting {
        Counting
    }

    fn server(&self) -> ByRule {
        ByRule
    }
}
