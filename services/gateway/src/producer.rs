//! Events on their way to Kafka, and what became of each.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::time::Instant;
use weir_kafka::{AckedSender, Connection, Error, OutRecord, Result};

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All in-sync replicas have it.
    Acknowledged { partition: u32, offset: u64 },
    /// It was not taken or given up, for this reason; it may have been written all the same where the connection was lost.
    Failed(String),
    /// Nothing was heard of it in time; it may still arrive.
    Unknown,
}

/// The one producer of a process.
pub(crate) struct Producer {
    connection: Connection,
    sender: Mutex<Arc<AckedSender>>,
}

impl Producer {
    /// Opens it; it does not wait for a broker.
    ///
    /// # Errors
    /// A Kafka setting is refused.
    pub(crate) fn open(connection: Connection) -> Result<Self> {
        let sender = Mutex::new(Arc::new(AckedSender::open(&connection)?));
        Ok(Self { connection, sender })
    }

    /// Sends all records in order and waits until each is acknowledged or `deadline` is reached. The fates are in the
    /// order of the records.
    pub(crate) async fn send(self: &Arc<Self>, records: Vec<OutRecord>, deadline: Instant) -> Vec<Fate> {
        let count = records.len();
        let mut fates = vec![Fate::Unknown; count];
        let (report, mut reports) = mpsc::channel(count.max(1));
        let producer = Arc::clone(self);
        // Ten thousand records take ten milliseconds to hand over.
        let sending = tokio::task::spawn_blocking(move || producer.hand_over(&records, &report));
        let collect = async {
            while let Some((index, fate)) = reports.recv().await {
                if let Some(place) = fates.get_mut(index) {
                    *place = fate;
                }
            }
        };
        if tokio::time::timeout_at(deadline, collect).await.is_err() {
            tracing::warn!(brokers = self.connection.brokers, "events were not acknowledged in time");
        }
        drop(sending);
        fates
    }

    /// Gives every record to the client; each reports once, through a channel that has room for all.
    fn hand_over(&self, records: &[OutRecord], report: &mpsc::Sender<(usize, Fate)>) {
        let sender = self.sender();
        for (index, record) in records.iter().enumerate() {
            let acked = report.clone();
            let outcome = sender.send_acked(
                record,
                Box::new(move |outcome| {
                    let fate = match outcome {
                        Ok((partition, offset)) => Fate::Acknowledged { partition, offset },
                        Err(error) => Fate::Failed(error.to_string()),
                    };
                    let _ = acked.try_send((index, fate));
                }),
            );
            if let Err(error) = outcome {
                self.refused(&sender, &error);
                // A later event of a user must not overtake an earlier one.
                for left in index..records.len() {
                    let _ = report.try_send((left, Fate::Failed(error.to_string())));
                }
                return;
            }
        }
    }

    fn sender(&self) -> Arc<AckedSender> {
        Arc::clone(&self.sender.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A client that has failed for good takes nothing any more, so another one takes its place.
    fn refused(&self, sender: &Arc<AckedSender>, error: &Error) {
        if !matches!(error, Error::Call { .. } | Error::Fenced { .. }) {
            return;
        }
        let mut current = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, sender)
            && let Ok(fresh) = AckedSender::open(&self.connection)
        {
            tracing::warn!(%error, "the producer of events was replaced");
            *current = Arc::new(fresh);
        }
    }
}
