//! The transactional producer of a process, one request at a time: whatever happens between two of them happens.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use crate::{
    environment::Environment,
    group::{Proof, Role},
    process::{End, or_wait},
    record::{Place, Record},
    rules::Rule,
    seen::Sight,
};

/// What one transaction writes.
#[derive(Default)]
pub(crate) struct Job {
    /// Requests, in order.
    pub(crate) sends: VecDeque<(Place, Vec<Rc<Record>>)>,
    /// Offsets with the proof that they may be committed.
    pub(crate) offsets: Option<(Proof, Vec<(u32, u64)>)>,
}

/// The offset of the last record in each partition of a committed transaction.
pub(crate) type Written = BTreeMap<Place, u64>;

enum State {
    Init,
    /// Which of the dummies comes next; the group's offset comes after them.
    AbortFirst(usize),
    Ready,
    Sending(Job, Written),
}

pub(crate) struct Producer {
    id: u64,
    epoch: u32,
    role: Role,
    /// Every partition that this producer may write.
    places: Vec<Place>,
    state: State,
}

impl Producer {
    pub(crate) fn new(id: u64, role: Role, places: Vec<Place>) -> Self {
        Self { id, epoch: 0, role, places, state: State::Init }
    }

    pub(crate) fn is_started(&self) -> bool {
        matches!(self.state, State::Ready | State::Sending(..))
    }

    /// Whether a transaction is under way.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.state, State::Sending(..))
    }

    /// Begins a transaction; only while none is under way.
    pub(crate) fn begin(&mut self, job: Job) {
        self.state = State::Sending(job, Written::new());
    }

    /// Makes the next request. Returns what was written once a transaction is committed.
    pub(crate) fn step(&mut self, env: &mut Environment) -> Result<Option<Written>, End> {
        match &mut self.state {
            State::Ready => {}
            State::Init => {
                let result = env.init_transactions(self.id);
                if let Some(epoch) = or_wait(env, result)? {
                    self.epoch = epoch;
                    self.state = if env.rules.hold(Rule::AbortFirst) { State::AbortFirst(0) } else { State::Ready };
                }
            }
            State::AbortFirst(done) => {
                let done = *done;
                self.abort_first(env, done)?;
            }
            State::Sending(..) => return self.send(env),
        }
        Ok(None)
    }

    fn ticket(&self) -> (u64, u32) {
        (self.id, self.epoch)
    }

    /// A record for every partition and an offset for the group, then an abort: it ends whatever a predecessor left
    /// there half done.
    fn abort_first(&mut self, env: &mut Environment, done: usize) -> Result<(), End> {
        let ticket = self.ticket();
        let result = match self.places.get(done) {
            Some(&place) => env.send(ticket, place, &[Rc::new(Record::Dummy)]).map(drop),
            None if done == self.places.len() => env.send_offsets(ticket, self.role, None, &[(0, 0)]),
            None => env.end_transaction(ticket, false),
        };
        if or_wait(env, result)?.is_some() {
            self.state = if done > self.places.len() { State::Ready } else { State::AbortFirst(done + 1) };
        }
        Ok(())
    }

    /// The client sends records and offsets side by side; the commit waits for both.
    fn send(&mut self, env: &mut Environment) -> Result<Option<Written>, End> {
        let (ticket, role) = (self.ticket(), self.role);
        let State::Sending(job, written) = &mut self.state else { return Ok(None) };
        if let Some((proof, next)) = job.offsets.as_ref().filter(|_| job.sends.is_empty() || env.one_in(4)) {
            let result = env.send_offsets(ticket, role, Some(*proof), next);
            if or_wait(env, result)?.is_some() {
                job.offsets = None;
            }
            return Ok(None);
        }
        if let Some((place, records)) = job.sends.front() {
            let result = env.send(ticket, *place, records);
            if let Some(offset) = or_wait(env, result)? {
                written.insert(*place, offset);
                job.sends.pop_front();
            }
            return Ok(None);
        }
        let result = env.end_transaction(ticket, true);
        if or_wait(env, result)?.is_none() {
            return Ok(None);
        }
        if env.chance(env.chances.lose_commit_reply) {
            env.saw(Sight::CommitReplyLost);
            return End::restart("no reply to the commit");
        }
        let written = std::mem::take(written);
        self.state = State::Ready;
        Ok(Some(written))
    }
}
