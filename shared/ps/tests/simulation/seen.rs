//! What happened, counted, so that a run can be asked whether it met what it was made for.

use std::fmt;

/// Things that are made to go wrong, up to [`Sight::MarkerLost`], and what becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    WorkerCrash,
    ServerCrash,
    GatewayCrash,
    AllKilled,
    AllStoresLost,
    TransactionLeftOpen,
    Delay,
    WorkerPause,
    ServerPause,
    WorkerNamesake,
    ServerNamesake,
    SourcesMoved,
    ShardsMoved,
    SessionExpired,
    StoreLost,
    OldStore,
    PullLost,
    ReplyLost,
    CommitReplyLost,
    WorkerOffsetsExpired,
    ServerOffsetsExpired,
    MarkerLost,
    TransactionTimedOut,
    ProducerFenced,
    MemberRefused,
    MembershipLost,
    Overtaken,
    TakeOverAtOffset,
    TakeOverWithoutOffset,
    RestoreFromStore,
    RestoreFromChangelog,
    RestoreWaitsForMarker,
    OffsetsPending,
    StoreTooOld,
    Compacted,
    TombstoneGone,
    PushesDeleted,
    HeldPull,
    StepCommitted,
    Published,
    BarrierChecked,
}

const COUNT: usize = Sight::BarrierChecked as usize + 1;

const ALL: [Sight; COUNT] = [
    Sight::WorkerCrash,
    Sight::ServerCrash,
    Sight::GatewayCrash,
    Sight::AllKilled,
    Sight::AllStoresLost,
    Sight::TransactionLeftOpen,
    Sight::Delay,
    Sight::WorkerPause,
    Sight::ServerPause,
    Sight::WorkerNamesake,
    Sight::ServerNamesake,
    Sight::SourcesMoved,
    Sight::ShardsMoved,
    Sight::SessionExpired,
    Sight::StoreLost,
    Sight::OldStore,
    Sight::PullLost,
    Sight::ReplyLost,
    Sight::CommitReplyLost,
    Sight::WorkerOffsetsExpired,
    Sight::ServerOffsetsExpired,
    Sight::MarkerLost,
    Sight::TransactionTimedOut,
    Sight::ProducerFenced,
    Sight::MemberRefused,
    Sight::MembershipLost,
    Sight::Overtaken,
    Sight::TakeOverAtOffset,
    Sight::TakeOverWithoutOffset,
    Sight::RestoreFromStore,
    Sight::RestoreFromChangelog,
    Sight::RestoreWaitsForMarker,
    Sight::OffsetsPending,
    Sight::StoreTooOld,
    Sight::Compacted,
    Sight::TombstoneGone,
    Sight::PushesDeleted,
    Sight::HeldPull,
    Sight::StepCommitted,
    Sight::Published,
    Sight::BarrierChecked,
];

/// How often each thing was seen, and in how many runs.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    times: [u64; COUNT],
    runs: [u64; COUNT],
    pub(crate) seeds: u64,
    pub(crate) steps: u64,
    pub(crate) events: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self { times: [0; COUNT], runs: [0; COUNT], seeds: 0, steps: 0, events: 0 }
    }
}

impl Seen {
    pub(crate) fn note(&mut self, sight: Sight) {
        self.add(sight, 1);
    }

    pub(crate) fn add(&mut self, sight: Sight, times: u64) {
        self.times[sight as usize] += times;
    }

    /// Takes in what a run saw.
    pub(crate) fn add_run(&mut self, run: &Self) {
        let mut run = run.clone();
        run.runs = run.times.map(|times| u64::from(times > 0));
        self.merge(&run);
    }

    /// Takes in what many runs saw.
    pub(crate) fn merge(&mut self, other: &Self) {
        for index in 0..COUNT {
            self.times[index] += other.times[index];
            self.runs[index] += other.runs[index];
        }
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.events += other.events;
    }

    pub(crate) fn times(&self, sight: Sight) -> u64 {
        self.times[sight as usize]
    }

    /// All that was made to go wrong.
    pub(crate) fn faults(&self) -> u64 {
        self.times[..=Sight::MarkerLost as usize].iter().sum()
    }

    /// What never happened.
    pub(crate) fn missing(&self) -> Vec<Sight> {
        ALL.into_iter().filter(|sight| self.times(*sight) == 0).collect()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} seeds, {} steps, {} events", self.seeds, self.steps, self.events)?;
        writeln!(formatter, "{:<24}{:>10}{:>10}", "", "times", "seeds")?;
        for sight in ALL {
            let (times, runs) = (self.times[sight as usize], self.runs[sight as usize]);
            writeln!(formatter, "{:<24}{times:>10}{runs:>10}", format!("{sight:?}"))?;
        }
        Ok(())
    }
}
