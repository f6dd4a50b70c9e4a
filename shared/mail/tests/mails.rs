//! Mails as they come, written for this test.

use std::fmt::Write as _;

use weir_mail::{ContentType, Fact, Limits, Message, Reader, Trait};

fn read(bytes: &[u8], content_type: Option<&str>) -> (ContentType, Message) {
    let mut message = Message::default();
    let kind = Reader::default().read(bytes, content_type, &mut message);
    (kind, message)
}

fn facts(message: &Message, kind: Fact) -> Vec<&str> {
    message.facts().filter(|(fact, _)| *fact == kind).map(|(_, text)| text).collect()
}

const MIXED: &str = "Received: from a.example (b.example [10.0.0.1]) by c.example; Tue, 1 Jan 2030 00:00:00 +0000\r\n\
From: =?utf-8?q?Caf=C3=A9_Luna?= <offers@mail.luna.example>\r\n\
Reply-To: other@elsewhere.example\r\n\
To: you@home.example\r\n\
Subject: =?iso-8859-1?q?Gr=FC=DFe?= from us\r\n\
Message-ID: <1@mail.luna.example>\r\n\
List-Id: <everyone.luna.example>\r\n\
X-Spam-Flag: YES\r\n\
Date: Tue, 1 Jan 2030 00:00:00 +0000\r\n\
X-Mailer: Bulk 3.1\r\n\
MiME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=\"frontier\"\r\n\
\r\n\
--frontier\r\n\
Content-Type: text/plain; charset=iso-8859-1\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\
\r\n\
Caf=E9 is open, see http://luna.example/menu=\r\n\
/today\r\n\
--frontier\r\n\
Content-Type: text/html; charset=utf-8\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
PHA+SGVsbG8gPGI+eW91PC9iPjwvcD48ZGl2IHN0eWxlPSJkaXNwbGF5Om5vbmUiPnVuc2VlbjwvZGl2Pg==\r\n\
--frontier\r\n\
Content-Type: application/zip; name=\"menu.ZIP\"\r\n\
Content-Disposition: attachment; filename=\"menu.ZIP\"\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
UEsDBA==\r\n\
--frontier--\r\n";

#[test]
fn parts_are_decoded_and_the_rest_is_told() {
    let (kind, message) = read(MIXED.as_bytes(), None);
    assert_eq!(kind, ContentType::Mail);
    assert_eq!(message.subject, "Grüße from us");
    assert!(message.text.contains("Café is open") && message.text.contains("Hello you"), "{message:?}");
    assert!(message.hidden.contains("unseen") && !message.text.contains("unseen"));
    assert_eq!(facts(&message, Fact::From), ["offers@mail.luna.example"]);
    assert_eq!(facts(&message, Fact::FromHost), ["mail.luna.example", "luna.example"]);
    assert_eq!(facts(&message, Fact::FromName), ["café", "luna"]);
    assert_eq!(facts(&message, Fact::ReplyTo), ["other@elsewhere.example"]);
    assert_eq!(facts(&message, Fact::Program), ["bulk 3.1"]);
    assert_eq!(facts(&message, Fact::Host), ["luna.example"]);
    assert_eq!(facts(&message, Fact::FileName), ["menu.zip"]);
    assert_eq!(facts(&message, Fact::FileEnding), ["zip"]);
    assert!(facts(&message, Fact::Charset).contains(&"iso-8859-1"));
    assert!(facts(&message, Fact::MediaType).contains(&"application/zip"));
    let traits: Vec<Trait> = message.traits().collect();
    assert_eq!(traits, [Trait::Hidden, Trait::Attachment, Trait::ReplyElsewhere]);
}

#[test]
fn what_only_the_gathering_added_is_not_looked_at() {
    let (_, message) = read(MIXED.as_bytes(), None);
    let headers = facts(&message, Fact::Header);
    assert!(headers.contains(&"MiME-Version") && headers.contains(&"From"), "{headers:?}");
    for name in ["Received", "List-Id", "X-Spam-Flag", "Date"] {
        assert!(!headers.contains(&name), "{name}");
    }
    let everything: String = message.facts().map(|(_, text)| text.to_owned() + " ").collect();
    for part in ["b.example", "10.0.0.1", "everyone", "2030"] {
        assert!(!everything.contains(part), "{part} in {everything}");
    }
}

#[test]
fn a_mail_says_what_it_lacks() {
    let has = |mail: &str, one| read(mail.as_bytes(), Some("message/rfc822")).1.has(one);
    let bare = "From: a@b.example\n\n";
    assert!(has(bare, Trait::NoSubject) && has(bare, Trait::NoRecipient) && has(bare, Trait::NoId));
    assert!(has("Subject: Re: you\nFrom: a@b.example\n\nhi", Trait::FalseAnswer));
    assert!(has("Subject: Re: you\nFrom: a@b.example\nIn-Reply-To: <1@b.example>\n\nhi", Trait::Answer));
    assert!(has("From: a@b.example\nMessage-ID: <1@c.example>\n\nhi", Trait::IdElsewhere));
    assert!(has("From: a@b.example\nContent-Type: text/html\n\n<p>hi", Trait::HtmlOnly));
}

#[test]
fn bytes_that_are_utf_8_are_read_as_it_whatever_the_mail_says() {
    let mail = "From: a@b.example\nContent-Type: text/plain; charset=iso-8859-1\n\nGrüße";
    assert!(read(mail.as_bytes(), None).1.text.contains("Grüße"));
    let latin = b"From: a@b.example\nSubject: x\nContent-Type: text/plain; charset=iso-8859-1\n\nGr\xFC\xDFe";
    assert!(read(latin, None).1.text.contains("Grüße"));
}

#[test]
fn of_too_many_bytes_both_ends_are_read_and_it_is_said() {
    let reader = Reader::new(Limits { bytes: 100, ..Limits::default() });
    let mut message = Message::default();
    let text = format!("first {} last", "x".repeat(1_000));
    reader.read(text.as_bytes(), None, &mut message);
    assert!(message.is_cut() && message.text.starts_with("first") && message.text.ends_with("last"));
    reader.read(b"short", None, &mut message);
    assert!(!message.is_cut() && message.text == "short");
}

#[test]
fn mails_within_mails_are_read_to_a_depth() {
    let mut mail = "From: a@b.example\nSubject: x\n\ninnermost".to_owned();
    for depth in 0..3 {
        mail = format!("From: a@b.example\nSubject: level {depth}\nContent-Type: message/rfc822\n\n{mail}");
    }
    let (_, message) = read(mail.as_bytes(), None);
    assert!(message.has(Trait::InnerMail) && message.text.contains("innermost"), "{message:?}");
    let reader = Reader::new(Limits { nesting: 1, ..Limits::default() });
    let mut shallow = Message::default();
    reader.read(mail.as_bytes(), None, &mut shallow);
    assert!(shallow.is_cut() && !shallow.text.contains("innermost"), "{shallow:?}");
}

#[test]
fn many_boundaries_do_not_cost_the_square() {
    let mut mail = "From: a@b.example\nSubject: x\n".to_owned();
    for number in 0..7_000 {
        let _ = write!(mail, "Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n");
    }
    let (kind, message) = read(mail.as_bytes(), None);
    assert_eq!(kind, ContentType::Mail);
    assert!(message.is_cut() && message.has(Trait::Broken));
}
