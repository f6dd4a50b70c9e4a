//! Finds the known fields of an event in one pass over its JSON, without looking into their values yet.
//!
//! Values are kept as raw text: so the types are judged field by field with a message of their own, and a number as
//! an id keeps all its digits, which a float would not.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{Fields, RawFields, Reason, Reject};

/// Puts the fields of the one JSON object in `text` into `values`.
///
/// Into the caller's array, because moving it after its parts were written one by one costs more than writing them.
pub(crate) fn read<'a, F: Fields<N>, const N: usize>(
    text: &'a str,
    values: &mut RawFields<'a, N>,
) -> Result<(), Reject> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let found = Object::<F, N>(values, PhantomData).deserialize(&mut deserializer);
    let duplicate = found
        .and_then(|duplicate| deserializer.end().map(|()| duplicate))
        .map_err(|error| undecodable::<F, N>(text, &error))?;
    match duplicate {
        None => Ok(()),
        Some(place) => Err(duplicate_field(F::NAMES.get(usize::from(place)).copied().unwrap_or_default())),
    }
}

/// The refusal of an event that has `field` twice.
pub(crate) fn duplicate_field(field: &'static str) -> Reject {
    Reject::new(Reason::DuplicateField, field, "is there twice, send it once")
}

/// The refusal of a text that is no JSON object.
pub(crate) fn undecodable<F: Fields<N>, const N: usize>(text: &str, error: &serde_json::Error) -> Reject {
    if error.classify() == Category::Data {
        return Reject::whole(Reason::WrongType, "an event must be a JSON object");
    }
    let hint = if text.is_empty() {
        format!("; only a record without any value (null) forgets a {}", F::FORGOTTEN)
    } else if text.contains("NaN") || text.contains("Infinity") {
        "; NaN and Infinity are not JSON, leave the event out".to_owned()
    } else {
        String::new()
    };
    Reject::whole(Reason::UndecodableJson, format!("not JSON: {error}{hint}"))
}

/// A key of the object: its place among the fields.
struct Key<F, const N: usize>(u8, PhantomData<F>);

impl<'de, F: Fields<N>, const N: usize> Deserialize<'de> for Key<F, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor(PhantomData))
    }
}

struct KeyVisitor<F, const N: usize>(PhantomData<F>);

impl<F: Fields<N>, const N: usize> Visitor<'_> for KeyVisitor<F, N> {
    type Value = Key<F, N>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Key(F::place(name), PhantomData))
    }
}

/// Puts the raw values of an object into their places; what comes out is the first place that was taken already.
struct Object<'s, 'a, F, const N: usize>(&'s mut RawFields<'a, N>, PhantomData<F>);

impl<'de, F: Fields<N>, const N: usize> DeserializeSeed<'de> for Object<'_, 'de, F, N> {
    type Value = Option<u8>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: Fields<N>, const N: usize> Visitor<'de> for Object<'_, 'de, F, N> {
    type Value = Option<u8>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut duplicate = None;
        while let Some(Key::<F, N>(place, _)) = map.next_key()? {
            if let Some(slot) = self.0.get_mut(usize::from(place)) {
                if slot.replace(map.next_value::<&RawValue>()?.get()).is_some() {
                    duplicate = duplicate.or(Some(place));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(duplicate)
    }
}
