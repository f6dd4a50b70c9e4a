//! Lists in the order of the blend, exactly: every item by factors and popularity out of the index, and what goes together with the user's
//! history on top of it for the few items of which it says anything.

use serde::Serialize;
use weir_learn::blend::{self, Parts};
use weir_learn::seen::{CHUNK_ITEMS, chunk_key};
use weir_learn::top_k::index::{Index, Query};
use weir_learn::top_k::{Scored, TopK};
use weir_learn::{neighbours, ranking};
use weir_models::recommender::{BLEND, BLEND_KEY, LAST_ITEMS, LastItems, SEEN, SEEN_HEADS, USERS};
use weir_ps::words;

use super::View;
use super::choice::{Allowed, Choice};
use super::orders::Orders;
use super::recommend::Taste;
use super::together::Said;

/// Items of the user's history that are named for each recommended one at most.
const REASONS: usize = 3;

/// What is known of whom a list is for.
pub(super) struct Known<'a> {
    weights: Parts,
    /// What multiplies an item's factors, and its features: its bias, then how popular it is by each window.
    factors: Vec<f32>,
    features: [f32; 1 + blend::WINDOWS],
    fresh: f32,
    last: Vec<u64>,
    history: Vec<u64>,
    orders: &'a Orders,
    index: &'a Index,
}

/// What the parts of the blend add to an item's score; they sum to it, but for rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct PartScores {
    /// What the factors say.
    pub(crate) ranking: f32,
    /// What usually comes after the user's last items.
    pub(crate) transitions: f32,
    /// What goes together with all that is remembered of the user.
    pub(crate) company: f32,
    /// What is popular.
    pub(crate) popularity: f32,
}

/// Why an item is where it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Explanation {
    /// Its score by part.
    pub(crate) parts: PartScores,
    /// Keys of the user's items that speak most for it, and how strongly.
    pub(crate) because: Vec<(u64, f32)>,
}

impl View {
    /// What is known of a user; none of whom nothing is.
    pub(super) fn known(&self, taste: &Taste, user: u64) -> Option<Known<'_>> {
        let orders = self.orders.as_ref()?;
        let row = self.row(USERS, user).map(|row| taste.parts.user_ranking(row)).filter(|row| ranking::is_known(row));
        let last_items = LastItems::new(self.row(LAST_ITEMS, user).unwrap_or_default());
        let counts = taste.neighbours.values().pairs > 0;
        let last: Vec<u64> = last_items.items().take(taste.neighbours.values().pairs).collect();
        if row.is_none() && last.is_empty() {
            return None;
        }
        let own = row.and_then(|row| row.get(ranking::USER_FACTORS..)).unwrap_or_default();
        let elapsed = last_items.hours().map_or(f32::INFINITY, |last| orders.hours() - last);
        let history = if counts { self.latest_seen(taste, user) } else { Vec::new() };
        self.known_by(taste, own, elapsed, (last, history))
    }

    /// What is known of somebody with these factors whose last item was so many hours ago: the last items and all that are remembered, the last
    /// one first.
    pub(super) fn known_by(
        &self,
        taste: &Taste,
        own: &[f32],
        elapsed_hours: f32,
        (last, history): (Vec<u64>, Vec<u64>),
    ) -> Option<Known<'_>> {
        let orders = self.orders.as_ref()?;
        let index = orders.index()?;
        let weights = self.blend_weights(&taste.blend);
        let mut factors = vec![0.0; index.factors()];
        factors.iter_mut().zip(own).for_each(|(factor, own)| *factor = weights[blend::FACTORS] * own);
        let mut features = [0.0; 1 + blend::WINDOWS];
        features[0] = weights[blend::FACTORS];
        features[1..].copy_from_slice(&weights[blend::POPULARITY..]);
        let fresh = blend::fresh(&taste.blend, elapsed_hours);
        Some(Known { weights, factors, features, fresh, last, history, orders, index })
    }

    fn blend_weights(&self, settings: &blend::Settings) -> Parts {
        let row = self.row(BLEND, BLEND_KEY).and_then(|row| words::f32s(row).as_array().copied());
        blend::weights_in_use(settings, &row.unwrap_or_else(|| settings.initial()))
    }

    /// The items that were seen last, so many as speak for others, the last one first.
    fn latest_seen(&self, taste: &Taste, user: u64) -> Vec<u64> {
        let appends = self.row(SEEN_HEADS, user).map_or(0, |head| words::u64_at(head, 0));
        let capacity = taste.ring.capacity();
        let places =
            (1..=appends.min(capacity).min(neighbours::COMPANY as u64)).map(|back| (appends - back) % capacity);
        let (mut items, mut chunk) = (Vec::new(), (u64::MAX, None));
        for place in places {
            let number = place / CHUNK_ITEMS as u64;
            if chunk.0 != number {
                chunk = (number, self.row(SEEN, chunk_key(user, number as u32)));
            }
            let item = chunk.1.map_or(0, |row| words::u64_at(row, (place % CHUNK_ITEMS as u64) as usize));
            // A place is empty where an item was taken back.
            items.extend(Some(item).filter(|item| *item != 0));
        }
        items
    }

    /// Why items stand where they do in a user's list; none of a list of what is popular.
    pub(super) fn reasons(&self, taste: &Taste, user: u64, items: &[Scored]) -> Option<Vec<Explanation>> {
        let known = self.known(taste, user)?;
        let said = known.said();
        Some(items.iter().map(|scored| known.explain(scored.key, &said)).collect())
    }
}

impl Known<'_> {
    fn query(&self) -> Query<'_> {
        Query { factors: &self.factors, weights: &self.features }
    }

    fn said(&self) -> Vec<Said> {
        if self.weights[blend::TRANSITIONS] == 0.0 && self.weights[blend::COMPANY] == 0.0 {
            return Vec::new();
        }
        self.orders.together().say(&self.last, &self.history)
    }

    fn on_top(&self, said: &Said) -> (f32, f32) {
        (
            self.weights[blend::TRANSITIONS] * self.fresh * blend::of_affinity(said.transitions),
            self.weights[blend::COMPANY] * blend::of_affinity(said.company),
        )
    }

    /// The items of a choice that stand highest.
    pub(super) fn list(&self, choice: &Choice, allowed: &Allowed<'_>) -> Vec<Scored> {
        let mut said: Vec<(f32, u64)> = self
            .said()
            .iter()
            .map(|said| {
                let (transitions, company) = self.on_top(said);
                (transitions + company, said.item)
            })
            .collect();
        let mut top = TopK::new(choice.reach());
        if let Some(only) = &choice.only {
            said.sort_unstable_by_key(|(_, item)| *item);
            let on_top = |key| said.binary_search_by_key(&key, |(_, item)| *item).map_or(0.0, |place| said[place].0);
            for key in only.iter().filter(|key| allowed.contains(*key)) {
                let score = self.index.score(self.query(), key);
                if let Some(score) = score {
                    top.offer(key, score + on_top(key));
                }
            }
        } else {
            self.offer_all(&mut said, &mut top, allowed);
        }
        top.into_sorted().into_iter().skip(choice.offset).collect()
    }

    /// First the items that something is said of, the most first, until no other of them can be chosen, then all others.
    fn offer_all(&self, said: &mut [(f32, u64)], top: &mut TopK, allowed: &Allowed<'_>) {
        let highest = self.index.bound(self.query());
        said.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        for (on_top, key) in said.iter() {
            if top.worst().is_some_and(|worst| on_top + highest < worst) {
                break;
            }
            if let Some(score) = self.index.score(self.query(), *key).map(|score| score + on_top)
                && top.would_take(*key, score)
                && allowed.contains(*key)
            {
                top.offer(*key, score);
            }
        }
        said.sort_unstable_by_key(|(_, item)| *item);
        let is_said = |key| said.binary_search_by_key(&key, |(_, item)| *item).is_ok();
        self.index.offer(self.query(), top, |key| !is_said(key) && allowed.contains(key));
    }

    fn explain(&self, item: u64, said: &[Said]) -> Explanation {
        let part =
            |weights: &[f32], factors: &[f32]| self.index.score(Query { factors, weights }, item).unwrap_or_default();
        let mut of_ranking = [0.0; 1 + blend::WINDOWS];
        of_ranking[0] = self.features[0];
        let mut of_popularity = self.features;
        of_popularity[0] = 0.0;
        let on_top = said.iter().find(|said| said.item == item).map_or((0.0, 0.0), |said| self.on_top(said));
        let mut because: Vec<(u64, f32)> =
            self.history.iter().map(|own| (*own, self.orders.together().affinity(*own, item))).collect();
        because.retain(|(_, affinity)| *affinity > 0.0);
        because.sort_by(|one, other| other.1.total_cmp(&one.1));
        because.truncate(REASONS);
        let parts = PartScores {
            ranking: part(&of_ranking, &self.factors),
            transitions: on_top.0,
            company: on_top.1,
            popularity: part(&of_popularity, &vec![0.0; self.factors.len()]),
        };
        Explanation { parts, because }
    }
}
