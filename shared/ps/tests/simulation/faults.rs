//! What may go wrong in a run, and how often.

use fastrand::Rng;

use crate::{
    gateway::Gateway, group::Role, seen::Sight, server::ServerProcess, slot::Slot, store::Disk, worker::WorkerProcess,
    world::World,
};

/// Pauses and delays are of this many milliseconds; the longer ones outlast sessions and transactions.
const PAUSE_MS: std::ops::Range<u64> = 10..700;

/// Chances of faults in 1,000 scheduler steps, or in 1,000 of the events that they spoil.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chances {
    pub(crate) crash_worker: u32,
    pub(crate) crash_server: u32,
    pub(crate) crash_gateway: u32,
    pub(crate) pause_worker: u32,
    pub(crate) pause_server: u32,
    pub(crate) namesake_worker: u32,
    pub(crate) namesake_server: u32,
    pub(crate) move_sources: u32,
    pub(crate) move_shards: u32,
    pub(crate) lose_store: u32,
    pub(crate) old_store: u32,
    pub(crate) expire_worker_offsets: u32,
    pub(crate) expire_server_offsets: u32,
    /// Of pulls.
    pub(crate) lose_pull: u32,
    /// Of replies.
    pub(crate) lose_reply: u32,
    /// Of commits.
    pub(crate) lose_commit_reply: u32,
    /// Of the markers of transactions that the coordinator itself aborts.
    pub(crate) lose_marker: u32,
}

impl Chances {
    /// Each run has faults of its own: some kinds not at all, others more often.
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let mut draw = |most: u32| if random.bool() { random.u32(1..=most) } else { 0 };
        Self {
            crash_worker: draw(8),
            crash_server: draw(8),
            crash_gateway: draw(3),
            pause_worker: draw(8),
            pause_server: draw(8),
            namesake_worker: draw(3),
            namesake_server: draw(3),
            move_sources: draw(6),
            move_shards: draw(6),
            lose_store: draw(3),
            old_store: draw(3),
            expire_worker_offsets: draw(3),
            expire_server_offsets: draw(3),
            lose_pull: draw(100),
            lose_reply: draw(100),
            lose_commit_reply: draw(60),
            lose_marker: draw(400),
        }
    }
}

impl World {
    /// Lets something go wrong, or nothing.
    pub(crate) fn fault(&mut self) {
        let chances = self.env.chances;
        self.fault_of_workers(&chances);
        self.fault_of_servers(&chances);
        if self.env.chance(chances.crash_gateway) {
            self.gateway = Gateway::default();
            self.met(Sight::GatewayCrash, "gateway", "crashes");
        }
        let now_ms = self.env.now_ms;
        for (chance, role, sight) in [
            (chances.move_sources, Role::Worker, Sight::SourcesMoved),
            (chances.move_shards, Role::Server, Sight::ShardsMoved),
        ] {
            if self.env.chance(chance) {
                self.env.group(role).rotate(now_ms);
                self.met(sight, "broker", "moves partitions to other members");
            }
        }
        self.expire_offsets(&chances);
    }

    /// Offsets expire in days: never while a transaction is half visible, or between two looks that a member takes at
    /// them.
    fn expire_offsets(&mut self, chances: &Chances) {
        let restoring = self.servers.iter().flat_map(Slot::all).any(ServerProcess::is_restoring);
        let taking_over = self.workers.iter().flat_map(Slot::all).any(WorkerProcess::is_taking_over);
        for (chance, role, sight) in [
            (chances.expire_worker_offsets, Role::Worker, Sight::WorkerOffsetsExpired),
            (chances.expire_server_offsets, Role::Server, Sight::ServerOffsetsExpired),
        ] {
            let may = self.env.chance(chance) && self.env.is_quiet() && !restoring && !taking_over;
            if may && self.env.group(role).expire_offsets() {
                self.met(sight, "broker", "forgets committed offsets");
            }
        }
    }

    /// Once in each run: a worker is killed, or everything at once, with or without all data directories.
    pub(crate) fn fault_of_all(&mut self) {
        if !self.env.one_in(4) {
            if let Some(name) = self.workers.iter_mut().position(|slot| slot.crash(&mut self.env)) {
                self.met(Sight::WorkerCrash, &format!("worker {name}"), "crashes");
            }
            return;
        }
        self.workers.iter_mut().for_each(|slot| slot.crash_all(&mut self.env));
        self.servers.iter_mut().for_each(|slot| slot.crash_all(&mut self.env));
        self.gateway = Gateway::default();
        self.met(Sight::AllKilled, "everything", "crashes");
        if self.env.one_in(2) {
            self.disks.iter_mut().for_each(|disk| *disk = Disk::default());
            self.met(Sight::AllStoresLost, "everything", "loses its store");
        }
    }

    fn fault_of_workers(&mut self, chances: &Chances) {
        let name = self.env.random.usize(..self.workers.len());
        let (env, slot) = (&mut self.env, &mut self.workers[name]);
        if env.chance(chances.crash_worker) {
            let in_transaction = slot.current().is_some_and(WorkerProcess::is_in_transaction);
            if slot.crash(env) {
                self.crashed(Sight::WorkerCrash, &format!("worker {name}"), in_transaction);
            }
        } else if env.chance(chances.pause_worker * often(slot.current().is_some_and(WorkerProcess::is_taking_over))) {
            let for_ms = env.random.u64(PAUSE_MS);
            if slot.pause(env.now_ms, for_ms) {
                self.paused(Sight::WorkerPause, &format!("worker {name}"), for_ms);
            }
        } else if env.chance(chances.namesake_worker) && slot.double(env.now_ms) {
            self.met(Sight::WorkerNamesake, &format!("worker {name}"), "gets a namesake");
        }
    }

    fn fault_of_servers(&mut self, chances: &Chances) {
        let name = self.env.random.usize(..self.servers.len());
        let (env, slot) = (&mut self.env, &mut self.servers[name]);
        if env.chance(chances.crash_server) {
            let in_transaction = slot.current().is_some_and(ServerProcess::is_in_transaction);
            if slot.crash(env) {
                self.crashed(Sight::ServerCrash, &format!("server {name}"), in_transaction);
            }
        } else if env.chance(chances.pause_server * often(slot.current().is_some_and(ServerProcess::is_restoring))) {
            let for_ms = env.random.u64(PAUSE_MS);
            if slot.pause(env.now_ms, for_ms) {
                self.paused(Sight::ServerPause, &format!("server {name}"), for_ms);
            }
        } else if env.chance(chances.namesake_server) && slot.double(env.now_ms) {
            // The namesake has a data directory of its own: that of the other one is locked.
            let disk = std::mem::take(&mut self.disks[name]);
            self.disks.push(disk);
            if let Some(process) = slot.newest() {
                process.disk = self.disks.len() - 1;
            }
            self.met(Sight::ServerNamesake, &format!("server {name}"), "gets a namesake");
        }
        self.fault_of_stores(chances);
    }

    /// A data directory is lost, or an old copy takes its place, while its server is down.
    fn fault_of_stores(&mut self, chances: &Chances) {
        if self.env.one_in(100) {
            self.copy_disk();
        }
        let name = self.env.random.usize(..self.servers.len());
        if self.env.chance(chances.lose_store) && !self.disks[name].is_empty() {
            self.servers[name].crash(&mut self.env);
            self.disks[name] = Disk::default();
            self.met(Sight::StoreLost, &format!("server {name}"), "is killed and loses its store");
        }
        if self.env.chance(chances.old_store)
            && let Some((disk, copy)) = self.copies.pop()
        {
            self.servers[disk].crash(&mut self.env);
            self.disks[disk] = copy;
            self.met(Sight::OldStore, &format!("server {disk}"), "is killed and gets an old store");
        }
    }

    fn met(&mut self, sight: Sight, who: &str, what: &str) {
        self.env.saw(sight);
        self.env.say(|| who, || format!("*** {what}"));
    }

    fn crashed(&mut self, sight: Sight, who: &str, in_transaction: bool) {
        if in_transaction {
            self.env.saw(Sight::TransactionLeftOpen);
        }
        self.met(sight, who, if in_transaction { "crashes in a transaction" } else { "crashes" });
    }

    fn paused(&mut self, sight: Sight, who: &str, for_ms: u64) {
        // What is shorter than a session is a delay; whoever is silent for longer comes back as a zombie.
        let sight = if for_ms > crate::group::SESSION_MS { sight } else { Sight::Delay };
        self.met(sight, who, &format!("stands still for {for_ms} ms"));
    }
}

/// What takes a short time and matters much gets more than its share of the faults.
fn often(matters: bool) -> u32 {
    if matters { 8 } else { 1 }
}
