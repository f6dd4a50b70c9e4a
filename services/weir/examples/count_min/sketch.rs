//! A count-min sketch of the words of messages: how often each occurred, never too few and seldom too many.
//!
//! Source: Cormode and Muthukrishnan, "An Improved Data Stream Summary: The Count-Min Sketch and its Applications",
//! Journal of Algorithms 55 (2005).

use std::sync::Arc;

use weir_models::{Decoder, Description, Input, InputModel};
use weir_ps::{
    Batch, ByRule, CustomPartitioner, Model, Partitioner, Pulls, Rule, Schema, TableSpec, WorkerLogic, Workspace, words,
};
use weir_runtime::Settings;
use weir_wire::message::{self, MessageEvent, Reject};

/// Rows of the sketch, each under a hash of its own, and counters in a row.
pub(crate) const SHAPE: (usize, u64) = (4, 1 << 13);

/// The keys of a word's counters, one in each row of the sketch. Keys begin at 1.
pub(crate) type Counters = [u64; SHAPE.0];

/// Keys are small numbers here and no hashes, so shards take turns.
static IN_TURN: CustomPartitioner =
    CustomPartitioner { name: "in-turn", shard: |key, shards| (key % u64::from(shards)) as u32 };

/// The learner, all of it, with its one table.
#[derive(Clone)]
pub(crate) struct CountMin([TableSpec; 1]);

impl CountMin {
    pub(crate) fn new() -> Self {
        Self([TableSpec { id: 0, name: "counters", width: 2, rule: Rule::AddU64, cached: false, named: false }])
    }

    /// What the roles must know: whence it reads, and where its rows are.
    pub(crate) fn description(&self, settings: &Settings) -> Description {
        let partitioner = Partitioner::Custom { custom: &IN_TURN, shards: settings.server.shards };
        let description = Description::new("count-min", &settings.topics.messages, self.schema(), settings);
        Description { partitioner, ..description }
    }
}

pub(crate) fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

pub(crate) fn counters(word: &str) -> Counters {
    std::array::from_fn(|row| row as u64 * SHAPE.1 + weir_wire::key(row as u64, word) % SHAPE.1 + 1)
}

impl Schema for CountMin {
    fn tables(&self) -> &[TableSpec] {
        &self.0
    }
}

impl WorkerLogic for CountMin {
    type Event = Counters;

    fn on_recv(&mut self, _batch: &mut Batch<Counters>, _pulls: &mut Pulls<'_>) {}

    /// Nothing was pulled: to add, one need not know.
    fn on_pull_recv(&mut self, batch: &mut Batch<Counters>, work: &mut Workspace) {
        for &key in batch.events.iter().flatten() {
            work.push(0, key, &words::from_u64(1));
        }
    }
}

impl Model for CountMin {
    type Worker = Self;
    type Server = ByRule;

    fn schema(&self) -> Arc<dyn Schema> {
        Arc::new(self.clone())
    }

    fn worker(&self) -> Self {
        self.clone()
    }

    fn server(&self) -> ByRule {
        ByRule
    }
}

impl InputModel for CountMin {
    type Decoder = Self;

    fn decoder(&self) -> Self {
        self.clone()
    }
}

impl Decoder<Counters> for CountMin {
    fn decode(&mut self, input: Input<'_>, batch: &mut Batch<Counters>) -> Result<(), Reject> {
        if let MessageEvent::Message { text: Some(text), .. } = message::parse(input.key, input.payload)? {
            batch.events.extend(words_of(&text).map(counters));
        }
        Ok(())
    }
}
