//! The shards that this server owns at the moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_models::frames::position_to_wire;
use weir_ps::{LetGo, Model, PullAnswer, Reply, RequestId, Shard};
use weir_runtime::{Context, Fatal, ShardSize};
use weir_wire::frame::{self, PositionsHead};

use crate::frames::PushRecord;
use crate::model::ServedModel;
use crate::restore::Restored;

/// One owned shard.
pub(crate) struct Owned<M: Model> {
    pub(crate) shard: Shard<M::Server>,
    pub(crate) store: Option<Arc<weir_store::Shard>>,
    /// Push offset of the last committed barrier.
    pub(crate) published: u64,
    /// Where the changelog goes on behind that barrier, if there is one.
    pub(crate) changelog_next: Option<u64>,
    /// Push offset of the barrier that the store has, or is about to have.
    pub(crate) stored: Option<u64>,
    /// When it is to be stored next, and rows that were published since it was the last time.
    pub(crate) store_due: Instant,
    pub(crate) unstored_rows: u64,
    frames: u64,
    rows: u64,
    /// Rows and dirty rows as the metrics have them.
    reported: Option<(usize, usize)>,
}

impl<M: Model> Owned<M> {
    /// A shard that was just restored, to be stored for the first time after `store_interval`.
    pub(crate) fn new(restored: Restored<M>, store_interval: Duration) -> Self {
        let Restored { shard, store, push_next, changelog_next, stored } = restored;
        let (published, store_due) = (push_next, Instant::now() + store_interval);
        let (frames, rows, reported, unstored_rows) = (0, 0, None, 0);
        Self { shard, store, published, changelog_next, stored, store_due, unstored_rows, frames, rows, reported }
    }

    /// Whether it is time to store it: by the clock, or by what a restart would have to read instead.
    pub(crate) fn is_store_due(&self, after_rows: u64, now: Instant) -> bool {
        self.store.is_some() && (now >= self.store_due || self.unstored_rows >= after_rows)
    }
}

/// All owned shards by number.
pub(crate) type Shards<M> = BTreeMap<u32, Owned<M>>;

/// An answer to a query, and where it goes.
pub(crate) struct Answer {
    pub(crate) reply_to: u32,
    pub(crate) value: Vec<u8>,
}

impl<M: Model> Owned<M> {
    /// Takes in one record of the push log.
    ///
    /// # Errors
    /// [`Fatal`] if the log is torn.
    pub(crate) fn take(
        &mut self,
        served: &ServedModel,
        context: &Context,
        (shard, offset): (u32, u64),
        record: PushRecord,
    ) -> anyhow::Result<Option<Answer>> {
        match record {
            PushRecord::Push { number, count, ranges, part } => {
                self.frames += 1;
                self.rows += part.sections.iter().map(|section| section.keys.len() as u64).sum::<u64>();
                let applied = self.shard.apply(offset, (number, count), &ranges, &part);
                applied.map_err(|torn| Fatal::new(format!("{}: {torn}", served.topics.pushes)))?;
                Ok(None)
            }
            PushRecord::Query { request, reply_to, sources } => {
                // A worker begins where this answer says: not in a topic that has taken the name of that one.
                served.check_topics(context)?;
                self.shard.skip_to(offset + 1);
                Ok(Some(Answer { reply_to, value: self.positions(served, shard, request, &sources)? }))
            }
            PushRecord::Skipped(reason) => {
                self.shard.skip_to(offset + 1);
                context.metrics.frame_skipped(crate::model::ROLE, served.name(), reason);
                tracing::warn!(model = served.name(), shard, offset, reason, "push record skipped");
                Ok(None)
            }
        }
    }

    fn positions(
        &self,
        served: &ServedModel,
        shard: u32,
        request: RequestId,
        sources: &[u32],
    ) -> anyhow::Result<Vec<u8>> {
        let head = PositionsHead { model: served.hash, shard, request: weir_models::frames::request_to_wire(request) };
        let position = |&source: &u32| (source, self.shard.applied(source).map(position_to_wire));
        let positions: Vec<_> = sources.iter().map(position).collect();
        let mut value = Vec::new();
        frame::encode_positions(&mut value, &head, &positions)?;
        Ok(value)
    }

    fn size(&self) -> ShardSize {
        let tables = self.shard.rows().tables().map(|(_, table)| table);
        tables.fold(ShardSize::default(), |size, table| ShardSize {
            parameters: size.parameters + table.len() * table.width(),
            memory_bytes: size.memory_bytes + table.bytes(),
        })
    }

    /// Tells the metrics what was applied or published since the last time.
    pub(crate) fn report(&mut self, served: &ServedModel, context: &Context, shard: u32) {
        let metrics = &context.metrics.server;
        if self.frames > 0 {
            let (frames, rows) = (std::mem::take(&mut self.frames), std::mem::take(&mut self.rows));
            metrics.applied(served.name(), shard, frames, rows, self.shard.barrier().push_next);
        }
        for LetGo { what, why, count } in self.shard.take_let_go() {
            metrics.let_go(served.name(), what, why, count);
            tracing::info!(model = served.name(), shard, what, why, count, "let go");
        }
        let (rows, dirty) = (self.shard.rows().len(), self.shard.rows().dirty());
        // After a publication too: the rows are clean then.
        if self.reported.replace((rows, dirty)) != Some((rows, dirty)) {
            metrics.held(served.name(), shard, self.size(), dirty);
            for (spec, (_, table)) in served.description.schema.tables().iter().zip(self.shard.rows().tables()) {
                metrics.rows(served.name(), shard, spec.name, table.len());
            }
        }
    }
}

/// Rows and outputs of all shards that wait to be published.
pub(crate) fn unpublished<M: Model>(shards: &Shards<M>) -> usize {
    shards.values().map(|owned| owned.shard.unpublished()).sum()
}

/// Answers a pull, or holds it.
pub(crate) fn answer<M: Model>(
    shards: &mut Shards<M>,
    served: &ServedModel,
    context: &Context,
    pull: weir_ps::Pull,
    now_ms: u64,
) -> Option<Reply> {
    let metrics = &context.metrics.server;
    // A pull for a shard that is gone: its new owner will be asked again.
    match shards.get_mut(&pull.shard)?.shard.on_pull(pull, now_ms) {
        PullAnswer::Ready(reply) => {
            metrics.pull_answered(served.name());
            return Some(reply);
        }
        PullAnswer::Held => metrics.pull_waits(served.name()),
        PullAnswer::Refused => metrics.pull_dropped(served.name()),
    }
    None
}
