//! The topic of predicted ratings: each rating of the share once, whatever is killed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use weir_tests::{Place, alone, data, topic};

use crate::stream::Stream;

/// A rating and what was predicted.
type Pair = (f64, f64);

#[test]
fn each_rating_is_predicted_once_whatever_is_killed() {
    let _alone = alone();
    let ratings = &data::ratings()[..30_000];
    let mut stream = Stream::start_with("predicted", |deployment| deployment.with("RECOMMENDER__PREDICTED_SHARE", 1));
    let mut written = BTreeSet::new();
    for part in ratings.chunks(ratings.len() / 3) {
        written.extend(stream.write(part));
        stream.wait_for_progress();
        for worker in ["worker-1", "worker-2"] {
            let instance = stream.cluster.instance(worker);
            instance.kill();
            instance.start();
        }
    }
    stream.wait_contained();
    stream.check_events();
    let predicted = predicted(&stream);
    assert_eq!(predicted.keys().copied().collect::<BTreeSet<_>>(), written);
    check_better_than_the_mean(&predicted);
}

/// By the places of the ratings; none is there twice.
fn predicted(stream: &Stream) -> BTreeMap<Place, Pair> {
    let deployment = stream.cluster.deployment();
    let mut found = BTreeMap::new();
    for record in topic::read_all(deployment.brokers(), &deployment.predicted_topic()) {
        let value: Value = serde_json::from_slice(&record.payload.unwrap_or_default()).expect("JSON");
        assert_eq!(value["source"]["topic"], deployment.ratings_topic());
        assert_eq!(value["model"], json!({"name": "recommender", "generation": "g1"}));
        assert_eq!(record.key.as_deref(), value["user"].as_str().map(str::as_bytes), "the key is the user's id");
        let of = |name: &str| value["source"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {value}"));
        let place = Place { partition: of("partition") as u32, offset: of("offset") };
        let number = |name: &str| value[name].as_f64().unwrap_or_else(|| panic!("no {name} in {value}"));
        let again = found.insert(place, (number("rating"), number("predicted")));
        assert!(again.is_none(), "{place:?} is predicted twice");
    }
    found
}

/// What is put out is what was known before, and is of use: it errs less than the mean would.
fn check_better_than_the_mean(predicted: &BTreeMap<Place, Pair>) {
    let pairs: Vec<Pair> = predicted.values().copied().collect();
    let mean = pairs.iter().map(|(rating, _)| rating).sum::<f64>() / pairs.len() as f64;
    let squared = |error: &dyn Fn(&Pair) -> f64| pairs.iter().map(|pair| error(pair).powi(2)).sum::<f64>();
    let (of_mean, of_model) = (squared(&|(rating, _)| rating - mean), squared(&|(rating, said)| rating - said));
    assert!(of_model < of_mean, "the model errs by {of_model}, the mean of all by {of_mean}");
}
