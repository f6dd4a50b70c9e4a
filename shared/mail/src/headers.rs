//! The headers of a mail that its sender's program writes.

use mail_parser::{Address, HeaderName, HeaderValue};

use crate::message::{Fact, Message, Trait};
use crate::{Limits, links};

/// Recipients beyond which they are many.
const MANY: usize = 10;

/// Reads the head of a mail.
pub(crate) fn read(mail: &mail_parser::Message<'_>, message: &mut Message, limits: &Limits) {
    message.subject.push_str(mail.subject().unwrap_or_default().trim());
    for header in mail.headers() {
        let end = header.offset_start.saturating_sub(1) as usize;
        let raw = mail.raw_message.get(header.offset_field as usize..end).unwrap_or_default();
        one(&header.name, str::from_utf8(raw).unwrap_or_default(), &header.value, message, limits);
    }
    let sender = mail.from().and_then(|from| from.first()).and_then(|from| from.address()).unwrap_or_default();
    senders(mail, sender, message, limits);
    recipients(mail, message);
    answers(mail, message);
    message.set_if(Trait::NoSubject, message.subject.is_empty());
    let head = mail.raw_message.get(..mail.root_part().offset_body as usize).unwrap_or_default();
    message.set_if(Trait::RawHeader, !head.is_ascii());
}

/// One header, if it is one that counts.
fn one(name: &HeaderName<'_>, spelled: &str, value: &HeaderValue<'_>, message: &mut Message, limits: &Limits) {
    let text = value.as_text().unwrap_or_default();
    let fact = match name {
        HeaderName::Other(other) => match other.to_ascii_lowercase().as_str() {
            "x-mailer" | "user-agent" => Some(Fact::Program),
            "x-priority" | "x-msmail-priority" | "x-mimeole" => Some(Fact::Setting),
            _ => return,
        },
        HeaderName::Importance | HeaderName::Priority | HeaderName::Organization | HeaderName::ContentLanguage => {
            Some(Fact::Setting)
        }
        HeaderName::From
        | HeaderName::To
        | HeaderName::Cc
        | HeaderName::Bcc
        | HeaderName::Subject
        | HeaderName::ReplyTo
        | HeaderName::MessageId
        | HeaderName::InReplyTo
        | HeaderName::References
        | HeaderName::MimeVersion
        | HeaderName::ContentType
        | HeaderName::ContentTransferEncoding
        | HeaderName::ContentDisposition
        | HeaderName::DispositionNotificationTo => None,
        _ => return,
    };
    message.add(Fact::Header, spelled, limits);
    if let Some(fact) = fact {
        match fact {
            Fact::Setting => message.add(fact, &format!("{}: {text}", spelled.trim()), limits),
            _ => message.add(fact, text, limits),
        }
    }
}

fn senders(mail: &mail_parser::Message<'_>, sender: &str, message: &mut Message, limits: &Limits) {
    let host_of =
        |address: &str| address.rsplit_once('@').map_or_else(String::new, |(_, host)| host.to_ascii_lowercase());
    if let Some(name) = mail.from().and_then(Address::first).and_then(|from| from.name()) {
        for word in name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).take(8) {
            message.add(Fact::FromName, word, limits);
        }
    }
    message.add(Fact::From, sender, limits);
    let host = host_of(sender);
    message.add(Fact::FromHost, &host, limits);
    if links::domain(&host).len() < host.len() {
        message.add(Fact::FromHost, links::domain(&host), limits);
    }
    message.set_if(Trait::NoSender, sender.is_empty());
    if let Some(reply) = mail.reply_to().and_then(Address::first).and_then(|to| to.address()) {
        message.add(Fact::ReplyTo, reply, limits);
        message.set_if(Trait::ReplyElsewhere, links::domain(&host_of(reply)) != links::domain(&host));
    }
    match mail.message_id() {
        None => message.set(Trait::NoId),
        Some(id) => message.set_if(Trait::IdElsewhere, links::domain(&host_of(id)) != links::domain(&host)),
    }
}

fn recipients(mail: &mail_parser::Message<'_>, message: &mut Message) {
    let count = |list: Option<&Address<'_>>| list.map_or(0, |list| list.iter().take(MANY + 1).count());
    let recipients = count(mail.to()) + count(mail.cc());
    message.set_if(Trait::NoRecipient, recipients == 0);
    message.set_if(Trait::ManyRecipients, recipients > MANY);
}

fn answers(mail: &mail_parser::Message<'_>, message: &mut Message) {
    let is_there = |value: &HeaderValue<'_>| !value.is_empty();
    let is_answer = is_there(mail.in_reply_to()) || is_there(mail.references());
    message.set_if(Trait::Answer, is_answer);
    let says_so = message.subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
    message.set_if(Trait::FalseAnswer, says_so && !is_answer);
}
