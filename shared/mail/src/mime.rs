//! Mails: their parts, decoded.

use mail_parser::{Encoding, Message as Mail, MessageParser, MessagePart, MimeHeaders, PartType};

use crate::message::{Fact, Message, Trait};
use crate::{Limits, headers, html, links};

/// Reads a mail; false if it is none.
pub(crate) fn read(parser: &MessageParser, bytes: &[u8], message: &mut Message, limits: &Limits) -> bool {
    let bytes = without_separator(bytes);
    let is_tangled = boundaries(bytes, limits.boundaries) > limits.boundaries;
    let parsed = if is_tangled { parser.parse_headers(bytes) } else { parser.parse(bytes) };
    let Some(mail) = parsed.filter(|mail| !mail.parts.is_empty() || is_tangled) else { return false };
    if is_tangled {
        message.set(Trait::Cut);
        message.set(Trait::Broken);
        let body = bytes.windows(2).position(|pair| pair == b"\n\n").map_or(bytes, |at| &bytes[at..]);
        message.text.push_str(&String::from_utf8_lossy(body));
        return true;
    }
    headers::read(&mail, message, limits);
    let mut walk = Walk { limits, parts: 0, has_plain: false, has_html: false };
    walk.mail(&mail, 0, message);
    message.set_if(Trait::HtmlOnly, walk.has_html && !walk.has_plain);
    message.set_if(Trait::NoText, !walk.has_html && !walk.has_plain);
    true
}

/// Without the line that mailboxes of the mbox kind put before each mail.
fn without_separator(bytes: &[u8]) -> &[u8] {
    let is_separator = bytes.starts_with(b"From ") || bytes.starts_with(b">From ");
    let end = bytes.iter().position(|byte| *byte == b'\n').filter(|_| is_separator);
    end.map_or(bytes, |end| &bytes[end + 1..])
}

/// How often a boundary is named, counted up to one more than `most`.
fn boundaries(bytes: &[u8], most: usize) -> usize {
    let named = |at: usize| bytes[at..].get(..8).is_some_and(|word| word.eq_ignore_ascii_case(b"boundary"));
    let starts = bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b'b' | b'B'));
    starts.filter(|(at, _)| named(*at)).take(most + 1).count()
}

struct Walk<'a> {
    limits: &'a Limits,
    parts: usize,
    has_plain: bool,
    has_html: bool,
}

impl Walk<'_> {
    fn mail(&mut self, mail: &Mail<'_>, depth: usize, message: &mut Message) {
        for part in &mail.parts {
            if self.parts >= self.limits.parts {
                message.set(Trait::Cut);
                return;
            }
            self.parts += 1;
            self.part(mail, part, depth, message);
        }
    }

    fn part(&mut self, mail: &Mail<'_>, part: &MessagePart<'_>, depth: usize, message: &mut Message) {
        self.kind(part, message);
        match &part.body {
            PartType::Text(text) => {
                self.has_plain = true;
                let start = message.text.len();
                message.text.push_str(as_it_is(mail, part).unwrap_or(text));
                let text = message.text.split_off(start);
                links::add_all(message, &text, self.limits);
                message.text.push_str(&text);
                message.text.push('\n');
            }
            PartType::Html(text) => {
                self.has_html = true;
                html::read(as_it_is(mail, part).unwrap_or(text), message, self.limits);
                message.text.push('\n');
            }
            PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Multipart(_) => {}
            PartType::Message(inner) => {
                message.set(Trait::InnerMail);
                if depth >= self.limits.nesting {
                    message.set(Trait::Cut);
                    return;
                }
                message.text.push_str(inner.subject().unwrap_or_default());
                message.text.push('\n');
                self.mail(inner, depth + 1, message);
            }
        }
    }

    /// Type, character set, transfer encoding and name of a part.
    fn kind(&self, part: &MessagePart<'_>, message: &mut Message) {
        message.set_if(Trait::Broken, part.is_encoding_problem);
        if let Some(kind) = part.content_type() {
            let name = format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
            message.add(Fact::MediaType, &name, self.limits);
            message.add(Fact::Charset, kind.attribute("charset").unwrap_or_default(), self.limits);
        }
        message.add(Fact::Encoding, part.content_transfer_encoding().unwrap_or_default(), self.limits);
        let is_attached = part.content_disposition().is_some_and(mail_parser::ContentType::is_attachment);
        message.set_if(Trait::Attachment, is_attached || part.attachment_name().is_some());
        if let Some(name) = part.attachment_name() {
            message.add(Fact::FileName, name, self.limits);
            message.add(Fact::FileEnding, name.rsplit_once('.').map_or("", |(_, ending)| ending), self.limits);
        }
    }
}

/// The bytes of a part that is not encoded, if they are UTF-8: mails come inside JSON, and so in UTF-8, whatever character set they
/// were written in and still name.
fn as_it_is<'a>(mail: &'a Mail<'_>, part: &MessagePart<'_>) -> Option<&'a str> {
    if part.encoding != Encoding::None {
        return None;
    }
    let raw = mail.raw_message.get(part.offset_body as usize..part.offset_end as usize)?;
    str::from_utf8(raw).ok().filter(|text| !text.contains('\u{1B}'))
}
