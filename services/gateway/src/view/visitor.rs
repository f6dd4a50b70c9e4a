//! Lists for somebody of whom nothing is stored but the items they name.

use weir_learn::ranking::{ITEM_BIAS, ITEM_FACTORS, fold_in};
use weir_learn::top_k::Scored;
use weir_learn::{neighbours, popularity};
use weir_models::recommender::ITEMS;

use super::View;
use super::choice::Choice;
use super::popular::popular;
use super::recommend::{Source, Taste};
use crate::catalogue::Moment;

impl View {
    /// The items of `choice` that are best for a visitor who has chosen `items` just now, one after the other, best first, by the blend, as
    /// [`View::recommend`] has them for users. Items that are not known say nothing; where all are, the list is of what is popular. What the
    /// visitor names counts as seen.
    pub(crate) fn recommend_to_visitor(
        &self,
        taste: Taste,
        items: &[u64],
        choice: &Choice,
        moment: Moment<'_>,
    ) -> (Source, Vec<Scored>) {
        let allowed = choice.allowed_but(items.iter().copied().collect(), moment);
        let known: Vec<u64> = items.iter().copied().filter(|key| self.name(ITEMS, *key).is_some()).collect();
        let rows = known.iter().filter_map(|key| Some(taste.parts.item_ranking(self.row(ITEMS, *key)?)));
        let factors = fold_in(rows.map(|row| (row[ITEM_BIAS], &row[ITEM_FACTORS..])));
        let histories = histories(&taste, &known);
        let is_known = factors.is_some() || !histories.0.is_empty();
        let visitor = is_known.then(|| self.known_by(&taste, &factors.unwrap_or_default(), 0.0, histories));
        if let Some(visitor) = visitor.flatten() {
            return (Source::Personal, visitor.list(choice, &allowed));
        }
        let Some(orders) = &self.orders else { return (Source::Popular, Vec::new()) };
        let now_hours = popularity::hours(moment.now_ms, moment.now_ms);
        (Source::Popular, popular(self, orders, taste, choice, &allowed, now_hours))
    }
}

/// The last items, and all that are remembered, each once, the last one first: as much as would be of a user.
fn histories(taste: &Taste, items: &[u64]) -> (Vec<u64>, Vec<u64>) {
    let pairs = taste.neighbours.values().pairs;
    if pairs == 0 {
        return (Vec::new(), Vec::new());
    }
    let mut history: Vec<u64> = Vec::new();
    for item in items.iter().rev() {
        if history.len() < neighbours::COMPANY && !history.contains(item) {
            history.push(*item);
        }
    }
    (history.iter().copied().take(pairs).collect(), history)
}
