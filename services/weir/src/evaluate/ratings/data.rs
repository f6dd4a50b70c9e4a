//! A file of ratings as events: ids numbered, in time order.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use weir_learn::evaluate::{Event, Size};
use weir_models::rating_mapping;
use weir_runtime::Settings;
use weir_wire::rating::{RatingEvent, RatingMapping, Weighted};

use crate::events::Kind;
use crate::files::{Format, Lines, Parser};

/// The events of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Data {
    /// In time order; those of one time as the file has them.
    pub(crate) events: Vec<Event>,
    pub(crate) size: Size,
    /// Ids by number.
    pub(crate) users: Vec<String>,
    pub(crate) items: Vec<String>,
    /// Lines that are no event.
    pub(crate) refused: u64,
    /// The first of them, and why.
    pub(crate) first_refusal: Option<String>,
    /// Events that teach nothing here: removals, dislikes, users to be forgotten, and what the mapping passes over.
    pub(crate) passed_over: u64,
}

/// Numbers for ids, in the order in which they come.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    fn of(&mut self, id: &str) -> u32 {
        if let Some(number) = self.0.get(id) {
            return *number;
        }
        let number = self.0.len() as u32;
        self.0.insert(id.to_owned(), number);
        number
    }

    fn into_ids(self) -> Vec<String> {
        let mut ids: Vec<_> = self.0.into_iter().collect();
        ids.sort_unstable_by_key(|(_, number)| *number);
        ids.into_iter().map(|(id, _)| id).collect()
    }
}

impl Data {
    /// Reads a file as workers would read its events.
    ///
    /// # Errors
    /// The file cannot be read, its format cannot be told, or it has no events.
    pub(crate) fn read(file: &Path, format: Option<Format>, settings: &Settings) -> anyhow::Result<Self> {
        let (mut lines, mut parser) = (Lines::open(file)?, None);
        let mut collector = Collector::new(settings)?;
        while let Some(line) = lines.next().with_context(|| format!("read {}", file.display()))? {
            let parser = match &mut parser {
                Some(parser) => parser,
                none => none.insert(Parser::open(Kind::Ratings, file, format, line.bytes)?),
            };
            let number = line.number;
            match parser.payload(line) {
                Ok(None) => {}
                Ok(Some(payload)) => collector.take(None, Some(&payload), None, || format!("line {number}")),
                Err(refusal) => collector.data.refuse(&format!("line {number}"), &refusal.detail),
            }
        }
        let data = collector.finish();
        anyhow::ensure!(!data.events.is_empty(), "{} has no events, {} lines refused", file.display(), data.refused);
        Ok(data)
    }

    fn refuse(&mut self, place: &str, detail: &str) {
        self.refused += 1;
        self.first_refusal.get_or_insert_with(|| format!("{place}: {detail}"));
    }
}

/// Makes data of events one by one, in the order of each user's.
pub(crate) struct Collector {
    mapping: RatingMapping,
    users: Numbers,
    items: Numbers,
    data: Data,
    /// How many events there were when a user was to be forgotten.
    forgotten: HashMap<u32, usize>,
}

impl Collector {
    /// # Errors
    /// The mapping of the settings is refused.
    pub(crate) fn new(settings: &Settings) -> anyhow::Result<Self> {
        let (mapping, data) = (rating_mapping(settings)?, Data::default());
        Ok(Self { mapping, users: Numbers::default(), items: Numbers::default(), data, forgotten: HashMap::new() })
    }

    /// Takes an event as it came, `recorded_ms` being the time of its record.
    pub(crate) fn take(
        &mut self,
        key: Option<&[u8]>,
        payload: Option<&[u8]>,
        recorded_ms: Option<i64>,
        place: impl FnOnce() -> String,
    ) {
        let data = &mut self.data;
        match self.mapping.parse(key, payload) {
            Err(reject) => data.refuse(&place(), &reject.to_string()),
            Ok(Some(Weighted {
                event: RatingEvent::Rated { user, item, rating, ts, .. },
                weight,
                disliked: false,
            })) => {
                let (user, item) = (self.users.of(&user), self.items.of(&item));
                // Without a time an event happened right after the one before it; none is later than its record.
                let before = || data.events.last().map(|event| event.time_ms);
                let time_ms = ts.or(recorded_ms).or_else(before).unwrap_or(0).min(recorded_ms.unwrap_or(i64::MAX));
                data.events.push(Event { user, item, rating, weight, time_ms });
            }
            Ok(Some(Weighted { event: RatingEvent::Forget { user }, .. })) => {
                let user = self.users.of(&user);
                self.forgotten.insert(user, data.events.len());
            }
            Ok(_) => data.passed_over += 1,
        }
    }

    /// All events in time order. Of whoever is to be forgotten nothing from before that is left, not even a name.
    pub(crate) fn finish(self) -> Data {
        let Self { users, items, mut data, forgotten, .. } = self;
        (data.users, data.items) = (users.into_ids(), items.into_ids());
        if !forgotten.is_empty() {
            let (mut left, mut number) = (Numbers::default(), 0);
            data.events.retain(|event| {
                number += 1;
                forgotten.get(&event.user).is_none_or(|before| number > *before)
            });
            let names = std::mem::take(&mut data.users);
            data.events.iter_mut().for_each(|event| event.user = left.of(&names[event.user as usize]));
            data.users = left.into_ids();
        }
        data.events.sort_by_key(|event| event.time_ms);
        data.size = Size { users: data.users.len(), items: data.items.len() };
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> anyhow::Result<Data> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join(name);
        std::fs::write(&file, text)?;
        Data::read(&file, None, &Settings::default())
    }

    #[test]
    fn events_are_numbered_and_in_time_order() {
        let data = read("u.data", "ann\talien\t4\t20\nbob\tbrazil\t3\t10\nann\tbrazil\tfive\t5\n\nbob\talien\t1\t30\n")
            .expect("read");
        let event = |user, item, rating, time_ms| Event { user, item, rating: Some(rating), weight: 1.0, time_ms };
        assert_eq!(data.events, [event(1, 1, 3.0, 10_000), event(0, 0, 4.0, 20_000), event(1, 0, 1.0, 30_000)]);
        assert_eq!(
            (data.users, data.items),
            (vec!["ann".to_owned(), "bob".into()], vec!["alien".to_owned(), "brazil".into()])
        );
        assert_eq!(data.size, Size { users: 2, items: 2 });
        assert_eq!(data.refused, 1);
        assert_eq!(data.first_refusal.as_deref(), Some("line 3: rating: is \"five\", a rating is a number"));
    }

    #[test]
    fn what_teaches_nothing_is_counted_and_times_may_be_missing() {
        let lines = [
            r#"{"user":"u","item":"a","ts":7}"#,
            r#"{"user":"u","item":"a","rating":null}"#,
            r#"{"user":"u","item":"b","rating":2}"#,
        ];
        let data = read("events.jsonl", &lines.join("\n")).expect("read");
        assert_eq!(data.passed_over, 1);
        let found: Vec<_> = data.events.iter().map(|event| (event.item, event.rating, event.time_ms)).collect();
        assert_eq!(found, [(0, None, 7), (1, Some(2.0), 7)]);
        let error = read("empty.csv", "user,item,rating\n").expect_err("no events");
        assert!(error.to_string().contains("has no events"), "{error}");
    }

    #[test]
    fn headings_of_tables_with_tabs_are_read() {
        let data = read("ml.inter", "item_id:token\tuser_id:token\trating:float\ttimestamp:float\n3\t1\t5\t9\n")
            .expect("read");
        assert_eq!((data.users, data.items, data.refused), (vec!["1".to_owned()], vec!["3".to_owned()], 0));
    }

    #[test]
    fn of_whoever_is_forgotten_only_what_came_later_is_there() {
        let mut log = Collector::new(&Settings::default()).expect("settings");
        let mut take = |user: &str, item: &str, recorded_ms| {
            let payload = format!(r#"{{"user":"{user}","item":"{item}","rating":3,"ts":500}}"#);
            log.take(Some(user.as_bytes()), Some(payload.as_bytes()), Some(recorded_ms), || "here".to_owned());
        };
        take("a", "x", 900);
        take("b", "x", 400);
        take("c", "y", 900);
        log.take(Some(b"a"), None, Some(901), || unreachable!("it is an event"));
        log.take(Some(b"b"), None, Some(901), || unreachable!("it is an event"));
        let payload = br#"{"user":"b","item":"z","rating":4}"#;
        log.take(Some(b"b"), Some(payload), Some(950), || unreachable!("it is an event"));
        let data = log.finish();
        assert_eq!(data.users, ["c", "b"]);
        let found: Vec<_> = data.events.iter().map(|event| (event.user, event.item, event.time_ms)).collect();
        assert_eq!(found, [(0, 1, 500), (1, 2, 950)], "a time is no later than its record's");
    }
}
