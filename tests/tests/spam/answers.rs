//! What answers say beside a score, and what REST tells and takes of single messages.

use serde_json::{Value, json};
use weir_tests::{Client, Role, topic, wait_until};

use crate::filter::{Counts, Filter, PATIENCE, Scored, deployment, event, said};

const PRIZE: &str = "You have won a free prize, call 09061 now";
const DINNER: &str = "shall we have dinner at home tonight?";

fn ask(rest: &Client, text: &str) -> Scored {
    let asked = json!({"messages": [{"id": "asked", "text": text}]});
    said(&rest.post("/v1/messages/score", &asked).expect(200)["scores"][0])
}

#[test]
fn a_filter_says_whether_it_is_ready_and_what_is_to_be_done() {
    let deployment = deployment("answers", 2).with("SPAM__READY_LABELS", 2);
    let mut filter = Filter::start(deployment.with("SPAM__REVIEW_FROM", 0.4).with("SPAM__REJECT_FROM", 0.6), 1, 1);
    let check = |said: Scored, (state, action): (&str, &str), (spam, ham): (u64, u64)| {
        assert_eq!((said.state.as_str(), said.action.as_str()), (state, action), "{said:?}");
        let [labels, thresholds] = &said.grounds;
        assert_eq!(labels, &json!({"spam": spam, "ham": ham, "needed": 2}));
        assert_eq!(thresholds, &json!({"review": 0.4, "reject": 0.6}));
    };
    drop(filter.write([event("s1", Some(PRIZE), Some("spam")), event("s2", Some("free pills"), Some("spam"))]));
    filter.wait_contained();
    // Of a single class: nothing is rejected, however likely it seems.
    check(ask(&filter.rest(), PRIZE), ("learning", "review"), (2, 0));
    drop(filter.write([event("h1", Some(DINNER), Some("ham")), event("h2", Some("home at noon"), Some("ham"))]));
    filter.wait_contained();
    filter.cluster.kill_all();
    filter.cluster.start_all();
    check(ask(&filter.rest(), PRIZE), ("ready", "reject"), (2, 2));
    check(ask(&filter.rest(), DINNER), ("ready", "accept"), (2, 2));
    // A worker says the same, and a correction moves a message to the other class.
    let places = filter.write([event("w", Some(PRIZE), None), event("s2", None, Some("ham"))]);
    filter.wait_contained();
    check(filter.scored()[&places[0]].clone(), ("ready", "reject"), (2, 2));
    check(ask(&filter.rest(), PRIZE), ("learning", "review"), (1, 3));
    // Since the start after the kill: one message, and one label, which corrected.
    let measures = [("share_rejected", 1.0), ("share_accepted", 0.0), ("share_spam", 1.0), ("share_corrections", 1.0)];
    for (measure, sum) in measures {
        wait_for_measure(&filter, measure, sum);
    }
    check_explained(&filter.rest());
}

/// Waits until the worker has measured this much in one event: it is counted when its transaction is committed.
fn wait_for_measure(filter: &Filter, measure: &str, sum: f64) {
    let of = |name| filter.cluster.of(Role::Worker).map(|worker| worker.metric_with(name, measure)).sum::<f64>();
    let both = || (of("weir_worker_quality_total"), of("weir_worker_quality_events_total"));
    wait_until(measure, PATIENCE, || (both() == (sum, 1.0)).then_some(()));
}

fn check_explained(rest: &Client) {
    let asked = json!({"messages": [{"id": "asked", "text": "dinner or a prize, at home"}]});
    let answer = rest.post("/v1/messages/score?explain=true", &asked).expect(200);
    let explanation = &answer["scores"][0]["explanation"];
    let parts = |side: &str| -> Vec<String> {
        let parts = explanation[side].as_array().into_iter().flatten();
        parts.filter_map(|part| part["part"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(parts("spam")[0], "prize,", "{explanation}");
    // Both were taught as ham, "home" twice.
    assert_eq!(parts("ham")[0], "home", "{explanation}");
    assert!(parts("ham").contains(&"dinner".to_owned()), "{explanation}");
}

/// Sends over REST and gives the query that waits for it.
fn send(rest: &Client, path: &str, body: &Value) -> String {
    let answer = rest.post(path, body).expect(202);
    let place = &answer["accepted"][0];
    format!("at_least={}:{}:{}", place["topic"].as_str().unwrap_or_default(), place["partition"], place["offset"])
}

#[test]
fn messages_are_labelled_over_rest_and_tell_what_is_remembered_of_them() {
    let mut filter = Filter::start(deployment("remembered", 2), 1, 1);
    let known = |filter: &Filter, query: &str| filter.rest().get(&format!("/v1/messages/r%2F1?{query}")).expect(200);
    let label = |filter: &Filter, label: &str| {
        let query = send(&filter.rest(), "/v1/messages/r%2F1/label", &json!({"label": label}));
        let known = known(filter, &query);
        assert_eq!((&known["label"], &known["learned"]), (&json!(label), &json!(true)), "{known}");
    };
    let counts = |filter: &mut Filter, expected: Counts| {
        filter.wait_contained();
        assert_eq!(filter.counts(), expected);
    };
    let query = send(&filter.rest(), "/v1/messages", &json!({"id": "r/1", "text": PRIZE}));
    let first = known(&filter, &query);
    assert_eq!((&first["id"], &first["label"], &first["learned"]), (&json!("r/1"), &json!(null), &json!(false)));
    assert!(first["features"].as_u64() > Some(10) && first["first_seen"].as_u64() > Some(0), "{first}");
    label(&filter, "spam");
    label(&filter, "spam");
    let once = Counts { events: 3, scored: 1, learned: 1, repeated: 1, ..Counts::default() };
    counts(&mut filter, once);
    filter.cluster.kill_all();
    filter.cluster.start_all();
    label(&filter, "spam");
    label(&filter, "ham");
    counts(&mut filter, Counts { events: 5, repeated: 2, corrected: 1, ..once });
    // Nobody knows this one, and the label is put aside.
    let query = send(&filter.rest(), "/v1/messages/nobody/label", &json!({"label": "spam"}));
    let _ = filter.rest().get(&format!("/v1/messages/nobody?{query}")).problem(404);
    counts(&mut filter, Counts { events: 5, repeated: 2, corrected: 1, ..once });
    let refused = || filter.cluster.metric("weir_worker_rejected_total") == 1.0;
    wait_until("the label is counted as refused", PATIENCE, || refused().then_some(()));
    let deployment = filter.cluster.deployment();
    let rejected = topic::read_all(deployment.brokers(), &format!("{}.rejected", deployment.messages_topic()));
    let [rejected] = &rejected[..] else { panic!("{} records are rejected", rejected.len()) };
    assert_eq!((rejected.header("reason"), rejected.key.as_deref()), ("unknown_id", Some(&b"nobody"[..])));
    let value: Value = serde_json::from_slice(rejected.payload.as_deref().unwrap_or_default()).expect("JSON");
    assert_eq!(value, json!({"id": "nobody", "label": "spam"}));
}
