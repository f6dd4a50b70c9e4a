//! Ratings from topics that were not made for weir.

use std::collections::BTreeMap;

use super::fields::{COUNT, RATING, RatingFields, TS};
use super::{MAX_PAYLOAD_BYTES, RatingEvent, event, parse};
use crate::event::{self as events, RawFields, Reason, Reject, scalar};
use crate::mapping::{FieldMapping, MappingError, Source};

/// Largest weight of a type of event.
pub const MAX_WEIGHT: f32 = 1000.0;

/// What a mapping of ratings is made from; by default nothing is mapped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RatingSources {
    /// Where fields are, by their names (`user`, `item`, `rating`, `ts`, `event`, `id`).
    pub fields: BTreeMap<String, Source>,
    /// What events mean, by the value of their field `event`; none means that all are taken as they are.
    pub types: BTreeMap<String, EventType>,
    /// What becomes of events of other types, or of none, if `types` has any.
    pub unlisted: Unlisted,
}

/// What events of one type mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventType {
    /// What the user says with them.
    pub meaning: Meaning,
    /// As how many events each of them counts: above 0, at most [`MAX_WEIGHT`].
    pub weight: f32,
}

/// What the user says with an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// What its own rating says: a number, `null` (removed), or none (implicit).
    AsSent,
    /// Its own rating, or this one if it has none or `null`.
    Rating(f32),
    /// Implicit feedback, whatever its rating.
    Implicit,
    /// The user does not want the item: the opposite of a choice, whatever its rating.
    Disliked,
    /// The item leaves the user's seen items.
    Removed,
    /// Nothing: the event is passed over, whatever its other fields.
    Skip,
}

/// What becomes of events whose type is not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlisted {
    /// They are refused, so that nothing is lost without a word.
    #[default]
    Refuse,
    /// They are taken as they were sent, with weight 1.
    AsSent,
    /// They are passed over.
    Skip,
}

/// An event and how much it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted<'a> {
    /// What the record says.
    pub event: RatingEvent<'a>,
    /// As how many events it counts; 1 if its type does not say otherwise.
    pub weight: f32,
    /// Whether its type says that the user does not want the item. It has no rating then.
    pub disliked: bool,
}

/// Reads the rating events of one topic.
#[derive(Clone, Debug, Default)]
pub struct RatingMapping {
    /// `None`: nothing is mapped.
    mapped: Option<Mapped>,
}

#[derive(Clone, Debug)]
struct Mapped {
    fields: FieldMapping<COUNT>,
    types: BTreeMap<String, Compiled>,
    unlisted: Unlisted,
}

/// A type of event, its rating as raw JSON.
#[derive(Clone, Debug)]
struct Compiled {
    meaning: Meaning,
    rating: Box<str>,
    weight: f32,
}

impl RatingMapping {
    /// Checks `sources`.
    ///
    /// # Errors
    /// What no event could fulfil or what contradicts itself, with the pointer or name in question.
    pub fn new(sources: &RatingSources) -> Result<Self, MappingError> {
        let fields = FieldMapping::new::<RatingFields>(&sources.fields, |place| place == RATING || place == TS)?;
        fields.check(["\"u\"", "\"i\"", "1", "1", "\"e\"", "\"x\""], event)?;
        if !sources.types.is_empty() && sources.fields.get("event") == Some(&Source::Absent) {
            return Err(MappingError::Unusable { reject: "event: is absent, but there are event types".to_owned() });
        }
        if fields.is_default::<RatingFields>() && sources.types.is_empty() {
            return Ok(Self::default());
        }
        let types = sources.types.iter().map(|(name, kind)| Ok((name.clone(), compiled(name, *kind)?)));
        let types = types.collect::<Result<_, MappingError>>()?;
        Ok(Self { mapped: Some(Mapped { fields, types, unlisted: sources.unlisted }) })
    }

    /// Reads one record, as [`parse`] does; `None` if the mapping passes over events of its type. A record without a
    /// value forgets the user of its key, under every mapping.
    ///
    /// # Errors
    /// A [`Reject`] that says which field is wrong, under which pointer it was looked for, and why.
    pub fn parse<'a>(
        &'a self,
        key: Option<&'a [u8]>,
        payload: Option<&'a [u8]>,
    ) -> Result<Option<Weighted<'a>>, Reject> {
        match (&self.mapped, payload) {
            (Some(mapped), Some(payload)) => mapped.parse(payload).map_err(|reject| mapped.located(reject)),
            _ => Ok(Some(Weighted { event: parse(key, payload)?, weight: 1.0, disliked: false })),
        }
    }
}

impl Mapped {
    fn parse<'a>(&'a self, payload: &'a [u8]) -> Result<Option<Weighted<'a>>, Reject> {
        let mut raw = [None; COUNT];
        self.fields.read::<RatingFields>(events::text(payload, MAX_PAYLOAD_BYTES)?, &mut raw)?;
        let Some((weight, disliked)) = self.apply_type(&mut raw)? else { return Ok(None) };
        Ok(Some(Weighted { event: event(&raw)?, weight, disliked }))
    }

    /// Puts the rating that the event's type gives it into `raw`; the type's weight and whether it is a
    /// dislike, or `None` to pass over it.
    fn apply_type<'a>(&'a self, raw: &mut RawFields<'a, COUNT>) -> Result<Option<(f32, bool)>, Reject> {
        if self.types.is_empty() {
            return Ok(Some((1.0, false)));
        }
        let [_, _, rating, _, event, _] = raw;
        let name = scalar::optional_id("event", *event)?;
        let Some(kind) = name.as_deref().and_then(|name| self.types.get(name)) else {
            return Ok(self.unlisted(name.as_deref())?.map(|weight| (weight, false)));
        };
        match kind.meaning {
            Meaning::AsSent => {}
            Meaning::Rating(_) => *rating = rating.filter(|raw| *raw != "null").or(Some(&kind.rating)),
            Meaning::Implicit | Meaning::Disliked => *rating = None,
            Meaning::Removed => *rating = Some("null"),
            Meaning::Skip => return Ok(None),
        }
        Ok(Some((kind.weight, kind.meaning == Meaning::Disliked)))
    }

    fn unlisted(&self, name: Option<&str>) -> Result<Option<f32>, Reject> {
        match (self.unlisted, name) {
            (Unlisted::AsSent, _) => Ok(Some(1.0)),
            (Unlisted::Skip, _) => Ok(None),
            (Unlisted::Refuse, None) => {
                Err(Reject::new(Reason::MissingField, "event", "is missing, the mapping lists events by it"))
            }
            (Unlisted::Refuse, Some(name)) => {
                let detail = format!("is \"{}\", which the mapping does not list", scalar::Shown(name));
                Err(Reject::new(Reason::UnknownEvent, "event", detail))
            }
        }
    }

    fn located(&self, reject: Reject) -> Reject {
        // A rating that is wrong is the event's own: those of types were checked.
        self.fields.located::<RatingFields>(reject)
    }
}

fn compiled(name: &str, kind: EventType) -> Result<Compiled, MappingError> {
    let refuse = |rule: String| Err(MappingError::Value { kind: "event type", name: name.to_owned(), rule });
    if let Err(reject) = scalar::check_id("event", name.into()) {
        return refuse(reject.detail);
    }
    if !(kind.weight > 0.0 && kind.weight <= MAX_WEIGHT) {
        return refuse(format!("its weight is {}, it must be above 0 and at most {MAX_WEIGHT}", kind.weight));
    }
    let rating = if let Meaning::Rating(rating) = kind.meaning { rating } else { 0.0 };
    match super::number_or_null(&rating.to_string()) {
        Ok(_) => Ok(Compiled { meaning: kind.meaning, rating: rating.to_string().into(), weight: kind.weight }),
        Err(reject) => refuse(format!("its rating {}", reject.detail)),
    }
}

#[cfg(test)]
mod tests;
