//! What all simulated processes have in common: how they end, and their membership in a group.

use std::fmt;

use crate::{
    environment::Environment,
    group::{Heard, Proof, Role, SESSION_MS},
    seen::Sight,
    transactions::Refusal,
};

/// What no restart mends: a counter-example, since nothing in the simulated world may lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The product refuses to go on, since something does not fit together.
    Refused(String),
    /// Something is counted wrong, and nobody has noticed.
    Wrong(String),
    /// Nothing more happens.
    StandsStill(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(formatter, "refused: {why}"),
            Self::Wrong(why) => write!(formatter, "wrong: {why}"),
            Self::StandsStill(why) => write!(formatter, "stands still: {why}"),
        }
    }
}

/// Why a process does not go on.
#[derive(Debug)]
pub(crate) enum End {
    /// Something failed: the role is torn down and starts again from what is committed.
    Restart(String),
    /// The whole run has failed.
    Failed(Failure),
}

impl End {
    pub(crate) fn restart<T>(why: &str) -> Result<T, Self> {
        Err(Self::Restart(why.to_owned()))
    }

    pub(crate) fn refused(why: impl fmt::Display) -> Self {
        Self::Failed(Failure::Refused(why.to_string()))
    }

    pub(crate) fn wrong(why: impl fmt::Display) -> Self {
        Self::Failed(Failure::Wrong(why.to_string()))
    }
}

/// Counts a refusal and turns it into the end of the process, or into nothing if it is only to wait.
pub(crate) fn or_wait<T>(env: &mut Environment, result: Result<T, Refusal>) -> Result<Option<T>, End> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Refusal::Wait) => Ok(None),
        Err(Refusal::Fenced) => {
            env.saw(Sight::ProducerFenced);
            End::restart("producer fenced")
        }
        Err(Refusal::NotAMember) => {
            env.saw(Sight::MemberRefused);
            End::restart("offsets refused, not a member of this generation")
        }
    }
}

/// A member hears of its group's doings with the answers to its heartbeats.
const HEARTBEAT_MS: u64 = 15;
/// Whoever was away works on for so long at most before the first answer comes.
const LATE_MS: u64 = 150;

/// What the group tells a member to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    Assigned(Vec<u32>),
    Revoked,
}

/// A member of a group.
#[derive(Debug)]
pub(crate) struct Member {
    role: Role,
    name: u32,
    id: u64,
    generation: Option<u64>,
    poll_at_ms: u64,
    beat_ms: u64,
}

impl Member {
    pub(crate) fn join(env: &mut Environment, role: Role, name: u32) -> Self {
        let now_ms = env.now_ms;
        Self { role, name, id: env.group(role).join(name, now_ms), generation: None, poll_at_ms: 0, beat_ms: now_ms }
    }

    /// Beats by itself, as a thread of the client library does.
    pub(crate) fn heartbeat(&mut self, env: &mut Environment) {
        let now_ms = env.now_ms;
        if now_ms > self.beat_ms + SESSION_MS {
            self.poll_at_ms = now_ms + env.random.u64(..LATE_MS);
        }
        self.beat_ms = now_ms;
        env.group(self.role).heartbeat(self.name, self.id, now_ms);
    }

    pub(crate) fn poll(&mut self, env: &mut Environment) -> Result<Option<Moved>, End> {
        if env.now_ms < self.poll_at_ms {
            return Ok(None);
        }
        self.poll_at_ms = env.now_ms + HEARTBEAT_MS;
        match env.group(self.role).poll(self.name, self.id) {
            Heard::Lost => {
                env.saw(Sight::MembershipLost);
                End::restart("membership lost")
            }
            Heard::Rebalance if self.generation.is_some() => Ok(Some(Moved::Revoked)),
            Heard::Rebalance => {
                self.rejoin(env);
                Ok(None)
            }
            Heard::Stable { generation, partitions } if self.generation != Some(generation) => {
                self.generation = Some(generation);
                Ok(Some(Moved::Assigned(partitions)))
            }
            Heard::Stable { .. } | Heard::Wait => Ok(None),
        }
    }

    /// Answers [`Moved::Revoked`]: everything is given up.
    pub(crate) fn rejoin(&mut self, env: &mut Environment) {
        self.generation = None;
        env.group(self.role).rejoin(self.name, self.id);
    }

    /// Taken afresh for each transaction.
    pub(crate) fn proof(&self) -> Option<Proof> {
        self.generation.map(|generation| Proof { name: self.name, id: self.id, generation })
    }
}
