//! The thread that keeps a model's view: reads the changelog of all shards from its beginning, and goes on.

use std::panic::resume_unwind;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use weir_kafka::{Admin, Connection, Isolation, MemberEvent, Reader, StartAt};
use weir_runtime::{BrokerWatch, Context, Fatal, HealthPart, stopping, teardown};
use weir_watch::ClientWatch;

use crate::changes::{Changes, Decoder, Refusal};
use crate::freshness::{Freshness, probe};
use crate::gateway::connection;
use crate::progress::Progress;
use crate::served::ServedModel;
use crate::sides::{Sides, Writer};
use crate::view::{Offsets, View};

/// The role's name in metrics.
const ROLE: &str = "gateway";
/// How long a broker may take to answer at the start.
const LOOKUP: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(100);
/// Records that begin to serve together: applying them takes a few milliseconds.
const BATCH: usize = 8_192;
const TEARDOWN: Duration = Duration::from_secs(20);

/// Reads the changelog of `model` until the shutdown is requested; blocks. To be run under
/// [`weir_runtime::supervise`] with the name [`ServedModel::role`].
///
/// Each call begins with an empty view beside the one that serves, and lets it serve when it has read what was there
/// at the start: a failure costs freshness, never an answer. For that time both take memory.
///
/// # Errors
/// The broker cannot be reached, the topic is not there, or reading fails: start again. [`Fatal`] where the changelog
/// is one of another layout.
pub fn materialise(context: &Context, model: &ServedModel) -> anyhow::Result<()> {
    let health = context.health.part(&model.role());
    let mut run = Run::start(context, model, &health).inspect_err(|error| {
        if error.downcast_ref::<weir_kafka::Error>().is_some_and(weir_kafka::Error::is_unreachable) {
            context.metrics.broker_error(ROLE);
        }
    })?;
    let (stop, freshness, partitions) = (AtomicBool::new(false), Arc::clone(&run.freshness), run.partitions);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| probe::run(context, model, partitions, &freshness, &stop));
        stopping(&stop, || run.until_shutdown(context, model, &health))
    });
    run.changelog.end(&context.metrics);
    teardown("a gateway's reader", TEARDOWN, || drop(run));
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// One reading of a changelog, from its beginning to an error or the end of the process.
struct Run {
    reader: Reader,
    decoder: Decoder,
    changes: Changes,
    progress: Progress,
    views: Writer<View>,
    serving: bool,
    broker: BrokerWatch,
    changelog: ClientWatch,
    freshness: Arc<Mutex<Freshness>>,
    /// Partitions of the input.
    partitions: u32,
    began: Instant,
}

impl Run {
    fn start(context: &Context, model: &ServedModel, health: &HealthPart) -> anyhow::Result<Self> {
        let connection = connection(context);
        let (cluster_id, partitions) = look_up(&connection, model)?;
        let starts: Vec<_> = (0..model.shards()).map(|shard| (shard, StartAt::Beginning)).collect();
        let topic = model.parameters_topic();
        let reader = Reader::open(&connection, topic, &starts, Isolation::ReadCommitted)?;
        let bounds = (0..model.shards()).map(|shard| {
            let watermarks = reader.watermarks(shard, LOOKUP)?;
            Ok((watermarks.first, watermarks.end))
        });
        let bounds = bounds.collect::<weir_kafka::Result<Vec<_>>>().with_context(|| format!("ends of {topic}"))?;
        let expected = model.layout(&cluster_id);
        tracing::info!(topic, records = bounds.iter().map(|(first, end)| end - first).sum::<u64>(), "loading");
        Ok(Self {
            reader,
            decoder: Decoder::new(model.hash(), expected),
            changes: Changes::default(),
            progress: Progress::new(bounds),
            views: Writer::new(&Arc::new(Sides::new(model.empty_view(partitions), model.empty_view(partitions)))),
            serving: false,
            broker: BrokerWatch::new(health, ROLE, model.label(), "answers grow old"),
            changelog: ClientWatch::new(ROLE, model.label(), "reader").with_log("changelog"),
            freshness: Arc::default(),
            partitions,
            began: Instant::now(),
        })
    }

    fn until_shutdown(&mut self, context: &Context, model: &ServedModel, health: &HealthPart) -> anyhow::Result<()> {
        health.not_ready("loading");
        while !context.shutdown.is_requested() {
            let records = self.poll(context, model)?;
            self.apply(context, model, records);
            self.report(context, health);
        }
        Ok(())
    }

    /// Reads and decodes one batch; no lock is held meanwhile.
    fn poll(&mut self, context: &Context, model: &ServedModel) -> anyhow::Result<u64> {
        let Self { reader, decoder, changes, progress, .. } = self;
        changes.clear();
        let mut layout = Ok(());
        let polled = reader.poll(POLL, BATCH, &mut |record| {
            match decoder.decode(record.partition, record.key, record.payload, changes) {
                Ok(()) => {}
                Err(Refusal::Skipped(reason)) => {
                    context.metrics.frame_skipped(ROLE, model.label(), reason);
                    let (partition, offset) = (record.partition, record.offset);
                    tracing::debug!(model = model.label(), partition, offset, reason, "changelog record skipped");
                }
                Err(Refusal::Layout(difference)) => layout = Err(difference),
            }
            progress.read(record.partition, record.offset);
        })?;
        layout.map_err(|difference| Fatal::new(format!("{}: {difference}", model.parameters_topic())))?;
        for event in &polled.events {
            if let MemberEvent::EndOfPartition(partition) = event {
                progress.ended(*partition);
            }
        }
        Ok(polled.records as u64)
    }

    /// Applies what was read, and lets the view serve once it has caught up.
    fn apply(&mut self, context: &Context, model: &ServedModel, records: u64) {
        let mut moved = None;
        if !self.changes.list.is_empty() {
            let applied = self.views.apply(&mut self.changes);
            context.metrics.gateway.materialised(model.label(), records, applied.rows);
            moved = applied.moved.then_some(applied.offsets);
        }
        if !self.serving && self.progress.left() == 0 {
            self.serve(context, model);
        } else if self.serving
            && let Some(offsets) = moved
        {
            self.cover(context, model, &offsets);
            model.announce(offsets);
        }
    }

    fn serve(&mut self, context: &Context, model: &ServedModel) {
        self.serving = true;
        model.publish(self.views.sides());
        let (offsets, rows, events) = self.views.sides().read(|view| (view.offsets(), view.len(), view.events()));
        self.cover(context, model, &offsets);
        context.metrics.gateway.loaded(model.label(), self.began.elapsed());
        tracing::info!(model = model.label(), rows, events, "loaded");
    }

    /// Tells how far answers reach, and how long events took that they contain now.
    fn cover(&self, context: &Context, model: &ServedModel, offsets: &Offsets) {
        let metrics = &context.metrics.gateway;
        for (partition, next) in offsets.iter().enumerate() {
            metrics.covered(model.label(), partition as u32, *next);
        }
        let mut freshness = self.freshness.lock().unwrap_or_else(PoisonError::into_inner);
        for took in freshness.covered(offsets, Instant::now()) {
            metrics.fresh(model.label(), took);
        }
    }

    /// Says whether this model can be relied on. What is in memory is answered with in any case.
    fn report(&mut self, context: &Context, health: &HealthPart) {
        self.broker.look(self.reader.stats().connected(), context);
        self.changelog.look(self.reader.stats(), &context.metrics);
        if self.serving {
            health.ready();
        } else {
            health.not_ready(format!("loading, {} shards to go", self.progress.left()));
        }
    }
}

/// The cluster's id and how many partitions the input has; the changelog must have one per shard.
fn look_up(connection: &Connection, model: &ServedModel) -> anyhow::Result<(String, u32)> {
    let admin = Admin::connect(connection, LOOKUP)?;
    let (topic, shards) = (model.parameters_topic(), model.shards());
    match admin.partition_count(topic)? {
        Some(partitions) if partitions == shards => {}
        Some(partitions) => {
            let sentence = format!(
                "topic {topic} has {partitions} partitions, server.shards is {shards}; run all roles with the number of \
                 shards that the model was begun with"
            );
            return Err(Fatal::new(sentence).into());
        }
        None => anyhow::bail!("topic {topic} is not there yet; servers create it, and so does `weir topics create`"),
    }
    let partitions = admin.partition_count(model.input_topic())?.unwrap_or(0);
    Ok((admin.cluster_id().to_owned(), partitions))
}
