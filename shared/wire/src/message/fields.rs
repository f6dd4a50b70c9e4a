//! The fields of a message event.

use crate::event::{Fields, OTHER};

/// How many there are.
pub(crate) const COUNT: usize = 7;

/// Place of `label`.
pub(crate) const LABEL: u8 = 2;
/// Place of `ts`.
pub(crate) const TS: u8 = 3;

/// `id, text, label, ts, tenant, content_type, sender`, in this order.
pub(crate) struct MessageFields;

impl Fields<COUNT> for MessageFields {
    const NAMES: [&'static str; COUNT] = ["id", "text", "label", "ts", "tenant", "content_type", "sender"];
    const FORGOTTEN: &'static str = "message";

    fn place(name: &str) -> u8 {
        match name {
            "id" => 0,
            "text" => 1,
            "label" => LABEL,
            "ts" => TS,
            "tenant" => 4,
            "content_type" => 5,
            "sender" => 6,
            _ => OTHER,
        }
    }
}
