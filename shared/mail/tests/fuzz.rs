//! Whatever comes, reading ends, within its bounds and without a panic. `WEIR_FUZZ_CASES` sets how many inputs each test takes.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use weir_mail::{Limits, Message, Reader};

/// What one message may take, many times more than any does.
const MOST_TIME: Duration = Duration::from_secs(2);

const LIMITS: Limits =
    Limits { bytes: 4_096, parts: 6, boundaries: 8, nesting: 2, links: 5, facts: 60, fact_bytes: 24, elements: 7 };

fn cases(few: u32) -> ProptestConfig {
    let cases = std::env::var("WEIR_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: cases.unwrap_or(few), failure_persistence: None, ..ProptestConfig::default() }
}

/// Parts of which mails are made, well-formed and not.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let whole = [
        "From: a@b.example\n",
        "Subject: =?utf-8?b?w7w=?= =?x?q?=GG?=\r\n",
        "To: x: a@b, <c@d>; (com(ment)\n",
        "\n",
        "\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=x\n",
        "Content-Type: multipart/alternative;\n boundary=\"y\"\n",
        "--x\n",
        "--x--\n",
        "--y\r\n",
        "Content-Type: text/html; charset=iso-2022-jp\n",
        "Content-Type: message/rfc822\n",
        "Content-Transfer-Encoding: base64\n",
        "Content-Transfer-Encoding: quoted-printable\n",
        "Content-Disposition: attachment; filename*=utf-8''%C3%BC.exe\n",
        "PGI+aGk8L2I+\n",
        "=C3=BC=\n",
        "<div style='display:none'>",
        "<a href=http://a.b/c?d>www.e.f</a>",
        "</div></p>",
        "<!-- ",
        "-->",
        "<script>",
        "&#x41;&amp",
        "http://user@1.2.3.4:80/x ",
        "www.a.b",
        "://",
        "\u{FFFD}\u{200B}\u{1F600}",
        "References: <1@2> <3@4>\n",
        "Message-ID: <",
        "Content-Type: text/plain; charset=utf-7\n",
        "+AGE-",
        "Reply-To: @\n",
        "begin 644 x\n",
    ];
    prop_oneof![
        6 => prop::sample::select(whole.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => "\\PC{0,40}".prop_map(String::into_bytes),
        1 => (any::<u8>(), 0..3_000_usize).prop_map(|(byte, count)| vec![byte; count]),
    ]
}

/// Pieces after each other, and some of the bytes changed.
fn mail() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (prop::collection::vec(piece(), 0..30), changes).prop_map(|(pieces, changes)| {
        let mut bytes = pieces.concat();
        for (at, byte) in changes.into_iter().filter(|_| !pieces.is_empty()) {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes
    })
}

fn check(bytes: &[u8], content_type: Option<&str>) {
    let (reader, mut message, begun) = (Reader::new(LIMITS), Message::default(), Instant::now());
    reader.read(bytes, content_type, &mut message);
    assert!(begun.elapsed() < MOST_TIME, "{bytes:?}");
    assert!(message.facts().count() <= LIMITS.facts);
    assert!(message.facts().all(|(_, text)| text.len() <= LIMITS.fact_bytes && !text.is_empty()));
    // Each byte that is read makes at most one character, and each part, inner mail or element a gap.
    let all = message.text.len() + message.hidden.len() + message.subject.len();
    assert!(all <= 16 * (LIMITS.bytes + 1), "{all} bytes of {}", bytes.len());
    let text = message.text.clone();
    reader.read(bytes, content_type, &mut message);
    assert_eq!(message.text, text, "the same again");
}

fn content_type() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![None, Some("message/rfc822"), Some("text/html"), Some("text/plain")])
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn anything_is_read(bytes in mail(), content_type in content_type()) {
        check(&bytes, content_type);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300), content_type in content_type()) {
        check(&bytes, content_type);
    }
}
