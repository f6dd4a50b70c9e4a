//! Records of the input topic that are no events, and events that mean something else than a rating.

use std::collections::BTreeMap;

use serde_json::json;
use weir_tests::{Event, Place, topic, wait_until};

use crate::{PATIENCE, Site};

/// An event whose `field` has this JSON value, the rest being right.
fn with(field: &str, value: &str) -> Vec<u8> {
    let mut fields = BTreeMap::from([("user", "\"u\""), ("item", "\"i\""), ("rating", "3")]);
    fields.insert(field, value);
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", fields.join(", ")).into_bytes()
}

fn quoted(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length))
}

/// Values that are refused, each with its reason.
fn bad_values() -> Vec<(Vec<u8>, &'static str)> {
    vec![
        (b"".to_vec(), "undecodable_json"),
        (b"not json".to_vec(), "undecodable_json"),
        (b"{\"user\": \"u\", \"item\": \"i\"".to_vec(), "undecodable_json"),
        (with("rating", "NaN"), "undecodable_json"),
        (with("rating", "Infinity"), "undecodable_json"),
        (b"[]".to_vec(), "wrong_type"),
        (b"17".to_vec(), "wrong_type"),
        (with("user", "[\"u\"]"), "wrong_type"),
        (with("user", "1.5"), "wrong_type"),
        (with("item", "true"), "wrong_type"),
        (with("rating", "\"3\""), "wrong_type"),
        (with("ts", "\"yesterday\""), "wrong_type"),
        (b"{}".to_vec(), "missing_field"),
        (b"{\"user\": \"u\", \"rating\": 3}".to_vec(), "missing_field"),
        (b"{\"item\": \"i\", \"rating\": 3}".to_vec(), "missing_field"),
        (with("user", "\"\""), "empty_id"),
        (with("item", "\"\""), "empty_id"),
        (with("user", &quoted(257)), "long_id"),
        (with("item", &quoted(257)), "long_id"),
        (with("rating", "1e999"), "bad_number"),
        (with("rating", "-1e999"), "bad_number"),
        (with("rating", "1e30"), "bad_number"),
        (with("rating", "-10000000"), "bad_number"),
        (with("padding", &quoted(100_000)), "too_large"),
        (with("padding", &quoted(900_000)), "too_large"),
        (b"{\"user\": \"\xff\xfe\", \"item\": \"i\"}".to_vec(), "invalid_utf8"),
    ]
}

#[test]
fn every_bad_record_is_kept_with_its_reason_and_stops_nothing() {
    let site = Site::open("records");
    let bad = bad_values();
    let mut expected: BTreeMap<Place, (&str, usize)> = BTreeMap::new();
    for (number, (value, reason)) in bad.iter().enumerate() {
        let place = site.producer.send([Event::raw(number as u32 % crate::PARTITIONS, value.clone())])[0];
        expected.insert(place, (reason, value.len()));
        // A good event of the same partition behind each bad one.
        let good = json!({"user": "good", "item": format!("item-{number}"), "rating": 4});
        drop(site.producer.send([Event::raw(place.partition, good.to_string())]));
    }
    let tombstone = site.producer.send([Event { partition: Some(0), key: None, payload: None }])[0];
    expected.insert(tombstone, ("missing_field", 0));
    site.wait_contained();
    assert_eq!(site.events("good"), Some(bad.len() as u64));
    assert_eq!(site.events("u"), None);
    check_rejected(&site, &expected);
    assert_eq!(site.instance.metric("weir_worker_rejected_total"), expected.len() as f64);
    for waiting in ["weir_worker_batches_in_flight", "weir_server_dirty_rows"] {
        wait_until(&format!("{waiting} is back at 0"), PATIENCE, || {
            (site.instance.metric(waiting) == 0.0).then_some(())
        });
    }
}

fn check_rejected(site: &Site, expected: &BTreeMap<Place, (&str, usize)>) {
    let input = site.deployment.ratings_topic();
    let rejected = topic::read_all(site.deployment.brokers(), &format!("{input}.rejected"));
    let mut found = BTreeMap::new();
    for record in &rejected {
        let number =
            |name| record.header(name).parse::<u64>().unwrap_or_else(|error| panic!("{name}: {error}: {record:?}"));
        let place = Place { partition: number("partition") as u32, offset: number("offset") };
        assert_eq!(record.header("topic"), input);
        assert!(!record.header("detail").is_empty());
        let kept = record.payload.as_ref().map_or(0, Vec::len);
        assert!(kept as u64 <= number("length"), "{kept} bytes kept of {}", number("length"));
        let twice = found.insert(place, (record.header("reason"), number("length") as usize));
        assert!(twice.is_none(), "{place:?} is there twice");
    }
    assert_eq!(&found, expected);
}

#[test]
fn ids_of_256_bytes_and_integers_are_taken() {
    let site = Site::open("ids");
    let long = "é".repeat(128);
    drop(site.producer.send([
        Event::keyed(&long, &json!({"user": long, "item": "x".repeat(256), "rating": 1, "unknown": {"field": []}})),
        Event::keyed("any key", &json!({"user": 12_345_678_901_234_567_890_u64, "item": 7})),
    ]));
    site.wait_contained();
    assert_eq!(site.events(&long), Some(1));
    assert_eq!(site.events("12345678901234567890"), Some(1));
}

#[test]
fn null_removes_an_item_and_a_tombstone_forgets_the_user() {
    let site = Site::open("tombstones");
    for item in 0..20 {
        site.rate("others", &format!("item-{item}"));
    }
    for item in ["item-1", "item-2"] {
        site.rate("u", item);
    }
    site.wait_contained();
    assert!(!recommended(&site, "u").contains("\"item-1\""));
    drop(site.producer.send([Event::keyed("u", &json!({"user": "u", "item": "item-1", "rating": null}))]));
    site.wait_contained();
    assert_eq!(site.events("u"), Some(3), "the removal is an event");
    let items = recommended(&site, "u");
    assert!(items.contains("\"item-1\"") && !items.contains("\"item-2\""), "{items}");
    drop(site.producer.send([Event { partition: None, key: Some(b"u".to_vec()), payload: None }]));
    site.wait_contained();
    assert_eq!(site.events("u"), None);
    let unknown = site.rest().get("/v1/users/u/recommendations?k=20").expect(200);
    assert_eq!(unknown["source"], "popular");
    site.rate("u", "item-3");
    site.wait_contained();
    assert_eq!(site.events("u"), Some(1), "a forgotten user begins anew");
}

fn recommended(site: &Site, user: &str) -> String {
    site.rest().get(&format!("/v1/users/{user}/recommendations?k=100")).expect(200)["items"].to_string()
}
