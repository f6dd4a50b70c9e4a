//! What the catalogue changes in answers, from one answer to the next.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::catalogue::Catalogue;
use crate::catalogue::tests::change;
use crate::sides::{Side as _, Sides};
use crate::view::tests::NOW_MS;

impl Api {
    /// The catalogue has these records, and no others.
    fn catalogue(&self, records: &[(&str, &str)]) {
        let model = self.gateway.recommender().expect("configured");
        let changes = records.iter().map(|(item, record)| change(model.key(item), item, Some(record))).collect();
        let [mut one, mut other] = [Catalogue::new(100), Catalogue::new(100)];
        for side in [&mut one, &mut other] {
            assert_eq!(side.apply(&changes).refused, 0);
        }
        self.gateway.catalogue.publish(&Arc::new(Sides::new(one, other)));
    }

    async fn ids(&self, path: &str) -> Vec<String> {
        ids(&self.get(path).await.ok())
    }
}

fn ids(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("no items in {answer}"));
    items.iter().map(|item| item["item"].as_str().expect("an id").to_owned()).collect()
}

const LISTS: [&str; 4] = [
    "/v1/users/rater/recommendations?exclude_seen=false",
    "/v1/users/nobody/recommendations?",
    "/v1/items/popular?",
    "/v1/items/latest?",
];

#[tokio::test]
async fn what_is_hidden_or_over_is_in_no_list_from_the_next_answer_on() {
    let api = Api::loaded();
    let candidates = json!({"user": "rater", "items": ["a", "b", "c"]}).to_string();
    let (visitor, users) = (json!({"items": ["b"]}).to_string(), json!({"users": ["nobody"]}).to_string());
    for record in [r#"{"hidden":true}"#, r#"{"expires":1700000000000}"#, r#"{"published":9999999999999}"#] {
        api.catalogue(&[]);
        for path in LISTS {
            assert!(api.ids(path).await.contains(&"c".to_owned()), "{path}");
        }
        assert!(api.ids("/v1/items/a/similar").await.contains(&"c".to_owned()));
        api.catalogue(&[("c", record)]);
        for path in LISTS {
            let left = api.ids(path).await;
            assert!(!left.is_empty() && !left.contains(&"c".to_owned()), "{path} {left:?}");
        }
        assert_eq!(api.ids("/v1/items/a/similar").await, ["b"], "{record}");
        assert!(!ids(&api.post("/v1/rankings", candidates.clone()).await.ok()).contains(&"c".to_owned()));
        assert!(!ids(&api.post("/v1/recommendations", visitor.clone()).await.ok()).contains(&"c".to_owned()));
        let of_users = api.post("/v1/recommendations", users.clone()).await.ok();
        assert!(!ids(&of_users["users"][0]).contains(&"c".to_owned()));
        // Who asks for the item is told.
        assert_eq!(api.get("/v1/items/c").await.ok()["catalogue"]["shown"], false);
    }
}

#[tokio::test]
async fn what_was_hidden_since_leaves_the_pages_of_a_list_that_is_kept() {
    let api = Api::loaded();
    api.catalogue(&[]);
    let path = "/v1/users/rater/recommendations?exclude_seen=false";
    let all = api.ids(path).await;
    let first = api.get(&format!("{path}&pages=true&k=1")).await.ok();
    assert_eq!(ids(&first), all[..1]);
    api.catalogue(&[(&all[1], r#"{"hidden":true}"#)]);
    let mut cursor = first["next"].as_str().map(str::to_owned);
    let mut rest = Vec::new();
    while let Some(next) = cursor {
        let page = api.get(&format!("/v1/users/rater/recommendations?k=1&cursor={next}")).await.ok();
        rest.extend(ids(&page));
        cursor = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(rest, all[2..]);
}

#[tokio::test]
async fn lists_are_of_categories() {
    let api = Api::loaded();
    api.catalogue(&[
        ("a", r#"{"categories":["film","für Kinder"]}"#),
        ("b", r#"{"categories":["film"]}"#),
        ("c", r#"{"categories":["book"]}"#),
    ]);
    let check = async |query: &str, expected: &[&str]| {
        for path in LISTS {
            let mut found = api.ids(&format!("{path}&{query}")).await;
            found.sort_unstable();
            assert_eq!(found, expected, "{path} {query}");
        }
    };
    check("category=film", &["a", "b"]).await;
    check("category=f%C3%BCr+Kinder", &["a"]).await;
    check("category=film&category=book&category=!f%C3%BCr+Kinder", &["b", "c"]).await;
    check("category=!film&category=!book", &[]).await;
    assert_eq!(api.ids("/v1/items/a/similar?category=book").await, ["c"]);
    let candidates = json!({"user": "rater", "items": ["a", "b", "c"]}).to_string();
    let ranked = api.post("/v1/rankings?category=!film", candidates).await.ok();
    assert_eq!(ids(&ranked), ["c"]);
    for query in ["category=", "category=!", "category=a&category=!a"] {
        let problem = api.get(&format!("/v1/items/popular?{query}")).await.problem(400, "bad_parameter");
        assert_eq!(problem["field"], "category", "{query}");
    }
}

#[tokio::test]
async fn titles_come_on_request() {
    let api = Api::loaded();
    api.catalogue(&[("c", r#"{"title":"Sea"}"#)]);
    for path in LISTS {
        let title = |answer: &Value| {
            let items = answer["items"].as_array().expect("items");
            items.iter().find(|item| item["item"] == "c").expect("it is in the list").get("title").cloned()
        };
        assert_eq!(title(&api.get(path).await.ok()), None, "{path}");
        let asked = api.get(&format!("{path}&titles=true")).await.ok();
        assert_eq!(title(&asked), Some(json!("Sea")), "{path}");
        // Where there is none, nothing is made up.
        assert!(asked["items"].as_array().expect("items").iter().any(|item| item.get("title").is_none()), "{asked}");
    }
    assert_eq!(api.get("/v1/items/popular?titles=yes").await.problem(400, "bad_parameter")["field"], "titles");
}

#[tokio::test]
async fn the_latest_are_those_published_or_met_last() {
    let api = Api::loaded();
    let record = |time: i64| format!(r#"{{"published":{time}}}"#);
    // Nobody has had anything to do with d; b was published before anybody met it.
    let (of_d, of_b) = (record(NOW_MS - 1), record(5));
    api.catalogue(&[("d", &of_d), ("b", &of_b)]);
    let latest = api.get("/v1/items/latest").await.ok();
    let since: Vec<i64> =
        latest["items"].as_array().expect("items").iter().filter_map(|item| item["since"].as_i64()).collect();
    assert!(since.is_sorted_by(|one, other| one >= other), "{latest}");
    let ids = ids(&latest);
    assert_eq!((ids.last().map(String::as_str), since.last()), (Some("b"), Some(&5)), "{latest}");
    let place = ids.iter().position(|item| item == "d").expect("it is new");
    assert_eq!(since[place], NOW_MS - 1);
    assert_eq!(
        api.ids("/v1/items/latest?k=1&offset=1&exclude=d").await,
        [ids.iter().filter(|item| *item != "d").nth(1).expect("two").as_str()]
    );
    assert_eq!(api.get("/v1/items/latest?pages=true").await.problem(400, "bad_parameter")["field"], "pages");
    // What only the catalogue knows is known.
    let of_d = api.get("/v1/items/d").await.ok();
    assert_eq!((&of_d["events"], &of_d["catalogue"]["published"]), (&json!(0), &json!(NOW_MS - 1)));
}

#[tokio::test]
async fn items_may_be_called_as_routes_are() {
    let api = Api::loaded();
    api.catalogue(&[("popular", r#"{"title":"Pop"}"#), ("latest", r#"{"title":"Last"}"#)]);
    for (path, title) in [("/v1/items/%70opular", "Pop"), ("/v1/items/%6Catest", "Last")] {
        assert_eq!(api.get(path).await.ok()["catalogue"]["title"], title, "{path}");
    }
}

#[tokio::test]
async fn ids_with_slashes_and_any_letters_are_found_by_their_paths() {
    let api = Api::loaded();
    let mut filled = recommender();
    filled.ranked("a/b ü?", 0.5, [0.5, 0.5]).popular("a/b ü?", 0.0, 9.0);
    api.publish(filled);
    api.catalogue(&[("a/b ü?", r#"{"title":"Odd"}"#)]);
    let found = api.get("/v1/items/a%2Fb%20%C3%BC%3F").await.ok();
    assert_eq!(
        (&found["item"], &found["catalogue"]["title"], &found["events"]),
        (&json!("a/b ü?"), &json!("Odd"), &json!(1))
    );
    let similar = api.get("/v1/items/a%2Fb%20%C3%BC%3F/similar?k=1").await.ok();
    assert_eq!((&similar["item"], ids(&similar)), (&json!("a/b ü?"), vec!["c".to_owned()]));
    assert_eq!(api.ids("/v1/items/popular?k=1&only=a%2Fb+%C3%BC%3F").await, ["a/b ü?"]);
}

#[tokio::test]
async fn nothing_is_listed_before_the_catalogue_is_read() {
    let api = Api::empty(|_| {});
    api.gateway.catalogue.forget();
    api.publish(recommender());
    for path in LISTS {
        let problem = api.get(path).await.problem(503, "not_loaded");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("items")), "{problem}");
    }
}
