//! What is new.

use std::iter::Peekable;

use weir_models::recommender::ITEMS;

use super::View;
use super::choice::{Choice, Keys};
use crate::catalogue::Moment;

/// One item of a list of what is new.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct New {
    /// The item's id.
    pub(crate) item: String,
    /// What the catalogue calls it, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// When it was published, or else the time of its first event, in milliseconds since 1970.
    pub(crate) since: i64,
}

impl View {
    /// The items of a choice that came last, the newest first, equal ones by key: since they were published, where the catalogue says when that
    /// was, and else since their first event. Items that had no event yet are among them.
    pub(crate) fn latest(&self, choice: &Choice, moment: Moment<'_>) -> Vec<New> {
        let allowed = choice.allowed_but(Keys::default(), moment);
        let entry = |key| moment.catalogue.get(key);
        let published = moment.catalogue.latest();
        let first_seen = self.orders.iter().flat_map(super::orders::Orders::newest);
        let first_seen = first_seen.map(|(key, time)| (key, i64::try_from(time).unwrap_or(i64::MAX)));
        let unpublished = first_seen.filter(|(key, _)| entry(*key).is_none_or(|entry| entry.published.is_none()));
        let named = |(key, since): (u64, i64)| {
            let item = entry(key).map(|entry| &*entry.item).or_else(|| self.name(ITEMS, key))?.to_owned();
            Some(New { item, title: None, since })
        };
        let both = Newest { one: published.peekable(), other: unpublished.peekable() };
        both.filter(|(key, _)| allowed.contains(*key)).filter_map(named).skip(choice.offset).take(choice.k).collect()
    }
}

/// Two lists of keys and times, each the newest first, as one.
struct Newest<A: Iterator<Item = (u64, i64)>, B: Iterator<Item = (u64, i64)>> {
    one: Peekable<A>,
    other: Peekable<B>,
}

impl<A: Iterator<Item = (u64, i64)>, B: Iterator<Item = (u64, i64)>> Iterator for Newest<A, B> {
    type Item = (u64, i64);

    fn next(&mut self) -> Option<(u64, i64)> {
        match (self.one.peek(), self.other.peek()) {
            (Some((key, time)), Some((other_key, other_time)))
                if (other_time, std::cmp::Reverse(other_key)) > (time, std::cmp::Reverse(key)) =>
            {
                self.other.next()
            }
            (Some(_), _) => self.one.next(),
            (None, _) => self.other.next(),
        }
    }
}
