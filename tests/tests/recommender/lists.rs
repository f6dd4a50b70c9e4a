//! Which items a list has: seen ones, excluded ones, the only ones asked for, page by page.

use serde_json::{Value, json};
use weir_tests::alone;
use weir_tests::http::segment;

use crate::fresh::{Shop, first_item, items};

const USER: &str = "list/reader ü";

#[test]
fn lists_leave_out_what_is_asked_and_pages_are_of_one_list() {
    let _alone = alone();
    let shop = Shop::open("lists");
    let popular = shop.recommendations(USER, "");
    let liked = first_item(&popular);
    let at_least = shop.rate(USER, &liked, 10.0);
    let whole = ask(&shop, &format!("k=30&{at_least}"));
    assert_eq!(whole["source"], "blended");
    let whole = items(&whole);
    assert!(whole.len() == 30 && !whole.contains(&liked), "{whole:?}");
    assert!(items(&ask(&shop, &format!("only={}&exclude_seen=false", segment(&liked)))) == [liked.as_str()]);
    assert!(items(&ask(&shop, &format!("only={}", segment(&liked)))).is_empty(), "it was seen");
    let without = items(&ask(&shop, &format!("k=29&exclude={}", segment(&whole[0]))));
    assert_eq!(without, whole[1..], "the others move up");
    assert_eq!(items(&ask(&shop, "k=10&offset=20")), whole[20..]);
    let asked: Vec<&String> = whole.iter().rev().chain([&liked]).collect();
    let ranked = shop.rest.post("/v1/rankings", &json!({"user": USER, "items": asked})).expect(200);
    let (ranked, of_seen) = (items(&ranked), |item: &String| *item != liked);
    assert_eq!((ranked.len(), ranked.into_iter().filter(of_seen).collect::<Vec<_>>()), (31, whole.clone()));
    pages(&shop, &whole);
    let path = format!("/v1/users/{}/recommendations", segment(USER));
    assert_eq!(shop.rest.get(&format!("{path}?cursor=0.0.0")).problem(410)["code"], "expired_cursor");
    assert_eq!(shop.rest.get(&format!("{path}?only=a&exclude=a")).problem(400)["field"], "only");
}

/// Three pages of the list that there was, though its user rates meanwhile what is on the second one.
fn pages(shop: &Shop, whole: &[String]) {
    let mut page = ask(shop, "k=10&pages=true");
    let mut found = items(&page);
    let at_least = shop.rate(USER, &whole[15], 1.0);
    assert!(!items(&ask(shop, &format!("k=30&{at_least}"))).contains(&whole[15]), "a new list is another one");
    while found.len() < whole.len() {
        let next = page["next"].as_str().unwrap_or_else(|| panic!("no next page in {page}")).to_owned();
        page = ask(shop, &format!("k=10&cursor={next}"));
        found.extend(items(&page));
    }
    assert_eq!(found, whole);
}

fn ask(shop: &Shop, query: &str) -> Value {
    shop.rest.get(&format!("/v1/users/{}/recommendations?{query}", segment(USER))).expect(200)
}
