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
fn one_choice_moves_both_rows_as_worked_out_by_hand() {
    let settings = settings(|values| {
        values.factors = 2;
        (values.factor_rate, values.bias_rate) = (0.5, 0.25);
        (values.initial_sum, values.regularisation) = (1.0, 0.0);
    });
    let mut user = [3.0, 12.0, 0.0, 0.5, 1.0];
    let mut item = [0.2, 0.0, 2.0, -1.0];
    // p·q = 0, so the score is the bias and 0.8 is missing.
    check(&[score(&user, &item)], &[0.2]);
    check(&[learn(&settings, Target::Positive, &mut user, &mut item)], &[0.8]);
    // Sums: 0.64·5 and 0.64·(1.25 + 1). Steps: 0.5/√4.2 = 0.243975, 0.5/√2.44 = 0.320092, and half of that for the bias.
    check(&user, &[3.0, 12.0, 3.2, 0.5 + 0.390_360, 1.0 - 0.195_180]);
    check(&item, &[0.2 + 0.128_037, 1.44, 2.0 + 0.128_037, -1.0 + 0.256_074]);
}

#[test]
fn drawn_items_sink_and_errors_are_held_within_one() {
    let settings = settings(|values| {
        values.factors = 0;
        (values.bias_rate, values.initial_sum) = (1.0, 3.0);
    });
    let (mut user, mut item) = ([0.0; USER_FACTORS], [5.0, 0.0]);
    // 5 too much counts as 1: the sum grows by 1, the step is 1/√4.
    check(&[learn(&settings, Target::Negative, &mut user, &mut item)], &[-1.0]);
    check(&item, &[4.5, 1.0]);
    check(&user, &[0.0; USER_FACTORS]);
}

#[test]
fn likeness_is_the_cosine_of_the_factors() {
    let row = |factors: [f32; 2]| [9.0, 9.0, 1.0, factors[0], factors[1]];
    check(&[likeness(&row([3.0, 4.0]), &row([4.0, 3.0]))], &[0.96]);
    check(&[likeness(&row([1.0, 0.0]), &row([-2.0, 0.0])), likeness(&row([1.0, 0.0]), &row([0.0, 0.0]))], &[-1.0, 0.0]);
}

/// These numbers are in force wherever rows were learned from them: if this fails, a new generation of every model is needed.
#[test]
fn initial_rows_are_the_same_for_ever() {
    let check = |side, key, expected: &[u32]| {
        let mut row = vec![9.0; expected.len()];
        initial(&Settings::default(), 7, side, key, &mut row);
        assert_eq!(row.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), expected, "{side:?} {key}: {row:?}");
    };
    // From an implementation of its own, in another language.
    check(Side::User, 1, &[0, 0, 0, 0x3fc2_5517, 0x3bd5_3960]);
    check(Side::Item, u64::MAX, &[0, 0, 0x3cc1_57a4, 0x3b15_63af]);
    check(Side::User, 1, &[0, 0]);
}

#[test]
fn a_heavier_choice_is_followed_further_and_never_too_far() {
    let after = |weight| {
        let settings = Settings::default();
        let mut user = vec![0.0; settings.user_width()];
        let mut item = vec![0.0; settings.item_width()];
        initial(&settings, 1, Side::User, 1, &mut user);
        initial(&settings, 1, Side::Item, 2, &mut item);
        learn_weighted(&settings, Target::Positive, weight, &mut user, &mut item);
        score(&user, &item)
    };
    let scores = [0.01, 0.25, 1.0, 3.0, 1000.0].map(after);
    assert!(scores.is_sorted() && scores[0] < scores[2] && scores[2] < scores[3], "{scores:?}");
    assert!(scores[4] < 1.0, "{scores:?}");
}

#[test]
fn what_was_learned_side_by_side_is_shared_by_squared_gradients() {
    let settings = settings(|values| (values.factors, values.initial_sum) = (1, 4.0));
    let (change, mut item) = ([0.5, 2.0, -1.0], [1.0, 6.0, 2.0]);
    add_item(&settings, 6.0, &mut item, &change);
    assert_eq!(item, [1.5, 8.0, 1.0]);
    // The second to have read it at 6: 10 · 12 / (12 · 14) of its change.
    add_item(&settings, 6.0, &mut item, &change);
    check(&item, &[1.5 + 0.5 * 10.0 / 14.0, 10.0, 1.0 - 10.0 / 14.0]);
}

#[test]
fn tastes_are_learned() {
    let settings = Settings::default();
    let row = |side, key, width| {
        let mut row = vec![0.0; width];
        initial(&settings, 1, side, key, &mut row);
        row
    };
    let mut users: Vec<_> = (0..20).map(|key| row(Side::User, key, settings.user_width())).collect();
    let mut items: Vec<_> = (0..10).map(|key| row(Side::Item, key, settings.item_width())).collect();
    // Users choose items of their own kind, so that all items are equally popular.
    for turn in 0..20_000_u64 {
        let (user, item) = ((mix(turn) % 20) as usize, (mix(turn + 1_000_000) % 10) as usize);
        let target = if user % 2 == item % 2 { Target::Positive } else { Target::Negative };
        learn(&settings, target, &mut users[user], &mut items[item]);
    }
    for (number, user) in users.iter().enumerate() {
        let (own, other) = (score(user, &items[number % 2]), score(user, &items[1 - number % 2]));
        assert!(own > other + 0.5, "user {number}: {own} and {other}");
    }
}

/// Twelve batches at a time learn from the same rows of an item that everybody chooses two times out of three: each of them alone would
/// move it all the way.
#[test]
fn batches_side_by_side_do_not_drive_each_other_away() {
    let settings = Settings::default();
    let row = |side, key, width| {
        let mut row = vec![0.0; width];
        initial(&settings, 1, side, key, &mut row);
        row
    };
    let mut users: Vec<Vec<f32>> = (0..12 * 50).map(|key| row(Side::User, key, settings.user_width())).collect();
    let mut item = row(Side::Item, 1, settings.item_width());
    let mut worst = 0.0_f32;
    for round in 0..60_u64 {
        let before = item.clone();
        for (batch, users) in users.chunks_mut(50).enumerate() {
            let mut row = before.clone();
            for event in 0..800 {
                let random = mix(mix(round) ^ (batch as u64) << 32 ^ event);
                let target = if random.is_multiple_of(3) { Target::Negative } else { Target::Positive };
                learn(&settings, target, &mut users[(random >> 40) as usize % 50], &mut row);
            }
            for (sum, (after, before)) in item.iter_mut().zip(row.iter().zip(&before)) {
                *sum += after - before;
            }
        }
        let mean = users.iter().map(|user| score(user, &item)).sum::<f32>() / users.len() as f32;
        if round >= 40 {
            worst = worst.max((mean - 2.0 / 3.0).abs());
        }
    }
    assert!(worst < 0.1, "off by {worst}");
}

proptest! {
    #[test]
    fn rows_stay_finite_whatever_they_were(
        values in prop::collection::vec(-1e3_f32..1e3, 37),
        targets in prop::collection::vec(any::<bool>(), 1..100),
    ) {
        let settings = Settings::default();
        let (mut user, mut item) = (values[..19].to_vec(), values[19..].to_vec());
        user[USER_SQUARED_GRADIENT_SUM] = user[USER_SQUARED_GRADIENT_SUM].abs();
        item[ITEM_SQUARED_GRADIENT_SUM] = item[ITEM_SQUARED_GRADIENT_SUM].abs();
        for positive in targets {
            let target = if positive { Target::Positive } else { Target::Negative };
            let error = learn(&settings, target, &mut user, &mut item);
            prop_assert!(error.abs() <= 1.0);
        }
        prop_assert!(user.iter().chain(&item).all(|value| value.is_finite()));
    }
}
