//! A model goes into a file and another one begins with it: nothing is learned twice, nothing is left out.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use weir_tests::counting::{Counter, check_exact, check_recommender};
use weir_tests::data::{self, Rating};
use weir_tests::trial::PATIENCE;
use weir_tests::{Broker, Client, Cluster, Deployment, Event, Producer, Random, kills, topic};

const EVENTS: usize = 20_000;
const MODELS: [&str; 2] = ["counting", "recommender"];

#[test]
fn a_copy_goes_on_where_the_file_ends() {
    let dir = tempfile::tempdir().expect("a folder");
    let origin = kills::deployment(Broker::shared(), "origin").with("MODELS", MODELS.join(","));
    let counter = Counter::new(Random::new(11), 300, 150);
    let mut cluster = Cluster::start(origin.clone(), 2, 2);
    write(&origin, &counter, EVENTS);
    wait_contained(&mut cluster);
    let files = MODELS.map(|model| dir.path().join(format!("{model}.weir")));
    for (model, file) in MODELS.iter().zip(&files) {
        let said = done(&origin, &["export", model, &text(file), "--vectors", &text(&dir.path().join("vectors"))]);
        assert!(said.contains(&format!("after {EVENTS} records")), "{said}");
    }
    check_vectors(&dir.path().join("vectors"), &counter);
    refused(&origin, &["import-model", &text(&files[0])], &["members", "stop them first"]);
    cluster.kill_all();
    let said = "has begun already";
    eventually_refused(&origin, &["import-model", &text(&files[0])], said);

    let copy = origin.clone().with("PREFIX", Broker::shared().topic("copy"));
    let wider = copy.clone().with("SERVER__SHARDS", 4);
    refused(&wider, &["import-model", &text(&files[0])], &["shards is 3, expected 4", "server.shards"]);
    damage(&files[0], &dir.path().join("damaged.weir"));
    refused(&copy, &["import-model", &text(&dir.path().join("damaged.weir"))], &["damaged", "another copy"]);
    for file in &files {
        done(&copy, &["import-model", &text(file)]);
    }
    let mut cluster = Cluster::start(copy.clone(), 2, 2);
    wait_contained(&mut cluster);
    check(&cluster, &counter);
    write(&copy, &counter, EVENTS / 2);
    wait_contained(&mut cluster);
    check(&cluster, &counter);
    // From the changelog, too, where the file's rows are the oldest.
    cluster.kill_all();
    cluster.delete_data();
    cluster.start_all();
    wait_contained(&mut cluster);
    check(&cluster, &counter);
}

#[test]
fn elsewhere_somebody_says_where_a_model_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let origin = kills::deployment(Broker::shared(), "here");
    let counter = Counter::new(Random::new(12), 100, 50);
    let mut cluster = Cluster::start(origin.clone(), 1, 1);
    write(&origin, &counter, EVENTS / 4);
    wait_contained(&mut cluster);
    let file = text(&dir.path().join("model.weir"));
    done(&origin, &["export", "counting", &file]);
    drop(cluster);

    let elsewhere = kills::deployment(Broker::shared(), "elsewhere");
    elsewhere.create_topics();
    // What nobody is to learn there.
    write(&elsewhere, &Counter::new(Random::new(13), 100, 50), EVENTS / 10);
    refused(&elsewhere, &["import-model", &file], &["its offsets mean nothing here", "--from end"]);
    done(&elsewhere, &["import-model", &file, "--from", "end"]);
    let mut cluster = Cluster::start(elsewhere.clone(), 1, 1);
    write(&elsewhere, &counter, EVENTS / 4);
    wait_contained(&mut cluster);
    check_exact(&cluster.rest(), &counter.tally());
}

fn write(deployment: &Deployment, counter: &Counter, count: usize) {
    let mut counter = counter.clone();
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    assert_eq!(producer.send((0..count).map(|_| counter.event())).len(), count);
}

fn wait_contained(cluster: &mut Cluster) {
    let deployment = cluster.deployment().clone();
    let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
    for model in deployment.models() {
        cluster.wait_contained(model, &ends, PATIENCE);
    }
}

fn check(cluster: &Cluster, counter: &Counter) {
    check_exact(&cluster.rest(), &counter.tally());
    check_recommender(&cluster.rest(), &counter.tally());
}

/// Every user and item has a line of numbers.
fn check_vectors(dir: &Path, counter: &Counter) {
    let tally = counter.tally();
    for (name, ids) in [("users", &tally.users), ("items", &tally.items)] {
        let text = fs::read_to_string(dir.join(format!("{name}.csv"))).expect("it is there");
        let mut lines = text.lines();
        let width = lines.next().expect("a heading").split(',').count();
        let mut found: Vec<&str> = Vec::new();
        for line in lines {
            let mut fields = line.split(',');
            found.extend(fields.next());
            let values: Vec<f32> = fields.map(|value| value.parse().expect("a number")).collect();
            assert_eq!(values.len(), width - 1, "{line}");
        }
        found.sort_unstable();
        assert_eq!(found, ids.keys().collect::<Vec<_>>(), "{name}");
        let matrix = fs::read(dir.join(format!("{name}.npy"))).expect("it is there");
        let shape = format!("'shape': ({}, {})", found.len(), width - 1);
        let heading = String::from_utf8_lossy(&matrix[..matrix.len().min(128)]).into_owned();
        assert!(matrix.starts_with(b"\x93NUMPY") && heading.contains(&shape), "{heading} without {shape}");
    }
}

fn damage(file: &Path, damaged: &PathBuf) {
    let mut bytes = fs::read(file).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(damaged, bytes).expect("there is room");
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn said(deployment: &Deployment, arguments: &[&str]) -> (bool, String) {
    let output = deployment.run(arguments);
    let text = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (output.status.success(), text)
}

fn done(deployment: &Deployment, arguments: &[&str]) -> String {
    let (done, said) = said(deployment, arguments);
    assert!(done, "{arguments:?}: {said}");
    said
}

fn refused(deployment: &Deployment, arguments: &[&str], parts: &[&str]) {
    let (done, said) = said(deployment, arguments);
    let missing: Vec<_> = parts.iter().filter(|part| !said.contains(**part)).collect();
    assert!(!done && missing.is_empty(), "{arguments:?} does not say {missing:?}: {said}");
}

/// Members that were killed are gone with their sessions; until then they are said to run.
fn eventually_refused(deployment: &Deployment, arguments: &[&str], part: &str) {
    weir_tests::wait_until(&format!("{arguments:?} says {part}"), PATIENCE, || {
        let (done, said) = said(deployment, arguments);
        assert!(!done, "{said}");
        said.contains(part).then_some(())
    });
}

#[test]
fn a_model_that_was_trained_from_a_file_goes_on_online() {
    let dir = tempfile::tempdir().expect("a folder");
    let ratings = &data::ratings()[..40_000];
    let (past, next) = &data::past_and_next(ratings, 2_000);
    let (source, file) = (dir.path().join("past.jsonl"), text(&dir.path().join("trained.weir")));
    let lines: Vec<String> = past.iter().map(|rating| rating.event().to_string()).collect();
    fs::write(&source, lines.join("\n")).expect("there is room");
    let deployment = kills::deployment(Broker::shared(), "trained").with("MODELS", "recommender");
    let said = done(&deployment, &["train", "recommender", "--from-file", &text(&source), "--save", &file]);
    assert!(said.contains("of those held out") && said.contains("choices"), "{said}");
    refused(&deployment, &["import-model", &file], &["its offsets mean nothing here"]);
    done(&deployment, &["import-model", &file, "--from", "end"]);

    let mut cluster = Cluster::start(deployment.clone(), 2, 2);
    let mean = past.iter().map(|rating| f64::from(rating.rating)).sum::<f64>() / past.len() as f64;
    let (of_model, of_mean) = (squared_error(&cluster.rest(), next), squared_errors(next, |_| mean));
    assert!(of_model < 0.9 * of_mean, "the mean errs by {of_mean}, what was trained by {of_model}");
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    let written = producer.send(next.iter().map(|rating| Event::keyed(&rating.user, &rating.event())));
    assert_eq!(written.len(), next.len());
    wait_contained(&mut cluster);
    // What came before counts as if it had come one by one, and what comes now is learned on top of it.
    let models = cluster.rest().get("/v1/models").expect(200);
    assert_eq!(models["models"][0]["events"], ratings.len(), "{models}");
    let after = squared_error(&cluster.rest(), next);
    assert!(after < of_model, "learned again, they must be predicted better: {after}, before {of_model}");
}

#[test]
fn a_filter_that_was_trained_from_a_file_knows_spam_at_once_and_learns_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let messages = data::messages();
    let (past, next) = messages.split_at(messages.len() - 500);
    let (source, file) = (dir.path().join("past.jsonl"), text(&dir.path().join("filter.weir")));
    let lines: Vec<String> = past.iter().map(|message| message.event().to_string()).collect();
    fs::write(&source, lines.join("\n")).expect("there is room");
    let deployment = kills::deployment(Broker::shared(), "filter").with("MODELS", "spam");
    let said = done(&deployment, &["train", "spam", "--from-file", &text(&source), "--save", &file]);
    assert!(said.contains("held out: accuracy"), "{said}");
    refused(
        &deployment,
        &["train", "spam", "--from-file", &text(&source), "--save", &file, "--rate", "1"],
        &["--rate"],
    );
    done(&deployment, &["import-model", &file, "--from", "end"]);

    let cluster = Cluster::start(deployment.clone(), 1, 1);
    let rest = cluster.rest();
    let said = scores(&rest, next);
    let right = said.iter().zip(next).filter(|(said, message)| said["label"] == message.label).count();
    assert!(right >= 490, "{right} of {} are told rightly", next.len());
    assert_eq!(said[0]["state"], "ready", "as many labels as were in the file: {}", said[0]);
    // A spammer's new word counts from the first label on.
    let taught = json!({"id": "new", "text": "zyxwvut zyxwvut zyxwvut", "label": "spam"});
    let fresh =
        data::Message { id: "new".to_owned(), text: "zyxwvut zyxwvut zyxwvut".to_owned(), label: "spam".to_owned() };
    let margin = || scores(&rest, std::slice::from_ref(&fresh))[0]["margin"].as_f64().expect("a margin");
    let before = margin();
    let written = Producer::new(deployment.brokers(), deployment.messages_topic()).send([Event::keyed("new", &taught)]);
    assert_eq!(written.len(), 1);
    weir_tests::wait_until("the label is learned", PATIENCE, || (margin() > before).then_some(()));
}

fn scores(rest: &Client, messages: &[data::Message]) -> Vec<serde_json::Value> {
    let asked: Vec<_> = messages.iter().map(|message| json!({"id": message.id, "text": message.text})).collect();
    let answer = rest.post("/v1/messages/score", &json!({"messages": asked})).expect(200);
    answer["scores"].as_array().unwrap_or_else(|| panic!("no scores in {answer}")).clone()
}

fn squared_error(rest: &Client, ratings: &[Rating]) -> f64 {
    let mut predicted = Vec::new();
    for part in ratings.chunks(500) {
        let pairs: Vec<_> = part.iter().map(|rating| json!({"user": rating.user, "item": rating.item})).collect();
        let answer = rest.post("/v1/predictions", &json!({"pairs": pairs})).expect(200);
        let all = answer["predictions"].as_array().unwrap_or_else(|| panic!("no predictions in {answer}"));
        predicted.extend(all.iter().filter_map(|prediction| prediction["rating"].as_f64()));
    }
    assert_eq!(predicted.len(), ratings.len());
    squared_errors(ratings, |place| predicted[place])
}

fn squared_errors(ratings: &[Rating], predicted: impl Fn(usize) -> f64) -> f64 {
    let error = |(place, rating): (usize, &Rating)| (f64::from(rating.rating) - predicted(place)).powi(2);
    ratings.iter().enumerate().map(error).sum::<f64>() / ratings.len() as f64
}
