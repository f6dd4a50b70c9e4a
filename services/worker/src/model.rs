//! What a worker knows of its model and its place in the deployment.

use std::{sync::Arc, time::Duration};

use weir_kafka::{Connection, GroupSettings};
use weir_models::Description;
use weir_ps::{BatchLimits, Partitioner, PullLimits, WorkerSettings};
use weir_runtime::Context;
use weir_wire::topic::{ModelTopics, rejected};

/// A role's name in groups, transactional ids and metrics.
pub(crate) const ROLE: &str = "worker";

/// One model as a worker trains it.
pub struct TrainedModel {
    pub(crate) description: Description,
    pub(crate) topics: ModelTopics,
    pub(crate) hash: u32,
    pub(crate) input: Arc<str>,
    pub(crate) rejected: Arc<str>,
}

impl TrainedModel {
    /// A model that learns from the topic `input`.
    #[must_use]
    pub fn new(description: Description, input: &str, context: &Context) -> Self {
        Self {
            topics: description.topics(&context.settings.prefix),
            hash: description.hash(),
            input: input.into(),
            rejected: rejected(input).into(),
            description,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.description.model.name()
    }

    pub(crate) fn transactional_id(&self, context: &Context) -> String {
        self.description.transactional_id(&context.settings.prefix, ROLE, &context.instance)
    }

    pub(crate) fn connection(&self, context: &Context) -> Connection {
        let settings = &context.settings;
        Connection::new(&settings.brokers, self.transactional_id(context)).with_settings(&settings.kafka.settings)
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
pub(crate) fn batch_limits(context: &Context) -> BatchLimits {
    let settings = &context.settings.worker;
    BatchLimits {
        events: settings.batch_events,
        bytes: settings.batch_bytes,
        wait_ms: settings.batch_wait_ms,
        history_share: settings.history_share,
    }
}

/// The bounds of the state machine.
pub(crate) fn worker_settings(context: &Context, reply_to: u32) -> WorkerSettings {
    let settings = &context.settings.worker;
    WorkerSettings {
        partitioner: Partitioner::Hash { shards: context.settings.server.shards },
        limits: PullLimits {
            in_flight: settings.in_flight,
            unapplied: settings.unapplied_batches,
            // Two batches' worth, so that one may pull while the other is applied.
            history_share: settings.history_share / 2,
        },
        cached_rows: settings.cached_rows,
        // The only writer of its users' rows never has to look whether somebody else has changed them.
        cache_max_age_ms: if settings.keyed_by_user { u64::MAX } else { settings.cache_max_age_ms },
        pull_timeout_ms: settings.pull_timeout_ms,
        reply_to,
        frame_bytes: settings.frame_bytes,
    }
}
