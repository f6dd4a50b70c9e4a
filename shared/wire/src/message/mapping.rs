//! Messages from topics that were not made for weir.

use std::collections::BTreeMap;

use super::fields::{COUNT, LABEL, MessageFields, TS};
use super::{Label, MAX_PAYLOAD_BYTES, MessageEvent, event, parse_labelled};
use crate::event::{self as events, RawFields, Reason, Reject, scalar};
use crate::mapping::{FieldMapping, MappingError, Source};

/// What a mapping of messages is made from; by default nothing is mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSources {
    /// Where fields are, by their names (`id`, `text`, `label`, `ts`, `tenant`, `content_type`, `sender`).
    pub fields: BTreeMap<String, Source>,
    /// What the values of the label mean: a string, integer, `true` or `false`, written as text (`junk`, `1`). `None`
    /// is a value that says nothing (`unknown`). Without any, they are those of `known`.
    pub labels: BTreeMap<String, Option<Label>>,
    /// The labels that there are.
    pub known: Vec<Label>,
}

impl Default for MessageSources {
    fn default() -> Self {
        Self { fields: BTreeMap::new(), labels: BTreeMap::new(), known: Label::ALL.to_vec() }
    }
}

/// Reads the message events of one topic.
#[derive(Clone, Debug)]
pub struct MessageMapping {
    /// `None`: nothing is mapped.
    mapped: Option<Mapped>,
    known: Vec<Label>,
}

impl Default for MessageMapping {
    fn default() -> Self {
        Self { mapped: None, known: Label::ALL.to_vec() }
    }
}

#[derive(Clone, Debug)]
struct Mapped {
    fields: FieldMapping<COUNT>,
    /// What values mean, as raw JSON.
    labels: BTreeMap<String, Option<String>>,
}

impl MessageMapping {
    /// Checks `sources`.
    ///
    /// # Errors
    /// What no event could fulfil or what contradicts itself, with the pointer or name in question.
    pub fn new(sources: &MessageSources) -> Result<Self, MappingError> {
        let label = sources.known.first().copied().map_or_else(|| "null".to_owned(), quoted);
        let fields = FieldMapping::new::<MessageFields>(&sources.fields, |place| place == TS)?;
        fields.check(["\"m\"", "\"t\"", &label, "1", "\"x\"", "\"x\"", "\"x\""], |raw| event(raw, &sources.known))?;
        if !sources.labels.is_empty() && sources.fields.get("label").is_some_and(|s| !matches!(s, Source::Pointer(_))) {
            let reject = "label: is not read from events, but its values are listed".to_owned();
            return Err(MappingError::Unusable { reject });
        }
        if fields.is_default::<MessageFields>() && sources.labels.is_empty() {
            return Ok(Self { mapped: None, known: sources.known.clone() });
        }
        let labels = sources.labels.iter().map(|(value, label)| (value.clone(), label.map(quoted))).collect();
        Ok(Self { mapped: Some(Mapped { fields, labels }), known: sources.known.clone() })
    }

    /// Reads one record, as [`parse`] does. A record without a value forgets the message of its key, under every
    /// mapping.
    ///
    /// # Errors
    /// A [`Reject`] that says which field is wrong, under which pointer it was looked for, and why.
    pub fn parse<'a>(&'a self, key: Option<&'a [u8]>, payload: Option<&'a [u8]>) -> Result<MessageEvent<'a>, Reject> {
        match (&self.mapped, payload) {
            (Some(mapped), Some(payload)) => {
                mapped.parse(payload, &self.known).map_err(|reject| mapped.fields.located::<MessageFields>(reject))
            }
            _ => parse_labelled(key, payload, &self.known),
        }
    }
}

impl Mapped {
    fn parse<'a>(&'a self, payload: &'a [u8], known: &[Label]) -> Result<MessageEvent<'a>, Reject> {
        let mut raw: RawFields<'a, COUNT> = [None; COUNT];
        self.fields.read::<MessageFields>(events::text(payload, MAX_PAYLOAD_BYTES)?, &mut raw)?;
        if !self.labels.is_empty()
            && let Some(label) = raw.get_mut(usize::from(LABEL))
        {
            *label = self.label(*label)?;
        }
        event(&raw, known)
    }

    /// The raw JSON of the label that the value `raw` means.
    fn label(&self, raw: Option<&str>) -> Result<Option<&str>, Reject> {
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
        Ok(label.as_deref())
    }
}

/// A label as JSON; its name has nothing to escape.
fn quoted(label: Label) -> String {
    format!("\"{}\"", label.as_str())
}

#[cfg(test)]
mod tests;
