//! REST requests that cannot be answered: the right status, a problem that names the field, and nothing written.

use serde_json::{Value, json};
use weir_tests::{Answer, topic};

use crate::Site;

#[test]
fn a_bad_event_is_refused_with_its_field_and_nothing_is_written() {
    let site = Site::open("events");
    let before = ends(&site);
    let cases = [
        (json!({"item": "i", "rating": 1}), "user"),
        (json!({"user": "u", "rating": 1}), "item"),
        (json!({"user": "", "item": "i"}), "user"),
        (json!({"user": "u", "item": "x".repeat(257)}), "item"),
        (json!({"user": ["u"], "item": "i"}), "user"),
        (json!({"user": "u", "item": "i", "rating": "5"}), "rating"),
        (json!({"user": "u", "item": "i", "rating": 1e30}), "rating"),
        (json!({"user": "u", "item": "i", "ts": "now"}), "ts"),
        (json!([{"user": "u", "item": "i"}, {"user": "u"}]), "item"),
    ];
    for (body, field) in cases {
        check_names(&site.rest().post("/v1/ratings", &body), 422, field);
    }
    let raw = |body: &[u8]| site.rest().post_bytes("/v1/ratings", "application/json", body);
    check_names(&raw(b"{\"user\": \"u\", \"item\": \"i\", \"rating\": 1e999}"), 422, "rating");
    for body in [&b"{"[..], b"", b"{\"user\": NaN}", b"{\"user\": \"\xff\", \"item\": \"i\"}"] {
        let _ = raw(body).problem(400);
    }
    for body in [json!(17), json!("text"), json!(null)] {
        let _ = site.rest().post("/v1/ratings", &body).problem(422);
    }
    assert_eq!(ends(&site), before, "a refused event was written");
}

#[test]
fn requests_of_the_wrong_kind_are_refused() {
    let site = Site::open("requests");
    let rest = site.rest();
    let _ = rest.get("/v1/nothing").problem(404);
    let _ = rest.get("/").problem(404);
    let _ = rest.get("/v1/users/nobody").problem(404);
    let _ = rest.get("/v1/models/nothing/tables/items").problem(404);
    let _ = rest.get("/v1/ratings").problem(405);
    for content_type in ["", "text/plain", "application/xml"] {
        let _ = rest.post_bytes("/v1/ratings", content_type, b"{\"user\": \"u\", \"item\": \"i\"}").problem(415);
        let _ = rest.post_bytes("/v1/predictions", content_type, b"{\"pairs\": []}").problem(415);
    }
    assert_eq!(rest.post_announced("/v1/ratings", 5 << 20), 413);
    assert_eq!(rest.post_announced("/v1/predictions", 5 << 20), 413);
}

#[test]
fn parameters_that_cannot_be_are_refused_by_name() {
    let site = Site::open("parameters");
    for k in ["0", "-1", "ten", "1.5", "1000000", ""] {
        check_parameter(&site, &format!("/v1/users/u/recommendations?k={k}"), "k");
    }
    for at_least in ["", "x", "ratings", "ratings:0", "ratings:0:x", "ratings:x:0", "elsewhere:0:0"] {
        let at_least = at_least.replace("ratings", site.deployment.ratings_topic());
        check_parameter(&site, &format!("/v1/users/u?at_least={at_least}"), "at_least");
    }
    check_parameter(&site, &format!("/v1/users/{}", "x".repeat(257)), "user");
    for body in [
        json!({}),
        json!({"pairs": 1}),
        json!({"pairs": [{"user": "u"}]}),
        json!({"pairs": [{"user": "", "item": "i"}]}),
    ] {
        let problem = site.rest().post("/v1/predictions", &body).problem(422);
        assert!(names(&problem, "pairs") || names(&problem, "item") || names(&problem, "user"), "{problem}");
    }
    let _ = site.rest().post_bytes("/v1/predictions", "application/json", b"{\"pairs\": [").problem(400);
    let none = site.rest().post("/v1/predictions", &json!({"pairs": []})).expect(200);
    assert_eq!(none["predictions"], json!([]));
}

fn check_parameter(site: &Site, path: &str, name: &str) {
    let answer = site.rest().get(path);
    assert!(answer.status == 400 || answer.status == 422, "{path}: {answer:?}");
    check_names(&answer, answer.status, name);
}

#[track_caller]
fn check_names(answer: &Answer, status: u16, field: &str) {
    let problem = answer.problem(status);
    assert!(names(&problem, field), "{problem} does not name {field}");
}

fn names(problem: &Value, field: &str) -> bool {
    problem.to_string().split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == field)
}

fn ends(site: &Site) -> Vec<u64> {
    topic::ends(site.deployment.brokers(), site.deployment.ratings_topic())
}
