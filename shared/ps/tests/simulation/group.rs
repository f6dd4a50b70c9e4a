//! A consumer group with static members, the range assignor and eager rebalances, and its offsets.

use std::collections::BTreeMap;

/// Which group: the workers' reads the input, the servers' reads the pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Worker,
    Server,
}

/// How long a member may be silent.
pub(crate) const SESSION_MS: u64 = 120;
/// How long a rebalance waits for members to come again.
const REBALANCE_MS: u64 = 300;

struct Member {
    id: u64,
    heard_ms: u64,
    joined: bool,
    partitions: Vec<u32>,
}

/// What proves membership when offsets are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) name: u32,
    pub(crate) id: u64,
    pub(crate) generation: u64,
}

/// What a member hears when it polls.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The group does not know it any more, or somebody else under its name.
    Lost,
    /// It is to give up what it has and to join again.
    Rebalance,
    /// The others have not joined yet.
    Wait,
    /// What it has in this generation.
    Stable { generation: u64, partitions: Vec<u32> },
}

pub(crate) struct Group {
    partitions: u32,
    members: BTreeMap<u32, Member>,
    generation: u64,
    preparing_since: Option<u64>,
    rotation: usize,
    ids: u64,
    committed: BTreeMap<u32, u64>,
    /// By producer: offsets of transactions that are not decided.
    pending: BTreeMap<u64, BTreeMap<u32, u64>>,
}

impl Group {
    pub(crate) fn new(partitions: u32) -> Self {
        Self {
            partitions,
            members: BTreeMap::new(),
            generation: 0,
            preparing_since: None,
            rotation: 0,
            ids: 0,
            committed: BTreeMap::new(),
            pending: BTreeMap::new(),
        }
    }

    /// Joins under a static name: whoever had it is replaced, without a rebalance if the group is stable.
    pub(crate) fn join(&mut self, name: u32, now_ms: u64) -> u64 {
        self.ids += 1;
        let (id, is_new) = (self.ids, !self.members.contains_key(&name));
        let member = self.members.entry(name).or_insert(Member { id, heard_ms: 0, joined: true, partitions: vec![] });
        (member.id, member.heard_ms, member.joined) = (id, now_ms, true);
        if is_new {
            self.prepare(now_ms);
            self.member(name, id).expect("just added").joined = true;
        }
        self.complete_if_joined();
        id
    }

    fn member(&mut self, name: u32, id: u64) -> Option<&mut Member> {
        self.members.get_mut(&name).filter(|member| member.id == id)
    }

    /// The member has given up what it had and joins again.
    pub(crate) fn rejoin(&mut self, name: u32, id: u64) {
        if let Some(member) = self.member(name, id) {
            member.joined = true;
        }
        self.complete_if_joined();
    }

    /// A sign of life.
    pub(crate) fn heartbeat(&mut self, name: u32, id: u64, now_ms: u64) {
        if let Some(member) = self.member(name, id) {
            member.heard_ms = now_ms;
        }
    }

    pub(crate) fn poll(&mut self, name: u32, id: u64) -> Heard {
        let (generation, preparing) = (self.generation, self.preparing_since.is_some());
        match self.member(name, id) {
            None => Heard::Lost,
            Some(member) if preparing && !member.joined => Heard::Rebalance,
            Some(_) if preparing => Heard::Wait,
            Some(member) => Heard::Stable { generation, partitions: member.partitions.clone() },
        }
    }

    /// Begins a rebalance.
    fn prepare(&mut self, now_ms: u64) {
        if self.preparing_since.is_none() {
            self.preparing_since = Some(now_ms);
            self.members.values_mut().for_each(|member| member.joined = false);
        }
    }

    /// Gives the partitions to other members than before, as the coming and going of a member would.
    pub(crate) fn rotate(&mut self, now_ms: u64) {
        self.rotation += 1;
        self.prepare(now_ms);
    }

    /// Removes members that were silent for too long; returns how many.
    pub(crate) fn expire(&mut self, now_ms: u64) -> usize {
        let before = self.members.len();
        self.members.retain(|_, member| now_ms <= member.heard_ms + SESSION_MS);
        let expired = before - self.members.len();
        if expired > 0 {
            self.prepare(now_ms);
        }
        if self.preparing_since.is_some_and(|since| now_ms > since + REBALANCE_MS) {
            self.members.retain(|_, member| member.joined);
        }
        self.complete_if_joined();
        before - self.members.len()
    }

    fn complete_if_joined(&mut self) {
        if self.preparing_since.is_none() || self.members.values().any(|member| !member.joined) {
            return;
        }
        self.preparing_since = None;
        self.generation += 1;
        let (count, each) = (self.members.len(), (self.partitions as usize).div_ceil(self.members.len().max(1)));
        for (index, member) in self.members.values_mut().enumerate() {
            let first = (index + self.rotation) % count * each;
            member.partitions = (0..self.partitions).skip(first).take(each).collect();
        }
    }

    /// Whether offsets may be committed with this proof.
    pub(crate) fn is_member(&self, proof: Proof) -> bool {
        let known = self.members.get(&proof.name).is_some_and(|member| member.id == proof.id);
        known && proof.generation == self.generation
    }

    pub(crate) fn add_pending(&mut self, producer: u64, next: &[(u32, u64)]) {
        self.pending.entry(producer).or_default().extend(next.iter().copied());
    }

    /// Decides the pending offsets of a producer.
    pub(crate) fn mark(&mut self, producer: u64, commit: bool) {
        let pending = self.pending.remove(&producer).unwrap_or_default();
        if commit {
            self.committed.extend(pending);
        }
    }

    /// The committed offsets of these partitions; nothing while one of them is pending, if `stable`.
    pub(crate) fn committed(&self, partitions: &[u32], stable: bool) -> Option<Vec<Option<u64>>> {
        let is_pending = |partition: &u32| self.pending.values().any(|offsets| offsets.contains_key(partition));
        if stable && partitions.iter().any(is_pending) {
            return None;
        }
        Some(partitions.iter().map(|partition| self.committed.get(partition).copied()).collect())
    }

    /// Forgets all offsets, as a broker does after a while. Returns whether there were any.
    pub(crate) fn expire_offsets(&mut self) -> bool {
        let had = !self.committed.is_empty() && self.pending.is_empty();
        if had {
            self.committed.clear();
        }
        had
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stable(generation: u64, partitions: &[u32]) -> Heard {
        Heard::Stable { generation, partitions: partitions.to_vec() }
    }

    #[test]
    fn a_new_member_moves_partitions_and_a_namesake_does_not() {
        let mut group = Group::new(3);
        let one = group.join(1, 0);
        assert_eq!(group.poll(1, one), stable(1, &[0, 1, 2]));
        let two = group.join(2, 0);
        assert_eq!((group.poll(1, one), group.poll(2, two)), (Heard::Rebalance, Heard::Wait));
        assert!(group.is_member(Proof { name: 1, id: one, generation: 1 }), "until the others are there");
        group.rejoin(1, one);
        assert_eq!((group.poll(1, one), group.poll(2, two)), (stable(2, &[0, 1]), stable(2, &[2])));
        let again = group.join(2, 0);
        assert_eq!((group.poll(2, two), group.poll(2, again)), (Heard::Lost, stable(2, &[2])));
        assert!(!group.is_member(Proof { name: 2, id: two, generation: 2 }));
    }

    #[test]
    fn silent_members_lose_their_partitions() {
        let mut group = Group::new(2);
        let (one, two) = (group.join(1, 0), group.join(2, 0));
        group.rejoin(1, one);
        group.heartbeat(2, two, SESSION_MS);
        assert_eq!(group.expire(SESSION_MS + 1), 1);
        assert_eq!((group.poll(1, one), group.poll(2, two)), (Heard::Lost, Heard::Rebalance));
        group.rejoin(2, two);
        assert_eq!(group.poll(2, two), stable(3, &[0, 1]));
        assert!(!group.is_member(Proof { name: 2, id: two, generation: 2 }));
    }

    #[test]
    fn pending_offsets_are_waited_for() {
        let mut group = Group::new(2);
        group.add_pending(7, &[(0, 5)]);
        assert_eq!(group.committed(&[0], true), None);
        assert_eq!((group.committed(&[1], true), group.committed(&[0], false)), (Some(vec![None]), Some(vec![None])));
        group.mark(7, true);
        assert_eq!(group.committed(&[0, 1], true), Some(vec![Some(5), None]));
    }
}
