//! Records of the catalogue's topic: what an item is called, where it belongs, and whether it may be shown. The key is the item's id; a record
//! without a value removes the item from the catalogue, not from the model.
//!
//! Written by whoever owns the items; read by gateways. The topic is compacted, so the last record of an item counts as a whole: what a later
//! record leaves out is not kept from an earlier one.

mod fields;

use serde_json::value::RawValue;

use crate::event::{self, Id, Reason, Reject, scalar};
use fields::{COUNT, ItemFields};

/// Longest value that is looked at.
pub const MAX_ITEM_BYTES: usize = 64 * 1024;
/// Bytes of a title.
pub const MAX_TITLE_BYTES: usize = 1024;
/// Categories of an item.
pub const MAX_CATEGORIES: usize = 64;

/// What one record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemEvent<'a> {
    /// The item is this now.
    Put {
        /// Which.
        item: Id<'a>,
        /// What is known of it.
        details: Details<'a>,
    },
    /// The catalogue says nothing of it any more.
    Remove {
        /// Which.
        item: Id<'a>,
    },
}

/// What the catalogue says of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details<'a> {
    /// For people, 1 to [`MAX_TITLE_BYTES`] bytes.
    pub title: Option<Id<'a>>,
    /// At most [`MAX_CATEGORIES`], each as long as an id may be.
    pub categories: Vec<Id<'a>>,
    /// Never to be shown.
    pub hidden: bool,
    /// From then on it is not shown, in milliseconds since 1970.
    pub expires: Option<i64>,
    /// Before that it is not shown, in milliseconds since 1970.
    pub published: Option<i64>,
}

/// Reads one record of the catalogue. The id is the value's `item`, and else the key.
///
/// # Errors
/// A [`Reject`] that names the field, and says why and what to do; arbitrary bytes are no more than that.
pub fn parse<'a>(key: Option<&'a [u8]>, payload: Option<&'a [u8]>) -> Result<ItemEvent<'a>, Reject> {
    let Some(payload) = payload else {
        return Ok(ItemEvent::Remove { item: event::forgotten::<ItemFields, _>(key)? });
    };
    let mut raw = [None; COUNT];
    event::object::read::<ItemFields, _>(event::text(payload, MAX_ITEM_BYTES)?, &mut raw)?;
    let [item, title, categories, hidden, expires, published] = raw;
    let details = Details {
        title: self::title(title)?,
        categories: categories.map_or(Ok(Vec::new()), self::categories)?,
        hidden: self::hidden(hidden)?,
        expires: scalar::optional_time("expires", expires)?,
        published: scalar::optional_time("published", published)?,
    };
    Ok(ItemEvent::Put { item: self::item(key, item)?, details })
}

impl ItemEvent<'_> {
    /// Which item.
    #[must_use]
    pub fn item(&self) -> &str {
        match self {
            Self::Put { item, .. } | Self::Remove { item } => item,
        }
    }
}

fn item<'a>(key: Option<&'a [u8]>, raw: Option<&'a str>) -> Result<Id<'a>, Reject> {
    let of_key = key.map(|key| scalar::id_from_key(key, "item")).transpose()?;
    match (scalar::optional_id("item", raw)?, of_key) {
        // A topic that is compacted keeps the last record of each key: under another one an item would be kept twice.
        (Some(item), Some(key)) if item != key => {
            let detail = "is another one than the record's key; make the key the item's id, or leave this out";
            Err(Reject::new(Reason::WrongType, "item", detail))
        }
        (Some(item), _) | (None, Some(item)) => Ok(item),
        (None, None) => {
            Err(Reject::new(Reason::MissingField, "item", "is missing; make it the record's key, or send it here"))
        }
    }
}

fn title(raw: Option<&str>) -> Result<Option<Id<'_>>, Reject> {
    let title = scalar::optional_text("title", raw)?;
    match title.as_ref().map(|title| title.len()) {
        Some(0) => Err(Reject::new(Reason::EmptyId, "title", "is empty, leave it out")),
        Some(bytes @ MAX_TITLE_BYTES..) if bytes > MAX_TITLE_BYTES => {
            let detail = format!("has {bytes} bytes, a title has at most {MAX_TITLE_BYTES}");
            Err(Reject::new(Reason::TooLarge, "title", detail))
        }
        _ => Ok(title),
    }
}

fn categories(raw: &str) -> Result<Vec<Id<'_>>, Reject> {
    match scalar::Kind::of(raw) {
        scalar::Kind::Null => return Ok(Vec::new()),
        scalar::Kind::Array => {}
        other => return Err(scalar::wrong_type("categories", "an array of strings", other)),
    }
    let undecodable = |error| Reject::new(Reason::UndecodableJson, "categories", format!("not JSON: {error}"));
    let values: Vec<&RawValue> = serde_json::from_str(raw).map_err(undecodable)?;
    if values.len() > MAX_CATEGORIES {
        let detail = format!("are {}, an item has at most {MAX_CATEGORIES}", values.len());
        return Err(Reject::new(Reason::TooLarge, "categories", detail));
    }
    values.into_iter().map(|value| category(value.get())).collect()
}

fn category(raw: &str) -> Result<Id<'_>, Reject> {
    let category = scalar::text_only("categories", raw, "strings")?;
    if category.starts_with('!') {
        let detail = "have one that begins with !, which in a query means all but that category; call it otherwise";
        return Err(Reject::new(Reason::WrongType, "categories", detail));
    }
    scalar::check_id("categories", category)
}

fn hidden(raw: Option<&str>) -> Result<bool, Reject> {
    match raw {
        None | Some("null" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(scalar::wrong_type("hidden", "true or false", scalar::Kind::of(other))),
    }
}

#[cfg(test)]
mod tests;
