//! From records to events.

use weir_ps::{Batch, Model, WorkerLogic};
use weir_wire::rating::Reject;

/// A record of an input topic.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value.
    pub payload: Option<&'a [u8]>,
    /// Its time in milliseconds since 1970.
    pub timestamp_ms: i64,
}

/// A model that learns from a Kafka topic.
pub trait InputModel: Model + Sync + 'static {
    /// Decodes one record into the batch.
    ///
    /// # Errors
    /// Why it is refused; the batch is as before.
    fn decode(&self, input: Input<'_>, batch: &mut Batch<Event<Self>>) -> Result<(), Reject>;
}

/// What a model's worker learns from.
pub(crate) type Event<M> = <<M as Model>::Worker as WorkerLogic>::Event;
