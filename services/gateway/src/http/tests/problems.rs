use serde_json::json;

use super::*;

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let api = Api::loaded();
    for path in ["/", "/v1", "/v1/users", "/v1/users/", "/v2/models"] {
        api.get(path).await.problem(404, "no_route");
    }
    api.get("/v1/models/eggs/tables/items").await.problem(404, "unknown_model");
    let unknown = api.get("/v1/models/recommender/tables/nothing").await.problem(404, "unknown_table");
    assert!(unknown["detail"].as_str().is_some_and(|detail| detail.contains("popularity")), "{unknown}");
    for (method, path) in [
        (Method::DELETE, "/v1/models"),
        (Method::POST, "/v1/models"),
        (Method::GET, "/v1/ratings"),
        (Method::from_bytes(b"BREW").expect("a method"), "/v1/predictions"),
        (Method::POST, "/metrics"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        let answer = api.send(request).await;
        answer.problem(405, "no_method");
        assert!(answer.response.headers.contains_key(header::ALLOW), "{path}");
    }
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let api = Api::loaded();
    let long = "x".repeat(257);
    let longest = "x".repeat(256);
    api.get(&format!("/v1/users/{longest}")).await.problem(404, "unknown_user");
    for (path, field) in [
        (format!("/v1/users/{long}"), "user"),
        (format!("/v1/users/{long}/recommendations"), "user"),
        ("/v1/users//recommendations".into(), "user"),
        ("/v1/users/%FF/recommendations".into(), "path"),
        ("/v1/users/u/recommendations?k=0".into(), "k"),
        ("/v1/users/u/recommendations?k=1001".into(), "k"),
        ("/v1/users/u/recommendations?k=-1".into(), "k"),
        ("/v1/users/u/recommendations?k=ten".into(), "k"),
        ("/v1/users/u/recommendations?k=1&k=2".into(), "k"),
        ("/v1/users/u/recommendations?offset=-1".into(), "offset"),
        ("/v1/users/u/recommendations?offset=10001".into(), "offset"),
        ("/v1/users/u/recommendations?offset=1&pages=true".into(), "offset"),
        ("/v1/users/u/recommendations?pages=1".into(), "pages"),
        ("/v1/users/u/recommendations?exclude_seen=no".into(), "exclude_seen"),
        ("/v1/users/u/recommendations?exclude=".into(), "exclude"),
        (format!("/v1/users/u/recommendations?only={long}"), "only"),
        ("/v1/users/u/recommendations?only=a&only=b%2F&exclude=b/".into(), "only"),
        ("/v1/users/u/recommendations?cursor=next".into(), "cursor"),
        ("/v1/users/u/recommendations?cursor=1.2.3&cursor=1.2.3".into(), "cursor"),
        ("/v1/users/u/recommendations?cursor=1.2.3&exclude=a".into(), "exclude"),
        ("/v1/users/u/recommendations?cursor=1.2.3&k=0".into(), "k"),
        ("/v1/users/u?at_least=ratings:0".into(), "at_least"),
        ("/v1/users/u?at_least=messages:0:1".into(), "at_least"),
        ("/v1/models?at_least=".into(), "at_least"),
        ("/v1/models/recommender/tables/items?limit=0".into(), "limit"),
        ("/v1/models/recommender/tables/items?limit=1001".into(), "limit"),
        ("/v1/models/recommender/tables/items?after=x".into(), "after"),
    ] {
        let problem = api.get(&path).await.problem(400, "bad_parameter");
        assert_eq!(problem["field"], field, "{path}: {problem}");
    }
}

#[tokio::test]
async fn bodies_must_be_json_and_small() {
    let api = Api::empty(|settings| settings.gateway.body_limit_bytes = 1_024);
    for path in ["/v1/ratings", "/v1/predictions"] {
        for content_type in ["", "text/plain", "application/x-www-form-urlencoded"] {
            let request = Request::post(path).header(header::CONTENT_TYPE, content_type);
            let answer = api.send(request.body(Body::from("{}")).expect("a request")).await;
            answer.problem(415, "media_type");
        }
        for body in ["", "{", "[{}", "nothing", r#"{"user": NaN}"#] {
            api.post(path, body).await.problem(400, "bad_json");
        }
        api.post(path, Body::from(vec![0xFF_u8, 0xFE])).await.problem(400, "bad_json");
        api.post(path, " ".repeat(1_025)).await.problem(413, "too_large");
    }
}

#[tokio::test]
async fn ratings_are_refused_with_index_and_field() {
    let api = Api::empty(|_| {});
    let long = "x".repeat(257);
    let good = json!({"user": "u", "item": "i", "rating": 3});
    for (event, field, code) in [
        (json!({"item": "i"}), json!("user"), "missing_field"),
        (json!({"user": "u"}), json!("item"), "missing_field"),
        (json!({"user": "", "item": "i"}), json!("user"), "empty_id"),
        (json!({"user": "u", "item": long}), json!("item"), "long_id"),
        (json!({"user": "u", "item": "i", "rating": "5"}), json!("rating"), "wrong_type"),
        (json!({"user": "u", "item": "i", "rating": 1e30}), json!("rating"), "bad_number"),
        (json!({"user": "u", "item": "i", "ts": 0.5}), json!("ts"), "bad_number"),
        (json!([]), Value::Null, "wrong_type"),
        (json!(null), Value::Null, "wrong_type"),
    ] {
        if !event.is_array() {
            let problem = api.post("/v1/ratings", event.to_string()).await.problem(422, code);
            assert_eq!((&problem["index"], &problem["field"]), (&json!(0), &field), "{problem}");
        }
        let list = json!([good, good, event]).to_string();
        let problem = api.post("/v1/ratings", list).await.problem(422, code);
        assert_eq!((&problem["index"], &problem["field"]), (&json!(2), &field), "{problem}");
    }
    for (event, field, code) in [
        (r#"{"user": "u", "item": "i", "rating": 1e999}"#, json!("rating"), "bad_number"),
        ("17", Value::Null, "wrong_type"),
        (r#""text""#, Value::Null, "wrong_type"),
    ] {
        let problem = api.post("/v1/ratings", event).await.problem(422, code);
        assert_eq!(problem["field"], field, "{problem}");
    }
    let twice = r#"{"user": "u", "user": "v", "item": "i"}"#;
    api.post("/v1/ratings", twice).await.problem(422, "duplicate_field");
    let metrics = api.get("/metrics").await.text();
    for outcome in ["acknowledged", "failed"] {
        let none = format!("weir_gateway_events_produced_total{{outcome=\"{outcome}\"}} 0\n");
        assert!(metrics.contains(&none), "nothing was sent: {metrics}");
    }
    let many = json!(vec![good; 10_001]).to_string();
    api.post("/v1/ratings", many).await.problem(413, "too_large");
}

#[tokio::test]
async fn pairs_are_refused_with_their_place() {
    let api = Api::loaded();
    for (body, field, code) in [
        (json!({}), "pairs", "missing_field"),
        (json!([]), "pairs", "missing_field"),
        (json!({"pairs": {}}), "pairs", "wrong_type"),
        (json!({"pairs": [{"user": "u", "item": "i"}, {"user": "u"}]}), "pairs[1].item", "missing_field"),
        (json!({"pairs": [7]}), "pairs[0].user", "missing_field"),
        (json!({"pairs": [{"user": 1.5, "item": "i"}]}), "pairs[0].user", "wrong_type"),
        (json!({"pairs": [{"user": "", "item": "i"}]}), "pairs[0].user", "empty_id"),
        (json!({"pairs": [{"user": "u", "item": "x".repeat(257)}]}), "pairs[0].item", "long_id"),
    ] {
        let problem = api.post("/v1/predictions", body.to_string()).await.problem(422, code);
        assert_eq!(problem["field"], field, "{problem}");
    }
    let pair = json!({"user": "u", "item": "i"});
    let many = json!({"pairs": vec![pair; 10_001]}).to_string();
    api.post("/v1/predictions", many).await.problem(413, "too_large");
}

#[tokio::test]
async fn a_record_that_does_not_come_is_a_503_with_what_is_covered() {
    let api = Api::loaded();
    let query = "at_least=ratings:0:6&at_least=ratings:1:3";
    for path in
        ["/v1/users/rater", "/v1/users/rater/recommendations", "/v1/models", "/v1/models/recommender/tables/mean"]
    {
        let answer = api.get(&format!("{path}?{query}")).await;
        let problem = answer.problem(503, "not_covered");
        assert_eq!(problem["covered"], json!({"ratings": [7, 3]}));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("ratings:1:3 ")), "{problem}");
        assert!(answer.response.headers.contains_key(header::RETRY_AFTER));
    }
    let answer = api.post(&format!("/v1/predictions?{query}"), r#"{"pairs": []}"#).await;
    answer.problem(503, "not_covered");
}

#[tokio::test]
async fn a_model_that_is_not_loaded_says_so() {
    let api = Api::empty(|_| {});
    for path in ["/v1/users/u", "/v1/users/u/recommendations", "/v1/models/counting/tables/items"] {
        api.get(path).await.problem(503, "not_loaded");
    }
    api.post("/v1/predictions", r#"{"pairs": []}"#).await.problem(503, "not_loaded");
    let api = Api::empty(|settings| settings.models = vec!["counting".into()]);
    api.get("/v1/users/u").await.problem(404, "unknown_model");
}

#[tokio::test]
async fn ratings_without_a_broker_are_a_503_that_names_each() {
    let api = Api::empty(|settings| settings.gateway.request_timeout_ms = 300);
    let body = json!([{"user": "u", "item": "i"}, {"user": "v", "item": "i"}]).to_string();
    let problem = api.post("/v1/ratings", body).await.problem(503, "not_acknowledged");
    assert_eq!((&problem["acknowledged"], problem["events"].as_array().map(Vec::len)), (&json!(0), Some(2)));
    let metrics = api.get("/metrics").await.text();
    assert!(metrics.contains(r#"weir_gateway_events_produced_total{outcome="failed"} 2"#), "{metrics}");
}

#[tokio::test]
async fn too_many_requests_at_once_are_turned_away() {
    let api = Api::loaded();
    let permits = api.gateway.requests.available_permits() as u32;
    let held = api.gateway.requests.clone().acquire_many_owned(permits).await.expect("permits");
    api.get("/v1/models").await.problem(503, "busy");
    api.get("/health/live").await.ok();
    drop(held);
    api.get("/v1/models").await.ok();
}

#[tokio::test]
async fn panics_are_a_500_that_tells_nothing() {
    let api = Api::loaded();
    let broken = Router::new()
        .route("/broken", axum::routing::get(|| async { panic_for_a_test() }))
        .layer(CatchPanicLayer::custom(layers::panicked));
    let answer = Api { router: broken, ..api }.get("/broken").await;
    let problem = answer.problem(500, "internal");
    assert!(!problem.to_string().contains("secret"), "{problem}");
}

fn panic_for_a_test() -> &'static str {
    panic!("a secret")
}
