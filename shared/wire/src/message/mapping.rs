//! Messages from topics that were not made for weir.

use std::collections::BTreeMap;

use super::fields::{COUNT, LABEL, MessageFields, TS};
use super::{Label, MAX_PAYLOAD_BYTES, MessageEvent, event, parse};
use crate::event::{self as events, RawFields, Reason, Reject, scalar};
use crate::mapping::{FieldMapping, MappingError, Source};

/// What a mapping of messages is made from; by default nothing is mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSources {
    /// Where fields are, by their names (`id`, `text`, `label`, `ts`, `tenant`, `content_type`).
    pub fields: BTreeMap<String, Source>,
    /// What the values of the label mean: a string, integer, `true` or `false`, written as text (`junk`, `1`). `None`
    /// is a value that says nothing (`unknown`). Without any, labels are `spam` and `ham`.
    pub labels: BTreeMap<String, Option<Label>>,
}

/// Reads the message events of one topic.
#[derive(Clone, Debug, Default)]
pub struct MessageMapping {
    /// `None`: nothing is mapped.
    mapped: Option<Mapped>,
}

#[derive(Clone, Debug)]
struct Mapped {
    fields: FieldMapping<COUNT>,
    labels: BTreeMap<String, Option<Label>>,
}

impl MessageMapping {
    /// Checks `sources`.
    ///
    /// # Errors
    /// What no event could fulfil or what contradicts itself, with the pointer or name in question.
    pub fn new(sources: &MessageSources) -> Result<Self, MappingError> {
        let fields = FieldMapping::new::<MessageFields>(&sources.fields, |place| place == TS)?;
        fields.check(["\"m\"", "\"t\"", "\"spam\"", "1", "\"x\"", "\"x\""], event)?;
        if !sources.labels.is_empty() && sources.fields.get("label").is_some_and(|s| !matches!(s, Source::Pointer(_))) {
            let reject = "label: is not read from events, but its values are listed".to_owned();
            return Err(MappingError::Unusable { reject });
        }
        if fields.is_default::<MessageFields>() && sources.labels.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self { mapped: Some(Mapped { fields, labels: sources.labels.clone() }) })
    }

    /// Reads one record, as [`parse`] does. A record without a value forgets the message of its key, under every
    /// mapping.
    ///
    /// # Errors
    /// A [`Reject`] that says which field is wrong, under which pointer it was looked for, and why.
    pub fn parse<'a>(&'a self, key: Option<&'a [u8]>, payload: Option<&'a [u8]>) -> Result<MessageEvent<'a>, Reject> {
        match (&self.mapped, payload) {
            (Some(mapped), Some(payload)) => {
                mapped.parse(payload).map_err(|reject| mapped.fields.located::<MessageFields>(reject))
            }
            _ => parse(key, payload),
        }
    }
}

impl Mapped {
    fn parse<'a>(&'a self, payload: &'a [u8]) -> Result<MessageEvent<'a>, Reject> {
        let mut raw: RawFields<'a, COUNT> = [None; COUNT];
        self.fields.read::<MessageFields>(events::text(payload, MAX_PAYLOAD_BYTES)?, &mut raw)?;
        if !self.labels.is_empty()
            && let Some(label) = raw.get_mut(usize::from(LABEL))
        {
            *label = self.label(*label)?;
        }
        event(&raw)
    }

    /// The raw JSON of the label that the value `raw` means.
    fn label(&self, raw: Option<&str>) -> Result<Option<&'static str>, Reject> {
        let Some(raw) = raw else { return Ok(None) };
        let name = match scalar::Kind::of(raw) {
            scalar::Kind::Null => return Ok(None),
            scalar::Kind::String => scalar::text("label", raw)?,
            scalar::Kind::Number | scalar::Kind::Bool => raw.into(),
            other => return Err(scalar::wrong_type("label", "a single value", other)),
        };
        let unknown = || {
            let detail = format!("is \"{}\", which the mapping does not list", scalar::Shown(&name));
            Reject::new(Reason::UnknownLabel, "label", detail)
        };
        let label = self.labels.get(&*name).ok_or_else(unknown)?;
        Ok(label.map(|label| match label {
            Label::Spam => "\"spam\"",
            Label::Ham => "\"ham\"",
        }))
    }
}

#[cfg(test)]
mod tests;
