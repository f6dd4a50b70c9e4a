//! Message events: `{id, text?, label?, ts?, tenant?, content_type?, sender?}` as JSON, and tombstones.
//!
//! A text asks for a score, a label teaches; both at once are scored before they are learnt, and a label alone teaches
//! a message that came before. The same parser serves Kafka records and REST bodies. The text is borrowed from the
//! payload unless it has escapes; a message without them costs no allocation.

mod fields;
mod json;
mod label;
mod mapping;

use std::borrow::Cow;

pub use json::{to_json, to_record};
pub use label::{Label, MAX_LABEL_BYTES};
pub use mapping::{MessageMapping, MessageSources};

use crate::event::{self, RawFields, owned, scalar};
pub use crate::event::{Id, Reason, Record, Reject};
use fields::MessageFields;

/// Longest payload that is looked at, and so the bound of a text (peers of spam filters stop at about as much): a
/// rejected one still fits below the broker's 1 MB with all its bytes.
pub const MAX_PAYLOAD_BYTES: usize = 512 * 1024;

/// What one record of a messages topic says.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageEvent<'a> {
    /// A message to score, to learn from, or both: it has a text or a label.
    Message {
        /// Names the message; a later event of the same id corrects its label.
        id: Id<'a>,
        /// What is scored; may be empty. `None` means the text that came with this id before.
        text: Option<Cow<'a, str>>,
        /// What the message is; `None` only asks for a score.
        label: Option<Label>,
        /// Milliseconds since 1970; `None` means the record's own time.
        ts: Option<i64>,
        /// Whose message it is, as the producer calls it.
        tenant: Option<Id<'a>>,
        /// Media type of the text, as the producer calls it.
        content_type: Option<Id<'a>>,
        /// Who sent it, as the producer knows them: an address, a number.
        sender: Option<Id<'a>>,
    },
    /// A key without a value: the message is to be forgotten.
    Forget {
        /// Which.
        id: Id<'a>,
    },
}

impl MessageEvent<'_> {
    /// The message's id, whatever the event.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Message { id, .. } | Self::Forget { id } => id,
        }
    }

    /// The same event without a borrow of its payload.
    #[must_use]
    pub fn into_owned(self) -> MessageEvent<'static> {
        match self {
            Self::Message { id, text, label, ts, tenant, content_type, sender } => MessageEvent::Message {
                id: owned(id),
                text: text.map(owned),
                label,
                ts,
                tenant: tenant.map(owned),
                content_type: content_type.map(owned),
                sender: sender.map(owned),
            },
            Self::Forget { id } => MessageEvent::Forget { id: owned(id) },
        }
    }
}

/// Reads one record. With a payload the key does not matter: the id in the payload counts.
///
/// # Errors
/// A [`Reject`] that says which field is wrong, why, and what to do; arbitrary bytes are no more than that.
pub fn parse<'a>(key: Option<&'a [u8]>, payload: Option<&'a [u8]>) -> Result<MessageEvent<'a>, Reject> {
    parse_labelled(key, payload, &Label::ALL)
}

/// The same where these labels are known.
///
/// # Errors
/// As [`parse`].
pub fn parse_labelled<'a>(
    key: Option<&'a [u8]>,
    payload: Option<&'a [u8]>,
    labels: &[Label],
) -> Result<MessageEvent<'a>, Reject> {
    let Some(payload) = payload else {
        return Ok(MessageEvent::Forget { id: event::forgotten::<MessageFields, _>(key)? });
    };
    let mut raw = [None; fields::COUNT];
    event::object::read::<MessageFields, _>(event::text(payload, MAX_PAYLOAD_BYTES)?, &mut raw)?;
    event(&raw, labels)
}

/// The event that the fields make.
fn event<'a>(raw: &RawFields<'a, { fields::COUNT }>, labels: &[Label]) -> Result<MessageEvent<'a>, Reject> {
    let [id, text, label, ts, tenant, content_type, sender] = *raw;
    let id = scalar::required_id("id", id)?;
    let text = scalar::optional_text("text", text)?;
    let label = label::optional(label, labels)?;
    if text.is_none() && label.is_none() {
        let detail = "is missing and so is label, a message needs a text to score or a label to learn";
        return Err(Reject::new(Reason::MissingField, "text", detail));
    }
    let ts = scalar::optional_time("ts", ts)?;
    let tenant = scalar::optional_id("tenant", tenant)?;
    let content_type = scalar::optional_id("content_type", content_type)?;
    let sender = scalar::optional_id("sender", sender)?;
    Ok(MessageEvent::Message { id, text, label, ts, tenant, content_type, sender })
}

#[cfg(test)]
mod tests;
