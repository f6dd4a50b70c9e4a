//! The worker's side: what a batch of ratings pulls and pushes.

use weir_learn::{GlobalMean, mf};
use weir_ps::{Batch, Pulls, WorkerLogic, Workspace, words};

use super::{
    ACTIVITY, ITEMS, MEAN, MEAN_KEY, POPULARITY, RecommenderEvent, SEEN_HEADS, USERS, decode::Kind, server::SeenChange,
};

/// Learns ratings.
#[derive(Clone, Debug)]
pub struct RecommenderWorker {
    factors: mf::Settings,
    mean_slot: u32,
}

impl RecommenderWorker {
    /// With these hyper-parameters.
    #[must_use]
    pub fn new(factors: mf::Settings) -> Self {
        Self { factors, mean_slot: 0 }
    }

    fn learn(&self, event: &RecommenderEvent, work: &mut Workspace) {
        if let Kind::Rated(rating) = event.kind {
            let mean = count_rating(work.row_mut(MEAN, self.mean_slot), rating);
            let (user, item) = work.pair_mut((USERS, event.user_slot), (ITEMS, event.item_slot));
            let (user, item) = (words::f32s_mut(user), words::f32s_mut(item));
            mf::learn_weighted(&self.factors, mean, rating, event.weight, user, item);
        }
        match event.kind {
            Kind::Rated(_) | Kind::Implicit => {
                work.push(POPULARITY, event.item, &[event.hours.to_bits(), event.weight.to_bits()]);
                work.push(SEEN_HEADS, event.user, &SeenChange::Append(event.item).to_words());
            }
            Kind::Removed => work.push(SEEN_HEADS, event.user, &SeenChange::Remove(event.item).to_words()),
            Kind::Forget => {
                for table in [USERS, ACTIVITY, SEEN_HEADS] {
                    work.forget(table, event.user);
                }
                return;
            }
        }
        let [low, high] = words::from_u64(event.time_ms);
        work.push(ACTIVITY, event.user, &[1, 0, low, high]);
    }
}

impl WorkerLogic for RecommenderWorker {
    type Event = RecommenderEvent;

    fn on_recv(&mut self, batch: &mut Batch<RecommenderEvent>, pulls: &mut Pulls<'_>) {
        self.mean_slot = 0;
        for event in &mut batch.events {
            event.user_slot = pulls.pull_named(USERS, event.user, event.user_name);
            if matches!(event.kind, Kind::Rated(_) | Kind::Implicit) {
                event.item_slot = pulls.pull_named(ITEMS, event.item, event.item_name);
                // The only row of its table, so its slot is 0.
                pulls.pull(MEAN, MEAN_KEY);
            }
        }
    }

    fn on_pull_recv(&mut self, batch: &mut Batch<RecommenderEvent>, work: &mut Workspace) {
        for event in &batch.events {
            self.learn(event, work);
        }
    }
}

/// Adds a rating to the mean and returns it.
fn count_rating(row: &mut [u32], rating: f32) -> f32 {
    let known = row.as_array().map(|words| GlobalMean::from_words(*words)).unwrap_or_default();
    let mean = known.plus(GlobalMean::of(rating));
    row.copy_from_slice(&mean.to_words());
    mean.mean()
}
