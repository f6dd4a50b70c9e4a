//! Where the fields of JSON events are, when a topic was not made for weir.
//!
//! Plain data in ([`Source`] by field), a checked value out ([`crate::rating::RatingMapping`],
//! [`crate::message::MessageMapping`]), or a [`MappingError`] that quotes what was configured. A field that is not
//! mentioned stays where it is by default, at the top of the object under its own name. A mapping that changes nothing
//! reads by the very code that knows no mappings, so that it costs nothing.

mod error;
mod paths;
mod pointer;

use std::array;
use std::collections::BTreeMap;

pub use error::MappingError;

use crate::event::{Fields, RawFields, Reject};
use paths::Paths;
use pointer::Pointer;

/// Where a field's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A JSON pointer (RFC 6901) into the event: `/customer/id`, `/lines/0/sku`. Nothing there, or `null`, is as if the
    /// event did not have the field.
    Pointer(String),
    /// The same value in every event, as text without quotes: `shop`, `4.5`.
    Constant(String),
    /// Nowhere: a field of that name in the event means something else.
    Absent,
}

/// The checked form of a [`Source`] for each field.
#[derive(Clone, Debug)]
pub(crate) struct FieldMapping<const N: usize> {
    paths: Paths,
    /// Where each field is looked for, to be named in refusals.
    pointers: [Option<Pointer>; N],
    /// The raw JSON of fields that are the same in every event.
    constants: [Option<Box<str>>; N],
}

impl<const N: usize> FieldMapping<N> {
    /// Checks `sources`; `is_number` says of which fields a constant is a number.
    pub(crate) fn new<F: Fields<N>>(
        sources: &BTreeMap<String, Source>,
        is_number: fn(u8) -> bool,
    ) -> Result<Self, MappingError> {
        if let Some(field) = sources.keys().find(|field| !F::NAMES.contains(&field.as_str())) {
            return Err(MappingError::UnknownField { field: field.clone(), known: F::NAMES.join(", ") });
        }
        let (mut pointers, mut constants) = (array::from_fn(|_| None), array::from_fn(|_| None));
        let mut paths = Paths::default();
        for ((place, name), (pointer, constant)) in (0_u8..).zip(F::NAMES).zip(pointers.iter_mut().zip(&mut constants))
        {
            match sources.get(name) {
                None => *pointer = Some(Pointer::to_field(name)),
                Some(Source::Pointer(text)) => *pointer = Some(Pointer::parse(name, text)?),
                Some(Source::Constant(text)) => *constant = Some(constant_json(name, text, is_number(place))?),
                Some(Source::Absent) => {}
            }
            if let Some(pointer) = pointer {
                paths.insert::<F, N>(place, pointer)?;
            }
        }
        Ok(Self { paths, pointers, constants })
    }

    /// Whether every field is where it is without a mapping.
    pub(crate) fn is_default<F: Fields<N>>(&self) -> bool {
        let at_home = |(name, pointer): (&str, &Option<Pointer>)| {
            pointer.as_ref().is_some_and(|pointer| *pointer == Pointer::to_field(name))
        };
        F::NAMES.into_iter().zip(&self.pointers).all(at_home)
    }

    /// Puts the fields of the event in `text` into `values`.
    pub(crate) fn read<'a, F: Fields<N>>(&'a self, text: &'a str, values: &mut RawFields<'a, N>) -> Result<(), Reject> {
        self.paths.read::<F, N>(text, values)?;
        self.put_constants(values);
        Ok(())
    }

    /// `reject` with the pointer under which its field was looked for.
    pub(crate) fn located<F: Fields<N>>(&self, reject: Reject) -> Reject {
        let place = F::NAMES.iter().position(|name| Some(*name) == reject.field);
        match place.and_then(|place| self.pointers.get(place)?.as_ref()) {
            Some(pointer) => Reject { detail: format!("at {pointer}: {}", reject.detail), ..reject },
            None => reject,
        }
    }

    /// Checks that events of this mapping can be right at all: `event` must take one whose fields are `samples`, where
    /// the mapping does not say otherwise.
    pub(crate) fn check<'a, T>(
        &'a self,
        samples: [&'a str; N],
        event: impl Fn(&RawFields<'a, N>) -> Result<T, Reject>,
    ) -> Result<(), MappingError> {
        let mut values = samples.map(Some);
        for (value, pointer) in values.iter_mut().zip(&self.pointers) {
            *value = value.filter(|_| pointer.is_some());
        }
        self.put_constants(&mut values);
        event(&values).map(drop).map_err(|reject| MappingError::Unusable { reject: reject.to_string() })
    }

    fn put_constants<'a>(&'a self, values: &mut RawFields<'a, N>) {
        for (value, constant) in values.iter_mut().zip(&self.constants) {
            *value = value.or(constant.as_deref());
        }
    }
}

/// The constant as it would stand in an event.
fn constant_json(field: &'static str, text: &str, is_number: bool) -> Result<Box<str>, MappingError> {
    if !is_number {
        return Ok(serde_json::Value::from(text).to_string().into());
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(text.into()),
        _ => Err(MappingError::Constant { field, text: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests;
