use proptest::prelude::*;

use super::*;

fn settings(variant: Variant, aggressiveness: f32) -> Settings {
    Settings::try_from(HyperParameters { variant, aggressiveness }).unwrap()
}

fn check(found: f32, expected: f32) {
    assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{found}, not {expected}");
}

#[test]
fn steps_are_those_of_the_paper() {
    check(step(&settings(Variant::Pa, 0.5), 1.5, 2.0), 0.75);
    check(step(&settings(Variant::PaI, 0.5), 1.5, 2.0), 0.5);
    check(step(&settings(Variant::PaI, 0.5), 0.5, 2.0), 0.25);
    // 1.5 / (2 + 1/(2·0.5)): were 1/(2C) an integer division, PA-II would be PA.
    check(step(&settings(Variant::PaII, 0.5), 1.5, 2.0), 0.5);
    check(step(&settings(Variant::PaII, 2.0), 1.5, 2.0), 1.5 / 2.25);
    check(step(&settings(Variant::Pa, 0.5), 1.0, 0.0), 0.0);
}

#[test]
fn loss_is_what_the_margin_lacks() {
    check(hinge_loss(0.25, Label::Positive), 0.75);
    check(hinge_loss(0.25, Label::Negative), 1.25);
    check(hinge_loss(1.5, Label::Positive), 0.0);
    check(hinge_loss(f32::NAN, Label::Positive), 0.0);
}

#[test]
fn one_message_moves_its_weights_as_worked_out_by_hand() {
    // Four features of value 1/2: margin (1 + 0 - 0.5 + 0.3) / 2 = 0.4, loss 1.4, |x|² = 1, so τ is 1.4, or 1 if capped, or 1.4 / 1.5.
    let example = [1.0, 0.0, -0.5, 0.3];
    for (variant, each) in [(Variant::Pa, -0.7), (Variant::PaI, -0.5), (Variant::PaII, -1.4 / 3.0)] {
        let settings = settings(variant, 1.0);
        let lesson = lesson(&settings, &example, 0.5, Label::Negative);
        check(lesson.margin, 0.4);
        check(lesson.loss, 1.4);
        check(lesson.change, each);
        let mut weights = example;
        check(learn(&settings, &mut weights, 0.5, Label::Negative), 0.4);
        for (after, before) in weights.iter().zip(example) {
            check(*after, before + each);
        }
    }
}

#[test]
fn an_empty_message_has_no_margin_and_teaches_nothing() {
    let nothing = Lesson { margin: 0.0, loss: 1.0, change: 0.0 };
    assert_eq!(lesson(&Settings::default(), &[], 0.0, Label::Positive), nothing);
    assert_eq!(Label::of_margin(0.0), Label::Negative);
    assert_eq!(Label::of_margin(1e-9), Label::Positive);
}

#[test]
fn sigmoid_is_even_about_a_half() {
    check(sigmoid(0.0), 0.5);
    check(sigmoid(2.0) + sigmoid(-2.0), 1.0);
    check(sigmoid(3.0_f32.ln()), 0.75);
    assert_eq!((sigmoid(-1e30), sigmoid(1e30)), (0.0, 1.0));
}

#[test]
fn aggressiveness_names_the_value_it_refuses() {
    let refusal = |aggressiveness| {
        let values = HyperParameters { aggressiveness, ..HyperParameters::default() };
        Settings::try_from(values).map_err(|error| error.to_string())
    };
    let message = |value| Err(format!("aggressiveness must be a number from 0.000001 to 1000000, not {value}"));
    assert_eq!(refusal(-1.0), message("-1"));
    assert_eq!(refusal(0.0), message("0"));
    assert_eq!(refusal(f32::INFINITY), message("inf"));
    assert_eq!(refusal(f32::NAN), message("NaN"));
    assert!(refusal(HyperParameters::default().aggressiveness).is_ok());
}

fn examples() -> impl Strategy<Value = (Vec<f32>, f32, Label)> {
    let label = prop_oneof![Just(Label::Positive), Just(Label::Negative)];
    prop::collection::vec(-3.0_f32..3.0, 1..200).prop_flat_map(move |weights| {
        let value = 1.0 / (weights.len() as f32).sqrt();
        (Just(weights), Just(value), label.clone())
    })
}

proptest! {
    #[test]
    fn pa_corrects_fully_and_no_variant_goes_further((weights, value, label) in examples(), c in 0.01_f32..10.0) {
        let after = |variant| {
            let mut weights = weights.clone();
            learn(&settings(variant, c), &mut weights, value, label);
            hinge_loss(margin(&weights, value), label)
        };
        let before = hinge_loss(margin(&weights, value), label);
        prop_assert!(after(Variant::Pa) < 1e-3);
        for variant in [Variant::PaI, Variant::PaII] {
            prop_assert!(after(variant) <= before + 1e-3);
            // |w' - w| = τ·|x|, and each is at most PA's.
            let change = lesson(&settings(variant, c), &weights, value, label).change.abs();
            prop_assert!(change <= lesson(&settings(Variant::Pa, c), &weights, value, label).change.abs());
        }
        let capped = lesson(&settings(Variant::PaI, c), &weights, value, label);
        prop_assert!(capped.change.abs() <= c * value * 1.0001);
    }

    #[test]
    fn what_is_right_by_far_enough_teaches_nothing((weights, value, label) in examples()) {
        let lesson = lesson(&Settings::default(), &weights, value, label);
        prop_assert_eq!(lesson.loss == 0.0, label.sign() * lesson.margin >= 1.0);
        prop_assert_eq!(lesson.loss == 0.0, lesson.change == 0.0);
    }

    #[test]
    fn margins_are_those_of_the_plain_sum((weights, value, _) in examples()) {
        let plain = weights.iter().map(|&weight| f64::from(weight) * f64::from(value)).sum::<f64>();
        prop_assert!((f64::from(margin(&weights, value)) - plain).abs() < 1e-4);
    }
}
