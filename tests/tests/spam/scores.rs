//! Scores over REST: what the gateway says of a text is what a worker says.

use serde_json::{Value, json};
use weir_tests::data::messages;
use weir_tests::{Event, alone};

use crate::filter::{Filter, Scored, deployment, said};

/// Messages that are learned, and messages that are only scored, by a worker and by the gateway.
const LEARNED: usize = 1_500;
const ASKED: usize = 300;

#[test]
fn the_gateway_scores_as_a_worker_does() {
    let _alone = alone();
    let messages = messages();
    let mut filter = Filter::start(deployment("scores", 4), 1, 1);
    drop(filter.write(messages[..LEARNED].iter().map(|message| Event::keyed(&message.id, &message.event()))));
    filter.wait_contained();
    // Without labels nothing is learned, so the weights stay as they are.
    let unlabelled: Vec<Value> =
        messages[LEARNED..][..ASKED].iter().map(|message| json!({"id": message.id, "text": message.text})).collect();
    let accepted = filter.rest().post("/v1/messages", &json!(unlabelled)).expect(202);
    let accepted = accepted["accepted"].as_array().unwrap_or_else(|| panic!("{accepted}"));
    assert_eq!(accepted.len(), ASKED);
    let topic = filter.cluster.deployment().messages_topic();
    let at_least = |place: &Value| format!("at_least={topic}:{}:{}", place["partition"], place["offset"]);
    assert!(accepted.iter().all(|place| place["topic"] == topic), "{accepted:?}");
    let query = accepted.iter().map(at_least).collect::<Vec<_>>().join("&");
    let path = format!("/v1/messages/score?{query}");
    let answer = filter.rest().post(&path, &json!({"messages": unlabelled})).expect(200);
    assert_eq!((&answer["model"]["name"], &answer["model"]["generation"]), (&json!("spam"), &json!("g1")));
    let covered = answer["model"]["offsets"][topic].as_array().map(Vec::len);
    assert_eq!(covered, Some(4), "{answer}");
    let by_gateway: Vec<Scored> = answer["scores"].as_array().into_iter().flatten().map(said).collect();
    let scored = filter.scored();
    assert_eq!(scored.len(), LEARNED + ASKED);
    for (asked, by_gateway) in unlabelled.iter().zip(&by_gateway) {
        let by_worker = scored.values().find(|scored| asked["id"] == scored.id.as_str());
        assert_eq!(by_worker, Some(by_gateway), "the same to the last digit");
    }
    let spam = by_gateway.iter().filter(|scored| scored.label == "spam").count();
    assert!((10..100).contains(&spam), "{spam} of {ASKED} are taken for spam");
    check_models(&filter);
}

fn check_models(filter: &Filter) {
    let models = filter.rest().get("/v1/models").expect(200);
    let model = &models["models"][0];
    assert_eq!((&model["name"], &model["events"]), (&json!("spam"), &json!(LEARNED + ASKED)), "{models}");
    assert!(model["rows"].as_u64() > Some(1_000), "{models}");
    let _ = filter.rest().get("/v1/models/spam/tables/features").problem(404);
}

#[test]
fn requests_that_cannot_be_are_refused_by_name() {
    let filter = Filter::start(deployment("requests", 1), 1, 1);
    let rest = filter.rest();
    let text = json!({"id": "m", "text": "t"});
    for (body, status, field) in [
        (json!({}), 422, "messages"),
        (json!({"messages": 7}), 422, "messages"),
        (json!({"messages": [7]}), 422, "message 0"),
        (json!({"messages": [text, {"id": "m"}]}), 422, "messages[1].text"),
        (json!({"messages": [{"text": "t"}]}), 422, "messages[0].id"),
        (json!({"messages": [{"id": "m", "label": "spam"}]}), 422, "messages[0].text"),
    ] {
        let problem = rest.post("/v1/messages/score", &body).problem(status);
        assert!(problem.to_string().contains(field), "{problem} does not name {field}");
    }
    for (body, field) in [
        (json!({"id": "m"}), "text"),
        (json!({"id": "m", "text": "t", "label": "eggs"}), "label"),
        (json!([text, {"text": "t"}]), "id"),
    ] {
        let problem = rest.post("/v1/messages", &body).problem(422);
        assert_eq!(problem["field"], field, "{problem}");
    }
    let _ = rest.post_bytes("/v1/messages/score", "application/json", b"{\"messages\": [").problem(400);
    let _ = rest.post_bytes("/v1/messages/score", "text/plain", b"{}").problem(415);
    let _ = rest.post("/v1/messages/score?at_least=elsewhere:0:0", &json!({"messages": []})).problem(400);
    let none = rest.post("/v1/messages/score", &json!({"messages": []})).expect(200);
    assert_eq!(none["scores"], json!([]));
    let unlearned = rest.post("/v1/messages/score", &json!({"messages": [text]})).expect(200);
    assert_eq!((&unlearned["scores"][0]["label"], &unlearned["scores"][0]["margin"]), (&json!("ham"), &json!(0.0)));
    assert_eq!(filter.scored().len(), 0, "what is asked over REST is neither scored by workers nor written");
}
