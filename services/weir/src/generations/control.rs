//! The control topic as a process reads it, and as an operator's command changes it.
//!
//! A change is written by a transactional producer whose id all commands of the deployment share. Its start fences
//! whoever had it before and settles what they left open, so nothing can come between what is read after it and what is
//! written: of two commands at once one is fenced, or finds that the other was faster. Either way it changes nothing
//! and says so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use weir_kafka::{
    AbortFirst, Admin, Connection, Isolation, OutRecord, Partitions, Transaction, Transactional, committed_patience,
};
use weir_models::generations::{Change, propose};
use weir_runtime::Settings;
use weir_wire::control::{self, State};

use crate::accept_loss::logs::read_to_end;
use crate::topics;

/// Its one partition: the order of all changes is that of their records.
pub(crate) const PARTITION: u32 = 0;

/// The states of the models that a record was ever written for; all others are as [`State::default`] says.
pub(crate) type States = BTreeMap<String, State>;

/// The state of a model.
pub(crate) fn state_of(states: &States, model: &str) -> State {
    states.get(model).cloned().unwrap_or_default()
}

/// Takes a record in, where it follows what holds. What is no state changes nothing.
///
/// # Errors
/// What is wrong with the record.
pub(crate) fn take(states: &mut States, key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<bool, String> {
    let model = key.and_then(|key| str::from_utf8(key).ok()).ok_or("its key is not the name of a model")?;
    let payload = payload.ok_or("it has no value: states are replaced, never removed")?;
    let state = control::parse(payload).map_err(|reject| reject.to_string())?;
    let follows = state.follows(&state_of(states, model));
    if follows {
        states.insert(model.to_owned(), state);
    }
    Ok(follows)
}

/// Another command was changing something at the same time.
#[derive(Debug, thiserror::Error)]
#[error(
    "somebody else changes generations at the same time, model {model} is as they leave it; look again (weir models)"
)]
pub(crate) struct Clash {
    model: String,
}

/// The control topic of a deployment.
pub(crate) struct Control<'a> {
    admin: &'a Admin,
    settings: &'a Settings,
    connection: Connection,
    topic: Arc<str>,
}

impl<'a> Control<'a> {
    pub(crate) fn new(admin: &'a Admin, settings: &'a Settings) -> Self {
        let topic = control::topic(&settings.prefix).into();
        Self { admin, settings, connection: topics::connection(settings), topic }
    }

    /// The states as of now. Where there is no topic nothing was ever changed.
    ///
    /// # Errors
    /// The broker cannot be reached.
    pub(crate) fn read(&self) -> anyhow::Result<States> {
        let mut states = States::new();
        if self.admin.partition_count(&self.topic)?.is_none() {
            return Ok(states);
        }
        let patience = committed_patience(Duration::from_millis(self.settings.kafka.transaction_timeout_ms));
        let first = self.admin.watermarks(&self.topic, PARTITION, Isolation::ReadCommitted)?.first;
        read_to_end(&self.connection, &self.topic, PARTITION, first, patience, &mut |record| {
            if let Err(problem) = take(&mut states, record.key, record.payload) {
                tracing::warn!(topic = &*self.topic, offset = record.offset, problem, "record passed over");
            }
        })?;
        Ok(states)
    }

    /// Makes a change that somebody wishes who has seen version `seen`. Returns the state that holds from now on.
    ///
    /// # Errors
    /// The broker cannot be reached; the rules refuse the change; somebody else changes something at the same time. The
    /// state is as before then, or as the other one has left it.
    pub(crate) fn change(&self, model: &str, seen: u64, change: Change) -> anyhow::Result<State> {
        let clash = || anyhow::Error::from(Clash { model: model.to_owned() });
        self.admin.ensure_topics(&[topics::control(self.settings)])?;
        let id = format!("{}.operator.models", self.settings.prefix);
        let timeout = Duration::from_millis(self.settings.kafka.transaction_timeout_ms);
        let mut producer = Transactional::start(&self.connection, &id, timeout, &AbortFirst::default())
            .map_err(|error| if error.is_fenced() { clash() } else { error.into() })?;
        let current = state_of(&self.read()?, model);
        let next = propose(&current, seen, change).with_context(|| format!("model {model} is as it was"))?;
        let mut value = Vec::new();
        next.write(&mut value)?;
        let key = Some(model.as_bytes().to_vec());
        let record = OutRecord::new(Arc::clone(&self.topic), Some(PARTITION), key, Some(value));
        let written = producer.run(&Transaction { records: vec![record], offsets: None });
        match written {
            Ok(_) => Ok(next),
            Err(error) if error.is_fenced() => Err(clash()),
            Err(error) => Err(error.into()),
        }
    }
}

/// How the control topic must be.
pub(crate) const PARTITIONS: Partitions = Partitions::Exactly(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_state_changes_nothing() {
        let mut states = States::new();
        let record = |version: u64, stage: &str| {
            format!(r#"{{"version":{version},"generations":[{{"generation":"g1","stage":"{stage}"}}],"next":"g2"}}"#)
        };
        let key = Some("spam".as_bytes());
        assert_eq!(take(&mut states, key, Some(record(1, "live").as_bytes())), Ok(true));
        assert_eq!(take(&mut states, key, Some(record(1, "live").as_bytes())), Ok(false), "the first one counts");
        let before = states.clone();
        for (key, payload) in [(None, Some("{}")), (key, None), (key, Some("{}")), (Some(&[0xff][..]), Some("{}"))] {
            assert!(take(&mut states, key, payload.map(str::as_bytes)).is_err());
        }
        assert!(take(&mut states, key, Some(record(2, "shadow").as_bytes())).is_err());
        assert_eq!((states, state_of(&before, "recommender")), (before.clone(), State::default()));
    }
}
