//! Labels of one's own, and streams that hardly have one of the classes.

use serde_json::{Value, json};
use weir_tests::data::{Message, messages};
use weir_tests::{Event, Role, alone};

use crate::filter::{Counts, Filter, deployment, event, said};

const TOPICS: [(&str, &str); 4] = [
    ("spam", "win a free prize, call 09061 now"),
    ("ham", "see you at home tonight"),
    ("phishing", "your account is locked, confirm the password"),
    ("news", "this week in our garden letter"),
];

fn text(number: usize) -> String {
    format!("{} w{} w{}", TOPICS[number % 4].1, number % 7, number % 11)
}

#[test]
fn labels_of_ones_own_are_told_apart_and_corrected() {
    let deployment =
        deployment("labelled", 2).with("SPAM__LABELS", "spam,ham,phishing,news").with("SPAM__READY_LABELS", 5);
    let deployment = deployment.with("SPAM__WANTED", "ham,news").with("SPAM__COSTS__HAM__SPAM", 4);
    let mut filter = Filter::start(deployment, 2, 1);
    let taught = |number: usize| event(&format!("m{number}"), Some(&text(number)), Some(TOPICS[number % 4].0));
    drop(filter.write((0..40).map(taught)));
    filter.wait_contained();
    filter.cluster.kill_all();
    filter.cluster.start_all();
    drop(filter.write((20..60).map(taught)));
    filter.wait_contained();
    let mut counts = Counts { events: 80, scored: 80, learned: 60, repeated: 20, corrected: 0 };
    assert_eq!(filter.counts(), counts);
    for (number, (label, _)) in TOPICS.iter().enumerate() {
        let asked = json!({"messages": [{"id": "asked", "text": text(number)}]});
        let answer = filter.rest().post("/v1/messages/score", &asked).expect(200)["scores"][0].clone();
        let probabilities: Vec<f64> =
            TOPICS.iter().filter_map(|(name, _)| answer["probabilities"][name].as_f64()).collect();
        assert_eq!(answer["label"], *label, "{answer}");
        assert!(probabilities.len() == 4 && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-3, "{answer}");
        let of_label = answer["probabilities"][label].as_f64().unwrap_or_default();
        assert!(probabilities.iter().all(|likely| *likely <= of_label), "{answer}");
        let unwanted = ["spam", "phishing"].map(|name| answer["probabilities"][name].as_f64().unwrap_or_default());
        let said = said(&answer);
        assert!((said.probability - unwanted.iter().sum::<f64>()).abs() < 1e-3, "{answer}");
        assert_eq!(
            (said.label == "spam" || said.label == "phishing", said.state.as_str()),
            (said.margin > 0.0, "ready")
        );
        assert_eq!(said.grounds[0], json!({"spam": 15, "ham": 15, "phishing": 15, "news": 15, "needed": 5}));
        // A worker says the same.
        let place = filter.write([event(&format!("w{number}"), Some(&text(number)), None)])[0];
        filter.wait_contained();
        let by_worker = filter.scored().remove(&place).expect("it is scored");
        assert_eq!(
            (by_worker.label, by_worker.margin, by_worker.probability),
            (said.label, said.margin, said.probability)
        );
    }
    // A correction from one class to another, and a label that there is not.
    let path = "/v1/messages/m0/label";
    let _ = filter.rest().post(path, &json!({"label": "phishing"})).expect(202);
    filter.wait_contained();
    counts = Counts { events: 85, scored: 84, corrected: 1, ..counts };
    assert_eq!(filter.counts(), counts);
    assert_eq!(filter.rest().get("/v1/messages/m0").expect(200)["label"], "phishing");
    let problem = filter.rest().post(path, &json!({"label": "eggs"})).problem(422);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("\"phishing\" or \"news\"")), "{problem}");
    // How often each was said is measured by its place among the labels.
    let said = |place: usize| {
        filter
            .cluster
            .of(Role::Worker)
            .map(|worker| worker.metric_with("weir_worker_quality_total", &format!("share_class_{place}")))
            .sum::<f64>()
    };
    assert!((0..4).all(|place| said(place) > 0.0), "{:?}", [said(0), said(1), said(2), said(3)]);
}

fn of<'a>(messages: &'a [Message], label: &'a str) -> impl Iterator<Item = &'a Message> {
    messages.iter().filter(move |message| message.label == label)
}

/// What is said of these: the shares that are taken for spam, and that are to be rejected.
fn shares<'a>(filter: &Filter, messages: impl Iterator<Item = &'a Message>) -> (f64, f64) {
    let asked: Vec<Value> = messages.map(|message| json!({"id": message.id, "text": message.text})).collect();
    let answer = filter.rest().post("/v1/messages/score", &json!({"messages": asked})).expect(200);
    let scores: Vec<_> = answer["scores"].as_array().into_iter().flatten().map(said).collect();
    let share = |count: usize| count as f64 / scores.len() as f64;
    let spam = scores.iter().filter(|said| said.label == "spam").count();
    (share(spam), share(scores.iter().filter(|said| said.action == "reject").count()))
}

/// A stream that is spam but for one in a hundred, by another learner than the usual one.
#[test]
fn a_hundred_times_as_much_spam_does_not_mark_everything() {
    let _alone = alone();
    let messages = messages();
    let (spam, ham) = (of(&messages, "spam"), of(&messages, "ham"));
    let (spam, ham): (Vec<_>, Vec<_>) = (spam.take(500).collect(), ham.take(5).collect());
    let deployment = deployment("lopsided", 1).with("SPAM__LEARNER", "adagrad").with("SPAM__READY_LABELS", 5);
    let mut filter = Filter::start(deployment, 1, 1);
    let as_event = |message: &&Message| Event::keyed(&message.id, &message.event());
    drop(filter.write(spam[..50].iter().map(as_event)));
    filter.wait_contained();
    // Of one class alone: nothing is taken for it.
    assert_eq!(shares(&filter, of(&messages, "ham").skip(500).take(300)), (0.0, 0.0));
    let rest = spam[50..].chunks(90).zip(&ham).flat_map(|(spam, ham)| spam.iter().chain([ham]));
    drop(filter.write(rest.map(as_event)));
    filter.wait_contained();
    let (marked, rejected) = shares(&filter, of(&messages, "ham").skip(500).take(500));
    let (found, _) = shares(&filter, of(&messages, "spam").skip(500).take(100));
    println!(
        "after 500 spam and 5 ham: {marked} of the ham taken for spam, {rejected} rejected, {found} of the spam found"
    );
    assert!(marked < 0.5 && rejected < 0.1 && found > 0.8, "{marked} {rejected} {found}");
}
