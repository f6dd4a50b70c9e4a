//! Whether what was learned predicts the next ratings better than means and biases do.

use serde_json::{Value, json};
use weir_tests::Client;
use weir_tests::baseline::{Biases, Step, rmse};
use weir_tests::data::Rating;

/// Pairs of one request.
const PAIRS: usize = 1_000;
/// Fixed steps of the bias-only baseline; the best of them is not known beforehand, so all are tried.
const STEPS: [f64; 3] = [0.025, 0.05, 0.1];

/// Predicts `next` after `past` was learned, with nothing of `next` learned meanwhile.
pub(crate) fn check_beats_the_baselines(rest: &Client, past: &[Rating], next: &[Rating]) {
    let predicted = next.chunks(PAIRS).flat_map(|ratings| predict(rest, ratings));
    let weir = rmse(predicted.zip(next.iter().map(|rating| f64::from(rating.rating))));
    let of = |step| Biases::learned(step, past).rmse(next);
    let (mean, fixed) = (of(Step::Fixed(0.0)), STEPS.map(|step| of(Step::Fixed(step))));
    let decaying = of(Step::Decaying { offset: 5.0, floor: 0.05 });
    println!("rmse of {} ratings: weir {weir:.4}, mean {mean:.4}, biases {fixed:.4?}, {decaying:.4}", next.len());
    assert!(weir < mean, "{weir} is no better than the running mean's {mean}");
    assert!(fixed.iter().all(|fixed| weir < *fixed), "{weir} is no better than biases alone, {fixed:?}");
    // The strongest baseline has weir's own steps: only the factors are missing. Where most users have few ratings they
    // add a tenth of a percent, of which asynchronous training may take some back; they must never cost more than that.
    assert!(weir < decaying * 1.002, "the factors make it worse: {weir} against {decaying} with biases alone");
}

/// The predicted ratings of these pairs, in their order.
pub(crate) fn predict(rest: &Client, ratings: &[Rating]) -> Vec<f64> {
    let pairs: Vec<Value> = ratings.iter().map(|rating| json!({"user": rating.user, "item": rating.item})).collect();
    let answer = rest.post("/v1/predictions", &json!({"pairs": pairs})).expect(200);
    let predictions = answer["predictions"].as_array().unwrap_or_else(|| panic!("no predictions in {answer}"));
    assert_eq!(predictions.len(), ratings.len());
    let value = |(prediction, rating): (&Value, &Rating)| {
        assert_eq!((&prediction["user"], &prediction["item"]), (&json!(rating.user), &json!(rating.item)));
        prediction["rating"].as_f64().unwrap_or_else(|| panic!("no rating in {prediction}"))
    };
    predictions.iter().zip(ratings).map(value).collect()
}
