use crate::passive_aggressive::{self, Variant};
use crate::{adagrad, arow, ftrl};

use super::*;

const FEATURES: usize = 107;

fn pa() -> Learner {
    let values = passive_aggressive::HyperParameters { variant: Variant::Pa, ..Default::default() };
    Learner::PassiveAggressive(passive_aggressive::Settings::try_from(values).expect("valid"))
}

fn settings(epochs: u32, averaged: bool) -> Settings {
    Settings::try_from(HyperParameters { epochs, averaged, ..HyperParameters::default() }).expect("valid")
}

/// Slot 1 speaks for the positive class, slot 2 against it, and one message in eight has the wrong label.
fn noisy(count: u32) -> Vec<Example> {
    let example = |number: u32| {
        let says = if number.is_multiple_of(2) { 1 } else { 2 };
        let positive = (says == 1) != (number % 16 == 5 || number % 16 == 10);
        let label = if positive { Label::Positive } else { Label::Negative };
        Example { features: vec![says, 100 + number % 7], label }
    };
    (0..count).map(example).collect()
}

#[test]
fn averaged_weights_are_the_mean_of_those_after_each_step() {
    let examples = [(0, Label::Positive), (0, Label::Negative), (0, Label::Negative)]
        .map(|(feature, label)| Example { features: vec![feature], label });
    let mut training = Training::new(pa(), FEATURES, true);
    // One feature of value 1: PA goes to the margin of 1 of the label's sign, so its weight is 1, -1, -1.
    let right = training.pass(&examples, &[0, 1, 2], false);
    assert_eq!((right, training.rows[0]), (1, -1.0), "only the third was told rightly");
    assert!((training.averaged()[0] + 1.0 / 3.0).abs() < 1e-6, "{}", training.averaged()[0]);
    let plain = Training::new(pa(), FEATURES, false);
    assert!(plain.weighted_changes.is_empty());
}

#[test]
fn several_passes_learn_what_one_does_not() {
    let (examples, rest) = (noisy(160), noisy(80));
    for learner in [
        pa(),
        Learner::Arow(arow::Settings::default()),
        Learner::Ftrl(ftrl::Settings::default()),
        Learner::AdaGrad(adagrad::Settings::default()),
    ] {
        let train = |epochs| train((&examples, &rest), (learner, FEATURES), &settings(epochs, true), 7, |_| true);
        let (one, several) = (train(1), train(20));
        let loss = |trained: &Trained| loss(&trained.best);
        assert!(loss(&several) <= loss(&one), "{}: {} after {}", learner.name(), loss(&several), loss(&one));
        let told = several.best.held_out.expect("held out");
        assert!(told.accuracy > 87.0 && told.log_loss < 0.45, "{}: {told:?}", learner.name());
        assert_eq!(train(20).rows, several.rows, "the same seed, the same order");
    }
}

#[test]
fn averaging_bears_noise_better_than_the_last_step() {
    let (examples, rest) = (noisy(160), noisy(80));
    let loss = |averaged| {
        let trained = train((&examples, &rest), (pa(), FEATURES), &settings(1, averaged), 3, |_| true);
        loss(&trained.best)
    };
    assert!(loss(true) < loss(false), "{} averaged, {} not", loss(true), loss(false));
}

#[test]
fn training_ends_when_told_to_or_when_nothing_gets_better() {
    let examples = noisy(160);
    let mut passes = 0;
    let mut train = |held_out: &[Example], most: u32| {
        passes = 0;
        let trained = train((&examples, held_out), (pa(), FEATURES), &settings(50, false), 1, |_| {
            passes += 1;
            passes < most
        });
        (passes, trained.best.number)
    };
    assert_eq!(train(&[], 3), (3, 3), "with nothing held out the last pass counts");
    let (made, best) = train(&noisy(80), u32::MAX);
    assert!(made < 50 && made == best + HyperParameters::default().patience, "{made} passes, the best {best}");
}

#[test]
fn nothing_to_learn_from_is_a_model_that_knows_nothing() {
    let trained = train((&[], &[]), (pa(), FEATURES), &settings(2, true), 1, |_| true);
    assert!(trained.rows.iter().all(|value| *value == 0.0));
    assert_eq!(trained.calibration, calibration::INITIAL);
    for (epochs, patience) in [(0, 1), (1, 0), (20_000, 1)] {
        assert!(Settings::try_from(HyperParameters { epochs, patience, averaged: false }).is_err());
    }
}

#[test]
fn features_are_numbered_in_the_order_in_which_they_are_seen() {
    let mut features = Features::default();
    assert_eq!(features.number(&[900, 7, 31]), [0, 1, 2]);
    assert_eq!(features.number(&[7, 4_000_000]), [1, 3]);
    assert_eq!(features.slots, [900, 7, 31, 4_000_000]);
}
