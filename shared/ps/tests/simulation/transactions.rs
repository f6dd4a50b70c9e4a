//! The transaction coordinator: producers with epochs, transactions that end at once and become visible partition by
//! partition, time-outs.

use std::{collections::BTreeSet, rc::Rc};

use crate::{
    environment::Environment,
    group::{Proof, Role},
    log::Partition,
    record::{Place, Record},
    rules::Rule,
    seen::Sight,
};

/// How long a transaction may be open.
const TIMEOUT_MS: u64 = 350;

/// Why the broker does not do what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not yet: ask again.
    Wait,
    /// The producer has a successor, or took too long.
    Fenced,
    /// These offsets are not this member's to commit.
    NotAMember,
}

#[derive(Clone, Copy, Debug)]
struct Ending {
    commit: bool,
    /// Ended by the coordinator itself, of which the markers may get lost (KAFKA-20734).
    by_coordinator: bool,
}

/// What the coordinator knows of one transactional id; its index is the producer id.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    epoch: u32,
    open_since_ms: Option<u64>,
    ending: Option<Ending>,
    /// Where markers are still to be written.
    places: BTreeSet<Place>,
    group: Option<Role>,
}

impl Transaction {
    fn end(&mut self, commit: bool, by_coordinator: bool) {
        self.open_since_ms = None;
        self.ending = Some(Ending { commit, by_coordinator });
    }
}

impl Environment {
    /// Ends what a predecessor has left, then hands out an epoch that fences it.
    pub(crate) fn init_transactions(&mut self, producer: u64) -> Result<u32, Refusal> {
        let transaction = self.transactions.get_mut(&producer).ok_or(Refusal::Fenced)?;
        let left_open = transaction.open_since_ms.is_some();
        if left_open {
            transaction.end(false, true);
        }
        transaction.epoch += u32::from(transaction.ending.is_none() || left_open);
        if transaction.ending.is_some() { Err(Refusal::Wait) } else { Ok(transaction.epoch) }
    }

    /// The open transaction of a producer, begun with this call if there is none.
    fn open(&mut self, producer: u64, epoch: u32) -> Result<&mut Transaction, Refusal> {
        let (fencing, now_ms) = (self.rules.hold(Rule::ProducerFencing), self.now_ms);
        let transaction = self.transactions.get_mut(&producer).ok_or(Refusal::Fenced)?;
        if fencing && transaction.epoch != epoch {
            return Err(Refusal::Fenced);
        }
        if transaction.ending.is_some() {
            return Err(Refusal::Wait);
        }
        transaction.open_since_ms.get_or_insert(now_ms);
        Ok(transaction)
    }

    /// Appends records to one partition in the producer's transaction; returns the last one's offset.
    pub(crate) fn send(
        &mut self,
        (producer, epoch): (u64, u32),
        place: Place,
        records: &[Rc<Record>],
    ) -> Result<u64, Refusal> {
        self.open(producer, epoch)?.places.insert(place);
        let log = self.log(place);
        Ok(records.iter().map(|record| log.append(Some(producer), Rc::clone(record))).max().unwrap_or_default())
    }

    /// Adds offsets to the producer's transaction. Without a proof nobody is fenced.
    pub(crate) fn send_offsets(
        &mut self,
        (producer, epoch): (u64, u32),
        role: Role,
        proof: Option<Proof>,
        next: &[(u32, u64)],
    ) -> Result<(), Refusal> {
        self.open(producer, epoch)?;
        let fencing = self.rules.hold(if role == Role::Worker { Rule::WorkerFencing } else { Rule::ServerFencing });
        if fencing && proof.is_some_and(|proof| !self.group(role).is_member(proof)) {
            return Err(Refusal::NotAMember);
        }
        self.open(producer, epoch)?.group = Some(role);
        self.group(role).add_pending(producer, next);
        Ok(())
    }

    /// Decides the producer's transaction; readers see it as the markers are written.
    pub(crate) fn end_transaction(&mut self, (producer, epoch): (u64, u32), commit: bool) -> Result<(), Refusal> {
        self.open(producer, epoch)?.end(commit, false);
        Ok(())
    }

    /// Aborts transactions that are open for too long.
    pub(crate) fn time_out_transactions(&mut self) {
        let now_ms = self.now_ms;
        let mut timed_out = Vec::new();
        for (&producer, transaction) in &mut self.transactions {
            if transaction.open_since_ms.is_some_and(|since| now_ms > since + TIMEOUT_MS) {
                transaction.epoch += 1;
                transaction.end(false, true);
                timed_out.push(producer);
            }
        }
        for producer in timed_out {
            self.saw(Sight::TransactionTimedOut);
            self.say(|| "broker", || format!("aborts the transaction of producer {producer}: it took too long"));
        }
    }

    /// Writes one marker of one transaction that has ended; returns whether there was one.
    pub(crate) fn write_marker(&mut self) -> bool {
        let ending = self.transactions.iter().filter(|(_, transaction)| transaction.ending.is_some());
        let ending: Vec<u64> = ending.map(|(&producer, _)| producer).collect();
        let Some(producer) = self.random.choice(ending) else { return false };
        let Some(transaction) = self.transactions.get_mut(&producer) else { return false };
        let Some(Ending { commit, by_coordinator }) = transaction.ending else { return false };
        let targets = transaction.places.len() + usize::from(transaction.group.is_some());
        if targets == 0 {
            transaction.ending = None;
            return true;
        }
        let place = transaction.places.iter().nth(self.random.usize(..targets)).copied();
        let group = if let Some(place) = &place {
            transaction.places.remove(place);
            None
        } else {
            transaction.group.take()
        };
        if by_coordinator && !commit && self.chance(self.chances.lose_marker) {
            self.saw(Sight::MarkerLost);
            self.say(|| "broker", || format!("loses a marker of producer {producer} for {place:?} {group:?}"));
            return true;
        }
        let what = if commit { "commit" } else { "abort" };
        if let Some(place) = place {
            self.log(place).mark(producer, commit);
            self.say(|| "broker", || format!("marks the {what} of producer {producer} in {place:?}"));
        }
        if let Some(role) = group {
            self.group(role).mark(producer, commit);
            self.say(|| "broker", || format!("marks the {what} of producer {producer} in the {role:?}s' offsets"));
        }
        true
    }

    /// Whether no transaction is open or half visible anywhere.
    pub(crate) fn is_quiet(&self) -> bool {
        let idle = |transaction: &Transaction| transaction.ending.is_none() && transaction.open_since_ms.is_none();
        self.transactions.values().all(idle) && self.logs().all(Partition::is_settled)
    }
}
