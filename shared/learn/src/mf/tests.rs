use proptest::prelude::*;

use super::*;
use crate::noise::mix;

fn settings(change: impl FnOnce(&mut HyperParameters)) -> Settings {
    let mut values = HyperParameters::default();
    change(&mut values);
    Settings::try_from(values).unwrap()
}

fn check(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found_value, value) in found.iter().zip(expected) {
        assert!((found_value - value).abs() <= 1e-5 * value.abs().max(1.0), "{found:?}, not {expected:?}");
    }
}

#[test]
fn one_rating_moves_both_rows_as_worked_out_by_hand() {
    let settings = settings(|values| {
        values.factors = 2;
        values.factor_rate = 0.5;
        values.regularisation = 0.0;
    });
    let mut user = [0.0, 0.0, 0.0, 0.5, 1.0];
    let mut item = [3.0, 0.2, 0.0, 2.0, -1.0];
    // p·q = 0, so 3 + 0.2 is predicted, and 0.8 is missing.
    check(&[predict(3.0, &user, &item)], &[3.2]);
    check(&[learn(&settings, 3.0, 4.0, &mut user, &mut item)], &[0.8]);
    // Biases: steps 1/5 and 1/8. Sums: 0.64·5 and 0.64·1.25. Steps: 0.5/√4.2 = 0.243975 and 0.5/√1.8 = 0.372678.
    check(&user, &[1.0, 0.16, 3.2, 0.890_360, 0.804_820]);
    check(&item, &[4.0, 0.3, 0.8, 2.149_071, -0.701_858]);
}

#[test]
fn regularisation_draws_back_to_zero() {
    let settings = settings(|values| {
        values.factors = 1;
        values.factor_rate = 1.0;
        values.regularisation = 0.5;
    });
    let mut user = [0.0, 0.0, 0.0, 2.0];
    let mut item = [0.0, 0.0, 0.0, 1.0];
    // Nothing is missing: the gradients are -0.5·2 and -0.5·1, the steps 1/√(1 + 1) and 1/√(1 + 0.25).
    check(&[learn(&settings, 0.0, 2.0, &mut user, &mut item)], &[0.0]);
    check(&user, &[1.0, 0.0, 1.0, 2.0 - std::f32::consts::FRAC_1_SQRT_2]);
    check(&item, &[1.0, 0.0, 0.25, 1.0 - 0.447_213_6]);
}

#[test]
fn without_factors_only_biases_are_learned() {
    let settings = settings(|values| values.factors = 0);
    let (mut user, mut item) = ([0.0; 3], [0.0; 3]);
    initial(&settings, 1, Side::User, 1, &mut user);
    check(&[learn(&settings, 3.0, 4.0, &mut user, &mut item)], &[1.0]);
    check(&user, &[1.0, 0.2, 0.0]);
    check(&item, &[1.0, 0.2, 0.0]);
    check(&[predict(3.0, &user, &item)], &[3.4]);
}

/// These numbers are in force wherever rows were learned from them: if this fails, a new generation of every model is needed.
#[test]
fn initial_rows_are_the_same_for_ever() {
    let check = |side, key, expected: [u32; 3]| {
        let mut row = [9.0; 6];
        initial(&Settings::default(), 7, side, key, &mut row);
        assert_eq!(row[..FACTORS], [0.0; FACTORS]);
        assert_eq!([row[3], row[4], row[5]].map(f32::to_bits), expected, "{side:?} {key}: {row:?}");
    };
    // From an implementation of its own, in another language.
    check(Side::User, 1, [0x3eaa_1123, 0xbce5_ce6c, 0xbd27_3727]);
    check(Side::Item, 1, [0x3c6a_3e18, 0xbb08_6626, 0xbd1c_7dec]);
    check(Side::Item, u64::MAX, [0x3d05_6945, 0xba06_0f8d, 0xbccc_9fde]);
}

#[test]
fn initial_rows_differ_by_seed_side_and_key_only() {
    let row = |seed, side, key| {
        let mut row = vec![0.0; 19];
        initial(&Settings::default(), seed, side, key, &mut row);
        row
    };
    assert_eq!(row(1, Side::Item, 5), row(1, Side::Item, 5));
    assert_ne!(row(1, Side::Item, 5), row(2, Side::Item, 5));
    assert_ne!(row(1, Side::Item, 5), row(1, Side::Item, 6));
    assert_ne!(row(1, Side::Item, 5)[4..], row(1, Side::User, 5)[4..]);
    // A shorter row has the beginning of the longer one.
    let mut short = [0.0; 10];
    initial(&Settings::default(), 1, Side::User, 5, &mut short);
    assert_eq!(short, row(1, Side::User, 5)[..10]);
}

/// The update as a textbook writes it, in f64 and without sums side by side.
fn textbook(values: &HyperParameters, mean: f64, rating: f64, user: &mut [f64], item: &mut [f64]) -> f64 {
    let (p, q) = (user[FACTORS..].to_vec(), item[FACTORS..].to_vec());
    let error = rating - (mean + user[BIAS] + item[BIAS] + p.iter().zip(&q).map(|(p, q)| p * q).sum::<f64>());
    for (row, floor, own, other) in [(user, values.user_bias_floor, &p, &q), (item, values.item_bias_floor, &q, &p)] {
        row[BIAS] += error * (1.0 / (row[COUNT] + f64::from(values.bias_offset))).max(floor.into());
        row[COUNT] += 1.0;
        let gradient: Vec<f64> =
            own.iter().zip(other).map(|(own, other)| error * other - f64::from(values.regularisation) * own).collect();
        row[SQUARED_GRADIENT_SUM] += gradient.iter().map(|g| g * g).sum::<f64>();
        let step = f64::from(values.factor_rate) / (f64::from(values.initial_sum) + row[SQUARED_GRADIENT_SUM]).sqrt();
        for (factor, g) in row[FACTORS..].iter_mut().zip(gradient) {
            *factor += step * g;
        }
    }
    error
}

/// Twelve batches at a time learn from the same rows of an item that everybody rates 4, 4 or 3: each of them alone would move its bias
/// all the way.
#[test]
fn batches_side_by_side_do_not_drive_each_other_away() {
    let settings = Settings::default();
    let row = |side, key| {
        let mut row = vec![0.0; settings.width()];
        initial(&settings, 1, side, key, &mut row);
        row
    };
    let mut users: Vec<Vec<f32>> = (0..12 * 50).map(|key| row(Side::User, key)).collect();
    let mut item = row(Side::Item, 1);
    for round in 0..60_u64 {
        let before = item.clone();
        for (batch, users) in users.chunks_mut(50).enumerate() {
            let mut row = before.clone();
            for event in 0..800 {
                let random = mix(mix(round) ^ (batch as u64) << 32 ^ event);
                let rating = if random.is_multiple_of(3) { 3.0 } else { 4.0 };
                learn(&settings, 3.5, rating, &mut users[(random >> 40) as usize % 50], &mut row);
            }
            for (sum, (after, before)) in item.iter_mut().zip(row.iter().zip(&before)) {
                *sum += after - before;
            }
        }
    }
    let mean = users.iter().map(|user| predict(3.5, user, &item)).sum::<f32>() / users.len() as f32;
    assert!((mean - 11.0 / 3.0).abs() < 0.05, "{mean}");
}

#[test]
fn a_heavier_rating_is_followed_further_and_never_too_far() {
    let settings = Settings::default();
    let after = |weight| {
        let (mut user, mut item) = (vec![0.0; settings.width()], vec![0.0; settings.width()]);
        initial(&settings, 1, Side::User, 1, &mut user);
        initial(&settings, 1, Side::Item, 2, &mut item);
        learn_weighted(&settings, 3.0, 5.0, weight, &mut user, &mut item);
        assert_eq!((user[COUNT], item[COUNT]), (weight, weight));
        predict(3.0, &user, &item)
    };
    let predictions = [0.001, 0.25, 1.0, 3.0, 1000.0].map(after);
    assert!(predictions.is_sorted() && predictions[1] < predictions[2] && predictions[2] < predictions[3]);
    // Both biases alone would go all the way, and the factors by their rate at most.
    assert!(predictions[4] < 5.0 + 2.0 + 1.0, "{predictions:?}");
}

#[test]
fn what_nobody_else_has_moved_is_added_whole() {
    let settings = settings(|values| values.factors = 2);
    let change = [2.0, 0.5, 3.0, 0.25, -0.25];
    let mut row = [10.0, 1.0, 7.0, 0.5, 0.5];
    add(&settings, 10.0, &mut row, &change);
    assert_eq!(row, [12.0, 1.5, 10.0, 0.75, 0.25]);
    // As another batch that has read it at 10 would: its part is 14 · 16 / (16 · 18), the prior counting for 4.
    add(&settings, 10.0, &mut row, &change);
    let share = 14.0 / 18.0;
    let expected = [14.0, 1.5 + share * 0.5, 13.0, 0.75 + share * 0.25, 0.25 - share * 0.25];
    row.iter().zip(expected).for_each(|(found, value)| assert!((found - value).abs() < 1e-6, "{row:?}"));
}

proptest! {
    #[test]
    fn any_number_of_factors_learns_as_the_textbook_says(
        factors in 0_usize..40,
        seed: u64,
        ratings in prop::collection::vec(0.0_f32..10.0, 1..20),
    ) {
        let settings = settings(|values| values.factors = factors);
        let mut rows = [vec![0.0; settings.width()], vec![0.0; settings.width()]];
        initial(&settings, seed, Side::User, 1, &mut rows[0]);
        initial(&settings, seed, Side::Item, 2, &mut rows[1]);
        let mut wide = rows.clone().map(|row| row.into_iter().map(f64::from).collect::<Vec<_>>());
        let [user, item] = &mut rows;
        let [wide_user, wide_item] = &mut wide;
        for rating in ratings {
            let expected = textbook(settings.values(), 5.0, rating.into(), wide_user, wide_item);
            let error = learn(&settings, 5.0, rating, user, item);
            prop_assert!((f64::from(error) - expected).abs() < 1e-3, "{error}, not {expected}");
        }
        for (found, expected) in user.iter().zip(wide_user) {
            prop_assert!((f64::from(*found) - *expected).abs() < 1e-3 * expected.abs().max(1.0));
        }
    }

    #[test]
    fn absurd_ratings_move_factors_by_the_rate_at_most(
        ratings in prop::collection::vec(prop_oneof![-1e6_f32..=1e6, 0.0_f32..=10.0], 1..200),
        weight in prop_oneof![Just(1.0_f32), 0.001_f32..=1000.0],
    ) {
        let settings = Settings::default();
        let (mut user, mut item) = (vec![0.0; settings.width()], vec![0.0; settings.width()]);
        initial(&settings, 1, Side::User, 1, &mut user);
        initial(&settings, 1, Side::Item, 1, &mut item);
        for rating in ratings {
            let before = user.clone();
            learn_weighted(&settings, 0.0, rating, weight, &mut user, &mut item);
            prop_assert!(user.iter().chain(&item).all(|value| value.is_finite()));
            let moved: f32 = user[FACTORS..].iter().zip(&before[FACTORS..]).map(|(a, b)| (a - b) * (a - b)).sum();
            prop_assert!(moved.sqrt() <= settings.values().factor_rate * 1.01, "moved by {}", moved.sqrt());
        }
    }
}
