//! What REST answers, to be compared later.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use weir_tests::Client;
use weir_tests::data::Rating;
use weir_tests::http::segment;

/// Every so many-th rating gives a user and a pair to ask for.
const SAMPLE: usize = 100;

/// Requests and their answers, `model` with its offsets included.
pub(crate) struct Answers(Vec<(String, Option<Value>, Value)>);

impl Answers {
    /// Asks for users, personal recommendations, predictions and the models.
    pub(crate) fn collect(rest: &Client, ratings: &[Rating]) -> Self {
        let sample: Vec<&Rating> = ratings.iter().step_by(SAMPLE).collect();
        let users: BTreeSet<String> = sample.iter().map(|rating| segment(&rating.user)).collect();
        let mut requests = vec![("/v1/models".to_owned(), None)];
        requests.extend(users.iter().map(|user| (format!("/v1/users/{user}"), None)));
        let some = users.iter().take(50);
        requests.extend(some.map(|user| (format!("/v1/users/{user}/recommendations?k=20"), None)));
        let pairs: Vec<Value> = sample.iter().map(|rating| json!({"user": rating.user, "item": rating.item})).collect();
        requests.push(("/v1/predictions".to_owned(), Some(json!({"pairs": pairs}))));
        let asked = requests.into_iter().map(|(path, body)| {
            let answer = ask(rest, &path, body.as_ref());
            check_recommendations(&path, &answer);
            (path, body, answer)
        });
        Self(asked.collect())
    }

    /// Asks again and compares.
    #[track_caller]
    pub(crate) fn check_unchanged(&self, rest: &Client, when: &str) {
        for (path, body, before) in &self.0 {
            let now = ask(rest, path, body.as_ref());
            assert!(now == *before, "{path} {when}: {} became {}", cut(before), cut(&now));
        }
    }
}

fn ask(rest: &Client, path: &str, body: Option<&Value>) -> Value {
    body.map_or_else(|| rest.get(path), |body| rest.post(path, body)).expect(200)
}

fn check_recommendations(path: &str, answer: &Value) {
    if path.contains("/recommendations") {
        let scores: Vec<f64> =
            answer["items"].as_array().into_iter().flatten().filter_map(|i| i["score"].as_f64()).collect();
        assert!([json!("personal"), json!("blended")].contains(&answer["source"]) && scores.len() == 20, "{answer}");
        assert!(scores.is_sorted_by(|one, other| one >= other), "{answer}");
    }
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(600).collect()
}
