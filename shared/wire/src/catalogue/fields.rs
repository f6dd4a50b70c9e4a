//! The fields of a record of the catalogue.

use crate::event::{Fields, OTHER};

/// How many there are.
pub(crate) const COUNT: usize = 6;

/// `item, title, categories, hidden, expires, published`, in this order.
pub(crate) struct ItemFields;

impl Fields<COUNT> for ItemFields {
    const NAMES: [&'static str; COUNT] = ["item", "title", "categories", "hidden", "expires", "published"];
    const FORGOTTEN: &'static str = "item";

    fn place(name: &str) -> u8 {
        match name {
            "item" => 0,
            "title" => 1,
            "categories" => 2,
            "hidden" => 3,
            "expires" => 4,
            "published" => 5,
            _ => OTHER,
        }
    }
}
