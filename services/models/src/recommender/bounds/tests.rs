use proptest::prelude::*;
use weir_ps::{Op, Part, Position, Publication, Section, Shard, SourceRange};

use super::*;
use crate::recommender::tests::settings;
use crate::recommender::{ITEM_EVENTS, RecommenderModel, SEEN, SEEN_HEADS, server::SeenChange};

const HOUR_MS: u64 = 3_600_000;

/// A shard, and how far its one source partition is.
struct Pushed {
    shard: Shard<RecommenderServer>,
    next: u64,
}

impl Pushed {
    fn new(bounds: Bounds) -> Self {
        let settings = RecommenderSettings { bounds, ..settings() };
        let schema = weir_ps::Model::schema(&RecommenderModel::new(settings));
        Self { shard: Shard::new(0, RecommenderServer::new(settings), schema, 10, 1_000), next: 0 }
    }

    /// As part `part` of so many, what a batch pushes of one event: a user has had an item at a time.
    fn event(&mut self, user: u64, item: u64, time_ms: u64, (part, parts): (u16, u16)) {
        let [low, high] = words::from_u64(time_ms);
        let happened = weir_learn::item_events::ItemEvent { hours: 1.0, weight: 1.0, paired: 0.0, time_ms };
        let add = |table, key, words: &[u32]| Section { table, op: Op::Add, keys: vec![key], words: words.to_vec() };
        let width = |table: u8| self.shard.rows().table(table).map_or(0, RowTable::width);
        let sections = vec![
            add(USERS, user, &vec![0; width(USERS)]),
            add(ITEMS, item, &vec![0; width(ITEMS)]),
            add(ITEM_EVENTS, item, &happened.to_words()),
            add(SEEN_HEADS, user, &SeenChange::Append(item).to_words()),
            add(ACTIVITY, user, &[1, 0, low, high]),
        ];
        let range =
            SourceRange { source: 0, first: Position::online(self.next), next: Position::online(self.next + 1) };
        let part_of = Part { sections, names: Vec::new() };
        self.shard.apply(self.next, (part, parts), &[range], &part_of).expect("it goes on");
        self.next += u64::from(part + 1 >= parts);
    }

    fn publish(&mut self) -> (Publication, Vec<LetGo>) {
        let publication = self.shard.take_publication();
        (publication, self.shard.take_let_go())
    }

    fn keys(&self, table: u8) -> Vec<u64> {
        let mut keys: Vec<u64> =
            self.shard.rows().table(table).into_iter().flat_map(RowTable::iter).map(|(key, ..)| key).collect();
        keys.sort_unstable();
        keys
    }
}

fn let_go(what: &'static str, why: &'static str, count: u64) -> LetGo {
    LetGo { what, why, count }
}

const WHOLE: (u16, u16) = (0, 1);

#[test]
fn who_was_not_seen_for_the_age_is_gone_with_the_next_barrier() {
    let mut pushed = Pushed::new(Bounds { users: 100, items: 100, age_ms: Some(10 * HOUR_MS) });
    pushed.event(1, 11, HOUR_MS, WHOLE);
    pushed.event(2, 12, 2 * HOUR_MS, WHOLE);
    assert_eq!(pushed.publish().1, []);
    pushed.event(3, 12, 11 * HOUR_MS + 1, WHOLE);
    assert_eq!(pushed.keys(USERS), [1, 2, 3], "nobody goes between barriers");
    let (publication, gone) = pushed.publish();
    assert_eq!(publication.tables[usize::from(SEEN)].1.len(), 1);
    assert_eq!(gone, [let_go("users", "age", 1), let_go("items", "age", 1)]);
    for table in [USERS, ACTIVITY, SEEN_HEADS] {
        assert_eq!((pushed.keys(table), &publication.tables[usize::from(table)].1), (vec![2, 3], &vec![1]), "{table}");
    }
    assert_eq!((pushed.keys(ITEMS), pushed.keys(POPULARITY), pushed.keys(SEEN).len()), (vec![12], vec![12], 2));
    // With the next event whoever is gone begins anew.
    pushed.event(1, 12, 12 * HOUR_MS, WHOLE);
    let activity = pushed.shard.rows().table(ACTIVITY).and_then(|table| table.get(1)).expect("a row");
    assert_eq!(words::u64_at(activity, 0), 1);
    // A publication that fails takes nothing back: what is gone is gone with the next one.
    pushed.shard.publish_failed(publication);
    let again = pushed.publish().0;
    assert_eq!((&again.tables[usize::from(ITEMS)].1, &again.tables[usize::from(USERS)].1), (&vec![11], &vec![]));
}

#[test]
fn the_least_recently_seen_go_where_there_is_no_room() {
    let mut pushed = Pushed::new(Bounds { users: 4, items: 2, age_ms: None });
    for (user, item, hour) in [(1, 11, 5), (2, 12, 1), (3, 12, 3), (4, 13, 4), (5, 11, 2), (2, 12, 9)] {
        pushed.event(user, item, hour * HOUR_MS, WHOLE);
    }
    assert_eq!(pushed.publish().1, [let_go("users", "room", 1), let_go("items", "room", 1)]);
    assert_eq!((pushed.keys(USERS), pushed.keys(ITEMS)), (vec![1, 2, 3, 4], vec![11, 12]));
}

/// As many as any one user ever has: what is kept of them is what is kept of the last few.
#[test]
fn a_million_events_of_a_user_take_the_room_of_some() {
    let mut pushed = Pushed::new(Bounds { users: 9, items: 50, age_ms: None });
    let mut rows = 0;
    for number in 0..1_000_000_u64 {
        pushed.event(1, 1 + number % 40, HOUR_MS + number, WHOLE);
        if number == 1_000 {
            rows = pushed.shard.rows().len();
        }
    }
    assert_eq!((pushed.shard.rows().len(), pushed.keys(USERS)), (rows, vec![1]));
    let activity = pushed.shard.rows().table(ACTIVITY).and_then(|table| table.get(1)).expect("a row");
    assert_eq!(words::u64_at(activity, 0), 1_000_000);
}

#[test]
fn an_item_of_which_no_time_is_known_stays_while_there_is_room() {
    let bounds = Some(5);
    let seen = || vec![(1, 0), (2, 0), (3, 9), (4, 10), (5, 2)];
    assert_eq!(leaving(seen(), 9, bounds, 10), Leaving { aged: vec![5], crowded_out: vec![] });
    assert_eq!(leaving(seen(), 4, bounds, 10), Leaving { aged: vec![5], crowded_out: vec![1] });
}

#[test]
fn nobody_goes_while_a_push_is_applied_in_part() {
    let mut pushed = Pushed::new(Bounds { users: 1, items: 1, age_ms: None });
    pushed.event(1, 11, HOUR_MS, (0, 2));
    pushed.event(2, 12, HOUR_MS, (1, 2));
    pushed.event(3, 12, HOUR_MS, (0, 2));
    assert_eq!((pushed.publish().1, pushed.keys(USERS).len()), (vec![], 3));
    pushed.event(3, 12, HOUR_MS, (1, 2));
    assert_eq!(pushed.publish().1, [let_go("users", "room", 2), let_go("items", "room", 1)]);
}

#[test]
fn lists_of_neighbours_are_as_many_as_the_items_may_have() {
    let bounds = Bounds { users: 9, items: 2, age_ms: None };
    let most = 2 * settings().neighbours.chunks() as usize;
    let mut pushed = Pushed::new(bounds);
    for (place, item) in (1..=most as u64 + 1).enumerate() {
        let chunk = neighbours::chunk_key(item, 0);
        let mut row = [0; neighbours::CHUNK_WIDTH];
        for _ in 0..=place {
            neighbours::count_in_chunk(&mut row, item, neighbours::Neighbour { item: 99, weight: 1.0 });
        }
        pushed.shard.rows_mut().table_mut(NEIGHBOURS).expect("a table").put(chunk, None, &row);
    }
    pushed.event(1, 1, HOUR_MS, WHOLE);
    assert_eq!(pushed.publish().1, [let_go("neighbours", "room", 1)]);
    assert!(!pushed.keys(NEIGHBOURS).contains(&neighbours::chunk_key(1, 0)), "of the first least is known");
}

#[test]
fn a_worker_pulls_anew_what_it_has_kept_for_long() {
    let bounds = Bounds { users: 9, items: 9, age_ms: Some(40) };
    let mut kept = Kept::default();
    let mut old = |source, latest| kept.are_old(&bounds, source, latest);
    assert!(!old(0, 100) && !old(0, 110) && old(0, 111) && !old(0, 121) && old(0, 122));
    assert!(!old(1, 500) && !old(0, 100), "each partition by itself, and time goes on only");
}

proptest! {
    /// Whatever is seen in whatever order: who stays was seen no less recently than who went for want of room, and nobody who is too old stays.
    #[test]
    fn who_stays_was_seen_last(
        seen in proptest::collection::btree_map(1_u64..500, 1_u64..100, 0..200),
        most in 1_usize..200,
        age in proptest::option::of(1_u64..80),
    ) {
        let latest = seen.values().copied().max().unwrap_or_default();
        let found = leaving(seen.iter().map(|(key, last)| (*key, *last)).collect(), most, age, latest);
        let gone: Vec<u64> = found.keys().collect();
        let stays: Vec<u64> = seen.keys().copied().filter(|key| !gone.contains(key)).collect();
        prop_assert!(stays.len() <= most);
        prop_assert!(stays.len() + gone.len() == seen.len());
        let newest_gone = gone.iter().map(|key| seen[key]).max();
        prop_assert!(stays.iter().all(|key| Some(seen[key]) >= newest_gone));
        if let Some(age) = age {
            prop_assert!(found.aged.iter().all(|key| seen[key] + age < latest));
            prop_assert!(stays.iter().all(|key| seen[key] + age >= latest));
        }
    }
}
