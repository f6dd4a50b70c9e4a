//! Records of the control topic `<prefix>.models`: which generations of a model there are, and which one serves.
//!
//! The key is the model's name, the value **all** that holds from then on. So a change of several generations, as a
//! promotion is, is one record: nobody ever reads half of it, and compaction, which keeps the newest record of a key, cannot mix
//! two changes. Records are numbered; which of two with one number counts, [`State::follows`] says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Generation;
use crate::event::{Reason, Reject};
use crate::output;

/// Most generations that a record lists.
pub const MOST_GENERATIONS: usize = 64;

/// The control topic of the deployment `prefix`.
#[must_use]
pub fn topic(prefix: &str) -> String {
    format!("{prefix}.models")
}

/// Where a generation is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Its rows are being written; no role runs it yet.
    Loading,
    /// It makes its passes over the log.
    Training,
    /// It has made them and learns what came since.
    CatchingUp,
    /// It learns with the one that serves, and answers nobody.
    Shadow,
    /// It serves.
    Live,
    /// It is no more: its roles are stopped, its topics and stores may be gone.
    Retired,
}

impl Stage {
    /// Its name in records, tables and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Training => "training",
            Self::CatchingUp => "catching-up",
            Self::Shadow => "shadow",
            Self::Live => "live",
            Self::Retired => "retired",
        }
    }
}

/// One generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub generation: Generation,
    /// Where it is in its life.
    pub stage: Stage,
    /// What it has of its own among the settings of all, by their names (`recommender.factors`), as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// All that holds of one model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// One more than that of the state which this one replaces; 0 is the state before there is any record.
    pub version: u64,
    /// In the order of their numbers. Exactly one is live.
    pub generations: Vec<Entry>,
    /// Those that served before and may again, the latest last; all of them are shadows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub served: Vec<Generation>,
    /// The name of the next one: names are never used again, since logs of the old bearer may be left.
    pub next: Generation,
}

impl Default for State {
    /// What holds where nothing was ever changed: the first generation serves.
    fn default() -> Self {
        let first = Entry { generation: Generation::FIRST, stage: Stage::Live, settings: BTreeMap::new() };
        let next = Generation::FIRST.next().unwrap_or(Generation::FIRST);
        Self { version: 0, generations: vec![first], served: Vec::new(), next }
    }
}

impl State {
    /// The one that serves. Every state that was parsed or proposed has one.
    #[must_use]
    pub fn live(&self) -> Option<Generation> {
        self.generations.iter().find(|entry| entry.stage == Stage::Live).map(|entry| entry.generation)
    }

    /// A generation that is listed.
    #[must_use]
    pub fn entry(&self, generation: Generation) -> Option<&Entry> {
        self.generations.iter().find(|entry| entry.generation == generation)
    }

    /// Whether this state, read after `current`, holds from then on. The first record of a number wins, whoever wrote
    /// it: a second one was proposed by somebody who had not seen the first. A number may be left out, because
    /// compaction has taken it.
    #[must_use]
    pub fn follows(&self, current: &Self) -> bool {
        self.version > current.version
    }

    /// Appends the record's value as JSON to `out`.
    ///
    /// # Errors
    /// A state that [`parse`] would refuse; `out` is as before.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Reject> {
        self.check()?;
        let before = out.len();
        output::append(out, self)?;
        let bytes = out.len() - before;
        if bytes > output::MAX_PAYLOAD_BYTES {
            out.truncate(before);
            let detail = format!("are {bytes} bytes, at most {} are read; retire some", output::MAX_PAYLOAD_BYTES);
            return Err(Reject::new(Reason::TooLarge, "generations", detail));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Reject> {
        let bad = |field, detail: &str| Err(Reject::new(Reason::WrongType, field, detail.to_owned()));
        let (entries, live) = (&self.generations, self.live());
        if self.version == 0 {
            return bad("version", "is 0, which is what holds without a record");
        }
        if entries.len() > MOST_GENERATIONS {
            return bad("generations", "are more than 64");
        }
        if !entries.is_sorted_by(|one, other| one.generation < other.generation) {
            return bad("generations", "are not in the order of their numbers, each once");
        }
        if entries.iter().filter(|entry| entry.stage == Stage::Live).count() != 1 {
            return bad("generations", "must have exactly one that is live");
        }
        if entries.last().is_some_and(|last| last.generation >= self.next) {
            return bad("next", "is not after all generations");
        }
        let shadow =
            |generation: &Generation| self.entry(*generation).is_some_and(|entry| entry.stage == Stage::Shadow);
        let twice = |(index, one): (usize, &Generation)| self.served.iter().take(index).any(|other| other == one);
        if !self.served.iter().all(shadow) || self.served.iter().enumerate().any(twice) || live.is_none() {
            return bad("served", "must be shadows, each once");
        }
        Ok(())
    }
}

/// Reads one record's value.
///
/// # Errors
/// A [`Reject`] that says what is wrong; arbitrary bytes are no more than that.
pub fn parse(payload: &[u8]) -> Result<State, Reject> {
    let state: State = output::read(payload, "state of a model's generations")?;
    state.check()?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWO: &str = r#"{"version":3,"generations":[{"generation":"g1","stage":"shadow"},{"generation":"g2","stage":"live","settings":{"recommender.factors":"20"}}],"served":["g1"],"next":"g3"}"#;

    #[test]
    fn states_are_written_as_they_are_read() {
        let state = parse(TWO.as_bytes()).unwrap();
        assert_eq!(state.live().unwrap().to_string(), "g2");
        let mut out = b"before".to_vec();
        state.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("before{TWO}"));
        assert_eq!(topic("weir"), "weir.models");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let check = |from: &str, to: &str, field: &str| {
            let changed = TWO.replacen(from, to, 1);
            assert_ne!(changed, TWO);
            let refusal = parse(changed.as_bytes()).unwrap_err().to_string();
            assert!(refusal.contains(field), "{refusal}");
        };
        check("\"version\":3", "\"version\":0", "version");
        check("\"shadow\"", "\"live\"", "exactly one");
        check("\"live\"", "\"training\"", "exactly one");
        check("\"g1\"", "\"g2\"", "order");
        check("\"g1\"", "\"one\"", "names no generation");
        check("\"shadow\"", "\"retired\"", "served: must be shadows");
        check("[\"g1\"]", "[\"g1\",\"g1\"]", "served: must be shadows");
        check("[\"g1\"]", "[\"g2\"]", "served: must be shadows");
        check("\"g3\"", "\"g2\"", "next: is not after");
        check("\"shadow\"", "\"asleep\"", "unknown variant `asleep`");
        let many: Vec<_> = (2..67).map(|n| format!(r#"{{"generation":"g{n}","stage":"shadow"}}"#)).collect();
        let many = format!(r#"{{"version":1,"generations":[{}],"next":"g99"}}"#, many.join(","));
        assert!(parse(many.as_bytes()).unwrap_err().to_string().contains("more than 64"));
        let mut large = parse(TWO.as_bytes()).unwrap();
        large.generations[1].settings.insert("recommender.seed".into(), "7".repeat(70_000));
        let mut out = b"before".to_vec();
        assert!(large.write(&mut out).unwrap_err().to_string().contains("retire some"));
        assert_eq!(out, b"before");
        assert!(State::default().write(&mut Vec::new()).is_err(), "what holds without a record is no record");
    }

    #[test]
    fn the_first_record_of_a_number_wins() {
        let (old, new) = (parse(TWO.as_bytes()).unwrap(), parse(TWO.replace(":3,", ":4,").as_bytes()).unwrap());
        assert!(old.follows(&State::default()) && new.follows(&old));
        assert!(!old.follows(&new) && !new.follows(&new.clone()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn arbitrary_bytes_are_refused(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&payload).is_err());
        }
    }
}
