//! What every client reports on its own account: logs, errors, whether a broker is there.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tracing::{debug, trace};

use crate::embedded::Gaps;
use crate::error;
use crate::statistics::{ClientStatistics, parse};

/// Counters of one client, to be read by whoever exports metrics.
#[derive(Debug, Default)]
pub struct Stats {
    /// Records received by a reader, or acknowledged to a sender.
    pub records: AtomicU64,
    /// Bytes of keys and payloads of these records.
    pub bytes: AtomicU64,
    /// Records that a sender could not deliver.
    pub failed: AtomicU64,
    /// Errors that librdkafka reported and handles itself, such as a lost connection.
    pub errors: AtomicU64,
    connected: AtomicBool,
    client: Mutex<Arc<ClientStatistics>>,
}

impl Stats {
    /// Whether a broker was connected when this client last noticed; within about a second of the truth.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// What librdkafka said last of the client, about once a second; nothing but zeros before.
    #[must_use]
    pub fn client(&self) -> Arc<ClientStatistics> {
        Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn add(&self, records: u64, bytes: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The context of a client: what all have in common, and `extra`, what only its kind needs.
pub(crate) struct Context<E> {
    brokers: String,
    pub(crate) stats: Arc<Stats>,
    /// librdkafka's sentence on the last error, which its error codes do not carry.
    last_reason: Mutex<String>,
    /// Set when the client gives up its session with the group, until it has partitions again.
    pub(crate) session_lost: AtomicBool,
    /// On an embedded broker, what a reader must find next.
    pub(crate) gaps: Option<Gaps>,
    pub(crate) extra: E,
}

impl<E> Context<E> {
    pub(crate) fn new(brokers: &str, extra: E) -> Self {
        let (gaps, session_lost) = (Gaps::of(brokers), AtomicBool::new(false));
        let brokers = brokers.to_owned();
        Self { brokers, stats: Arc::default(), last_reason: Mutex::default(), session_lost, gaps, extra }
    }

    pub(crate) fn last_reason(&self) -> String {
        self.last_reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Rule 8: what is purged when a producer is dropped or aborts was given up on purpose, not lost.
    pub(crate) fn count_failure(&self, error: &KafkaError) {
        let purged = [RDKafkaErrorCode::PurgeQueue, RDKafkaErrorCode::PurgeInflight];
        if !error::code(error).is_some_and(|code| purged.contains(&code)) {
            self.stats.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn disconnected(&self, reason: &str) {
        if self.stats.connected.swap(false, Ordering::Relaxed) {
            debug!(brokers = self.brokers, reason, "no kafka broker can be reached; trying again");
        }
    }
}

impl<E: Send + Sync + 'static> ClientContext for Context<E> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // librdkafka tells this nowhere else.
        if facility == "SESSTMOUT" {
            self.session_lost.store(true, Ordering::Release);
        }
        // One lost connection makes every client log every attempt; the one line that an operator needs is the role's,
        // who is told by `Stats::connected`.
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info => trace!(facility, "{message}"),
            _ => debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error::code(&error);
        // Rule 23: the end of a partition comes here too and is no error.
        if code == Some(RDKafkaErrorCode::PartitionEOF) {
            return;
        }
        self.stats.errors.fetch_add(1, Ordering::Relaxed);
        reason.clone_into(&mut self.last_reason.lock().unwrap_or_else(PoisonError::into_inner));
        if code == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.disconnected(reason);
        } else {
            debug!(?code, "{reason}");
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        const UP: &[u8] = br#""state":"UP""#;
        if !self.stats.connected() && statistics.windows(UP.len()).any(|window| window == UP) {
            self.stats.connected.store(true, Ordering::Relaxed);
            debug!(brokers = self.brokers, "kafka can be reached");
        }
        let mut known = self.stats.client.lock().unwrap_or_else(PoisonError::into_inner);
        match parse(statistics, known.number + 1) {
            Ok(client) => *known = Arc::new(client),
            Err(error) => debug!(%error, "statistics that cannot be read"),
        }
    }
}

/// Consumers without a group have nothing to hand over.
impl ConsumerContext for Context<()> {}
