//! Files of events: their lines, compressed or not, and the formats in which ratings and messages come.
//!
//! `weir import` sends what is read here, `weir validate` counts it. Whether an event is right is not decided here but by
//! the mapping that workers read the topic with.

mod format;
mod lines;
mod parse;

pub(crate) use format::Format;
pub(crate) use lines::{Line, Lines};
pub(crate) use parse::{Parser, Refusal};
