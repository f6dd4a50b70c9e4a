//! All pointers of a mapping as one tree, so that one pass over an event finds all of its fields.
//!
//! Values are raw text here as well. What a longer pointer leads through is looked at again, level by level; objects
//! and arrays that no pointer leads through are skipped once.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::MappingError;
use super::pointer::{Pointer, array_index};
use crate::event::object::{duplicate_field, undecodable};
use crate::event::{Fields, RawFields, Reject};

/// The tree, from the top of the event.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    top: Node,
}

/// What is looked for in one object or array.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Never more than there are fields, which fits the mask of [`Look::seen`].
    children: Vec<Child>,
}

#[derive(Clone, Debug)]
struct Child {
    /// The key in an object.
    token: Box<str>,
    /// The element in an array.
    index: Option<usize>,
    /// A field that is here or below, and its pointer; named when the key is there twice, or pointers contradict.
    field: u8,
    pointer: Pointer,
    target: Target,
}

#[derive(Clone, Debug)]
enum Target {
    /// The value of these fields.
    Fields(Vec<u8>),
    /// An object or array on the way.
    Inner(Node),
}

impl Paths {
    /// Adds the way to the field at `place`.
    pub(super) fn insert<F: Fields<N>, const N: usize>(
        &mut self,
        place: u8,
        pointer: &Pointer,
    ) -> Result<(), MappingError> {
        let tokens: Vec<String> = pointer.tokens().collect();
        self.top.insert(&tokens, place, pointer).map_err(|clash| {
            let ours = (place, pointer);
            let (inner, outer) = if clash.ours_is_inner { (ours, clash.other) } else { (clash.other, ours) };
            MappingError::Inside {
                inner_field: name::<F, N>(inner.0),
                inner: inner.1.to_string(),
                outer_field: name::<F, N>(outer.0),
                outer: outer.1.to_string(),
            }
        })
    }

    /// Puts the fields of the event in `text` into `values`.
    pub(super) fn read<'a, F: Fields<N>, const N: usize>(
        &'a self,
        text: &'a str,
        values: &mut RawFields<'a, N>,
    ) -> Result<(), Reject> {
        let mut look = Look { node: &self.top, seen: 0, values, inner: Vec::new(), duplicate: None };
        look.at_object(text).map_err(|error| undecodable::<F, N>(text, &error))?;
        while let Some((node, raw)) = look.inner.pop() {
            (look.node, look.seen) = (node, 0);
            let found = match raw.as_bytes().first() {
                Some(b'{') => look.at_object(raw),
                Some(b'[') => look.at_array(raw),
                // A single value has nothing in it: the fields below are missing.
                _ => Ok(()),
            };
            found.map_err(|error| undecodable::<F, N>(raw, &error))?;
        }
        look.duplicate.map_or(Ok(()), |place| Err(duplicate_field(name::<F, N>(place))))
    }
}

/// Two pointers of which one leads into the other's value.
struct Clash<'a> {
    other: (u8, &'a Pointer),
    ours_is_inner: bool,
}

impl Node {
    /// Adds the way along `tokens` to the field at `place`.
    fn insert(&mut self, tokens: &[String], place: u8, pointer: &Pointer) -> Result<(), Clash<'_>> {
        let Some((token, rest)) = tokens.split_first() else { return Ok(()) };
        if !self.children.iter().any(|child| *child.token == **token) {
            self.children.push(Child::new(token, place, pointer, rest.is_empty()));
        }
        let Some(child) = self.children.iter_mut().find(|child| *child.token == **token) else { return Ok(()) };
        match (&mut child.target, rest.is_empty()) {
            (Target::Fields(places), true) => {
                places.push(place);
                Ok(())
            }
            (Target::Inner(node), false) => node.insert(rest, place, pointer),
            (_, ours_is_outer) => Err(Clash { other: (child.field, &child.pointer), ours_is_inner: !ours_is_outer }),
        }
    }
}

impl Child {
    fn new(token: &str, field: u8, pointer: &Pointer, is_last: bool) -> Self {
        let target = if is_last { Target::Fields(Vec::new()) } else { Target::Inner(Node::default()) };
        Self { token: token.into(), index: array_index(token), field, pointer: pointer.clone(), target }
    }
}

fn name<F: Fields<N>, const N: usize>(place: u8) -> &'static str {
    F::NAMES.get(usize::from(place)).copied().unwrap_or_default()
}

/// A look into one object or array after the other.
struct Look<'s, 'a, const N: usize> {
    node: &'a Node,
    /// Children of the node that were met in this object, bit by bit.
    seen: u64,
    values: &'s mut RawFields<'a, N>,
    /// What is still to be looked into.
    inner: Vec<(&'a Node, &'a str)>,
    duplicate: Option<u8>,
}

impl<'a, const N: usize> Look<'_, 'a, N> {
    fn at_object(&mut self, raw: &'a str) -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_str(raw);
        deserializer.deserialize_map(&mut *self)?;
        deserializer.end()
    }

    fn at_array(&mut self, raw: &'a str) -> serde_json::Result<()> {
        let mut deserializer = serde_json::Deserializer::from_str(raw);
        deserializer.deserialize_seq(&mut *self)?;
        deserializer.end()
    }

    /// Keeps the raw value of one of the node's children.
    fn take(&mut self, position: usize, child: &'a Child, raw: &'a str) {
        let bit = 1 << position;
        if self.seen & bit != 0 {
            self.duplicate = self.duplicate.or(Some(child.field));
        }
        self.seen |= bit;
        match &child.target {
            Target::Inner(node) => self.inner.push((node, raw)),
            Target::Fields(places) => {
                for place in places {
                    if let Some(value) = self.values.get_mut(usize::from(*place)) {
                        *value = Some(raw);
                    }
                }
            }
        }
    }
}

impl<'a, const N: usize> Visitor<'a> for &mut Look<'_, 'a, N> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let node = self.node;
        while let Some(position) = map.next_key_seed(Key(node))? {
            match position.and_then(|position| Some((position, node.children.get(position)?))) {
                Some((position, child)) => self.take(position, child, map.next_value::<&RawValue>()?.get()),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<(), A::Error> {
        let node = self.node;
        for index in 0.. {
            if let Some(position) = node.children.iter().position(|child| child.index == Some(index)) {
                let Some(raw) = elements.next_element::<&RawValue>()? else { break };
                if let Some(child) = node.children.get(position) {
                    self.take(position, child, raw.get());
                }
            } else if elements.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// Finds the child that a key means.
struct Key<'a>(&'a Node);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.children.iter().position(|child| *child.token == *name))
    }
}
