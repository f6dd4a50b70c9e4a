//! Which events are choices.

use super::{USER_RATING_SUM, USER_RATINGS};

/// Which ratings are positive.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rated {
    /// Those at or above the mean of the user's ratings so far, the first one too.
    #[default]
    AtOrAboveMean,
    /// Those of at least this.
    AtLeast(f32),
    /// All: to rate an item is to have chosen it.
    Every,
}

/// Which events are positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Of those with a rating.
    pub rated: Rated,
    /// Whether those without one are.
    pub unrated: bool,
    /// How fast what a positive rating counts grows with it ([`weight`]); with 0 all count alike.
    pub growth: f32,
}

impl Default for Rule {
    fn default() -> Self {
        Self { rated: Rated::default(), unrated: true, growth: 1.0 }
    }
}

/// What rounding may take from a sum of ratings: somebody who always rates alike must be at their mean.
const TOLERANCE: f32 = 1e-4;

/// Whether an event with this rating, or none, is positive, for a user of `ratings` ratings that sum to `rating_sum`. Whether this
/// rating is in them already makes no difference.
#[must_use]
pub fn is_positive(rule: Rule, rating: Option<f32>, ratings: f32, rating_sum: f32) -> bool {
    let Some(rating) = rating else { return rule.unrated };
    match rule.rated {
        Rated::AtOrAboveMean => rating * ratings >= rating_sum - TOLERANCE * rating_sum.abs(),
        Rated::AtLeast(least) => rating >= least,
        Rated::Every => true,
    }
}

/// As how many events one counts that is positive: 1 + growth · (rating - least) / |least|, from 1 to 1 + growth, where `least` is the least
/// rating that would have been positive; 1 without a rating, and of a user's first.
#[must_use]
pub fn weight(rule: Rule, rating: Option<f32>, ratings: f32, rating_sum: f32) -> f32 {
    let (Some(rating), Some(least)) = (rating, least(rule.rated, ratings, rating_sum)) else { return 1.0 };
    // Of a scale around 0 the difference itself is taken.
    let above = ((rating - least) / least.abs().max(1.0)).clamp(0.0, 1.0);
    1.0 + rule.growth * above
}

fn least(rated: Rated, ratings: f32, rating_sum: f32) -> Option<f32> {
    match rated {
        Rated::AtOrAboveMean => (ratings > 0.0).then(|| rating_sum / ratings),
        Rated::AtLeast(least) => Some(least),
        Rated::Every => None,
    }
}

/// Says as how many events this one is positive for the user of this row, none if it is not, and counts its rating.
pub fn classify_weighted(rule: Rule, rating: Option<f32>, user_row: &mut [f32]) -> Option<f32> {
    let weight = weight(rule, rating, user_row[USER_RATINGS], user_row[USER_RATING_SUM]);
    classify(rule, rating, user_row).then_some(weight)
}

/// Says whether the event is positive for the user of this row, and counts its rating.
pub fn classify(rule: Rule, rating: Option<f32>, user_row: &mut [f32]) -> bool {
    let positive = is_positive(rule, rating, user_row[USER_RATINGS], user_row[USER_RATING_SUM]);
    if let Some(rating) = rating {
        user_row[USER_RATINGS] += 1.0;
        user_row[USER_RATING_SUM] += rating;
    }
    positive
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ratings_are_held_against_the_users_own_mean() {
        let rule = Rule::default();
        let mut row = [0.0; 3];
        // Means before each: none, 3, 3.5, 3.
        for (rating, expected) in [(3.0, true), (4.0, true), (2.0, false), (3.0, true)] {
            assert_eq!(classify(rule, Some(rating), &mut row), expected, "{rating}, {row:?}");
        }
        assert!(classify(rule, None, &mut row));
        assert_eq!(row, [4.0, 12.0, 0.0]);
        assert!(is_positive(rule, Some(-1.0), 2.0, -3.0));
        assert!(!is_positive(rule, Some(-2.0), 2.0, -3.0));
    }

    #[test]
    fn other_rules_do_not_ask_for_the_mean() {
        let check = |rated, rating, expected| {
            assert_eq!(is_positive(Rule { rated, unrated: false, growth: 0.0 }, rating, 5.0, 20.0), expected);
        };
        check(Rated::AtLeast(3.5), Some(3.5), true);
        check(Rated::AtLeast(3.5), Some(3.0), false);
        check(Rated::Every, Some(0.5), true);
        check(Rated::Every, None, false);
    }

    #[test]
    fn weights_grow_with_the_rating_as_worked_out_by_hand() {
        let rule = |rated, growth| Rule { rated, growth, ..Rule::default() };
        let check = |rule, rating, expected: f32| {
            let found = weight(rule, rating, 4.0, 16.0);
            assert!((found - expected).abs() < 1e-6, "{rule:?}, {rating:?}: {found}, not {expected}");
        };
        check(rule(Rated::AtOrAboveMean, 1.0), Some(4.0), 1.0);
        check(rule(Rated::AtOrAboveMean, 1.0), Some(5.0), 1.25);
        check(rule(Rated::AtOrAboveMean, 2.0), Some(100.0), 3.0);
        check(rule(Rated::AtOrAboveMean, 1.0), None, 1.0);
        check(rule(Rated::AtLeast(2.0), 1.0), Some(3.0), 1.5);
        check(rule(Rated::Every, 1.0), Some(5.0), 1.0);
        assert_eq!(weight(rule(Rated::AtOrAboveMean, 1.0), Some(5.0), 0.0, 0.0), 1.0, "the first of a user");
        let mut row = [4.0, 16.0, 0.0];
        assert_eq!(classify_weighted(rule(Rated::AtOrAboveMean, 1.0), Some(5.0), &mut row), Some(1.25));
        assert_eq!(classify_weighted(rule(Rated::AtOrAboveMean, 1.0), Some(1.0), &mut row), None);
        assert_eq!(row, [6.0, 22.0, 0.0]);
    }

    proptest! {
        #[test]
        fn who_always_rates_alike_chooses_always(rating in -1e6_f32..=1e6, times in 1_usize..2000) {
            let mut row = [0.0; 3];
            for _ in 0..times {
                prop_assert!(classify(Rule::default(), Some(rating), &mut row));
            }
        }

        #[test]
        fn the_rating_itself_may_be_counted_or_not(rating in -10_i8..=10, ratings in 0_u8..50, sum in -500_i16..500) {
            let (rating, ratings, sum) = (f32::from(rating), f32::from(ratings), f32::from(sum));
            // Away from the border, where the tolerance is of two different sums.
            prop_assume!((rating * ratings - sum).abs() > 0.5);
            let before = is_positive(Rule::default(), Some(rating), ratings, sum);
            prop_assert_eq!(before, is_positive(Rule::default(), Some(rating), ratings + 1.0, sum + rating));
        }
    }
}
