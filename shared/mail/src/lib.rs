//! From the bytes of a message to what a filter may look at: whole mails (RFC 5322 with MIME), HTML and plain text.
//!
//! A [`Reader`] fills a [`Message`]: the text that people see, the text that is there and not seen, the subject, and [facts](Message::facts):
//! senders, hosts and paths of links, names and types of attachments, how the HTML is made, and [traits](Trait) such as a
//! link that says another host than it leads to. Whatever comes, what is kept is bounded ([`Limits`]), the work is linear in the bytes that are
//! looked at, and nothing panics.
//!
//! Of a mail's headers only those count that its sender's program writes ([`Fact`] says which). Deliberately not looked at: dates, `Received` lines, what
//! mailing lists and archives add, and the marks of other filters. They tell how mails were gathered rather than what they are, and a filter that
//! learned from them would be good at nothing but that one gathering. Deliberately not here: what is learned from all this, verification of signatures,
//! and anything that asks a network.

#![deny(clippy::unwrap_used, clippy::expect_used)]

mod content;
mod headers;
mod html;
mod limits;
mod links;
mod message;
mod mime;
mod reader;

pub use content::ContentType;
pub use limits::Limits;
pub use message::{Fact, Message, Trait};
pub use reader::Reader;
