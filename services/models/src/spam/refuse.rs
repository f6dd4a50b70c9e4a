//! Labels that nothing can be done with: they go where refused records go, as they came.

use weir_ps::{Batch, NameRef, Output};
use weir_wire::{Reason, Reject, rejected};

use super::decode::SpamEvent;
use crate::REJECTED;

/// A label without a text for a message of which no text is remembered.
pub(super) fn unknown_id(event: &SpamEvent, topic: &str, batch: &Batch<SpamEvent>) -> Output {
    let detail = format!(
        "no message {} is remembered: it never came, was forgotten, or came longer ago than spam.remembered_hours or \
         spam.remembered_ids reach; send its text with the label",
        batch.names.get(event.id_name)
    );
    let reject = Reject::new(Reason::UnknownId, "id", detail);
    let [key, value] = event.record.map(|part| batch.names.get(part));
    let bytes =
        |name: NameRef, text: &str, most| (!name.is_empty()).then(|| rejected::cut(text.as_bytes(), most).to_vec());
    let [key_name, value_name] = event.record;
    Output {
        stream: REJECTED,
        key: bytes(key_name, key, rejected::MAX_KEY_BYTES),
        value: bytes(value_name, value, rejected::MAX_VALUE_BYTES),
        headers: rejected::headers(topic, batch.range.source, event.offset, &reject, value.len()),
    }
}
