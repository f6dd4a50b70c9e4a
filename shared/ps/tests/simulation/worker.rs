//! The worker's driver: what `services/worker` does around the state machine, over simulated topics.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    rc::Rc,
};

use weir_ps::{Batcher, Position, Worker};

use crate::{
    environment::{Environment, REPLY_PARTITIONS},
    group::Role,
    learner::{Decoded, Forgetful, decode, schema},
    process::{End, Member, Moved},
    producer::{Job, Producer},
    record::{Record, Topic},
    rules::Rule,
    seen::Sight,
    take_over::Assigning,
};

pub(super) struct Reader {
    /// The consumer's.
    pub(super) position: u64,
    pub(super) batcher: Batcher<Decoded>,
    /// Where this process took over, if shards knew it.
    pub(super) taught: Option<Position>,
}

pub(crate) struct WorkerProcess {
    pub(super) name: u32,
    pub(super) instance: u64,
    pub(super) producer: Producer,
    member: Option<Member>,
    pub(super) worker: Worker<Forgetful>,
    pub(super) readers: BTreeMap<u32, Reader>,
    reply_position: u64,
    pub(super) assigning: Option<Assigning>,
    giving_up: bool,
    pub(super) queries: u64,
}

impl fmt::Display for WorkerProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "worker {}#{}", self.name, self.instance)
    }
}

impl WorkerProcess {
    pub(crate) fn start(env: &mut Environment, name: u32) -> Self {
        let mut settings = env.layout.worker;
        settings.reply_to = name % REPLY_PARTITIONS;
        let instance = env.next_instance();
        let places = (0..env.layout.shards).map(|shard| (Topic::Pushes, shard)).collect();
        Self {
            name,
            instance,
            producer: Producer::new(u64::from(name), Role::Worker, places),
            member: None,
            worker: Worker::new(Forgetful::new(), schema(), settings, instance),
            readers: BTreeMap::new(),
            reply_position: 0,
            assigning: None,
            giving_up: false,
            queries: 0,
        }
    }

    fn reply_to(&self) -> u32 {
        self.name % REPLY_PARTITIONS
    }

    /// Whether a crash now would leave a transaction open.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.producer.is_busy()
    }

    /// Whether it is taking source partitions over.
    pub(crate) fn is_taking_over(&self) -> bool {
        self.assigning.is_some()
    }

    /// Does one of the things that its threads do.
    pub(crate) fn step(&mut self, env: &mut Environment) -> Result<(), End> {
        if !self.producer.is_started() {
            // Rule 22: abort first, before the group is joined.
            return self.producer.step(env).map(drop);
        }
        let Some(member) = &mut self.member else {
            self.reply_position = env.log((Topic::Replies, self.reply_to())).stable_end();
            self.member = Some(Member::join(env, Role::Worker, self.name));
            return Ok(());
        };
        member.heartbeat(env);
        match env.random.u8(..10) {
            0 | 1 => self.poll(env),
            2..=4 => self.read_input(env),
            5 => self.read_replies(env),
            6 => self.advance(env),
            _ => self.transact(env),
        }
    }

    fn poll(&mut self, env: &mut Environment) -> Result<(), End> {
        let Some(member) = &mut self.member else { return Ok(()) };
        match member.poll(env)? {
            Some(Moved::Assigned(sources)) => {
                env.say(|| &*self, || format!("is given source partitions {sources:?}"));
                let since_ms = env.now_ms;
                self.assigning = (!sources.is_empty()).then(|| Assigning::new(sources, since_ms));
            }
            Some(Moved::Revoked) if !self.giving_up => {
                env.say(|| &*self, || "gives up its source partitions".to_owned());
                self.giving_up = true;
                self.assigning = None;
                let sources: Vec<u32> = self.worker.sources().map(|(source, _)| source).collect();
                for source in sources {
                    self.worker.revoke(source);
                }
                self.readers.clear();
            }
            Some(Moved::Revoked) | None => {}
        }
        Ok(())
    }

    /// Reads a few records of one source partition; hands a batch over if it is due and may start.
    fn read_input(&mut self, env: &mut Environment) -> Result<(), End> {
        let Some(source) = env.random.choice(self.readers.keys().copied()) else { return Ok(()) };
        let Some(reader) = self.readers.get_mut(&source) else { return Ok(()) };
        let mut drained = false;
        for _ in 0..env.random.u8(1..=4) {
            if reader.batcher.is_full() {
                break;
            }
            let read = env.log((Topic::Input, source)).read(&mut reader.position);
            let Ok(Some((offset, record))) = read else {
                drained = true;
                break;
            };
            let Record::Event(event) = &*record else { continue };
            if let Err(expected) = reader.batcher.advance(offset, 1, env.now_ms) {
                return Err(End::refused(format!("input {source} went back to {offset}, expected {expected:?}")));
            }
            decode(*event, reader.batcher.batch());
        }
        if self.worker.room(source) == 0 || !reader.batcher.is_due(drained, env.now_ms) {
            return Ok(());
        }
        let batch = reader.batcher.cut();
        let (range, events) = (batch.range, batch.events.len());
        env.say(|| &*self, || format!("reads {source}: {}..{} ({events})", range.first.sequence, range.next.sequence));
        self.worker.on_batch(batch, env.now_ms).map_err(End::refused)
    }

    fn read_replies(&mut self, env: &mut Environment) -> Result<(), End> {
        let place = (Topic::Replies, self.reply_to());
        for _ in 0..8 {
            let read = env.log(place).read(&mut self.reply_position);
            let Ok(read) = read else {
                self.reply_position = env.log(place).start();
                continue;
            };
            let Some((_, record)) = read else { break };
            if env.chance(env.chances.lose_reply) {
                env.saw(Sight::ReplyLost);
                continue;
            }
            match &*record {
                Record::Reply(reply) => {
                    self.worker.on_reply(reply).map_err(End::refused)?;
                }
                Record::Positions { request, shard, positions } if request.instance == self.instance => {
                    let asked = self.assigning.as_mut().and_then(|assigning| assigning.asked.as_mut());
                    let asked = asked.filter(|(_, query)| query.number() == request.number);
                    if asked.is_some_and(|(_, query)| query.answer(*shard, positions)) {
                        self.take_over(env)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends, commits and asks whatever may go now.
    fn advance(&mut self, env: &mut Environment) -> Result<(), End> {
        self.worker.tick(env.now_ms);
        for mut pull in self.worker.take_pulls() {
            if env.chance(env.chances.lose_pull) {
                env.saw(Sight::PullLost);
                continue;
            }
            let taught = self.readers.get(&pull.source).and_then(|reader| reader.taught);
            if !env.rules.hold(Rule::AtLeast) && pull.at_least == taught {
                pull.at_least = None;
            }
            env.append((Topic::Pulls, pull.shard), Record::Pull(pull));
        }
        self.commit(env);
        self.assign(env)
    }

    /// Hands the finished batches to the producer, in one transaction.
    fn commit(&mut self, env: &mut Environment) {
        let Some(proof) = self.member.as_ref().and_then(Member::proof) else { return };
        if self.producer.is_busy() {
            return;
        }
        let Some(step) = self.worker.take_step(env.layout.step_bytes) else { return };
        let mut sends = VecDeque::new();
        for (shard, push) in step.pushes.into_iter().enumerate() {
            let count = push.parts.len() as u16;
            for (number, part) in push.parts.into_iter().enumerate() {
                let (number, ranges) = (number as u16, push.ranges.clone());
                let record = Rc::new(Record::Push { number, count, ranges, part });
                sends.push_back(((Topic::Pushes, shard as u32), vec![record]));
            }
        }
        let next = step.ranges.iter().map(|range| (range.source, range.next.sequence)).collect();
        env.say(|| &*self, || format!("begins to commit up to {next:?}"));
        self.producer.begin(Job { sends, offsets: Some((proof, next)) });
    }

    /// The committing thread's next request; after a revocation what is finished is committed and the rest let go.
    fn transact(&mut self, env: &mut Environment) -> Result<(), End> {
        if self.producer.step(env)?.is_some() {
            env.saw(Sight::StepCommitted);
            env.say(|| &*self, || "has committed".to_owned());
        }
        if self.giving_up && !self.producer.is_busy() {
            self.commit(env);
            if !self.producer.is_busy() {
                self.giving_up = false;
                if let Some(member) = &mut self.member {
                    member.rejoin(env);
                }
            }
        }
        Ok(())
    }
}
