//! How a server publishes, stores and deletes.

use std::rc::Rc;

use weir_ps::{Barrier, Publication, ShardRows};

use crate::{
    environment::Environment,
    process::{End, Member},
    producer::{Job, Written},
    record::{Place, Record, Row, Topic},
    rules::Rule,
    seen::Sight,
    server::ServerProcess,
    store::{Disk, Meta, Snapshot},
};

/// A publication that is being committed.
pub(crate) struct Publishing {
    shards: Vec<(u32, Barrier)>,
    snapshots: Vec<Snapshot>,
}

impl ServerProcess {
    /// Hands everything that is new to the producer, in one transaction for all shards.
    pub(super) fn publish(&mut self, env: &mut Environment) {
        let Some(proof) = self.member.as_ref().and_then(Member::proof) else { return };
        if self.producer.is_busy() {
            return;
        }
        let with_store = self.storing.is_empty() && (self.giving_up || env.one_in(3));
        let mut publishing = Publishing { shards: Vec::new(), snapshots: Vec::new() };
        let mut job = Job::default();
        for (&number, owned) in self.shards.iter_mut().filter(|(_, owned)| owned.shard.has_news()) {
            let publication = owned.shard.take_publication();
            job.sends.extend(requests(number, owned.shard.rows(), &publication));
            if with_store {
                let meta = meta_of(env, &publication.barrier);
                publishing.snapshots.push(Snapshot::take(number, owned.shard.rows_mut(), meta));
            }
            publishing.shards.push((number, publication.barrier));
        }
        if publishing.shards.is_empty() {
            return;
        }
        let next = publishing.shards.iter().map(|(number, barrier)| (*number, barrier.push_next)).collect();
        env.say(|| &*self, || format!("begins to publish up to {next:?}"));
        job.offsets = Some((proof, next));
        self.producer.begin(job);
        self.publishing = Some(publishing);
    }

    /// The committing thread's next request; after a revocation the rest is published, then the shards are let go.
    pub(super) fn transact(&mut self, env: &mut Environment) -> Result<(), End> {
        if let Some(written) = self.producer.step(env)? {
            self.published(env, &written);
        }
        if self.giving_up && !self.producer.is_busy() {
            self.publish(env);
            if !self.producer.is_busy() {
                self.giving_up = false;
                self.shards.clear();
                if let Some(member) = &mut self.member {
                    member.rejoin(env);
                }
            }
        }
        Ok(())
    }

    fn published(&mut self, env: &mut Environment, written: &Written) {
        env.saw(Sight::Published);
        env.say(|| &*self, || "has published".to_owned());
        let Some(publishing) = self.publishing.take() else { return };
        for (number, barrier) in &publishing.shards {
            if let Some(owned) = self.shards.get_mut(number) {
                owned.published = barrier.push_next;
            }
        }
        for mut snapshot in publishing.snapshots {
            let place: Place = (Topic::Changelog, snapshot.shard);
            snapshot.meta.changelog_next = written.get(&place).map_or(0, |offset| offset + 1);
            if let Some(owned) = self.shards.get_mut(&snapshot.shard)
                && !env.rules.hold(Rule::StoreAtBarrier)
            {
                // The rows as they are by now: not those of the barrier any more.
                let later = Snapshot::take(snapshot.shard, owned.shard.rows_mut(), snapshot.meta.clone());
                self.storing.push_back(snapshot);
                snapshot = later;
            }
            self.storing.push_back(snapshot);
        }
    }

    /// The storing thread's next job, or a deletion of what every restart would skip.
    pub(super) fn store_or_delete(&mut self, env: &mut Environment, disk: &mut Disk) {
        if let Some(snapshot) = self.storing.pop_front() {
            env.say(|| &*self, || format!("stores shard {} at {}", snapshot.shard, snapshot.meta.barrier.push_next));
            return disk.write(snapshot);
        }
        for (&number, owned) in &self.shards {
            let deleted = env.log((Topic::Pushes, number)).delete_before(owned.published);
            env.seen.add(Sight::PushesDeleted, deleted);
        }
    }
}

fn meta_of(env: &Environment, barrier: &Barrier) -> Meta {
    Meta { barrier: barrier.clone(), changelog_next: 0, stored_at_ms: env.now_ms }
}

/// One shard's publication as requests, the barrier last.
fn requests(number: u32, rows: &ShardRows, publication: &Publication) -> [(Place, Vec<Rc<Record>>); 2] {
    let mut records = Vec::new();
    for (id, (changed, deleted)) in publication.tables.iter().enumerate() {
        let table = id as u8;
        records.extend(deleted.iter().map(|&key| Rc::new(Record::Row { table, key, row: None })));
        let Some(rows) = rows.table(table) else { continue };
        records.extend(changed.iter().filter_map(|&key| rows.slot(key)).map(|slot| {
            let row = Row { name: rows.name(slot).map(str::to_owned), words: rows.row(slot).to_vec() };
            Rc::new(Record::Row { table, key: rows.key(slot), row: Some(row) })
        }));
    }
    let place = (Topic::Changelog, number);
    [(place, records), (place, vec![Rc::new(Record::Barrier(publication.barrier.clone()))])]
}
