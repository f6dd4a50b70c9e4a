//! Whether users choose next what is recommended to them, more often than what is popular.

use serde_json::Value;
use weir_tests::Client;
use weir_tests::choices::{History, Quality, popular};
use weir_tests::data::Rating;
use weir_tests::http::segment;

/// Length of the lists.
const K: usize = 10;
/// Items of the gateway's own list of what is popular, out of which each user's is made.
const POPULAR: usize = 1_000;
/// The lead over popularity that is no chance, in standard deviations, where so many users choose. With a tenth of them, as
/// in `MovieLens` 100K, the same lead is two of them, and being ahead is all that can be asked.
const SURE: f64 = 3.0;
const MANY_USERS: usize = 1_000;

/// Asks for lists after `past` was learned, with nothing of `next` learned meanwhile, and looks for what is chosen in
/// `next`. What a user has rated before is in no list.
pub(crate) fn check_beats_popularity(rest: &Client, past: &[Rating], next: &[Rating]) {
    let history = History::of(past);
    let choices = history.choices(next);
    let weir = Quality::of(&choices, |user| recommended(rest, user, K).1);
    let unseen = |items: &[String]| {
        let few = |user: &str| items.iter().filter(|item| !history.has_seen(user, item)).take(K).cloned().collect();
        Quality::of(&choices, few)
    };
    let (source, served) = recommended(rest, "nobody of this name", POPULAR);
    assert_eq!(source, "popular");
    println!(
        "{} choices of {} users: {}",
        choices.values().map(Vec::len).sum::<usize>(),
        choices.len(),
        said("weir", &weir)
    );
    for (name, items) in [("popular now, as served", served), ("popular ever", popular(past, None))] {
        let other = unseen(&items);
        println!("{}, weir leads by {:.1} standard deviations", said(name, &other), weir.lead(&other));
        // Of hits alone one run has a dozen more than the next, by the order in which partitions are learned. Where in the
        // list they are is what tells a taste from the charts, so hits may be as few as chance makes them.
        let count = choices.values().map(Vec::len).sum::<usize>() as f64;
        let chance = (other.recall * count).sqrt() / count;
        assert!(weir.recall > other.recall - chance, "fewer hits than what is {name}");
        let sure = if choices.len() < MANY_USERS { 0.0 } else { SURE };
        assert!(weir.lead(&other) > sure, "no better than what is {name}, or not surely");
    }
    // What popularity could do at best, with a half-life chosen for these very ratings.
    println!("{}", said("popular in the last week", &unseen(&popular(past, Some(168.0)))));
}

fn said(name: &str, quality: &Quality) -> String {
    format!("{name}: recall@{K} {:.4}, NDCG@{K} {:.4}", quality.recall, quality.ndcg)
}

/// What a list is made from, and its items.
fn recommended(rest: &Client, user: &str, k: usize) -> (String, Vec<String>) {
    let answer = rest.get(&format!("/v1/users/{}/recommendations?k={k}", segment(user))).expect(200);
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {answer}")).to_owned();
    let items = answer["items"].as_array().unwrap_or_else(|| panic!("no items in {answer}"));
    (text(&answer["source"]), items.iter().map(|item| text(&item["item"])).collect())
}
