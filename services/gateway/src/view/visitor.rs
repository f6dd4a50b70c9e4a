//! Lists for somebody of whom nothing is stored but the items they name.

use weir_learn::popularity;
use weir_learn::ranking::{ITEM_BIAS, ITEM_FACTORS, USER_FACTORS, fold_in};
use weir_learn::top_k::Scored;
use weir_models::recommender::ITEMS;

use super::View;
use super::choice::{Choice, Keys};
use super::popular::popular;
use super::recommend::{Source, Taste, personal};

impl View {
    /// The items of `choice` that are best for a visitor who has chosen `items`, best first, as [`View::recommend`] has them for users. Items
    /// that are not known say nothing; where all are, the list is of what is popular. What the visitor names counts as seen.
    pub(crate) fn recommend_to_visitor(
        &self,
        taste: Taste,
        items: &Keys,
        choice: &Choice,
        now_ms: i64,
    ) -> (Source, Vec<Scored>) {
        let allowed = choice.allowed_but(items.clone());
        let rows = items.iter().filter(|key| self.name(ITEMS, *key).is_some());
        let rows = rows.filter_map(|key| Some(taste.parts.item_ranking(self.row(ITEMS, key)?)));
        let factors = fold_in(rows.map(|row| (row[ITEM_BIAS], &row[ITEM_FACTORS..])));
        let source = if factors.is_some() { Source::Personal } else { Source::Popular };
        let Some(orders) = &self.orders else { return (source, Vec::new()) };
        let scored = if let Some(factors) = factors {
            let row = [&[0.0; USER_FACTORS][..], &factors].concat();
            personal(orders, &row, choice, &allowed)
        } else {
            let now_hours = popularity::hours(now_ms, now_ms);
            popular(self, orders, taste, choice, &allowed, now_hours)
        };
        (source, scored)
    }
}
