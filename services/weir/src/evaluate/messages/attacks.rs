//! What is known to blind filters, tried on one that has learned: how much spam gets through that did not before, and whether ham that looks a
//! little like it is blocked.
//!
//! A filter learns all but the last part of the messages; the last part is scored as it is and disguised, and never learned. A mail is read, and
//! sent again as a plain text under its own headers: so what is compared differs by the disguise alone.

mod disguise;

use std::collections::BTreeMap;

use serde::Serialize;
use weir_learn::evaluate::classes::Outcome;
use weir_learn::evaluate::messages::{Filter, Options};
use weir_learn::linear::Learner;
use weir_learn::passive_aggressive::Label;
use weir_learn::text;
use weir_mail::{ContentType, Reader};
use weir_models::spam::ContentExtractor;

use super::data::Message;
pub(super) use disguise::Disguise;

/// The last part of the messages that is scored, one of so many.
const LAST: usize = 5;
/// Bytes of ham that stand in front of a text.
const FRONT_BYTES: usize = 3 * 1024;

/// What became of the messages under one disguise, in per cent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Effect {
    /// Spam that is taken for ham.
    pub(super) spam_missed: f64,
    /// Ham that is taken for spam.
    pub(super) ham_blocked: f64,
}

/// By disguise, `none` among them.
pub(super) type Effects = BTreeMap<&'static str, Effect>;

/// Tries every disguise on what a learner has made of the messages.
pub(super) fn attack(learner: Learner, text: text::Settings, messages: &[Message], options: Options) -> Effects {
    let (past, last) = messages.split_at(messages.len() - messages.len() / LAST);
    let (mut filter, mut extractor) = (Filter::new(learner, text, options), ContentExtractor::new(text));
    for message in past {
        filter.next(extractor.extract(message.content()).slots, message.truth);
    }
    let plain: Vec<Plain> = last.iter().map(Plain::read).collect();
    let front = front(past);
    let effect = |disguise: Disguise| {
        let outcomes = plain.iter().map(|plain| {
            let message = plain.disguised(disguise, &front);
            filter.score(extractor.extract(message.content()).slots, message.truth)
        });
        (disguise.name(), Effect::of(&outcomes.collect::<Vec<_>>()))
    };
    Disguise::ALL.into_iter().map(effect).collect()
}

impl Effect {
    fn of(outcomes: &[Outcome]) -> Self {
        let wrong = |truth: Label| {
            let (mut all, mut wrong) = (0_u32, 0_u32);
            for outcome in outcomes.iter().filter(|outcome| outcome.truth == truth) {
                all += 1;
                wrong += u32::from((outcome.margin > 0.0) != (truth == Label::Positive));
            }
            100.0 * f64::from(wrong) / f64::from(all.max(1))
        };
        Self { spam_missed: wrong(Label::Positive), ham_blocked: wrong(Label::Negative) }
    }
}

/// What stands in front of a text: ham that the filter knows.
fn front(past: &[Message]) -> String {
    let mut front = String::new();
    for message in past.iter().rev().filter(|message| message.truth == Label::Negative) {
        if front.len() >= FRONT_BYTES {
            break;
        }
        front.push_str(&Plain::read(message).text);
        front.push('\n');
    }
    front.chars().take(FRONT_BYTES).collect()
}

/// A message as people read it.
struct Plain {
    /// The headers of a mail that say nothing of its body; empty of what is no mail.
    headers: Vec<u8>,
    subject: String,
    text: String,
    truth: Label,
}

impl Plain {
    fn read(message: &Message) -> Self {
        let mut read = weir_mail::Message::default();
        let kind = Reader::default().read(&message.text, message.content_type.as_deref(), &mut read);
        let headers = if kind == ContentType::Mail { headers(&message.text) } else { Vec::new() };
        Self { headers, subject: read.subject, text: read.text, truth: message.truth }
    }

    fn disguised(&self, disguise: Disguise, front: &str) -> Message {
        let text = disguise.text(&self.text, front, self.truth == Label::Positive);
        if self.headers.is_empty() {
            return Message { text: text.into_bytes(), content_type: Some("text/plain".into()), truth: self.truth };
        }
        let subject = disguise.subject(&self.subject, self.truth == Label::Positive);
        let rest = format!(
            "Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}"
        );
        let text = [&self.headers, rest.as_bytes()].concat();
        Message { text, content_type: Some("message/rfc822".into()), truth: self.truth }
    }
}

/// The lines of a mail's head, without those that are written anew.
fn headers(mail: &[u8]) -> Vec<u8> {
    let anew = |line: &[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase();
        name.starts_with(b"content-") || name == b"subject" || name == b"mime-version"
    };
    let (mut kept, mut keeps) = (Vec::new(), true);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            break;
        }
        // What begins with a space goes on with the header before.
        if !line[0].is_ascii_whitespace() {
            keeps = !anew(line);
        }
        if keeps {
            kept.extend_from_slice(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
