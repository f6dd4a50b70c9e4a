//! What a worker knows of its model and its place in the deployment.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use weir_kafka::{Connection, GroupSettings};
use weir_models::{Description, REJECTED};
use weir_ps::{BatchLimits, PullLimits, WorkerSettings};
use weir_runtime::Context;
use weir_wire::topic::ModelTopics;

/// A role's name in groups, transactional ids and metrics.
pub(crate) const ROLE: &str = "worker";

/// One model as a worker trains it.
pub struct TrainedModel {
    pub(crate) description: Description,
    pub(crate) topics: ModelTopics,
    pub(crate) hash: u32,
    pub(crate) input: Arc<str>,
    pub(crate) rejected: Arc<str>,
    /// The name of its generation, for metrics.
    pub(crate) generation: String,
    /// Whether what it puts out goes to topics: of several generations only the one that serves speaks.
    pub(crate) speaks: Arc<AtomicBool>,
}

impl TrainedModel {
    /// A model in the deployment of the settings in force.
    #[must_use]
    pub fn new(description: Description, context: &Context) -> Self {
        Self {
            topics: description.topics(&context.settings.prefix),
            hash: description.hash(),
            input: Arc::clone(&description.input),
            rejected: description.rejected().into(),
            generation: description.generation.to_string(),
            description,
            speaks: Arc::new(AtomicBool::new(true)),
        }
    }

    /// The same, whose outputs are written only while `speaks` is true.
    #[must_use]
    pub fn speaking(self, speaks: Arc<AtomicBool>) -> Self {
        Self { speaks, ..self }
    }

    /// The label of its metrics.
    pub(crate) fn name(&self) -> &'static str {
        self.description.label()
    }

    pub(crate) fn transactional_id(&self, context: &Context) -> String {
        self.description.transactional_id(&context.settings.prefix, ROLE, &context.instance)
    }

    pub(crate) fn connection(&self, context: &Context) -> Connection {
        let settings = &context.settings;
        Connection::new(&settings.brokers, self.transactional_id(context)).with_settings(&settings.kafka.settings)
    }

    /// The topics of its outputs, that of refused events first.
    pub(crate) fn output_topics(&self) -> impl Iterator<Item = &Arc<str>> {
        std::iter::once(&self.rejected).chain(self.description.outputs.iter().map(|(_, topic)| topic))
    }

    /// Where the outputs of `stream` go; none if the model has declared no such stream.
    pub(crate) fn output_topic(&self, stream: &str) -> Option<&Arc<str>> {
        let declared = || self.description.outputs.iter().find(|(name, _)| *name == stream).map(|(_, topic)| topic);
        if stream == REJECTED { Some(&self.rejected) } else { declared() }
    }

    pub(crate) fn group_name(&self, context: &Context) -> String {
        self.description.group(&context.settings.prefix, ROLE)
    }

    pub(crate) fn group(&self, context: &Context) -> GroupSettings {
        let session_timeout = Duration::from_millis(context.settings.kafka.session_timeout_ms);
        GroupSettings {
            session_timeout,
            ..GroupSettings::new(self.group_name(context), &*self.input, &context.instance)
        }
    }
}

/// When batches are cut.
pub(crate) fn batch_limits(trained: &TrainedModel, context: &Context) -> BatchLimits {
    let settings = &context.settings.worker;
    BatchLimits {
        events: settings.batch_events,
        bytes: settings.batch_bytes,
        wait_ms: settings.batch_wait_ms,
        history_share: trained.description.history_share,
    }
}

/// The bounds of the state machine.
pub(crate) fn worker_settings(trained: &TrainedModel, context: &Context, reply_to: u32) -> WorkerSettings {
    let settings = &context.settings.worker;
    WorkerSettings {
        partitioner: trained.description.partitioner,
        limits: PullLimits {
            in_flight: trained.description.in_flight,
            unapplied: settings.unapplied_batches,
            // Two batches' worth, so that one may pull while the other is applied. A batch that pulls alone sees all that
            // was pushed before it, so there is nothing to hold back.
            history_share: if trained.description.in_flight == 1 { 0 } else { trained.description.history_share / 2 },
        },
        cached_rows: settings.cached_rows,
        // The only writer of a row never has to look whether somebody else has changed it.
        cache_max_age_ms: if trained.description.keyed { u64::MAX } else { settings.cache_max_age_ms },
        pull_timeout_ms: settings.pull_timeout_ms,
        reply_to,
        frame_bytes: settings.frame_bytes,
    }
}
