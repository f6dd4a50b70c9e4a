use proptest::prelude::*;
use weir_wire::catalogue::parse;

use super::*;
use crate::sides::{Sides, Writer};

/// What a record under the key of an item says.
pub(crate) fn change(key: u64, item: &str, payload: Option<&str>) -> Change {
    Change::new(key, &parse(Some(item.as_bytes()), payload.map(str::as_bytes)).expect("a record"))
}

fn catalogue(changes: &[(u64, Option<&str>)]) -> Catalogue {
    let mut catalogue = Catalogue::new(1_000);
    let list = changes.iter().map(|(key, payload)| change(*key, &key.to_string(), *payload)).collect();
    assert_eq!(catalogue.apply(&list).refused, 0);
    catalogue
}

fn shows(catalogue: &Catalogue, key: u64, now_ms: i64, categories: &[&str]) -> bool {
    Moment { now_ms, catalogue }.shows(key, &Categories::new(categories.iter().copied()))
}

#[test]
fn what_is_hidden_over_or_not_yet_there_is_not_shown() {
    let catalogue = catalogue(&[
        (1, Some(r#"{"hidden":true}"#)),
        (2, Some(r#"{"expires":100}"#)),
        (3, Some(r#"{"published":100}"#)),
        (4, Some(r#"{"hidden":true}"#)),
        (4, Some("{}")),
        (5, Some(r#"{"hidden":true}"#)),
        (5, None),
    ]);
    let shown = |now_ms| (1..=6).filter(|key| shows(&catalogue, *key, now_ms, &[])).collect::<Vec<_>>();
    assert_eq!((shown(99), shown(100)), (vec![2, 4, 5, 6], vec![3, 4, 5, 6]));
}

#[test]
fn an_item_needs_one_of_the_categories_and_none_of_those_ruled_out() {
    let catalogue = catalogue(&[(1, Some(r#"{"categories":["a","b"]}"#)), (2, Some(r#"{"categories":["c"]}"#))]);
    let check = |categories: &[&str], expected: &[u64]| {
        let shown: Vec<u64> = (1..=3).filter(|key| shows(&catalogue, *key, 0, categories)).collect();
        assert_eq!(shown, expected, "{categories:?}");
    };
    check(&[], &[1, 2, 3]);
    check(&["a"], &[1]);
    check(&["a", "c"], &[1, 2]);
    check(&["!a"], &[2, 3]);
    check(&["a", "!b"], &[]);
    check(&["c", "!b"], &[2]);
    check(&["x"], &[]);
}

#[test]
fn there_is_room_for_so_many_and_those_may_change() {
    let mut catalogue = Catalogue::new(2);
    let kept = |items, hidden, refused| Kept { items, hidden, refused };
    let put = |key| change(key, "i", Some(r#"{"hidden":true,"published":7}"#));
    assert_eq!(catalogue.apply(&vec![put(1), put(2), put(3), put(4)]), kept(2, 2, 2));
    assert_eq!(catalogue.apply(&vec![change(2, "i", Some("{}"))]), kept(2, 1, 0));
    assert_eq!(catalogue.apply(&vec![change(1, "i", None), put(3), change(9, "i", None)]), kept(2, 1, 0));
    assert_eq!(catalogue.latest().collect::<Vec<_>>(), [(3, 7)]);
}

proptest! {
    /// Whatever came before, the last record of each item is what counts, in both copies.
    #[test]
    fn the_last_record_of_an_item_counts(records in proptest::collection::vec((1_u64..6, 0_usize..4, 0_i64..3), 0..40), size in 1_usize..5) {
        let payloads = |kind: usize, time: i64| match kind {
            0 => None,
            1 => Some(format!(r#"{{"hidden":true,"published":{time}}}"#)),
            2 => Some(format!(r#"{{"published":{time}}}"#)),
            _ => Some("{}".to_owned()),
        };
        let mut writer = Writer::new(&Arc::new(Sides::new(Catalogue::new(9), Catalogue::new(9))));
        let mut last = std::collections::BTreeMap::new();
        for batch in records.chunks(size) {
            let of = |(key, kind, time): &(u64, usize, i64)| change(*key, "i", payloads(*kind, *time).as_deref());
            writer.apply(&mut batch.iter().map(of).collect());
            last.extend(batch.iter().map(|(key, kind, time)| (*key, (*kind, *time))));
        }
        last.retain(|_, (kind, _)| *kind != 0);
        let mut latest: Vec<_> = last.iter().filter(|(_, (kind, _))| *kind < 3).map(|(key, (_, time))| (*key, *time)).collect();
        latest.sort_by_key(|(key, time)| (Reverse(*time), *key));
        let hidden = last.values().filter(|(kind, _)| *kind == 1).count();
        for _ in 0..2 {
            let kept = writer.apply(&mut Vec::new());
            prop_assert_eq!((kept.items, kept.hidden), (last.len(), hidden));
            prop_assert_eq!(writer.sides().read(|catalogue| catalogue.latest().collect::<Vec<_>>()), latest.clone());
        }
    }
}
