//! What the bytes of a message are.

/// Bytes at the beginning that are looked at to tell.
const LOOKED_AT: usize = 1_024;

/// How the bytes of a message are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// As they stand.
    Plain,
    /// HTML.
    Html,
    /// A whole mail, head and all.
    Mail,
}

impl ContentType {
    /// What a media type says, as `text/html; charset=utf-8`; none if it says nothing that is known here.
    #[must_use]
    pub fn named(media_type: &str) -> Option<Self> {
        let name = media_type.split(';').next().unwrap_or_default().trim();
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("message/rfc822") || is("message/global") {
            Some(Self::Mail)
        } else if is("text/html") || is("application/xhtml+xml") {
            Some(Self::Html)
        } else if name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/")) {
            Some(Self::Plain)
        } else {
            None
        }
    }

    /// What the bytes look like: a mail if they begin with lines of two headers of which one is a mail's, HTML if they begin with an
    /// element of a page, a plain text otherwise.
    #[must_use]
    pub fn guessed(bytes: &[u8]) -> Self {
        let head = &bytes[..bytes.len().min(LOOKED_AT)];
        if is_html(head) {
            Self::Html
        } else if is_mail(head) {
            Self::Mail
        } else {
            Self::Plain
        }
    }
}

fn is_html(head: &[u8]) -> bool {
    let start = head.trim_ascii_start();
    let begins = |name: &str| start.get(..name.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(name.as_bytes()));
    ["<!doctype html", "<html", "<head", "<body", "<table", "<div", "<p>", "<meta "].into_iter().any(begins)
}

/// Names of which a mail's head has one within its first lines.
const OF_MAILS: [&str; 11] = [
    "received",
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "return-path",
    "mime-version",
    "delivered-to",
    "reply-to",
    "content-type",
];

fn is_mail(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    // The line that mailboxes of the mbox kind put before each mail.
    if head.starts_with(b"From ") || head.starts_with(b">From ") {
        lines.next();
    }
    let (mut headers, mut known) = (0, false);
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || headers > 3 {
            break;
        }
        if headers > 0 && matches!(line[0], b' ' | b'\t') {
            continue;
        }
        let Some(name) = header_name(line) else { return false };
        known |= OF_MAILS.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()));
        headers += 1;
    }
    headers >= 2 && known
}

/// The name of a header's line: printable ASCII without spaces before a colon (RFC 5322, 2.2).
fn header_name(line: &[u8]) -> Option<&[u8]> {
    let end = line.iter().position(|byte| *byte == b':')?;
    let name = &line[..end];
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_say_what_bytes_are() {
        let check = |name, expected| assert_eq!(ContentType::named(name), expected, "{name}");
        check("text/plain", Some(ContentType::Plain));
        check("TEXT/HTML; charset=utf-8", Some(ContentType::Html));
        check("message/rfc822", Some(ContentType::Mail));
        check("text/markdown", Some(ContentType::Plain));
        check("image/png", None);
        check("", None);
    }

    #[test]
    fn without_one_it_is_guessed() {
        let check = |bytes: &str, expected| assert_eq!(ContentType::guessed(bytes.as_bytes()), expected, "{bytes}");
        check("Shall we meet at noon?", ContentType::Plain);
        check("From: me\nthat is all", ContentType::Plain);
        check("Note: one\nSubject line: two", ContentType::Plain);
        check("Dear all: hi\nthere: you", ContentType::Plain);
        check("From: a@b.c\r\nSubject: hi\r\n\r\nhello", ContentType::Mail);
        check("From a@b.c Thu Aug 22\nReturn-Path: <a@b.c>\nX-Y: z\n a\n\n", ContentType::Mail);
        check(" <!DOCTYPE html><html>", ContentType::Html);
        check("<p>Hello", ContentType::Html);
        check("<3 you", ContentType::Plain);
        check("", ContentType::Plain);
    }
}
