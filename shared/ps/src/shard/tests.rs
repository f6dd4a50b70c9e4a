use super::*;
use crate::{ByRule, Op, PullSection, RequestId, Rule, Section, TableSpec};

struct OneCounter([TableSpec; 1]);

impl Schema for OneCounter {
    fn tables(&self) -> &[TableSpec] {
        &self.0
    }

    fn initial(&self, _: u8, key: u64, row: &mut [u32]) {
        row[0] = key as u32 * 100;
    }
}

fn shard() -> Shard<ByRule> {
    let table = TableSpec { id: 0, name: "counts", width: 2, rule: Rule::AddU64, cached: false, named: true };
    Shard::new(0, ByRule, Arc::new(OneCounter([table])), 2, 1_000)
}

fn range(first: u64, next: u64) -> SourceRange {
    SourceRange { source: 4, first: Position::online(first), next: Position::online(next) }
}

fn add(key: u64, by: u32) -> Part {
    Part { sections: vec![Section { table: 0, op: Op::Add, keys: vec![key], words: vec![by, 0] }], names: vec![] }
}

fn pull(number: u64, at_least: Option<u64>) -> Pull {
    let request = RequestId { instance: 1, number };
    let sections = vec![PullSection { table: 0, keys: vec![3] }];
    Pull { request, shard: 0, source: 4, at_least: at_least.map(Position::online), reply_to: 9, sections }
}

fn value(reply: &Reply) -> (u32, u8) {
    (reply.sections[0].words[0], reply.sections[0].flags[0])
}

#[test]
fn a_pull_creates_no_state_and_a_push_starts_from_the_initial_row() {
    let mut shard = shard();
    let PullAnswer::Ready(reply) = shard.on_pull(pull(0, None), 0) else { panic!("nothing to wait for") };
    assert_eq!((value(&reply), reply.applied, shard.rows().len()), ((300, ROW_UNNAMED), None, 0));
    shard.apply(0, (0, 1), &[range(5, 8)], &add(3, 1)).unwrap();
    let PullAnswer::Ready(reply) = shard.on_pull(pull(1, Some(8)), 0) else { panic!("applied") };
    assert_eq!((value(&reply).0, reply.applied), (301, Some(Position::online(8))));
}

#[test]
fn gaps_overlaps_and_wrong_parts_are_refused_and_change_nothing() {
    let mut shard = shard();
    shard.apply(0, (0, 1), &[range(5, 8)], &add(3, 1)).unwrap();
    for (part, bad) in [((0, 1), range(9, 10)), ((0, 1), range(7, 9)), ((1, 2), range(8, 9)), ((0, 1), range(8, 7))] {
        assert!(shard.apply(1, part, &[bad], &add(3, 1)).is_err(), "{part:?} {bad:?}");
    }
    assert_eq!(shard.rows().table(0).unwrap().get(3).unwrap(), [301, 0]);
    shard.apply(1, (0, 2), &[range(8, 9)], &add(3, 1)).unwrap();
    assert!(shard.apply(2, (0, 2), &[range(8, 9)], &add(3, 1)).is_err(), "the first part again");
    assert_eq!(shard.applied(4), Some(Position::online(8)), "not before the last part");
    shard.apply(2, (1, 2), &[range(8, 9)], &add(3, 1)).unwrap();
    assert_eq!(shard.applied(4), Some(Position::online(9)));
}

#[test]
fn held_pulls_are_answered_once_and_bounded_in_number_and_time() {
    let mut shard = shard();
    assert_eq!(shard.on_pull(pull(0, Some(8)), 0), PullAnswer::Held);
    assert_eq!(shard.on_pull(pull(0, Some(8)), 1), PullAnswer::Held);
    assert_eq!(shard.on_pull(pull(1, Some(99)), 1), PullAnswer::Held);
    assert_eq!(shard.on_pull(pull(2, Some(8)), 1), PullAnswer::Refused);
    shard.apply(0, (0, 1), &[range(5, 8)], &add(3, 1)).unwrap();
    let replies = shard.release(2);
    assert_eq!(replies.iter().map(|reply| reply.request.number).collect::<Vec<_>>(), [0]);
    assert!(shard.release(1_001).is_empty());
    assert_eq!(shard.on_pull(pull(2, Some(99)), 1_001), PullAnswer::Held, "the old one was let go");
}

#[test]
fn a_publication_that_failed_is_published_again_with_what_came_since() {
    let mut shard = shard();
    shard.apply(0, (0, 1), &[range(0, 1)], &add(3, 1)).unwrap();
    let first = shard.take_publication();
    assert_eq!((first.tables[0].0.as_slice(), first.barrier.push_next), ([3].as_slice(), 1));
    assert!(!shard.has_news());
    shard.apply(1, (0, 1), &[range(1, 2)], &add(4, 1)).unwrap();
    shard.publish_failed(first);
    let mut again = shard.take_publication();
    again.tables[0].0.sort_unstable();
    assert_eq!((again.tables[0].0.as_slice(), again.barrier.push_next), ([3, 4].as_slice(), 2));
}

#[test]
fn names_are_kept_and_no_longer_asked_for() {
    let mut shard = shard();
    let mut part = add(3, 1);
    part.names.push((0, 3, "three".into()));
    shard.apply(0, (0, 1), &[range(0, 1)], &part).unwrap();
    let PullAnswer::Ready(reply) = shard.on_pull(pull(0, None), 0) else { panic!("nothing to wait for") };
    assert_eq!(value(&reply).1, 0);
}
