//! What users choose among the things they rate, what is popular with them, and how well lists foretell the next choices.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::data::Rating;

const HOUR_MS: f64 = 3_600_000.0;

/// What each user has rated.
#[derive(Clone, Debug, Default)]
pub struct History {
    users: HashMap<String, Rated>,
}

#[derive(Clone, Debug, Default)]
struct Rated {
    items: HashSet<String>,
    sum: f64,
    count: f64,
}

impl History {
    /// Of these ratings.
    #[must_use]
    pub fn of(ratings: &[Rating]) -> Self {
        let mut history = Self::default();
        for rating in ratings {
            history.add(rating);
        }
        history
    }

    /// Whether the user has rated the item.
    #[must_use]
    pub fn has_seen(&self, user: &str, item: &str) -> bool {
        self.users.get(user).is_some_and(|rated| rated.items.contains(item))
    }

    /// Adds a rating and says whether it is a choice: the first one of this item, and at or above the mean of what the
    /// user has rated before.
    pub fn add(&mut self, rating: &Rating) -> bool {
        let rated = self.users.entry(rating.user.clone()).or_default();
        let value = f64::from(rating.rating);
        let liked = rated.count == 0.0 || value >= rated.sum / rated.count;
        rated.sum += value;
        rated.count += 1.0;
        rated.items.insert(rating.item.clone()) && liked
    }

    /// The choices among the ratings that come next, by user.
    #[must_use]
    pub fn choices(&self, next: &[Rating]) -> BTreeMap<String, Vec<String>> {
        let (mut history, mut choices) = (self.clone(), BTreeMap::<String, Vec<String>>::new());
        for rating in next {
            if history.add(rating) {
                choices.entry(rating.user.clone()).or_default().push(rating.item.clone());
            }
        }
        choices
    }
}

/// The items of these ratings, the most popular first: each rating counts half after every `half_life_hours`, or fully for
/// ever.
#[must_use]
pub fn popular(ratings: &[Rating], half_life_hours: Option<f64>) -> Vec<String> {
    let end = ratings.iter().map(|rating| rating.ts).max().unwrap_or_default();
    let weight =
        |rating: &Rating| half_life_hours.map_or(1.0, |hours| (-((end - rating.ts) as f64) / HOUR_MS / hours).exp2());
    let mut sums = BTreeMap::<&str, f64>::new();
    for rating in ratings {
        *sums.entry(&rating.item).or_default() += weight(rating);
    }
    let mut items: Vec<(&str, f64)> = sums.into_iter().collect();
    items.sort_by(|left, right| right.1.total_cmp(&left.1));
    items.into_iter().map(|(item, _)| item.to_owned()).collect()
}

/// How well lists foretell choices.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    /// The share of the choices that are in the list of their user.
    pub recall: f64,
    /// The mean of 1/log2(place + 1) over the choices, places counted from 1 and 0 beyond the list.
    pub ndcg: f64,
    /// The sum of these gains for each user.
    gains: Vec<f64>,
}

impl Quality {
    /// Of the list that each user is given by `list`.
    pub fn of(choices: &BTreeMap<String, Vec<String>>, mut list: impl FnMut(&str) -> Vec<String>) -> Self {
        let (mut hits, mut gains) = (0.0, Vec::with_capacity(choices.len()));
        for (user, chosen) in choices {
            let list = list(user);
            let places = chosen.iter().filter_map(|item| list.iter().position(|other| other == item));
            let each: Vec<f64> = places.map(|place| 1.0 / (place as f64 + 2.0).log2()).collect();
            hits += each.len() as f64;
            gains.push(each.iter().sum());
        }
        let count = choices.values().map(Vec::len).sum::<usize>() as f64;
        Self { recall: hits / count, ndcg: gains.iter().sum::<f64>() / count, gains }
    }

    /// By how many standard deviations its gains are larger than those of other lists for the same choices, user by user.
    #[must_use]
    pub fn lead(&self, other: &Self) -> f64 {
        let differences = || self.gains.iter().zip(&other.gains).map(|(own, other)| own - other);
        differences().sum::<f64>() / differences().map(|difference| difference * difference).sum::<f64>().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rating(user: &str, item: &str, rating: f32, hours: i64) -> Rating {
        Rating { user: user.into(), item: item.into(), rating, ts: hours * 3_600_000 }
    }

    #[test]
    fn choices_are_held_against_the_users_own_mean() {
        let history = History::of(&[rating("u", "a", 4.0, 0), rating("u", "b", 2.0, 0)]);
        assert!(history.has_seen("u", "a") && !history.has_seen("v", "a"));
        let next = [("u", "c", 2.5), ("u", "d", 3.0), ("u", "a", 5.0), ("v", "a", 1.0)];
        let next = next.map(|(user, item, value)| rating(user, item, value, 1));
        let expected = [("u", vec!["d"]), ("v", vec!["a"])];
        let expected = expected.map(|(user, items)| (user.to_owned(), items.into_iter().map(str::to_owned).collect()));
        assert_eq!(history.choices(&next), BTreeMap::from(expected));
    }

    #[test]
    fn popularity_halves_with_time() {
        let ratings = [("u", "a", 0), ("v", "a", 0), ("w", "a", 0), ("u", "b", 20), ("v", "b", 20)];
        let ratings = ratings.map(|(user, item, hours)| rating(user, item, 5.0, hours));
        assert_eq!(popular(&ratings, None), ["a", "b"]);
        assert_eq!(popular(&ratings, Some(20.0)), ["b", "a"]);
        assert_eq!(popular(&ratings, Some(200.0)), ["a", "b"]);
    }

    #[test]
    fn gains_match_hand_computed_numbers() {
        let chosen =
            |user: &str, items: &[&str]| (user.to_owned(), items.iter().map(|item| (*item).to_owned()).collect());
        let choices = BTreeMap::from([chosen("u", &["a", "x"]), chosen("v", &["b"]), chosen("w", &["a"])]);
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        let quality = Quality::of(&choices, |user| if user == "w" { list(&[]) } else { list(&["a", "c", "b"]) });
        // The first place gains 1, the third 1/log2(4).
        assert_eq!(quality, Quality { recall: 0.5, ndcg: 0.375, gains: vec![1.0, 0.5, 0.0] });
        let other = Quality::of(&choices, |_| list(&["b"]));
        // Differences 1, -0.5 and 0.
        assert_eq!(quality.lead(&other), 0.5 / f64::sqrt(1.25));
    }
}
