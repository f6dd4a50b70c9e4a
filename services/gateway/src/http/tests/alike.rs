//! Similar items and users, what is known of an item, visitors, and forgetting.

use serde_json::json;

use super::*;
use crate::view::tests::NOW_MS;

fn items(answer: &Value) -> Vec<(&str, f64)> {
    answer["items"].as_array().expect("items").iter().map(pair).collect()
}

fn pair(item: &Value) -> (&str, f64) {
    (item["item"].as_str().expect("an id"), item["score"].as_f64().expect("a score"))
}

fn ids(answer: &Value) -> Vec<&str> {
    items(answer).into_iter().map(|(item, _)| item).collect()
}

#[tokio::test]
async fn items_are_similar_by_the_cosine_of_their_factors() {
    let api = Api::loaded();
    // a (0.5, 0), b (0, 0.5), c (0.5, 0.5).
    let similar = api.get("/v1/items/a/similar").await.ok();
    assert_eq!((ids(&similar), &similar["item"]), (vec!["c", "b"], &json!("a")));
    let scores: Vec<f64> = items(&similar).into_iter().map(|(_, score)| score).collect();
    assert!((scores[0] - 0.5_f64.sqrt()).abs() < 1e-6 && scores[1].abs() < 1e-6, "{similar}");
    assert_eq!(ids(&api.get("/v1/items/b/similar?k=1").await.ok()), ["c"]);
    api.get("/v1/items/no%2Fthing/similar").await.problem(404, "unknown_item");
    assert_eq!(api.get("/v1/items/a/similar?k=0").await.problem(400, "bad_parameter")["field"], "k");
    let long = format!("/v1/items/{}/similar", "x".repeat(257));
    assert_eq!(api.get(&long).await.problem(400, "bad_parameter")["field"], "item");
}

#[tokio::test]
async fn users_are_similar_by_the_cosine_of_their_factors() {
    let api = Api::loaded();
    let mut filled = recommender();
    filled.chooses("twin ü", [1.0, 0.5]).chooses("other", [-0.5, 1.0]).chooses("opposite", [-0.5, -0.25]);
    api.publish(filled);
    let similar = api.get("/v1/users/rater/similar?k=3").await.ok();
    let users: Vec<_> = similar["users"].as_array().expect("users").iter().map(|user| &user["user"]).collect();
    // Of the looker nothing points anywhere.
    assert_eq!(users, ["twin ü", "other", "opposite"], "{similar}");
    assert_eq!(similar["users"][0]["score"], json!(1.0));
    api.get("/v1/users/nobody/similar").await.problem(404, "unknown_user");
}

#[tokio::test]
async fn an_item_is_known_by_its_rows() {
    let api = Api::loaded();
    let found = api.get("/v1/items/b").await.ok();
    assert_eq!((&found["item"], &found["ratings"]), (&json!("b"), &json!(1.0)));
    let last = found["last_event"].as_i64().expect("a time");
    assert!((last - NOW_MS).abs() < 30_000, "{found}");
    assert!(found["popularity"].as_f64().is_some_and(|popularity| popularity > 0.0 && popularity <= 1.0), "{found}");
    api.get("/v1/items/without-a-name").await.problem(404, "unknown_item");
}

#[tokio::test]
async fn what_is_popular_is_asked_by_window() {
    let api = Api::loaded();
    let popular = api.get("/v1/items/popular?window=24h&k=2").await.ok();
    assert_eq!((ids(&popular), &popular["window"]), (vec!["c", "a"], &json!("24h")));
    assert_eq!(ids(&api.get("/v1/items/popular?offset=1&exclude=a").await.ok()), ["b"]);
    for (query, field) in [("window=1h", "window"), ("pages=true", "pages"), ("k=1001", "k")] {
        let problem = api.get(&format!("/v1/items/popular?{query}")).await.problem(400, "bad_parameter");
        assert_eq!(problem["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_visitor_is_folded_in_and_not_stored() {
    let api = Api::loaded();
    let ask = |body: Value| api.post("/v1/recommendations", body.to_string());
    let list = ask(json!({"items": ["b", "unheard of"]})).await.ok();
    assert_eq!((&list["source"], list.get("user")), (&json!("personal"), None));
    // |q|² = λ = 0.25: p = (1 - 0.125)·0.5 / 0.5 along b's axis alone, so a has its bias and c 0.125 + 0.875 / 2.
    assert_eq!(items(&list), [("c", 0.5625), ("a", 0.5)]);
    let popular = ask(json!({"items": ["unheard of"]})).await.ok();
    assert_eq!((ids(&popular), &popular["source"]), (vec!["c", "a", "b"], &json!("popular")));
    let with_seen = api.post("/v1/recommendations?exclude_seen=false&k=1", r#"{"items": ["b"]}"#).await.ok();
    assert_eq!(ids(&with_seen), ["c"]);
    assert_eq!(ids(&ask(json!({"items": [], "only": ["a", "b"]})).await.ok()), ["a", "b"]);
    api.get("/v1/users/b").await.problem(404, "unknown_user");
}

#[tokio::test]
async fn several_users_are_answered_at_once() {
    let api = Api::loaded();
    let lists = api.post("/v1/recommendations?k=1", r#"{"users": ["rater", 7]}"#).await.ok();
    let summary: Vec<_> = lists["users"]
        .as_array()
        .expect("lists")
        .iter()
        .map(|list| (&list["user"], ids(list), &list["source"]))
        .collect();
    assert_eq!(summary, [(&json!("rater"), vec!["a"], &json!("blended")), (&json!("7"), vec!["c"], &json!("popular"))]);
    let many = json!({"users": vec!["u"; 101]}).to_string();
    api.post("/v1/recommendations", many).await.problem(413, "too_large");
}

#[tokio::test]
async fn ten_thousand_items_may_be_excluded() {
    let api = Api::loaded();
    let mut exclude: Vec<String> = (0..9_999).map(|number| format!("item/{number} ü")).collect();
    exclude.push("a".into());
    let body = json!({"users": ["rater"], "exclude": exclude}).to_string();
    let lists = api.post("/v1/recommendations", body).await.ok();
    assert_eq!(ids(&lists["users"][0]), ["c", "b"]);
    exclude.push("one more".into());
    let body = json!({"users": ["rater"], "exclude": exclude}).to_string();
    api.post("/v1/recommendations", body).await.problem(413, "too_large");
}

#[tokio::test]
async fn bodies_that_ask_for_lists_are_checked() {
    let api = Api::loaded();
    for (body, code, field) in [
        (r"{}", "missing_field", "items"),
        (r"[]", "missing_field", "items"),
        (r#"{"items": [], "users": []}"#, "contradiction", "users"),
        (r#"{"items": "a"}"#, "wrong_type", "items"),
        (r#"{"items": ["a", null]}"#, "wrong_type", "items[1]"),
        (r#"{"users": [""]}"#, "empty_id", "users[0]"),
        (r#"{"items": [], "only": ["a"], "exclude": ["b", "a"]}"#, "contradiction", "only"),
    ] {
        assert_eq!(api.post("/v1/recommendations", body).await.problem(422, code)["field"], field, "{body}");
    }
    for (query, field) in [("k=0", "k"), ("pages=true", "pages"), ("only=a", "only"), ("cursor=1.2.3", "pages")] {
        let path = format!("/v1/recommendations?{query}");
        let problem = api.post(&path, r#"{"items": [], "only": ["b"]}"#).await.problem(400, "bad_parameter");
        assert_eq!(problem["field"], field, "{query}");
    }
}

#[tokio::test]
async fn forgetting_needs_the_broker() {
    let api = Api::empty(|settings| settings.gateway.request_timeout_ms = 300);
    let request = Request::delete("/v1/users/u%2F1").body(Body::empty()).expect("a request");
    api.send(request).await.problem(503, "not_acknowledged");
    let long = format!("/v1/users/{}", "x".repeat(257));
    let request = Request::delete(long).body(Body::empty()).expect("a request");
    assert_eq!(api.send(request).await.problem(400, "bad_parameter")["field"], "user");
}

#[tokio::test]
async fn every_window_has_its_own_order() {
    let api = Api::empty(|settings| settings.recommender.half_lives_hours = [1.0, 24.0, 720.0]);
    let mut settings = crate::view::tests::settings();
    settings.recommender.half_lives_hours = [1.0, 24.0, 720.0];
    let mut filled = Filled::with("recommender", &settings);
    // Many events long ago, some of yesterday, and a few just now.
    for (item, hours_ago, sum) in [("old", 240.0, 100.0), ("recent", 24.0, 60.0), ("new", 0.0, 2.0)] {
        filled.ranked(item, 0.0, [0.0, 0.0]).popular(item, hours_ago, sum);
    }
    api.publish(filled);
    for (window, expected) in [("1h", "new"), ("24h", "recent"), ("720h", "old")] {
        let popular = api.get(&format!("/v1/items/popular?window={window}")).await.ok();
        assert_eq!((ids(&popular)[0], &popular["window"]), (expected, &json!(window)), "{popular}");
        assert_eq!(ids(&popular).len(), 3, "{popular}");
    }
    assert_eq!(api.get("/v1/items/popular").await.ok()["window"], "720h");
}

#[tokio::test]
async fn reasons_are_given_where_there_is_a_history_and_refused_elsewhere() {
    let api = Api::loaded();
    let ranking = json!({"user": "rater", "items": ["a", "c"]}).to_string();
    let ranked = api.post("/v1/rankings?explain=true", ranking).await.ok();
    assert!(ranked["items"].as_array().expect("items").iter().all(|item| item["parts"].is_object()), "{ranked}");
    let users = api.post("/v1/recommendations?explain=true", r#"{"users": ["rater"]}"#).await.ok();
    assert!(users["users"][0]["items"][0]["because"].is_array(), "{users}");
    let many: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();
    let many = json!({"user": "rater", "items": many}).to_string();
    for problem in [
        api.post("/v1/rankings?explain=true", many).await,
        api.post("/v1/recommendations?explain=true", r#"{"items": ["a"]}"#).await,
        api.get("/v1/users/rater/recommendations?pages=true&explain=true").await,
        api.get("/v1/users/rater/recommendations?pages=true&explain=maybe").await,
    ] {
        assert_eq!(problem.problem(400, "bad_parameter")["field"], "explain");
    }
}
