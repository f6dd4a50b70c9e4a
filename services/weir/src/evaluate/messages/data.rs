//! Files of labelled messages, in their order.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use weir_learn::passive_aggressive::Label;
use weir_models::message_mapping;
use weir_models::spam::Content;
use weir_runtime::Settings;
use weir_wire::message::{self, MessageEvent, MessageMapping};

use crate::events::Kind;
use crate::files::{Format, Lines, Parser};

/// A message as it came, and what it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) text: Vec<u8>,
    pub(crate) content_type: Option<String>,
    pub(crate) truth: Label,
}

impl Message {
    pub(crate) fn content(&self) -> Content<'_> {
        Content { bytes: &self.text, content_type: self.content_type.as_deref() }
    }
}

/// The messages of all files.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub(crate) messages: Vec<Message>,
    /// Lines that are no event.
    pub(crate) refused: u64,
    /// The first of them, and why.
    pub(crate) first_refusal: Option<String>,
    /// Events without a text or a label.
    pub(crate) passed_over: u64,
}

impl Data {
    /// Reads files as workers would read their events.
    ///
    /// # Errors
    /// A file cannot be read or its format cannot be told, or there is no labelled message in any.
    pub(crate) fn read(files: &[PathBuf], format: Option<Format>, settings: &Settings) -> anyhow::Result<Self> {
        let (mapping, mut data) = (message_mapping(settings)?, Self::default());
        for file in files {
            data.read_one(file, format, &mapping)?;
        }
        anyhow::ensure!(!data.messages.is_empty(), "no message has a text and a label, {} lines refused", data.refused);
        Ok(data)
    }

    fn read_one(&mut self, file: &Path, format: Option<Format>, mapping: &MessageMapping) -> anyhow::Result<()> {
        let (mut lines, mut parser) = (Lines::open(file)?, None);
        while let Some(line) = lines.next().with_context(|| format!("read {}", file.display()))? {
            let parser = match &mut parser {
                Some(parser) => parser,
                none => none.insert(Parser::open(Kind::Messages, file, format, line.bytes)?),
            };
            let number = line.number;
            match parser.payload(line) {
                Ok(None) => {}
                Ok(Some(payload)) => self.take(file, number, mapping, &payload),
                Err(refusal) => self.refuse(&at(file, number), &refusal.detail),
            }
        }
        Ok(())
    }

    fn take(&mut self, file: &Path, number: u64, mapping: &MessageMapping, payload: &[u8]) {
        match mapping.parse(None, Some(payload)) {
            Err(reject) => self.refuse(&at(file, number), &reject.to_string()),
            Ok(MessageEvent::Message { text: Some(text), label: Some(label), content_type, .. }) => {
                let truth = if label == message::Label::SPAM { Label::Positive } else { Label::Negative };
                let content_type = content_type.map(Cow::into_owned);
                self.messages.push(Message { text: text.into_owned().into_bytes(), content_type, truth });
            }
            Ok(_) => self.passed_over += 1,
        }
    }

    fn refuse(&mut self, place: &str, detail: &str) {
        self.refused += 1;
        self.first_refusal.get_or_insert_with(|| format!("{place}: {detail}"));
    }
}

fn at(file: &Path, number: u64) -> String {
    format!("{} line {number}", file.display())
}

/// Makes data of a log's events, each message once: labels may come later than texts, and the last one counts. Nothing is
/// left of a message that is to be forgotten.
pub(crate) struct Collector {
    mapping: MessageMapping,
    /// By tenant and id the place among the messages.
    places: HashMap<(Option<String>, String), usize>,
    messages: Vec<Option<Known>>,
    data: Data,
}

/// What is known of a message.
#[derive(Default)]
struct Known {
    text: Option<(Vec<u8>, Option<String>)>,
    label: Option<message::Label>,
}

impl Collector {
    /// # Errors
    /// The mapping of the settings is refused.
    pub(crate) fn new(settings: &Settings) -> anyhow::Result<Self> {
        let (mapping, data) = (message_mapping(settings)?, Data::default());
        Ok(Self { mapping, places: HashMap::new(), messages: Vec::new(), data })
    }

    /// Takes an event as it came.
    pub(crate) fn take(&mut self, key: Option<&[u8]>, payload: Option<&[u8]>, place: impl FnOnce() -> String) {
        match self.mapping.parse(key, payload) {
            Err(reject) => self.data.refuse(&place(), &reject.to_string()),
            Ok(MessageEvent::Forget { id }) => {
                if let Some(place) = self.places.remove(&(None, id.into_owned())) {
                    self.messages[place] = None;
                }
            }
            Ok(MessageEvent::Message { id, text, label, tenant, content_type, .. }) => {
                let name = (tenant.map(Cow::into_owned), id.into_owned());
                let place = *self.places.entry(name).or_insert_with(|| {
                    self.messages.push(Some(Known::default()));
                    self.messages.len() - 1
                });
                let Some(known) = &mut self.messages[place] else { return };
                if let Some(text) = text {
                    known.text = Some((text.into_owned().into_bytes(), content_type.map(Cow::into_owned)));
                }
                known.label = label.or(known.label);
            }
        }
    }

    /// All messages that have a text and a label, in the order in which they came.
    pub(crate) fn finish(self) -> Data {
        let mut data = self.data;
        for known in self.messages.into_iter().flatten() {
            match known.text.zip(known.label) {
                Some(((text, content_type), label)) => {
                    let truth = if label == message::Label::SPAM { Label::Positive } else { Label::Negative };
                    data.messages.push(Message { text, content_type, truth });
                }
                None => data.passed_over += 1,
            }
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_several_files_are_read_in_their_order() {
        let dir = tempfile::tempdir().expect("a folder");
        let [sms, json] = ["sms", "more.jsonl"].map(|name| dir.path().join(name));
        std::fs::write(&sms, "spam\twin\nham\thome\neggs\tno\n").expect("room");
        let lines = [r#"{"id":"a","text":"later","label":"ham"}"#, r#"{"id":"b","text":"none"}"#];
        std::fs::write(&json, lines.join("\n")).expect("room");
        let data = Data::read(&[sms.clone(), json], None, &Settings::default()).expect("read");
        let expected = [("win", Label::Positive), ("home", Label::Negative), ("later", Label::Negative)];
        let message = |(text, truth): (&str, _)| Message { text: text.as_bytes().to_vec(), content_type: None, truth };
        assert_eq!(data.messages, expected.map(message));
        assert_eq!((data.refused, data.passed_over), (1, 1));
        assert!(data.first_refusal.is_some_and(|first| first.contains("sms line 3: label: is \"eggs\"")));
        std::fs::write(&sms, "eggs\tno\n").expect("room");
        assert!(Data::read(&[sms], Some(Format::Sms), &Settings::default()).is_err());
    }

    #[test]
    fn in_a_log_a_label_may_come_later_and_what_is_forgotten_is_not_there() {
        let mut log = Collector::new(&Settings::default()).expect("settings");
        for payload in [
            r#"{"id":"a","text":"one"}"#,
            r#"{"id":"b","text":"two","label":"spam"}"#,
            r#"{"id":"c","text":"three","label":"ham"}"#,
            r#"{"id":"a","label":"ham"}"#,
            r#"{"id":"b","label":"ham"}"#,
            r#"{"id":"d","text":"four"}"#,
            r#"{"id":"a","tenant":"t","text":"five","label":"spam"}"#,
            "{",
        ] {
            log.take(None, Some(payload.as_bytes()), || "here".to_owned());
        }
        log.take(Some(b"c"), None, || unreachable!("it is an event"));
        let data = log.finish();
        let found: Vec<_> = data.messages.iter().map(|found| (found.text.as_slice(), found.truth)).collect();
        let expected = [("one", Label::Negative), ("two", Label::Negative), ("five", Label::Positive)]
            .map(|(text, truth)| (text.as_bytes(), truth));
        assert_eq!(found, expected);
        assert_eq!((data.refused, data.passed_over), (1, 1));
    }
}
