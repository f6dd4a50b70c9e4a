//! Links: where they lead.

use crate::Limits;
use crate::message::{Fact, Message, Trait};

/// Parts of one link that become facts.
const MOST_PARTS: usize = 12;
/// Bytes of a link that are looked at.
const MOST_BYTES: usize = 2_048;

/// The host of a link with a scheme and `//`, or of one that begins as a host (`www.`): without user, port and final dot.
pub(crate) fn host(link: &str) -> Option<&str> {
    let after_scheme = match link.find("://") {
        Some(at) if link[..at].bytes().all(|byte| byte.is_ascii_alphanumeric()) => &link[at + 3..],
        _ => link.strip_prefix("//").unwrap_or(link),
    };
    let authority = after_scheme.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().trim_end_matches('.');
    is_host(host).then_some(host)
}

fn is_host(host: &str) -> bool {
    host.contains('.')
        && !host.starts_with('.')
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'.' | b'-' | b'_'))
}

/// The last two labels of a host, or three where the last but one is as short as in `co.uk`.
pub(crate) fn domain(host: &str) -> &str {
    let mut ends = host.rmatch_indices('.').map(|(at, _)| at);
    let (last, second, third) = (ends.next(), ends.next(), ends.next());
    let start = match (last, second, third) {
        (Some(last), Some(second), third) if last - second <= 4 && host.len() - last == 3 => {
            third.map_or(0, |at| at + 1)
        }
        (Some(_), Some(second), _) => second + 1,
        _ => 0,
    };
    &host[start..]
}

/// Adds what a link says.
pub(crate) fn add(message: &mut Message, link: &str, limits: &Limits) {
    if message.links >= limits.links {
        message.set(Trait::Cut);
        return;
    }
    message.links += 1;
    let link = &link[..link.floor_char_boundary(MOST_BYTES)];
    if let Some(host) = host(link) {
        message.add(Fact::Host, host, limits);
        let domain = domain(host);
        if domain.len() < host.len() {
            message.add(Fact::Host, domain, limits);
        }
        message.set_if(Trait::NumericHost, is_numeric(host));
        let rest = link.split("://").nth(1).unwrap_or(link);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        message.set_if(Trait::UserInLink, authority.contains('@'));
    }
    let parts = link.split(|character: char| !character.is_alphanumeric() && !matches!(character, '.' | '-' | '_'));
    for part in parts.filter(|part| part.len() > 1).take(MOST_PARTS) {
        message.add(Fact::LinkPart, part, limits);
    }
}

fn is_numeric(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Adds the links that stand in a text.
pub(crate) fn add_all(message: &mut Message, text: &str, limits: &Limits) {
    let mut rest = text;
    while let Some(at) = next(rest) {
        let start = at - scheme_bytes(&rest[..at]);
        let link = &rest[start..];
        let end = link
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ')' | ']' | '}'))
            .unwrap_or(link.len());
        let link = link[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']);
        if host(link).is_some() {
            add(message, link, limits);
        }
        // At least past what was found, or it would be found again.
        rest = &rest[(start + end).max(at + 3).min(rest.len())..];
        if message.links >= limits.links {
            return;
        }
    }
}

/// Where the next `://` or `www.` is.
fn next(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|byte| matches!(byte, b':' | b'w' | b'W'))?;
        let rest = &bytes[at..];
        if rest.starts_with(b"://") || rest.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"www.")) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Bytes of the letters that `before` ends with.
fn scheme_bytes(before: &str) -> usize {
    before.bytes().rev().take(10).take_while(u8::is_ascii_alphabetic).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_whatever_is_around_them() {
        let check = |link, expected| assert_eq!(host(link), expected, "{link}");
        check("http://www.example.com/a?b#c", Some("www.example.com"));
        check("https://user:word@example.com:8080/", Some("example.com"));
        check("//cdn.example.com", Some("cdn.example.com"));
        check("example.com.", Some("example.com"));
        check("http://10.1.2.3/x", Some("10.1.2.3"));
        check("mailto:a@b.c", Some("b.c"));
        check("/a/b.html", None);
        check("#top", None);
        check("http://", None);
    }

    #[test]
    fn domains_are_what_is_bought() {
        let check = |host, expected| assert_eq!(domain(host), expected, "{host}");
        check("www.mail.example.com", "example.com");
        check("example.com", "example.com");
        check("a.shop.co.uk", "shop.co.uk");
        check("shop.co.uk", "shop.co.uk");
        check("localhost", "localhost");
    }

    #[test]
    fn links_in_texts_become_facts() {
        let mut message = Message::default();
        let text = "see http://www.Example.com/Win?id=77, www.other.org! and ://x wwww.";
        add_all(&mut message, text, &Limits::default());
        let hosts: Vec<&str> = message.facts().filter(|fact| fact.0 == Fact::Host).map(|fact| fact.1).collect();
        assert_eq!(hosts, ["www.example.com", "example.com", "www.other.org", "other.org"]);
        let parts: Vec<&str> = message.facts().filter(|fact| fact.0 == Fact::LinkPart).map(|fact| fact.1).collect();
        assert_eq!(parts, ["http", "www.example.com", "win", "id", "77", "www.other.org"]);
        add(&mut message, "http://paypal.com@1.2.3.4/x", &Limits::default());
        assert!(message.has(Trait::NumericHost) && message.has(Trait::UserInLink));
    }

    #[test]
    fn links_are_bounded() {
        let mut message = Message::default();
        let limits = Limits { links: 3, ..Limits::default() };
        add_all(&mut message, &"http://a.b ".repeat(9), &limits);
        assert_eq!(message.links, 3);
        add(&mut message, "http://a.b", &limits);
        assert!(message.is_cut());
    }
}
