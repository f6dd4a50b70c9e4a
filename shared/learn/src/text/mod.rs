//! From a text to sparse binary features of unit norm.
//!
//! The text is brought to one spelling (NFKC, no case, no invisible characters, digits alike). Its features are the 4-grams of its
//! bytes, which find what is written a little differently, its words, and one feature that every text has (the empty word), in which the
//! classifier learns how common the classes are. Each feature is hashed to a slot, and slots that occur more often count once: to repeat a word
//! changes nothing. Of a long text the beginning and the end are read, because whoever wants to hide something puts it where
//! nobody looks.
//!
//! A word is a run of ASCII letters and digits and of anything beyond ASCII. Words by Unicode's rules (UAX 29) did no better and cost
//! more. Progressive accuracy with PA-I, C = 1, in per cent, on the SMS Spam Collection and the subjects and bodies of
//! `SpamAssassin`: grams and words 97.7 and 98.4; with the feature of every text 98.3 and 98.4; with spaces at both ends 98.3
//! and 98.4; with digits alike, as it is here, 98.7 and 98.5.
//!
//! Source of hashed features: Weinberger, Dasgupta, Langford, Smola, Attenberg, "Feature Hashing for Large Scale Multitask Learning", ICML
//! 2009; without its second hash for signs, which brings nothing where slots are many and features binary.

mod normalise;
mod settings;

#[cfg(test)]
mod tests;

pub use settings::{HyperParameters, Settings};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use normalise::normalise;

/// Bytes of a gram.
const GRAM_BYTES: usize = 4;

/// What tells words from grams of the same bytes.
const WORD_SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// The features of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features<'a> {
    /// Slots of the features that are there, rising, each once, each below [`Settings::slots`]; at least one.
    pub slots: &'a [u32],
    /// The value of each: 1/√n of n features, so that the squares sum to 1.
    pub value: f32,
}

/// Extracts features, and keeps the room it needed for the next text.
#[derive(Clone, Debug, Default)]
pub struct Extractor {
    settings: Settings,
    normalised: Vec<u8>,
    slots: Vec<u32>,
}

impl Extractor {
    /// With these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, normalised: Vec::new(), slots: Vec::new() }
    }

    /// The features of `text`. Any text will do.
    ///
    /// Allocates only to outgrow all earlier texts, and for runs of more than four combining marks.
    pub fn extract(&mut self, text: &str) -> Features<'_> {
        let max_bytes = self.settings.values().max_bytes;
        self.slots.clear();
        let (head, tail) = ends(text, max_bytes);
        for part in [head, tail] {
            self.normalised.clear();
            // Spaces on both sides, so that grams tell where a text begins and ends, and words where they do.
            self.normalised.push(b' ');
            normalise(part, max_bytes, &mut self.normalised);
            self.normalised.push(b' ');
            self.add_grams();
            self.add_words();
        }
        self.slots.sort_unstable();
        self.slots.dedup();
        self.slots.truncate(self.settings.values().max_features);
        Features { slots: &self.slots, value: unit_value(self.slots.len()) }
    }

    fn add_grams(&mut self) {
        let HyperParameters { seed, slot_bits, .. } = *self.settings.values();
        self.slots.extend(self.normalised.array_windows::<GRAM_BYTES>().map(|gram| slot(gram, seed, slot_bits)));
    }

    /// Adds the words, and the empty word, which is in every text.
    fn add_words(&mut self) {
        let HyperParameters { seed, slot_bits, .. } = *self.settings.values();
        let words = self.normalised.split(|byte| is_gap(*byte));
        self.slots.extend(words.map(|word| slot(word, seed ^ WORD_SEED, slot_bits)));
    }
}

/// The value of each of `count` features that makes their vector's length 1.
#[must_use]
pub fn unit_value(count: usize) -> f32 {
    if count == 0 { 0.0 } else { 1.0 / (count as f32).sqrt() }
}

fn slot(feature: &[u8], seed: u64, slot_bits: u32) -> u32 {
    (xxh3_64_with_seed(feature, seed) >> (u64::BITS - slot_bits)) as u32
}

fn is_gap(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric()
}

/// The whole of a text and nothing, or its first and last `max_bytes` / 2 bytes, cut between characters.
fn ends(text: &str, max_bytes: usize) -> (&str, &str) {
    if text.len() <= max_bytes {
        return (text, "");
    }
    let head = text.floor_char_boundary(max_bytes / 2);
    let tail = text.ceil_char_boundary(text.len() - max_bytes / 2);
    (&text[..head], &text[tail..])
}
