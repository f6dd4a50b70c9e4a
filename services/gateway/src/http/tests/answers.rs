use serde_json::json;

use super::*;

fn model() -> Value {
    json!({"name": "recommender", "generation": "g1", "offsets": {"ratings": [7, 3]}})
}

#[tokio::test]
async fn recommendations_are_personal_or_popular() {
    let api = Api::loaded();
    let expected = json!({
        "user": "rater", "source": "blended", "model": model(),
        "items": [{"item": "a", "score": 0.75}, {"item": "c", "score": 0.5}],
    });
    assert_eq!(api.get("/v1/users/rater/recommendations?k=2").await.ok(), expected);
    let popular = api.get("/v1/users/n%C3%B6%2F%20body/recommendations").await.ok();
    assert_eq!((&popular["user"], &popular["source"]), (&json!("nö/ body"), &json!("popular")));
    let items: Vec<_> = popular["items"].as_array().expect("items").iter().map(|item| item["item"].clone()).collect();
    // Today is some time after the day of these rows, so only the order is known.
    assert_eq!(items, ["c", "a", "b"]);
}

#[tokio::test]
async fn lists_are_of_the_items_that_the_query_leaves() {
    let api = Api::loaded();
    for (query, expected) in [
        ("", &["a", "c", "b"][..]),
        ("k=1&offset=1", &["c"]),
        ("offset=3", &[]),
        ("exclude=a&exclude=no%2Fbody", &["c", "b"]),
        ("only=b&only=a&only=nothing", &["a", "b"]),
        ("only=nothing", &[]),
        ("exclude_seen=false&only=c&exclude=a", &["c"]),
    ] {
        let answer = api.get(&format!("/v1/users/rater/recommendations?{query}")).await.ok();
        assert_eq!((items(&answer), answer.get("next")), (expected.to_vec(), None), "{query}");
    }
    let popular = api.get("/v1/users/nobody/recommendations?exclude=a&k=1&offset=1").await.ok();
    assert_eq!((items(&popular), &popular["source"]), (vec!["b"], &json!("popular")));
}

fn items(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().expect("items").iter().filter_map(|item| item["item"].as_str()).collect()
}

#[tokio::test]
async fn rankings_order_what_the_client_names() {
    let api = Api::loaded();
    let body = json!({"user": "rater", "items": ["b", "nothing", "c", "a", "c"]}).to_string();
    let expected = json!({
        "user": "rater", "source": "blended", "model": model(),
        "items": [{"item": "a", "score": 0.75}, {"item": "c", "score": 0.5}, {"item": "b", "score": 0.25}],
    });
    assert_eq!(api.post("/v1/rankings", body).await.ok(), expected);
    let popular = api.post("/v1/rankings", r#"{"user": 7, "items": ["a", "c"]}"#).await.ok();
    assert_eq!(
        (items(&popular), &popular["source"], &popular["user"]),
        (vec!["c", "a"], &json!("popular"), &json!("7"))
    );
    assert!(items(&api.post("/v1/rankings", r#"{"user": "rater", "items": []}"#).await.ok()).is_empty());
    for (body, code, field) in [
        (r#"{"items": []}"#, "missing_field", "user"),
        (r#"{"user": "u"}"#, "missing_field", "items"),
        (r#"{"user": "u", "items": "a"}"#, "wrong_type", "items"),
        (r#"{"user": "u", "items": ["a", 1.5]}"#, "wrong_type", "items[1]"),
        (r#"{"user": "", "items": []}"#, "empty_id", "user"),
    ] {
        assert_eq!(api.post("/v1/rankings", body).await.problem(422, code)["field"], field, "{body}");
    }
    let many = json!({"user": "u", "items": vec!["a"; 10_001]}).to_string();
    api.post("/v1/rankings", many).await.problem(413, "too_large");
}

#[tokio::test]
async fn pages_are_of_one_list_whatever_is_learned_meanwhile() {
    let api = Api::loaded();
    let first = api.get("/v1/users/rater/recommendations?pages=true&k=1&exclude=nothing").await.ok();
    assert_eq!(items(&first), ["a"]);
    let mut newer = recommender();
    newer.ranked("b", 9.0, [0.0, 0.0]).barriers(&[60, 3]);
    api.publish(newer);
    let page = |answer: &Value| {
        let next = answer["next"].as_str().expect("more").to_owned();
        format!("/v1/users/rater/recommendations?k=1&cursor={next}")
    };
    let second = api.get(&page(&first)).await.ok();
    assert_eq!((items(&second), &second["model"]), (vec!["c"], &model()));
    let third = api.get(&page(&second)).await.ok();
    assert_eq!((items(&third), third.get("next"), &third["items"][0]["score"]), (vec!["b"], None, &json!(0.25)));
    assert_eq!(api.get(&page(&second)).await.ok(), third, "a page may be read again");
    let another = page(&first).replace("rater", "looker");
    assert_eq!(api.get(&another).await.problem(400, "bad_parameter")["field"], "cursor");
    let expired = api.get("/v1/users/rater/recommendations?cursor=1.2.3").await.problem(410, "expired_cursor");
    assert_eq!(expired["field"], "cursor");
}

#[tokio::test]
async fn users_are_counted_or_unknown() {
    let api = Api::loaded();
    let expected = json!({"user": "rater", "events": 2, "last_event": 1_700_000_000_000_u64, "model": model()});
    assert_eq!(api.get("/v1/users/rater").await.ok(), expected);
    api.get("/v1/users/nobody").await.problem(404, "unknown_user");
}

#[tokio::test]
async fn predictions_come_in_the_order_of_the_pairs() {
    let api = Api::loaded();
    let body = json!({"pairs": [{"user": "rater", "item": "b"}, {"user": "rater", "item": 17}]}).to_string();
    let answer = api.post("/v1/predictions", body).await.ok();
    assert_eq!(answer["model"], model());
    assert_eq!(answer["predictions"][0], json!({"user": "rater", "item": "b", "rating": 5.875}));
    assert_eq!(answer["predictions"][1]["item"], "17", "integers are ids too");
    let empty = api.post("/v1/predictions", r#"{"pairs": []}"#).await.ok();
    assert_eq!(empty["predictions"], json!([]));
}

#[tokio::test]
async fn models_say_what_they_contain() {
    let api = Api::loaded();
    let models = api.get("/v1/models").await.ok();
    let expected = json!({
        "name": "recommender", "generation": "g1", "loaded": true, "shards": 3, "rows": 12, "events": 7,
        "offsets": {"ratings": [7, 3]},
    });
    assert_eq!(models["models"][0], expected);
    assert_eq!(models["models"][1]["name"], "counting");
    let models = Api::empty(|_| {}).get("/v1/models").await.ok();
    assert_eq!(
        (&models["models"][0]["loaded"], &models["models"][0]["offsets"]),
        (&json!(false), &json!({"ratings": []}))
    );
}

#[tokio::test]
async fn tables_come_in_pages() {
    let api = Api::loaded();
    let first = api.get("/v1/models/recommender/tables/items?limit=2").await.ok();
    assert_eq!((first["rows"].as_array().map(Vec::len), &first["table"]), (Some(2), &json!("items")));
    assert_eq!(first["model"], model());
    let next = first["next"].as_str().expect("more");
    let second = api.get(&format!("/v1/models/recommender/tables/items?limit=2&after={next}")).await.ok();
    assert_eq!((second["rows"].as_array().map(Vec::len), second.get("next")), (Some(1), None));
    let keys = [&first["rows"][0], &first["rows"][1], &second["rows"][0]].map(|row| row["key"].as_str());
    assert!(keys.is_sorted_by_key(|key| key.and_then(|key| key.parse::<u64>().ok())), "{keys:?}");
}

#[tokio::test]
async fn at_least_answers_at_once_when_the_record_is_contained() {
    let api = Api::loaded();
    for path in ["/v1/users/rater", "/v1/users/rater/recommendations", "/v1/models/recommender/tables/mean"] {
        api.get(&format!("{path}?at_least=ratings:0:6&at_least=ratings:1:2")).await.ok();
    }
    let metrics = api.get("/metrics").await.text();
    assert!(metrics.contains(r#"weir_gateway_at_least_total{outcome="covered"} 3"#), "{metrics}");
}

#[tokio::test]
async fn at_least_waits_until_the_record_is_contained() {
    let api = Api::empty(|settings| settings.gateway.at_least_timeout_ms = 60_000);
    let asking = api.get("/v1/users/rater?at_least=ratings:0:6");
    let publishing = async {
        // Whoever asks has begun to wait when nobody else has anything to do.
        tokio::task::yield_now().await;
        api.publish(recommender());
    };
    let (answer, ()) = tokio::join!(asking, publishing);
    assert_eq!(answer.ok()["events"], 2);
}

#[tokio::test]
async fn a_new_view_takes_the_place_of_the_old_one() {
    let api = Api::loaded();
    let mut newer = recommender();
    newer.activity("rater", 50, 1).barriers(&[60, 3]);
    api.publish(newer);
    let answer = api.get("/v1/users/rater?at_least=ratings:0:59").await.ok();
    assert_eq!((&answer["events"], &answer["model"]["offsets"]["ratings"][0]), (&json!(50), &json!(60)));
}

#[tokio::test]
async fn health_and_metrics_are_on_the_same_port() {
    let api = Api::loaded();
    api.get("/health/live").await.ok();
    let not_ready = api.get("/health/ready").await;
    assert_eq!((not_ready.status.as_u16(), not_ready.content_type.as_str()), (503, JSON));
    api.context.health.part("gateway-recommender").ready();
    api.get("/health/ready").await.ok();
    api.get("/v1/users/rater/recommendations").await.ok();
    api.get("/v1/nothing/rater").await;
    let metrics = api.get("/metrics").await.text();
    let requests =
        r#"weir_gateway_requests_total{method="GET",route="/v1/users/{user}/recommendations",status="200"} 1"#;
    assert!(metrics.contains(requests), "{metrics}");
    assert!(metrics.contains(r#"route="none",status="404""#) && !metrics.contains("rater"), "{metrics}");
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let api = Api::loaded();
    let request = Request::get("/v1/models").header("x-request-id", "mine").body(Body::empty()).expect("a request");
    assert_eq!(api.send(request).await.response.headers["x-request-id"], "mine");
    assert!(!api.get("/nothing").await.response.headers["x-request-id"].is_empty());
}

#[tokio::test]
async fn messages_are_scored_in_their_order() {
    let api = Api::loaded();
    let body =
        json!({"messages": [{"id": "dinner", "text": "dinner?"}, {"id": 7, "text": "free prize", "label": "ham"}]});
    let answer = api.post("/v1/messages/score?at_least=messages:0:6", body.to_string()).await.ok();
    let scores = answer["scores"].as_array().expect("scores");
    assert_eq!((&scores[0]["id"], &scores[1]["id"]), (&json!("dinner"), &json!("7")));
    assert_eq!(scores[1]["label"], "spam", "{answer}");
    assert!(scores[1]["margin"].as_f64() > Some(1.0) && scores[1]["probability"].as_f64() > Some(0.5), "{answer}");
    assert_eq!(answer["model"], json!({"name": "spam", "generation": "g1", "offsets": {"messages": [7, 0]}}));
    assert_eq!((&scores[1]["action"], &scores[1]["state"]), (&json!("review"), &json!("learning")), "{answer}");
    assert_eq!(scores[1]["labels"], json!({"spam": 60, "ham": 3, "needed": 50}));
    assert_eq!(scores[1]["thresholds"], json!({"review": 0.5, "reject": 0.9}));
    assert_eq!(scores[1].get("explanation"), None);
    let models = api.get("/v1/models?at_least=messages:0:6&at_least=ratings:0:1").await.ok();
    assert_eq!((&models["models"][2]["name"], &models["models"][2]["events"]), (&json!("spam"), &json!(7)));
    let tables = api.get("/v1/models/spam/tables/features").await.problem(404, "unknown_table");
    assert!(
        tables["detail"].as_str().is_some_and(|detail| detail.contains("weights, calibration, counts")),
        "{tables}"
    );
}

#[tokio::test]
async fn scores_are_explained_when_asked() {
    let api = Api::loaded();
    let body = json!({"messages": [{"id": "a", "text": "a free prize for dinner"}, {"id": "b", "text": "7"}]});
    let answer = api.post("/v1/messages/score?explain=true", body.to_string()).await.ok();
    let said = answer["scores"][0]["explanation"]["spam"].as_array().expect("what spoke for spam");
    let parts: Vec<_> = said.iter().filter_map(|part| part["part"].as_str()).collect();
    assert!(parts[..2].contains(&"prize") && parts[..2].contains(&"free"), "{answer}");
    assert!(said.iter().all(|part| part["weight"].as_f64() > Some(0.0)), "{answer}");
    assert!(answer["scores"][1]["explanation"].is_object(), "{answer}");
    let many = json!({"messages": vec![json!({"id": "m", "text": "t"}); 11]}).to_string();
    api.post("/v1/messages/score?explain=true", many.clone()).await.problem(413, "too_large");
    api.post("/v1/messages/score", many).await.ok();
    api.post("/v1/messages/score?explain=yes", body.to_string()).await.problem(400, "bad_parameter");
    let many = json!({"messages": vec![json!({"id": "m", "text": "t"}); 1_001]}).to_string();
    api.post("/v1/messages/score", many).await.problem(413, "too_large");
}

#[tokio::test]
async fn a_message_tells_what_is_remembered_of_it() {
    let api = Api::loaded();
    let answer = api.get("/v1/messages/m%201?at_least=messages:0:6").await.ok();
    let known = json!({"id": "m 1", "label": "ham", "learned": true, "features": 5, "whole": true,
        "first_seen": 9_000, "model": answer["model"]});
    assert_eq!(answer, known);
    assert_eq!(answer["model"]["offsets"]["messages"][0], 7);
    let none = api.get("/v1/messages/nobody").await.problem(404, "unknown_message");
    assert!(none["detail"].as_str().is_some_and(|detail| detail.contains("nobody")), "{none}");
    let long = "x".repeat(257);
    assert_eq!(api.get(&format!("/v1/messages/{long}")).await.problem(400, "bad_parameter")["field"], "id");
}

#[tokio::test]
async fn labels_that_are_none_are_refused_by_name() {
    let api = Api::loaded();
    for (body, code) in [
        ("{}", "missing_field"),
        (r#"{"label":null}"#, "missing_field"),
        (r#"{"label":"eggs"}"#, "unknown_label"),
        (r#"{"label":7}"#, "wrong_type"),
        (r#"["spam"]"#, "wrong_type"),
    ] {
        let problem = api.post("/v1/messages/m/label", body).await.problem(422, code);
        assert_eq!(problem["field"], "label", "{problem}");
    }
    api.post("/v1/messages/m/label", "{").await.problem(400, "bad_json");
}

#[tokio::test]
async fn without_the_model_there_are_no_scores() {
    let api = Api::empty(|settings| settings.models = vec!["recommender".into()]);
    let body = r#"{"messages": [{"id": "m", "text": "t"}]}"#;
    api.post("/v1/messages/score", body).await.problem(404, "unknown_model");
    api.post("/v1/messages", r#"{"id": "m", "text": "t"}"#).await.problem(404, "unknown_model");
    Api::empty(|_| {}).post("/v1/messages/score", body).await.problem(503, "not_loaded");
    api.get("/v1/models?at_least=messages:0:6").await.problem(400, "bad_parameter");
}
