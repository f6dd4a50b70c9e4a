//! The server's driver: what `services/server` does around its shards, over simulated topics.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use weir_ps::{ByRule, Part, PullAnswer, Reply, Shard, SourceRange, SourceState};

use crate::{
    environment::Environment,
    group::Role,
    process::{End, Member, Moved},
    producer::Producer,
    publishing::Publishing,
    record::{Record, Topic},
    restore::{Back, Restoring},
    rules::Rule,
    seen::Sight,
    store::{Disk, Snapshot},
};

/// Pulls before the end of their topic that a new owner answers.
const RECENT_PULLS: u64 = 32;

/// One owned shard.
pub(super) struct Owned {
    pub(super) shard: Shard<ByRule>,
    /// The consumers'.
    position: u64,
    pulls: u64,
    /// Push offset of the last committed barrier.
    pub(super) published: u64,
}

pub(crate) struct ServerProcess {
    name: u32,
    instance: u64,
    /// Whose data directory it has.
    pub(crate) disk: usize,
    pub(super) producer: Producer,
    pub(super) member: Option<Member>,
    pub(super) shards: BTreeMap<u32, Owned>,
    restoring: Option<Restoring>,
    to_restore: Option<Vec<u32>>,
    pub(super) publishing: Option<Publishing>,
    pub(super) storing: VecDeque<Snapshot>,
    pub(super) giving_up: bool,
}

impl fmt::Display for ServerProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "server {}#{}", self.name, self.instance)
    }
}

impl ServerProcess {
    pub(crate) fn start(env: &mut Environment, name: u32, disk: usize) -> Self {
        let places = (0..env.layout.shards).map(|shard| (Topic::Changelog, shard)).collect();
        Self {
            name,
            instance: env.next_instance(),
            disk,
            producer: Producer::new(u64::from(env.layout.workers + name), Role::Server, places),
            member: None,
            shards: BTreeMap::new(),
            restoring: None,
            to_restore: None,
            publishing: None,
            storing: VecDeque::new(),
            giving_up: false,
        }
    }

    /// Whether a crash now would leave a transaction open.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.producer.is_busy()
    }

    /// Whether it is bringing shards back.
    pub(crate) fn is_restoring(&self) -> bool {
        self.restoring.is_some()
    }

    /// The shards that it owns and has read to the end.
    pub(crate) fn shards(&self) -> impl Iterator<Item = (u32, &Shard<ByRule>)> {
        self.shards.iter().map(|(&number, owned)| (number, &owned.shard))
    }

    /// Does one of the things that its threads do.
    pub(crate) fn step(&mut self, env: &mut Environment, disk: &mut Disk) -> Result<(), End> {
        if !self.producer.is_started() {
            return self.producer.step(env).map(drop);
        }
        let Some(member) = &mut self.member else {
            self.member = Some(Member::join(env, Role::Server, self.name));
            return Ok(());
        };
        member.heartbeat(env);
        match env.random.u8(..12) {
            0 | 1 => self.poll(env),
            2 | 3 => self.restore(env, disk),
            4 | 5 => self.read_pushes(env),
            6 | 7 => {
                self.read_pulls(env);
                Ok(())
            }
            8 => {
                self.publish(env);
                Ok(())
            }
            9 => {
                self.store_or_delete(env, disk);
                Ok(())
            }
            _ => self.transact(env),
        }
    }

    fn poll(&mut self, env: &mut Environment) -> Result<(), End> {
        let Some(member) = &mut self.member else { return Ok(()) };
        match member.poll(env)? {
            Some(Moved::Assigned(shards)) => {
                env.say(|| &*self, || format!("is given shards {shards:?}"));
                self.to_restore = (!shards.is_empty()).then_some(shards);
            }
            Some(Moved::Revoked) if !self.giving_up => {
                env.say(|| &*self, || "gives up its shards".to_owned());
                self.giving_up = true;
                (self.restoring, self.to_restore) = (None, None);
            }
            Some(Moved::Revoked) | None => {}
        }
        Ok(())
    }

    /// Restores the shards that the group has given, then reads on.
    fn restore(&mut self, env: &mut Environment, disk: &mut Disk) -> Result<(), End> {
        // What is still being written of a former assignment must not change under the one who reads it.
        if let Some(shards) = self.to_restore.take_if(|_| self.storing.is_empty()) {
            self.restoring = Some(Restoring::begin(env, disk, &shards));
        }
        let Some(restoring) = &mut self.restoring else { return Ok(()) };
        let Some(back) = restoring.step(env)? else { return Ok(()) };
        self.restoring = None;
        for (number, Back { shard, push_next }) in back {
            env.say(|| &*self, || format!("has restored shard {number} at push offset {push_next}"));
            let pulls = env.log((Topic::Pulls, number)).stable_end().saturating_sub(RECENT_PULLS);
            self.shards.insert(number, Owned { shard, position: push_next, pulls, published: push_next });
        }
        Ok(())
    }

    fn read_pushes(&mut self, env: &mut Environment) -> Result<(), End> {
        let Some(number) = env.random.choice(self.shards.keys().copied()) else { return Ok(()) };
        let Some(owned) = self.shards.get_mut(&number) else { return Ok(()) };
        let (mut answers, before) = (Vec::new(), owned.shard.barrier().push_next);
        for _ in 0..env.random.u8(1..=6) {
            let Ok(read) = env.log((Topic::Pushes, number)).read(&mut owned.position) else {
                return End::restart("pushes are deleted: overtaken by another owner");
            };
            let Some((offset, record)) = read else { break };
            match &*record {
                Record::Push { number: part_number, count, ranges, part } => {
                    if env.rules.hold(Rule::GapCheck) {
                        let applied = owned.shard.apply(offset, (*part_number, *count), ranges, part);
                        applied.map_err(End::refused)?;
                    } else {
                        apply_unchecked(&mut owned.shard, offset, ranges, part);
                    }
                }
                Record::Query { request, reply_to, sources } => {
                    owned.shard.skip_to(offset + 1);
                    let positions = sources.iter().map(|&source| (source, owned.shard.applied(source))).collect();
                    answers.push((*reply_to, Record::Positions { request: *request, shard: number, positions }));
                }
                _ => owned.shard.skip_to(offset + 1),
            }
        }
        let released = owned.shard.release(env.now_ms).into_iter().map(as_answer);
        answers.extend(released);
        let at = owned.shard.barrier().push_next;
        if at > before || !answers.is_empty() {
            env.say(|| &*self, || format!("has read shard {number} up to {at}, gives {} answers", answers.len()));
        }
        for (reply_to, answer) in answers {
            env.append((Topic::Replies, reply_to), answer);
        }
        Ok(())
    }

    fn read_pulls(&mut self, env: &mut Environment) {
        for (&number, owned) in &mut self.shards {
            let place = (Topic::Pulls, number);
            owned.pulls = owned.pulls.max(env.log(place).start());
            for _ in 0..8 {
                let Ok(Some((_, record))) = env.log(place).read(&mut owned.pulls) else { break };
                let Record::Pull(pull) = &*record else { continue };
                match owned.shard.on_pull(pull.clone(), env.now_ms) {
                    PullAnswer::Ready(reply) => {
                        let (reply_to, answer) = as_answer(reply);
                        env.append((Topic::Replies, reply_to), answer);
                    }
                    PullAnswer::Held | PullAnswer::Refused => env.saw(Sight::HeldPull),
                }
            }
        }
    }
}

fn as_answer(reply: Reply) -> (u32, Record) {
    (reply.reply_to, Record::Reply(reply))
}

/// What a shard would do if it did not look at where a push begins.
fn apply_unchecked(shard: &mut Shard<ByRule>, offset: u64, ranges: &[SourceRange], part: &Part) {
    for section in &part.sections {
        shard.rows_mut().apply_by_rule(section);
    }
    for (table, key, name) in &part.names {
        shard.rows_mut().name(*table, *key, name);
    }
    let mut barrier = shard.barrier().clone();
    for range in ranges {
        barrier.sources.insert(range.source, SourceState { next: range.next, parts_done: 0 });
    }
    shard.restore(barrier);
    shard.skip_to(offset + 1);
}
