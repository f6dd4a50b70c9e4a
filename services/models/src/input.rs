//! From records to events.

use weir_ps::{Batch, Model, WorkerLogic};
use weir_wire::Reject;

/// A record of an input topic.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value.
    pub payload: Option<&'a [u8]>,
    /// Its time in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its place in its partition; which one that is, the batch says.
    pub offset: u64,
}

/// A model that learns from a Kafka topic.
pub trait InputModel: Model + Sync + 'static {
    /// What makes events of its records.
    type Decoder: Decoder<Event<Self>> + Send;

    /// A fresh decoder, one for each thread that reads.
    fn decoder(&self) -> Self::Decoder;
}

/// Makes events of records. It may keep room for its work from one record to the next.
pub trait Decoder<E> {
    /// Decodes one record into the batch.
    ///
    /// # Errors
    /// Why it is refused; the batch is as before.
    fn decode(&mut self, input: Input<'_>, batch: &mut Batch<E>) -> Result<(), Reject>;
}

/// What a model's worker learns from.
pub(crate) type Event<M> = <<M as Model>::Worker as WorkerLogic>::Event;
