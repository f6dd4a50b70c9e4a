//! The gateway: materialises the changelogs as `read_committed` readers see them, and is checked whenever it can be.

use std::collections::{BTreeMap, BTreeSet};

use weir_ps::{Barrier, Position};

use crate::{
    environment::Environment,
    learner::{Input, Rows, name},
    process::End,
    record::{Record, Topic},
    seen::Sight,
};

#[derive(Default)]
struct View {
    position: u64,
    rows: Rows,
    barrier: Option<Barrier>,
    /// Rows whose name is not what it should be.
    unnamed: BTreeSet<(u8, u64)>,
}

/// One shard after the other, each from its changelog's beginning.
#[derive(Default)]
pub(crate) struct Gateway {
    views: BTreeMap<u32, View>,
}

impl Gateway {
    /// Reads on; at the end of a changelog the view must be the state at the last barrier.
    pub(crate) fn step(&mut self, env: &mut Environment, input: &Input) -> Result<(), End> {
        let number = env.random.u32(..env.layout.shards);
        let view = self.views.entry(number).or_default();
        let mut moved = false;
        loop {
            let log = env.log((Topic::Changelog, number));
            let Ok(Some((offset, record))) = log.read(&mut view.position) else { break };
            match &*record {
                Record::Row { table, key, row } => {
                    // The push's later parts may bring the name, so only whole pushes are asked for it.
                    let named = row.as_ref().is_none_or(|row| row.name.as_deref().unwrap_or("") == name(*table, *key));
                    if named {
                        view.unnamed.remove(&(*table, *key))
                    } else {
                        view.unnamed.insert((*table, *key))
                    };
                    view.rows.set(*table, *key, row.as_ref().map(|row| weir_ps::words::u64_at(&row.words, 0)));
                }
                Record::Barrier(barrier) => {
                    if view.barrier.as_ref().is_some_and(|before| barrier.push_next < before.push_next) {
                        return Err(End::wrong(format!("changelog {number}, offset {offset}: the barrier went back")));
                    }
                    (view.barrier, moved) = (Some(barrier.clone()), true);
                }
                _ => {}
            }
        }
        // While a transaction is open the last stable offset may lie in the middle of another one.
        let whole = env.log((Topic::Changelog, number)).is_settled();
        if moved && whole { self.check(env, input, number) } else { Ok(()) }
    }

    /// Compares the view of one shard with what the events below its barrier make.
    pub(crate) fn check(&self, env: &mut Environment, input: &Input, number: u32) -> Result<(), End> {
        let Some(view) = self.views.get(&number) else { return Ok(()) };
        let Some(positions) = whole(view.barrier.as_ref()) else { return Ok(()) };
        let partitioner = env.layout.worker.partitioner;
        let difference = view.rows.difference(&input.fold(&positions), |key| partitioner.shard(key) == number);
        env.saw(Sight::BarrierChecked);
        let unnamed = view.unnamed.first().map(|(table, key)| format!("table {table}, key {key} has a wrong name"));
        match difference.or(unnamed) {
            None => Ok(()),
            Some(difference) => Err(End::wrong(format!("the gateway's view of shard {number}: {difference}"))),
        }
    }

    /// The positions of a shard's barrier, if no push is half in it.
    pub(crate) fn positions(&self, number: u32) -> Option<BTreeMap<u32, Position>> {
        whole(self.views.get(&number)?.barrier.as_ref())
    }
}

fn whole(barrier: Option<&Barrier>) -> Option<BTreeMap<u32, Position>> {
    let sources = &barrier?.sources;
    let positions = sources.iter().map(|(&source, state)| (state.parts_done == 0).then_some((source, state.next)));
    positions.collect()
}
