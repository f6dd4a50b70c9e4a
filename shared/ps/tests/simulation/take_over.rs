//! How a worker takes source partitions over.

use std::{collections::BTreeMap, rc::Rc};

use weir_ps::{Batcher, PositionQuery, RequestId};

use crate::{
    environment::{Environment, REPLY_PARTITIONS},
    group::Role,
    process::End,
    producer::Job,
    record::{Record, Topic},
    rules::Rule,
    seen::Sight,
    worker::{Reader, WorkerProcess},
};

/// How long to wait for the shards' answers before they are asked again.
const QUERY_MS: u64 = 150;
/// How long committed offsets may be pending.
const PATIENCE_MS: u64 = 1_500;

/// Source partitions that the group has given, before the shards have said how far they are.
pub(super) struct Assigning {
    sources: Vec<u32>,
    since_ms: u64,
    asked_ms: Option<u64>,
    pub(super) asked: Option<(BTreeMap<u32, Option<u64>>, PositionQuery)>,
}

impl Assigning {
    pub(super) fn new(sources: Vec<u32>, since_ms: u64) -> Self {
        Self { sources, since_ms, asked_ms: None, asked: None }
    }
}

impl WorkerProcess {
    /// Looks up what is committed, then asks every shard how far it is, through its push log.
    pub(super) fn assign(&mut self, env: &mut Environment) -> Result<(), End> {
        let stable = env.rules.hold(Rule::StableOffsets);
        let Some(assigning) = &mut self.assigning else { return Ok(()) };
        if assigning.asked.is_none() {
            let Some(committed) = env.group(Role::Worker).committed(&assigning.sources, stable) else {
                env.saw(Sight::OffsetsPending);
                let waited_ms = env.now_ms - assigning.since_ms;
                return if waited_ms > PATIENCE_MS { End::restart("offsets pending") } else { Ok(()) };
            };
            self.queries += 1;
            let query = PositionQuery::new(self.queries, env.layout.shards, &assigning.sources);
            assigning.asked = Some((assigning.sources.iter().copied().zip(committed).collect(), query));
        }
        let waits = assigning.asked_ms.is_some_and(|asked| env.now_ms < asked + QUERY_MS);
        let Some((_, query)) = assigning.asked.as_ref().filter(|_| !waits && !self.producer.is_busy()) else {
            return Ok(());
        };
        assigning.asked_ms = Some(env.now_ms);
        let request = RequestId { instance: self.instance, number: query.number() };
        let (reply_to, sources) = (self.name % REPLY_PARTITIONS, query.sources());
        let ask = |shard| {
            let record = Record::Query { request, reply_to, sources: sources.clone() };
            ((Topic::Pushes, shard), vec![Rc::new(record)])
        };
        self.producer.begin(Job { sends: (0..env.layout.shards).map(ask).collect(), offsets: None });
        env.say(|| &*self, || format!("asks the shards how far {sources:?} are"));
        Ok(())
    }

    /// All shards have answered: begins to read.
    pub(super) fn take_over(&mut self, env: &mut Environment) -> Result<(), End> {
        let Some((committed, query)) = self.assigning.take().and_then(|assigning| assigning.asked) else {
            return Ok(());
        };
        for (&source, &committed) in &committed {
            let log = env.log((Topic::Input, source));
            let bounds = log.start()..log.stable_end();
            let (start, taught) = match query.start(source, committed, bounds) {
                Ok(start) => start,
                Err(error) => return why_not(env, source, committed, &error.to_string()),
            };
            let sight = if committed.is_some() { Sight::TakeOverAtOffset } else { Sight::TakeOverWithoutOffset };
            if taught {
                env.saw(sight);
            }
            env.say(|| &*self, || format!("takes {source} over at {} (committed: {committed:?})", start.sequence));
            self.worker.assign(source, start, taught);
            let batcher = Batcher::new(source, start, env.layout.batch);
            let reader = Reader { position: start.sequence, batcher, taught: taught.then_some(start) };
            self.readers.insert(source, reader);
        }
        Ok(())
    }
}

/// Whether a source partition cannot be taken over because another member has it by now, or for good.
fn why_not(env: &mut Environment, source: u32, committed: Option<u64>, error: &str) -> Result<(), End> {
    let now = env.group(Role::Worker).committed(&[source], true);
    if now == Some(vec![committed]) || !env.rules.hold(Rule::LookAgain) {
        return Err(End::refused(error));
    }
    env.saw(Sight::Overtaken);
    End::restart("overtaken by another member")
}
