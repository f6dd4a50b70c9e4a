//! How the worker learns what each part of a list's order counts: from a share of the events, by what the chosen item had before it was
//! chosen and what some drawn ones had.
//!
//! Such an event needs rows that others do not: how popular its item and the drawn ones are, and, once the user's last items are known, what
//! goes together with those. They are only read, so their tables are pushed to by way of others.

use std::ops::Range;

use weir_learn::blend::{self, Parts};
use weir_learn::neighbours;
use weir_learn::ranking::negatives::Draws;
use weir_learn::{item_events, ranking};
use weir_ps::{Batch, Pulls, Workspace, words};

use super::decode::Kind;
use super::pairs::since;
use super::{
    BLEND, BLEND_KEY, ITEMS, LAST_ITEMS, LastItems, NEIGHBOURS, POPULARITY, RecommenderEvent, RecommenderSettings,
    RowParts, USERS,
};

/// Events of a batch that the weights are learned from at most: what such an event pulls must not grow with the batch.
const MOST_EVENTS: usize = 8;
/// Words per drawn item among a batch's words: its key and its slot in [`POPULARITY`].
const DRAWN_WORDS: usize = 3;

/// What one event of those pulls besides.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Wanted {
    /// Whether the weights are learned from the event.
    pub(super) learns: bool,
    /// Slot of its item in [`POPULARITY`].
    popularity_slot: u32,
    /// Where the batch's words have the user's last items.
    last: (u32, u32),
}

/// Chooses the events that the weights are learned from, and pulls what they need of the items at hand.
pub(super) fn pull(
    settings: &RecommenderSettings,
    batch: &mut Batch<RecommenderEvent>,
    drawn: &[u64],
    mut draws: Draws,
    pulls: &mut Pulls<'_>,
) {
    let mut learning = 0;
    for event in batch.events.iter_mut().filter(|event| matches!(event.kind, Kind::Rated(_) | Kind::Implicit)) {
        if learning < MOST_EVENTS && blend::learns(&settings.blend, draws.number()) {
            event.wanted = Wanted { learns: true, popularity_slot: pulls.pull(POPULARITY, event.item), last: (0, 0) };
            learning += 1;
        }
    }
    if learning > 0 {
        // The only row of its table, so its slot is 0.
        pulls.pull(BLEND, BLEND_KEY);
        for &item in drawn.iter().take(blend::DRAWN) {
            let [low, high] = words::from_u64(item);
            batch.words.extend([low, high, pulls.pull(POPULARITY, item)]);
        }
    }
}

/// Pulls what goes together with the last items of the users whose events the weights are learned from.
pub(super) fn pull_more(settings: &RecommenderSettings, batch: &mut Batch<RecommenderEvent>, pulls: &mut Pulls<'_>) {
    let chunks = settings.neighbours.chunks();
    if settings.neighbours.values().pairs == 0 {
        return;
    }
    for event in batch.events.iter_mut().filter(|event| event.wanted.learns) {
        let start = batch.words.len() as u32;
        // Looked at one by one: pulling more may move the row.
        for place in 0..settings.neighbours.values().history {
            let row = LastItems::new(pulls.row(LAST_ITEMS, event.last_slot));
            let Some(item) = row.items().nth(place) else { break };
            batch.words.push(pulls.pull(POPULARITY, item));
            let slots = (0..chunks).map(|number| pulls.pull(NEIGHBOURS, neighbours::chunk_key(item, number)));
            batch.words.extend(slots);
        }
        event.wanted.last = (start, batch.words.len() as u32);
    }
}

/// What one event's candidates are looked up in.
struct Candidates<'a> {
    settings: &'a RecommenderSettings,
    parts: RowParts,
    event: &'a RecommenderEvent,
    batch: &'a Batch<RecommenderEvent>,
    work: &'a Workspace,
    fresh: f32,
}

/// One item that could have been chosen.
#[derive(Clone, Copy)]
struct Candidate {
    item: u64,
    item_slot: u32,
    popularity_slot: u32,
}

impl Candidates<'_> {
    fn parts(&self, candidate: Candidate) -> Parts {
        let popularity = self.work.row(POPULARITY, candidate.popularity_slot);
        let user = self.parts.user_ranking(self.work.row(USERS, self.event.user_slot));
        let (transitions, company) = self.affinities(candidate.item, item_events::paired(popularity));
        let mut parts = [0.0; blend::PARTS];
        parts[blend::FACTORS] =
            ranking::score(user, self.parts.item_ranking(self.work.row(ITEMS, candidate.item_slot)));
        parts[blend::TRANSITIONS] = self.fresh * blend::of_affinity(transitions);
        parts[blend::COMPANY] = blend::of_affinity(company);
        let hours = self.event.hours.max(item_events::popular(popularity, 0)[0]);
        parts[blend::POPULARITY..].copy_from_slice(&item_events::parts(
            popularity,
            hours,
            &self.settings.half_lives_hours,
        ));
        parts
    }

    /// What the user's last items say of another: the last few, and all that the worker knows.
    fn affinities(&self, item: u64, total: f32) -> (f32, f32) {
        let (values, chunks) = (self.settings.neighbours.values(), self.settings.neighbours.chunks());
        let chunk = 1 + neighbours::chunk_of(item, chunks) as usize;
        let (start, end) = self.event.wanted.last;
        let last = self.batch.words[start as usize..end as usize].chunks_exact(1 + chunks as usize);
        let mut sums = (0.0, 0.0);
        for (place, slots) in last.enumerate() {
            let own = item_events::paired(self.work.row(POPULARITY, slots[0]));
            let row = neighbours::chunk(self.work.row(NEIGHBOURS, slots[chunk]));
            let found = row.and_then(|(_, row)| neighbours::neighbours(row).find(|other| other.item == item));
            let affinity = found.map_or(0.0, |other| neighbours::affinity(other.weight, own, total, values.damping));
            sums.1 += affinity;
            if place < values.pairs {
                sums.0 += affinity;
            }
        }
        sums
    }
}

/// Learns the weights from an event whose item was chosen, before anything else is learned of it. `drawn` are the slots in [`ITEMS`] of the
/// batch's drawn items.
pub(super) fn learn(
    (settings, parts): (&RecommenderSettings, RowParts),
    event: &RecommenderEvent,
    batch: &Batch<RecommenderEvent>,
    work: &mut Workspace,
) {
    if !event.wanted.learns {
        return;
    }
    let known = settings.neighbours.values().pairs > 0;
    let last = LastItems::new(if known { work.row(LAST_ITEMS, event.last_slot) } else { &[] });
    // Where the user comes back to an item, all that is served leaves it out.
    if last.items().any(|item| item == event.item) {
        return;
    }
    let fresh = blend::fresh(&settings.blend, since(last, event.hours));
    let candidates = Candidates { settings, parts, event, batch, work, fresh };
    let drawn = batch.words[drawn_words(batch)].as_chunks::<DRAWN_WORDS>().0.iter().zip(&batch.shared_slots);
    let mut others = [[0.0; blend::PARTS]; blend::DRAWN];
    let mut count = 0;
    for (&[low, high, popularity_slot], &item_slot) in drawn {
        let item = u64::from(low) | u64::from(high) << 32;
        if item != event.item && !last.items().any(|other| other == item) {
            others[count] = candidates.parts(Candidate { item, item_slot, popularity_slot });
            count += 1;
        }
    }
    if count == 0 {
        return;
    }
    let Wanted { popularity_slot, .. } = event.wanted;
    let chosen = candidates.parts(Candidate { item: event.item, item_slot: event.item_slot, popularity_slot });
    if let Some(row) = words::f32s_mut(work.row_mut(BLEND, 0)).as_mut_array() {
        let ahead = score_ahead(&blend::weights(row), &chosen, &others[0]);
        blend::learn(&settings.blend, event.weight, &chosen, &others[..count], row);
        work.measure("blend_reward", ahead);
    }
}

/// Whether the chosen item stood above a drawn one: 1, 0, or a half where they stand alike.
fn score_ahead(weights: &Parts, chosen: &Parts, other: &Parts) -> f32 {
    let ahead = blend::score(weights, chosen).total_cmp(&blend::score(weights, other));
    [0.0, 0.5, 1.0][(ahead as i8 + 1) as usize]
}

/// Where a batch's words have the drawn items: at their beginning, before those of any event.
fn drawn_words(batch: &Batch<RecommenderEvent>) -> Range<usize> {
    0..batch.shared_slots.len().min(blend::DRAWN) * DRAWN_WORDS
}
