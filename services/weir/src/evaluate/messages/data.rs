//! Files of labelled messages, in their order.

use std::borrow::Cow;
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
                Err(refusal) => self.refuse(file, number, &refusal.detail),
            }
        }
        Ok(())
    }

    fn take(&mut self, file: &Path, number: u64, mapping: &MessageMapping, payload: &[u8]) {
        match mapping.parse(None, Some(payload)) {
            Err(reject) => self.refuse(file, number, &reject.to_string()),
            Ok(MessageEvent::Message { text: Some(text), label: Some(label), content_type, .. }) => {
                let truth = if label == message::Label::SPAM { Label::Positive } else { Label::Negative };
                let content_type = content_type.map(Cow::into_owned);
                self.messages.push(Message { text: text.into_owned().into_bytes(), content_type, truth });
            }
            Ok(_) => self.passed_over += 1,
        }
    }

    fn refuse(&mut self, file: &Path, number: u64, detail: &str) {
        self.refused += 1;
        self.first_refusal.get_or_insert_with(|| format!("{} line {number}: {detail}", file.display()));
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
}
