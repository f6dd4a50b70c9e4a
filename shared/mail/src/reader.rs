//! The one way in.

use std::borrow::Cow;

use mail_parser::{HeaderName, MessageParser};

use crate::message::{Message, Trait};
use crate::{ContentType, Limits, html, links, mime};

/// Reads messages, and keeps what it needs for the next.
#[derive(Clone, Debug)]
pub struct Reader {
    limits: Limits,
    parser: MessageParser,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Reader {
    /// With these bounds.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let parser = MessageParser::new()
            .with_mime_headers()
            .with_address_headers()
            .with_message_ids()
            .header_text(HeaderName::Subject)
            .default_header_text()
            .ignore_header(HeaderName::Received)
            .ignore_header(HeaderName::Date)
            .ignore_header(HeaderName::DkimSignature);
        Self { limits, parser }
    }

    /// Reads `bytes` into `message`, as what `content_type` says, or, where it says nothing known, as what they look like. Returns
    /// as what they were read.
    ///
    /// Any bytes will do: what is no UTF-8 and has no other character set that it names is read with marks in place of what is none.
    pub fn read(&self, bytes: &[u8], content_type: Option<&str>, message: &mut Message) -> ContentType {
        message.clear();
        let bytes = self.ends(bytes, message);
        let named = content_type.and_then(ContentType::named);
        let kind = named.unwrap_or_else(|| ContentType::guessed(&bytes));
        match kind {
            ContentType::Mail if mime::read(&self.parser, &bytes, message, &self.limits) => return kind,
            ContentType::Html => {
                html::read(&String::from_utf8_lossy(&bytes), message, &self.limits);
                return kind;
            }
            ContentType::Plain | ContentType::Mail => {}
        }
        let text = String::from_utf8_lossy(&bytes);
        links::add_all(message, &text, &self.limits);
        message.text.push_str(&text);
        ContentType::Plain
    }

    /// All of the bytes, or the first and the last of too many.
    fn ends<'a>(&self, bytes: &'a [u8], message: &mut Message) -> Cow<'a, [u8]> {
        let most = self.limits.bytes;
        if bytes.len() <= most {
            return Cow::Borrowed(bytes);
        }
        message.set(Trait::Cut);
        let (head, tail) = (&bytes[..most / 2], &bytes[bytes.len() - most / 2..]);
        Cow::Owned([head, b"\n", tail].concat())
    }
}
