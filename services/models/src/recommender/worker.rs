//! The worker's side: what a batch of ratings pulls and pushes.

use weir_learn::item_events::ItemEvent;
use weir_learn::ranking::{
    self, Target,
    negatives::{self, Draws},
    positive,
};
use weir_learn::{GlobalMean, mf};
use weir_ps::{Batch, Pulls, SourceRange, WorkerLogic, Workspace, repeats, words};

use super::blending;
use super::bounds::Kept;
use super::decode::Kind;
use super::pairs;
use super::predicted::Predictions;
use super::recent::RecentBySource;
use super::rows::{Mark, mark};
use super::server::SeenChange;
use super::{
    ACTIVITY, EVENT_IDS, ITEM_EVENTS, ITEMS, LAST_ITEMS, MEAN, MEAN_KEY, RecommenderEvent, RecommenderSettings,
    RowParts, SEEN_HEADS, USERS,
};

/// Learns ratings and choices.
#[derive(Clone, Debug)]
pub struct RecommenderWorker {
    settings: RecommenderSettings,
    parts: RowParts,
    mean_slot: u32,
    recent: RecentBySource,
    predictions: Option<Predictions>,
    kept: Kept,
    /// Keys of a batch's items and of those drawn; kept for their memory.
    items: Vec<u64>,
    drawn: Vec<u64>,
}

/// What the events of one batch share while it is learned.
struct Shared<'a> {
    /// Slots of the items that were drawn.
    drawn: &'a [u32],
    draws: Draws,
    batch: &'a Batch<RecommenderEvent>,
}

impl RecommenderWorker {
    /// With these settings, putting out what is predicted if that is wanted.
    #[must_use]
    pub fn new(settings: RecommenderSettings, predictions: Option<Predictions>) -> Self {
        let recent = RecentBySource::new(settings.ranking.values().window);
        Self {
            settings,
            parts: RowParts::new(&settings.factors, &settings.ranking),
            mean_slot: 0,
            kept: Kept::default(),
            recent,
            predictions,
            items: Vec::new(),
            drawn: Vec::new(),
        }
    }

    /// Draws the items that nobody of the batch is said to have chosen, and pulls their rows.
    fn draw(&mut self, batch: &mut Batch<RecommenderEvent>, pulls: &mut Pulls<'_>) {
        let Self { settings, recent, items, drawn, .. } = self;
        items.clear();
        items.extend(batch.events.iter().filter(|event| event.kind.teaches()).map(|event| event.item));
        drawn.clear();
        let mut draws = draws(settings.seed, Purpose::Batch, batch.range);
        let ranking = settings.ranking.values();
        let wanted = ranking.negatives * items.len();
        recent.with_batch(batch.range, items).draw(ranking.source, wanted, || draws.number(), drawn);
        batch.shared_slots.extend(drawn.iter().map(|&item| pulls.pull(ITEMS, item)));
        blending::pull(settings, batch, drawn, draws, pulls);
    }

    fn learn(&self, event: &RecommenderEvent, shared: &mut Shared<'_>, work: &mut Workspace) {
        match event.kind {
            Kind::Rated(rating) => {
                self.learn_rating(event, rating, work);
                self.learn_choice(event, Some(rating), shared, work);
            }
            Kind::Implicit => self.learn_choice(event, None, shared, work),
            Kind::Disliked => self.learn_dislike(event, work),
            Kind::Removed | Kind::Forget => {}
        }
    }

    /// Puts a rating out as it is predicted now, if it is one of those.
    fn put_out(&self, event: &RecommenderEvent, batch: &Batch<RecommenderEvent>, work: &mut Workspace) {
        let (Kind::Rated(rating), Some(predictions)) = (event.kind, &self.predictions) else { return };
        if !predictions.takes(batch.range.source, event.offset) {
            return;
        }
        let mean = mean_of(work.row(MEAN, self.mean_slot)).mean();
        let (user, item) = (work.row(USERS, event.user_slot), work.row(ITEMS, event.item_slot));
        let predicted = mf::predict(mean, self.parts.ratings(user), self.parts.ratings(item));
        if let Some(record) = predictions.record(event, rating, predicted, batch) {
            work.output(record);
        }
    }

    fn learn_rating(&self, event: &RecommenderEvent, rating: f32, work: &mut Workspace) {
        let known = mean_of(work.row(MEAN, self.mean_slot)).mean();
        let mean = count_rating(work.row_mut(MEAN, self.mean_slot), rating);
        let (user, item) = work.pair_mut((USERS, event.user_slot), (ITEMS, event.item_slot));
        let ((user, _), (item, _, marks)) = (self.parts.user_mut(user), self.parts.item_mut(item));
        mark(marks, Mark::Count, item[mf::COUNT]);
        let error = mf::learn_weighted(&self.settings.factors, mean, rating, event.weight, user, item);
        work.measure("squared_error", error * error);
        work.measure("absolute_error", error.abs());
        // What the mean of all ratings before it would have been wrong by.
        work.measure("mean_squared_error", (rating - known).powi(2));
    }

    /// Learns that the user chose the item, if that is what the event says, and that they did not choose others.
    fn learn_choice(
        &self,
        event: &RecommenderEvent,
        rating: Option<f32>,
        shared: &mut Shared<'_>,
        work: &mut Workspace,
    ) {
        let (_, user) = self.parts.user_mut(work.row_mut(USERS, event.user_slot));
        let Some(weight) = positive::classify_weighted(self.settings.positive, rating, user) else { return };
        self.measure_ranking(event, shared, work);
        blending::learn((&self.settings, self.parts), event, shared.batch, work);
        let Shared { drawn, draws, .. } = shared;
        let drawn = (0..self.settings.ranking.values().negatives)
            .filter_map(|_| negatives::pick(drawn, draws.number()))
            .filter(|slot| *slot != event.item_slot);
        let mut rows = RankingRows { parts: self.parts, user_slot: event.user_slot, work };
        ranking::learn_choice(&self.settings.ranking, weight * event.weight, &mut rows, event.item_slot, drawn);
    }

    /// Learns that the user does not want the item, as of one that was drawn.
    fn learn_dislike(&self, event: &RecommenderEvent, work: &mut Workspace) {
        let mut rows = RankingRows { parts: self.parts, user_slot: event.user_slot, work };
        ranking::Rows::with(&mut rows, event.item_slot, |user, item| {
            ranking::learn_weighted(&self.settings.ranking, Target::Negative, event.weight, user, item)
        });
    }

    /// Whether the chosen item stood above one that was drawn, before either is learned: 1, 0, or a half where they stand
    /// alike. Its mean is the share of pairs in the right order.
    fn measure_ranking(&self, event: &RecommenderEvent, shared: &Shared<'_>, work: &mut Workspace) {
        let index = event.user as usize % shared.drawn.len().max(1);
        let Some(&drawn) = shared.drawn.get(index).filter(|slot| **slot != event.item_slot) else { return };
        let user = self.parts.user_ranking(work.row(USERS, event.user_slot));
        let score = |slot| ranking::score(user, self.parts.item_ranking(work.row(ITEMS, slot)));
        let ahead = score(event.item_slot).total_cmp(&score(drawn));
        work.measure("ranking_reward", [0.0, 0.5, 1.0][(ahead as i8 + 1) as usize]);
    }
}

/// The user's row and those of items in the model that ranks, by their slots.
struct RankingRows<'a> {
    parts: RowParts,
    user_slot: u32,
    work: &'a mut Workspace,
}

impl ranking::Rows for RankingRows<'_> {
    type Item = u32;

    #[inline]
    fn with<T>(&mut self, item_slot: u32, act: impl FnOnce(&mut [f32], &mut [f32]) -> T) -> T {
        let (user, item) = self.work.pair_mut((USERS, self.user_slot), (ITEMS, item_slot));
        let ((_, user), (_, item, marks)) = (self.parts.user_mut(user), self.parts.item_mut(item));
        mark(marks, Mark::Sum, item[ranking::ITEM_SQUARED_GRADIENT_SUM]);
        act(user, item)
    }
}

/// Notes what the event changes besides the factors.
fn push_counts(settings: &RecommenderSettings, event: &RecommenderEvent, work: &mut Workspace) {
    match event.kind {
        Kind::Rated(_) | Kind::Implicit => {
            let paired = pairs::push_pairs(settings, event, work);
            let RecommenderEvent { hours, weight, time_ms, .. } = *event;
            work.push(ITEM_EVENTS, event.item, &ItemEvent { hours, weight, paired, time_ms }.to_words());
            work.push(SEEN_HEADS, event.user, &SeenChange::Append(event.item).to_words());
        }
        // Not to be shown again, and no sign of being popular.
        Kind::Disliked => work.push(SEEN_HEADS, event.user, &SeenChange::Append(event.item).to_words()),
        Kind::Removed => {
            if settings.neighbours.values().pairs > 0 {
                pairs::remove(work.row_mut(LAST_ITEMS, event.last_slot), event.item);
            }
            work.push(SEEN_HEADS, event.user, &SeenChange::Remove(event.item).to_words());
        }
        Kind::Forget => {
            for table in [USERS, ACTIVITY, SEEN_HEADS, EVENT_IDS, LAST_ITEMS] {
                work.forget(table, event.user);
            }
            return;
        }
    }
    let [low, high] = words::from_u64(event.time_ms);
    work.push(ACTIVITY, event.user, &[1, 0, low, high]);
}

impl WorkerLogic for RecommenderWorker {
    type Event = RecommenderEvent;

    fn on_recv(&mut self, batch: &mut Batch<RecommenderEvent>, pulls: &mut Pulls<'_>) {
        self.mean_slot = 0;
        for event in &mut batch.events {
            event.user_slot = pulls.pull_named(USERS, event.user, event.user_name);
            if event.id.is_some() {
                event.id_slot = pulls.pull(EVENT_IDS, event.user);
            }
            if self.settings.neighbours.values().pairs > 0
                && matches!(event.kind, Kind::Rated(_) | Kind::Implicit | Kind::Removed)
            {
                event.last_slot = pulls.pull(LAST_ITEMS, event.user);
            }
            if event.kind.teaches() {
                event.item_slot = pulls.pull_named(ITEMS, event.item, event.item_name);
                // The only row of its table, so its slot is 0.
                pulls.pull(MEAN, MEAN_KEY);
            }
        }
        self.draw(batch, pulls);
    }

    fn pull_more(&mut self, batch: &mut Batch<RecommenderEvent>, pulls: &mut Pulls<'_>) {
        blending::pull_more(&self.settings, batch, pulls);
    }

    fn distrusts_kept_rows(&mut self, batch: &Batch<RecommenderEvent>) -> bool {
        let latest = batch.events.iter().map(|event| event.time_ms).max().unwrap_or_default();
        self.kept.are_old(&self.settings.bounds, batch.range.source, latest)
    }

    fn on_pull_recv(&mut self, batch: &mut Batch<RecommenderEvent>, work: &mut Workspace) {
        let draws = draws(self.settings.seed, Purpose::Event, batch.range);
        let mut shared = Shared { drawn: &batch.shared_slots, draws, batch };
        let mut repeated = 0;
        for event in &batch.events {
            if event.id.is_some_and(|id| repeats::is_repeat(work.row_mut(EVENT_IDS, event.id_slot), id)) {
                repeated += 1;
                continue;
            }
            self.put_out(event, batch, work);
            self.learn(event, &mut shared, work);
            push_counts(&self.settings, event, work);
        }
        batch.repeated += repeated;
    }
}

/// What random numbers are for.
#[derive(Clone, Copy)]
enum Purpose {
    /// Which items a batch draws.
    Batch,
    /// Which of them an event takes.
    Event,
}

fn draws(seed: u64, purpose: Purpose, range: SourceRange) -> Draws {
    let SourceRange { source, first, next } = range;
    Draws::new(seed, &[purpose as u64, source.into(), first.pass.into(), first.sequence, next.sequence])
}

fn mean_of(row: &[u32]) -> GlobalMean {
    row.as_array().map(|words| GlobalMean::from_words(*words)).unwrap_or_default()
}

/// Adds a rating to the mean and returns it.
fn count_rating(row: &mut [u32], rating: f32) -> f32 {
    let mean = mean_of(row).plus(GlobalMean::of(rating));
    row.copy_from_slice(&mean.to_words());
    mean.mean()
}
