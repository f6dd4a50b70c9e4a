//! Which parts of a message spoke most for and against it: each part's weight is what its features add to the margin, so what is said is what the
//! model does. A feature that two parts share counts for both.
//!
//! Parts are facts and traits of a mail and, of texts, what stands between spaces; of what has no spaces for long, a few characters each, so that texts in any
//! language fall into parts.

use serde::Serialize;

use weir_learn::text::SPELLING;
use weir_mail::Message;

use super::{Content, TextScorer};

/// Bytes of a text that are explained; the rest is not looked at.
pub const EXPLAINED_BYTES: usize = 16 * 1_024;
/// Different parts of a text that are tried.
const MOST_PARTS: usize = 200;
/// Parts that are named for each side.
const NAMED_PARTS: usize = 8;
/// Characters of a part that is not cut.
const WHOLE_CHARACTERS: usize = 24;
/// Characters of the pieces that longer ones are cut into.
const PIECE_CHARACTERS: usize = 8;
/// Less than this is how sums round.
const LEAST_WEIGHT: f32 = 1e-4;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// As it stands in the text.
    pub part: String,
    /// By how much it raises the margin, all its occurrences together; below 0 it speaks for ham.
    pub weight: f32,
}

/// What spoke most for either class, the heaviest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// For what is unwanted.
    pub spam: Vec<Part>,
    /// For what is wanted.
    pub ham: Vec<Part>,
}

impl TextScorer {
    /// Tells what spoke most for and against a message, of its text only the beginning; `tenant` and `row` as for [`TextScorer::score`].
    pub fn explain<'a>(
        &mut self,
        content: Content<'_>,
        tenant: u64,
        row: impl Fn(u8, u64) -> Option<&'a [u32]>,
    ) -> Explanation {
        let features = self.extractor.extract(content);
        let (whole, value) = (features.slots.to_vec(), features.value);
        let mut weighed: Vec<Part> = Vec::new();
        for piece in of_message(self.extractor.message()) {
            let slots = self.slots_of(&piece, &whole);
            let weight = self.margin_of(&slots, (value, tenant), &row);
            if weight.abs() >= LEAST_WEIGHT {
                weighed.push(Part { part: piece.shown(), weight });
            }
        }
        let side = |sign: f32| {
            let mut side: Vec<Part> = weighed.iter().filter(|part| part.weight * sign > 0.0).cloned().collect();
            side.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
            side.truncate(NAMED_PARTS);
            side
        };
        Explanation { spam: side(1.0), ham: side(-1.0) }
    }

    /// The slots that a piece has in the whole, without the one that every message has.
    fn slots_of(&mut self, piece: &Piece, whole: &[u32]) -> Vec<u32> {
        let extractor = self.extractor.extractor();
        extractor.begin();
        let every = extractor.finish().slots.to_vec();
        extractor.begin();
        match piece {
            Piece::Word(word) => extractor.add_text(word),
            Piece::Subject(word) => extractor.add_words("subject", word),
            Piece::Hidden(word) => extractor.add_words("hidden", word),
            Piece::Fact(kind, value) => extractor.add(kind, value),
        }
        let of_whole = |slot: &u32| whole.binary_search(slot).is_ok() && !every.contains(slot);
        extractor.finish().slots.iter().copied().filter(of_whole).collect()
    }
}

/// A piece of a message that can be named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Piece {
    Word(String),
    Subject(String),
    Hidden(String),
    Fact(&'static str, String),
}

impl Piece {
    fn shown(self) -> String {
        match self {
            Self::Word(word) => word,
            Self::Subject(word) => format!("subject: {word}"),
            Self::Hidden(word) => format!("hidden: {word}"),
            Self::Fact(kind, value) => format!("{kind}: {value}"),
        }
    }
}

/// The pieces of a message, each once.
fn of_message(message: &Message) -> Vec<Piece> {
    let words = |text, make: fn(String) -> Piece| -> Vec<Piece> {
        different(&parts(beginning(text))).into_iter().map(|word| make(word.to_owned())).collect()
    };
    let mut pieces = words(&message.text, Piece::Word);
    pieces.extend(words(&message.subject, Piece::Subject));
    pieces.extend(words(&message.hidden, Piece::Hidden));
    let facts = message.facts().map(|(fact, value)| Piece::Fact(fact.name(), value.to_owned()));
    let traits = message.traits().map(|one| Piece::Fact("trait", one.name().to_owned()));
    let spelling = SPELLING.iter().map(|name| Piece::Fact("spelling", (*name).to_owned()));
    pieces.extend(facts.take(MOST_PARTS).chain(traits).chain(spelling));
    let mut seen = std::collections::HashSet::new();
    pieces.retain(|piece| seen.insert(piece.clone()));
    pieces
}

/// As much of a text as is explained.
fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(EXPLAINED_BYTES)]
}

/// The parts of a text.
fn parts(text: &str) -> Vec<&str> {
    text.split_whitespace().flat_map(pieces).collect()
}

/// A word as it is, or in pieces if it is long.
fn pieces(word: &str) -> Vec<&str> {
    let starts: Vec<usize> = word.char_indices().map(|(start, _)| start).collect();
    if starts.len() <= WHOLE_CHARACTERS {
        return vec![word];
    }
    let ends = starts.iter().skip(PIECE_CHARACTERS).step_by(PIECE_CHARACTERS).copied().chain([word.len()]);
    starts.iter().step_by(PIECE_CHARACTERS).zip(ends).map(|(&start, end)| &word[start..end]).collect()
}

/// The first parts that differ, in their order.
fn different<'a>(parts: &[&'a str]) -> Vec<&'a str> {
    let mut seen = std::collections::HashSet::new();
    parts.iter().copied().filter(|part| seen.insert(*part)).take(MOST_PARTS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_learn::linear::Learner;
    use weir_learn::passive_aggressive;
    use weir_learn::text;

    use super::*;
    use crate::spam::{Learning, weight_key};

    fn names(parts: &[Part]) -> Vec<&str> {
        parts.iter().map(|part| part.part.as_str()).collect()
    }

    /// Weights by which the features of `spam` speak for it and those of `ham` against.
    fn explain(spam: &str, ham: &str, text: &str) -> Explanation {
        let mut extractor = crate::spam::ContentExtractor::new(text::Settings::default());
        let mut weights = std::collections::BTreeMap::<u64, [u32; 1]>::new();
        for (text, weight) in [(spam, 1.0), (ham, -1.0)] {
            for &slot in extractor.extract(Content::new(text, None)).slots {
                let [sum] = weights.entry(weight_key(slot)).or_insert([0]);
                *sum = (f32::from_bits(*sum) + weight).to_bits();
            }
        }
        let learner = Learner::PassiveAggressive(passive_aggressive::Settings::default());
        let row = |_, key| weights.get(&key).map(<[u32; 1]>::as_slice);
        TextScorer::new(text::Settings::default(), Learning::two(learner)).explain(Content::new(text, None), 0, row)
    }

    #[test]
    fn facts_and_traits_of_a_mail_are_named() {
        let mail = |from: &str, text: &str| format!("From: {from}\nSubject: hello\nContent-Type: text/html\n\n{text}");
        let spam = mail("a@bad.example", "<a href='http://bad.example/x'>www.bank.com</a>");
        let said = explain(&spam, "dinner", &spam);
        // All pieces weigh about the same here, so more of them are looked at than are named.
        let pieces: Vec<String> = {
            let mut extractor = crate::spam::ContentExtractor::new(text::Settings::default());
            extractor.extract(Content::new(&spam, None));
            of_message(extractor.message()).into_iter().map(Piece::shown).collect()
        };
        for piece in
            ["from: a@bad.example", "host: bad.example", "trait: link that names another host", "subject: hello"]
        {
            assert!(pieces.iter().any(|found| found == piece), "{piece} in {pieces:?}");
        }
        assert!(!said.spam.is_empty() && said.ham.is_empty(), "{said:?}");
    }

    #[test]
    fn what_spoke_for_and_against_is_named() {
        let said = explain("lottery", "dinner", "lottery with dinner and lottery");
        assert_eq!((said.spam[0].part.as_str(), said.ham[0].part.as_str()), ("lottery", "dinner"), "{said:?}");
        assert!(said.spam[0].weight > 0.0 && said.ham[0].weight < 0.0, "{said:?}");
        let lottery = said.spam.iter().filter(|part| part.part == "lottery").count();
        assert_eq!(lottery, 1, "all its occurrences together");
        assert_eq!(explain("lottery", "dinner", ""), Explanation::default());
    }

    #[test]
    fn texts_without_spaces_fall_into_pieces() {
        let text = "免费彩票".repeat(7);
        assert_eq!(pieces(&text).len(), 4);
        assert_eq!(pieces(&text).concat(), text);
        assert_eq!(pieces("x").concat(), "x");
    }

    proptest! {
        #[test]
        fn any_text_is_explained_within_bounds(text in "\\PC{0,400}|[ab \u{3000}é]{0,200}") {
            let said = explain("free prize a", "home b", &text);
            prop_assert!(said.spam.len() <= NAMED_PARTS && said.ham.len() <= NAMED_PARTS);
            prop_assert!(names(&said.spam).iter().chain(&names(&said.ham)).all(|part| text.contains(part) || part.contains(": ")));
            prop_assert!(parts(&text).into_iter().all(|part| text.contains(part)));
        }
    }
}
