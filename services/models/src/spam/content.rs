//! From a message as it came to its features: the one place where mails, HTML and texts become slots, for workers, gateways and evaluations.

use weir_learn::text::{Extractor, Features, Settings};
use weir_mail::{Message, Reader, Trait};

/// A message as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What they are (`message/rfc822`, `text/html`, `text/plain`); guessed where it says nothing known.
    pub content_type: Option<&'a str>,
}

impl<'a> Content<'a> {
    /// Of a text and what it says of itself.
    #[must_use]
    pub fn new(text: &'a str, content_type: Option<&'a str>) -> Self {
        Self { bytes: text.as_bytes(), content_type }
    }
}

/// Reads messages and extracts their features, and keeps the room it needs.
#[derive(Clone, Debug)]
pub struct ContentExtractor {
    reader: Reader,
    message: Message,
    extractor: Extractor,
}

impl ContentExtractor {
    /// With a model's features.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { reader: Reader::default(), message: Message::default(), extractor: Extractor::new(settings) }
    }

    /// The features of a message.
    pub fn extract(&mut self, content: Content<'_>) -> Features<'_> {
        self.reader.read(content.bytes, content.content_type, &mut self.message);
        let Self { message, extractor, .. } = self;
        extractor.begin();
        extractor.add_text(&message.text);
        if !message.subject.is_empty() {
            extractor.add_text(&message.subject);
            extractor.add_words("subject", &message.subject);
        }
        if !message.hidden.is_empty() {
            extractor.add_words("hidden", &message.hidden);
        }
        for (fact, value) in message.facts() {
            extractor.add(fact.name(), value);
        }
        for one in message.traits() {
            extractor.add("trait", one.name());
        }
        extractor.finish()
    }

    /// The message that was read last.
    pub(super) fn message(&self) -> &Message {
        &self.message
    }

    /// Whether more came than was read, of the message that was read last.
    #[must_use]
    pub fn was_cut(&self) -> bool {
        self.message.has(Trait::Cut)
    }

    /// For features of parts of a message.
    pub(super) fn extractor(&mut self) -> &mut Extractor {
        &mut self.extractor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(text: &str, content_type: Option<&str>) -> Vec<u32> {
        ContentExtractor::new(Settings::default()).extract(Content::new(text, content_type)).slots.to_vec()
    }

    #[test]
    fn the_type_decides_how_bytes_are_read_and_is_guessed() {
        let mail = "From: a@b.example\nSubject: hello\nContent-Transfer-Encoding: base64\n\nd2luIGEgcHJpemU=\n";
        assert_eq!(slots(mail, None), slots(mail, Some("message/rfc822")));
        assert_ne!(slots(mail, None), slots(mail, Some("text/plain")));
        let (read, said) = (slots(mail, None), slots("win a prize", None));
        assert!(said.iter().filter(|slot| read.contains(slot)).count() + 2 > said.len(), "what it says is decoded");
        assert_eq!(slots("plain", None), slots("plain", Some("unheard/of")));
        assert_ne!(slots("<p>a</p>", None), slots("<p>a</p>", Some("text/plain")));
    }

    #[test]
    fn a_plain_text_has_the_features_of_its_text() {
        let mut extractor = Extractor::new(Settings::default());
        assert_eq!(slots("see you at noon", None), extractor.extract("see you at noon").slots);
    }

    #[test]
    fn whether_all_was_read_is_known() {
        let mut extractor = ContentExtractor::new(Settings::default());
        let long = "word ".repeat(120_000);
        extractor.extract(Content::new(&long, None));
        assert!(extractor.was_cut());
        extractor.extract(Content::new("word", None));
        assert!(!extractor.was_cut());
    }
}
