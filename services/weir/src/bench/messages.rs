//! The messages that are measured with: those of a file over and over, or short texts made of common and uncommon words,
//! of which spam has some of its own.

use std::path::Path;

use anyhow::Context as _;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};
use serde_json::json;

use super::events::Event;
use crate::arguments::BenchMessages;

/// Words that generated messages are made of, and how skewed they are.
const WORDS: f64 = 20_000.0;
const EXPONENT: f64 = 1.0;
/// Words of a generated message: with these a message has about as many features as those of the SMS Spam Collection.
const LENGTH: std::ops::RangeInclusive<usize> = 6..=22;
/// Every seventh message is spam, and every fourth word of it is one that only spam has.
const SPAM_IN: u32 = 7;
const SPAM_WORD_IN: u32 = 4;

/// Makes messages, each with an id of its own and the label that it is learned with.
pub(super) fn generator(command: &BenchMessages) -> anyhow::Result<Box<dyn FnMut() -> Event>> {
    let mut number = 0_u64;
    let mut event = move |label: &str, text: &str| {
        number += 1;
        let id = format!("m{number}");
        let value = json!({"id": id, "text": text, "label": label}).to_string();
        (id.into_bytes(), value.into_bytes())
    };
    if let Some(file) = &command.file {
        let messages = read(file)?;
        let mut next = messages.into_iter().cycle();
        return Ok(Box::new(move || next.next().map(|(label, text)| event(&label, &text)).unwrap_or_default()));
    }
    let (mut random, words) = (StdRng::seed_from_u64(command.seed), Zipf::new(WORDS, EXPONENT)?);
    Ok(Box::new(move || {
        let is_spam = random.random_range(0..SPAM_IN) == 0;
        let count = random.random_range(LENGTH);
        let mut word = || {
            let number = words.sample(&mut random) as u64;
            let own = is_spam && random.random_range(0..SPAM_WORD_IN) == 0;
            spell(if own { number + WORDS as u64 } else { number })
        };
        let text = (0..count).map(|_| word()).collect::<Vec<_>>().join(" ");
        event(if is_spam { "spam" } else { "ham" }, &text)
    }))
}

/// A word of its own for each number: syllables, the fewer the smaller it is.
fn spell(mut number: u64) -> String {
    let mut word = String::new();
    loop {
        let syllable = number % 95;
        word.push(char::from(b"bcdfghklmnprstvwxyz"[syllable as usize / 5]));
        word.push(char::from(b"aeiou"[syllable as usize % 5]));
        number /= 95;
        if number == 0 {
            return word;
        }
    }
}

/// Lines of `spam` or `ham`, a tab, and the text.
fn read(file: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let bytes = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let split = |line: &str| line.split_once('\t').map(|(label, text)| (label.to_owned(), text.to_owned()));
    let messages: Vec<_> =
        text.lines().filter_map(split).filter(|(label, _)| ["spam", "ham"].contains(&&**label)).collect();
    anyhow::ensure!(!messages.is_empty(), "{} has no line of spam or ham, a tab, and a text", file.display());
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(file: Option<&Path>) -> BenchMessages {
        BenchMessages { file: file.map(Into::into), ..BenchMessages::default() }
    }

    #[test]
    fn messages_are_events_with_ids_of_their_own() {
        let mut next = generator(&command(None)).expect("a generator");
        let mut labels = std::collections::BTreeMap::new();
        for number in 1..=700 {
            let (key, value) = next();
            let event: serde_json::Value = serde_json::from_slice(&value).expect("JSON");
            assert!(weir_wire::message::parse(Some(&key), Some(&value)).is_ok(), "{event}");
            assert_eq!(event["id"], format!("m{number}"));
            *labels.entry(event["label"].to_string()).or_insert(0) += 1;
        }
        assert!((50..150).contains(&labels["\"spam\""]), "{labels:?}");
    }

    #[test]
    fn a_file_is_gone_through_again_and_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("sms");
        std::fs::write(&file, "ham\tdinner?\nnothing\nspam\t\"free\" prize\n").expect("a file");
        let mut next = generator(&command(Some(&file))).expect("a generator");
        let texts: Vec<String> = (0..3).map(|_| String::from_utf8(next().1).expect("text")).collect();
        assert!(texts[1].contains(r#"\"free\" prize"#) && texts[2].contains("dinner?"), "{texts:?}");
        std::fs::write(&file, "nothing").expect("a file");
        assert!(generator(&command(Some(&file))).is_err());
    }

    #[test]
    fn words_are_told_apart() {
        assert_eq!((spell(0), spell(94), spell(95)), ("ba".into(), "zu".into(), "babe".into()));
    }
}
