use weir_ps::Partitioner;
use weir_ps::counting::{CountingSchema, ITEMS};
use weir_wire::frame::{BARRIER_KEY, Layout, Position, SourceDone, encode_barrier, encode_row, row_key};

use super::*;

const MODEL: u32 = 7;
const SHARD: u32 = 1;

fn expected() -> ExpectedLayout {
    ExpectedLayout::new("cluster", Partitioner::Hash { shards: 3 }, 1, &CountingSchema::default())
}

fn row(model: u32, shard: u32, name: Option<&str>, words: &[u32]) -> Vec<u8> {
    let mut value = Vec::new();
    encode_row(&mut value, model, shard, name, words).expect("a row");
    value
}

fn barrier(change: impl FnOnce(&mut Layout), positions: &[SourceDone]) -> Vec<u8> {
    let (mut layout, mut value) = (expected().written().clone(), Vec::new());
    change(&mut layout);
    encode_barrier(&mut value, MODEL, SHARD, 9, positions, &layout.to_json().expect("JSON")).expect("a barrier");
    value
}

fn done(source: u32, pass: u32, sequence: u64) -> SourceDone {
    SourceDone { source, position: Position { pass, sequence }, parts_done: 0 }
}

fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> (Result<(), Refusal>, Changes) {
    let mut changes = Changes::default();
    let outcome = Decoder::new(MODEL, expected()).decode(SHARD, key, value, &mut changes);
    (outcome, changes)
}

#[test]
fn rows_come_with_names_and_words() {
    let (mut decoder, mut changes) = (Decoder::new(MODEL, expected()), Changes::default());
    for (key, name, words) in [(5, Some("a"), [1, 2]), (6, None, [3, 4]), (7, Some("bc"), [5, 6])] {
        let value = row(MODEL, SHARD, name, &words);
        assert_eq!(decoder.decode(SHARD, Some(&row_key(ITEMS, key)), Some(&value), &mut changes), Ok(()));
    }
    let read = |change: &Change| match change {
        Change::Put { key, name, words, .. } => {
            (*key, name.as_ref().map(|name| changes.name(name)), changes.words(words))
        }
        other => panic!("{other:?}"),
    };
    let rows: Vec<_> = changes.list.iter().map(read).collect();
    assert_eq!(rows, [(5, Some("a"), &[1, 2][..]), (6, None, &[3, 4]), (7, Some("bc"), &[5, 6])]);
    changes.clear();
    assert!(changes.list.is_empty() && changes.words.is_empty() && changes.names.is_empty());
}

#[test]
fn a_tombstone_removes_its_row() {
    let (outcome, changes) = decode(Some(&row_key(ITEMS, 5)), None);
    assert_eq!((outcome, changes.list), (Ok(()), vec![Change::Remove { table: ITEMS, key: 5 }]));
}

#[test]
fn barriers_count_online_positions_only() {
    let value = barrier(|_| {}, &[done(0, 0, 17), done(2, 1, 4)]);
    let (outcome, changes) = decode(Some(&BARRIER_KEY), Some(&value));
    assert_eq!((outcome, changes.list), (Ok(()), vec![Change::Barrier { shard: SHARD, sources: vec![(0, 17)] }]));
}

#[test]
fn a_barrier_of_another_layout_is_refused_every_time() {
    let mut decoder = Decoder::new(MODEL, expected());
    let mut changes = Changes::default();
    let good = barrier(|_| {}, &[done(0, 0, 17)]);
    let bad = barrier(|layout| layout.shards = 4, &[done(0, 0, 17)]);
    for (value, fits) in [(&good, true), (&bad, false), (&bad, false), (&good, true)] {
        let outcome = decoder.decode(SHARD, Some(&BARRIER_KEY), Some(value), &mut changes);
        assert_eq!(outcome.is_ok(), fits, "{outcome:?}");
        assert!(fits || matches!(outcome, Err(Refusal::Layout(_))), "{outcome:?}");
    }
    assert_eq!(changes.list.len(), 2);
}

#[test]
fn what_is_not_ours_is_skipped_with_its_reason() {
    let check = |key: Option<&[u8]>, value: Option<&[u8]>, reason: &'static str| {
        let (outcome, changes) = decode(key, value);
        assert_eq!(outcome, Err(Skipped(reason)), "{key:?} {value:?}");
        assert!(changes.list.is_empty());
    };
    let key = row_key(ITEMS, 5);
    let fitting = row(MODEL, SHARD, None, &[1, 2]);
    check(None, None, "key");
    check(Some(b"x"), Some(&fitting), "key");
    check(Some(&key), Some(b"{\"user\":\"u\",\"item\":\"i\",\"rating\":1}"), "magic");
    check(Some(&key), Some(b"WEIR"), "truncated");
    check(Some(&key), Some(&row(MODEL + 1, SHARD, None, &[1, 2])), "model");
    check(Some(&key), Some(&row(MODEL, SHARD + 1, None, &[1, 2])), "other_shard");
    check(Some(&key), Some(&row(MODEL, SHARD, None, &[1, 2, 3])), "width");
    check(Some(&row_key(77, 5)), Some(&fitting), "unknown_table");
    check(Some(&row_key(77, 5)), None, "unknown_table");
    check(Some(&key), Some(&barrier(|_| {}, &[])), "other_kind");
    check(Some(&BARRIER_KEY), Some(&fitting), "other_kind");
    check(Some(&BARRIER_KEY), None, "barrier_without_value");
    let mut damaged = fitting;
    *damaged.last_mut().expect("not empty") ^= 1;
    check(Some(&key), Some(&damaged), "checksum");
}
