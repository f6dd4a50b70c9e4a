//! The fields of a rating event.

use crate::event::{Fields, OTHER};

/// How many there are.
pub(crate) const COUNT: usize = 6;

/// Place of `rating`.
pub(crate) const RATING: u8 = 2;
/// Place of `ts`.
pub(crate) const TS: u8 = 3;

/// `user, item, rating, ts, event, id`, in this order.
pub(crate) struct RatingFields;

impl Fields<COUNT> for RatingFields {
    const NAMES: [&'static str; COUNT] = ["user", "item", "rating", "ts", "event", "id"];
    const FORGOTTEN: &'static str = "user";

    fn place(name: &str) -> u8 {
        match name {
            "user" => 0,
            "item" => 1,
            "rating" => RATING,
            "ts" => TS,
            "event" => 4,
            "id" => 5,
            _ => OTHER,
        }
    }
}
