//! What the recommender's rows say about users and items.

use weir_learn::item_events::HalfLives;
use weir_learn::seen::Ring;
use weir_learn::top_k::Scored;
use weir_learn::{GlobalMean, blend, mf, neighbours, popularity};
use weir_models::recommender::{ACTIVITY, ITEMS, MEAN, MEAN_KEY, RowParts, USERS};
use weir_ps::words;

use super::View;
use super::blended::Explanation;
use super::blended::PartScores;
use super::choice::Choice;
use super::popular::popular;
use crate::catalogue::Moment;

/// What reading the recommender's rows depends on besides the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taste {
    /// Hours after which an event counts half for popularity, the shortest first.
    pub(crate) half_lives_hours: HalfLives,
    /// Which items go together.
    pub(crate) neighbours: neighbours::Settings,
    /// How lists are put together.
    pub(crate) blend: blend::Settings,
    /// The ring of items that a user has seen.
    pub(crate) ring: Ring,
    /// Where rows of users and items have what.
    pub(crate) parts: RowParts,
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Recommendation {
    /// The item's id.
    pub(crate) item: String,
    /// What the catalogue calls it, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// How high the item stands for the user, or how popular it is now.
    pub(crate) score: f32,
    /// What the score is the sum of, where that was asked for and it is not what is popular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parts: Option<PartScores>,
    /// The items of the user's history that speak most for it, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) because: Option<Vec<Reason>>,
}

/// An item of the user's history that speaks for another.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Reason {
    /// Its id.
    pub(crate) item: String,
    /// How strongly: the share of users who turn to both, about.
    pub(crate) affinity: f32,
}

/// A user who has fewer events than this is known by few.
const FEW_EVENTS: u64 = 5;

/// What a list is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// What the user has done.
    Personal,
    /// The same, of a user who is known by few events yet, so that what everybody does still says more of the order.
    Blended,
    /// What everybody does.
    Popular,
}

/// What a user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    /// Number of events.
    pub(crate) events: u64,
    /// Time of the last one in milliseconds since 1970.
    pub(crate) last_event: u64,
}

impl View {
    /// The items of `choice` that are best for a user, best first; equal scores are ordered by key. A user of whom nothing is known that
    /// could say what comes next gets what is popular at the moment.
    pub(crate) fn recommend(
        &self,
        taste: Taste,
        user: u64,
        choice: &Choice,
        moment: Moment<'_>,
    ) -> (Source, Vec<Scored>) {
        let allowed = choice.allowed(self, taste.ring, user, moment);
        if let Some(known) = self.known(&taste, user) {
            let few = self.activity(user).is_none_or(|activity| activity.events < FEW_EVENTS);
            return (if few { Source::Blended } else { Source::Personal }, known.list(choice, &allowed));
        }
        let Some(orders) = &self.orders else { return (Source::Popular, Vec::new()) };
        let now_hours = popularity::hours(moment.now_ms, moment.now_ms);
        (Source::Popular, popular(self, orders, taste, choice, &allowed, now_hours))
    }

    /// Items by their ids; those that are no more are left out.
    pub(crate) fn named(&self, scored: &[Scored]) -> Vec<Recommendation> {
        let named = |scored: &Scored| {
            let item = self.name(ITEMS, scored.key)?.to_owned();
            Some(Recommendation { item, title: None, score: scored.score, parts: None, because: None })
        };
        scored.iter().filter_map(named).collect()
    }

    /// The same, each with what its place in a user's list is made of.
    pub(crate) fn named_and_explained(&self, taste: &Taste, user: u64, scored: &[Scored]) -> Vec<Recommendation> {
        let explained = |(scored, explanation): (&Scored, Explanation)| {
            let item = self.name(ITEMS, scored.key)?.to_owned();
            let reason = |(key, affinity): &(u64, f32)| {
                Some(Reason { item: self.name(ITEMS, *key)?.to_owned(), affinity: *affinity })
            };
            let because = explanation.because.iter().filter_map(reason).collect();
            let (score, parts, because) = (scored.score, Some(explanation.parts), Some(because));
            Some(Recommendation { item, title: None, score, parts, because })
        };
        let Some(explanations) = self.reasons(taste, user, scored) else { return self.named(scored) };
        scored.iter().zip(explanations).filter_map(explained).collect()
    }

    /// The predicted ratings of pairs of user and item. Whoever is not known has the row that everyone begins with.
    pub(crate) fn predict(&self, parts: RowParts, pairs: &[(u64, u64)]) -> Vec<f32> {
        let mean = self.mean();
        let (mut user_row, mut item_row) = (Vec::new(), Vec::new());
        let mut predict = |(user, item): &(u64, u64)| {
            user_row.clear();
            item_row.clear();
            self.rows.read(USERS, *user, &mut user_row);
            self.rows.read(ITEMS, *item, &mut item_row);
            mf::predict(mean, parts.ratings(&user_row), parts.ratings(&item_row))
        };
        pairs.iter().map(&mut predict).collect()
    }

    /// What a user did; none of whom there is no event.
    pub(crate) fn activity(&self, user: u64) -> Option<Activity> {
        let row = self.row(ACTIVITY, user)?;
        let activity = Activity { events: words::u64_at(row, 0), last_event: words::u64_at(row, 1) };
        (activity.events > 0).then_some(activity)
    }

    fn mean(&self) -> f32 {
        let row = self.row(MEAN, MEAN_KEY).and_then(|row| row.as_array());
        row.map_or(0.0, |row| GlobalMean::from_words(*row).mean())
    }
}
