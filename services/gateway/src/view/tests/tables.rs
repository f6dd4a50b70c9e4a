//! Whole tables, page by page.

use super::*;

#[test]
fn pages_cover_a_table_once_in_the_order_of_keys() {
    let mut filled = Filled::new("counting");
    let mut keys: Vec<u64> = (0..25).map(|number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    for key in &keys {
        filled.view.put(counting::SUMS, *key, None, &words::from_u64(u64::MAX));
    }
    keys.sort_unstable();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = filled.view.page("sums", after, 10).expect("the table");
        found.extend(page.rows.iter().map(|row| row.key.parse::<u64>().expect("a number")));
        match page.next {
            Some(next) => after = Some(next.parse().expect("a number")),
            None => break,
        }
    }
    assert_eq!(found, keys);
    assert!(filled.view.page("nothing", None, 10).is_none());
}

#[test]
fn values_are_what_the_tables_rule_adds_and_ids_are_found_by_key() {
    let mut filled = recommender();
    filled.factors(USERS, "a", 1.0, 0.1, [0.0, 0.0]);
    let json = |table: &str| serde_json::to_value(filled.view.page(table, None, 1_000)).expect("JSON").to_string();
    assert!(json("items").contains(r#""id":"c","key":"#), "{}", json("items"));
    assert!(
        serde_json::to_string(&filled.view.page("users", None, 9)).expect("JSON").contains("[1.0,0.1,0.0,0.0,0.0,0.0,")
    );
    assert_eq!(json("mean"), r#"{"rows":[{"key":"1","values":[1,3500]}],"table":"mean"}"#);
    // The table has no names; the same id has the same key everywhere.
    assert!(json("activity").contains(r#""id":"rater""#) && json("popularity").contains(r#""id":"a""#));
}
