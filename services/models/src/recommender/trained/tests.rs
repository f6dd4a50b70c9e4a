use weir_learn::evaluate::Size;
use weir_learn::offline::events::{self, Ratings};
use weir_ps::Model;
use weir_ps::memory::{Plan, run};

use super::*;
use crate::recommender::{NEIGHBOURS, POPULARITY};
use crate::recommender::{RecommenderModel, SEEN, SEEN_HEADS};
use crate::{Decoder, Input, InputModel, recommender_settings};

const NOW_MS: i64 = 1_700_000_000_000;
const SIZE: Size = Size { users: 6, items: 5 };

fn settings() -> RecommenderSettings {
    recommender_settings(&weir_runtime::Settings::default()).expect("valid")
}

fn ids(kind: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{kind}-{number}")).collect()
}

fn past() -> Vec<Event> {
    let event = |number: u32| Event {
        user: number % 6,
        item: number % 5,
        rating: (!number.is_multiple_of(4)).then_some(1.0 + (number % 5) as f32),
        weight: 1.0,
        time_ms: NOW_MS + i64::from(number) * 3_600_000,
    };
    (0..20).map(event).collect()
}

#[test]
fn what_does_not_depend_on_learning_is_as_if_events_had_come_one_by_one() {
    let (settings, events, users, items) = (settings(), past(), ids("user", 6), ids("item", 5));
    let ratings = Ratings::of(&events, 0).learned;
    let rated = ratings::train((&ratings, &[]), SIZE, &settings.factors, &ratings::Settings::default(), 1, |_| true);
    let (rated, pairs) = (rated.expect("numbers"), events::choices(&events, SIZE, settings.positive));
    let chosen = choices::train(&pairs, SIZE, &settings.ranking, &choices::Settings::default(), 1, |_| true);
    let partitioner = Partitioner::Hash { shards: 3 };
    let past = Past { events: &events, users: &users, items: &items };
    let shards = trained(&settings, partitioner, past, Learned { ratings: Some(&rated), choices: &chosen });

    let model = RecommenderModel::new(settings);
    let records: Vec<String> = events.iter().map(|event| json(event, &users, &items)).collect();
    let outcome = run(&model, &[records], &Plan::small(1, 1, 3), |record, batch| {
        let input = Input { key: None, payload: Some(record.as_bytes()), timestamp_ms: i64::MAX, offset: 0 };
        model.decoder().decode(input, batch).expect("an event");
    })
    .expect("it runs");
    let mut rows = 0;
    for (shard, (table, found)) in shards.iter().enumerate().flat_map(|(n, rows)| rows.tables().map(move |t| (n, t))) {
        for (key, name, words) in found.iter() {
            rows += usize::from(table != NEIGHBOURS);
            match table {
                USERS | ITEMS => {
                    assert!(name.is_some_and(|name| weir_wire::key(settings.hash_seed, name) == key));
                    assert!(words::f32s(words).iter().all(|value| value.is_finite()));
                }
                // The order in which sums are added up depends on where batches end.
                POPULARITY => {
                    let other = outcome.row(table, key).expect("an item");
                    assert_eq!(words[4..], other[4..]);
                    let sums = words::f32s(&words[..4]).iter().zip(words::f32s(&other[..4]));
                    sums.for_each(|(one, other)| assert!((one - other).abs() <= 1e-5 * one, "{one} and {other}"));
                }
                // Chunks are where their user is.
                SEEN => assert_eq!(outcome.row(table, key), Some(words)),
                _ => assert_eq!(
                    (outcome.row(table, key), partitioner.shard(key) as usize),
                    (Some(words), shard),
                    "{table}"
                ),
            }
        }
    }
    // Users with rows of their own, of activity, last items, seen items and their chunk; items with theirs and popularity; the mean.
    assert_eq!(rows, 6 * 5 + 5 * 2 + 1);
    assert!(shards.iter().any(|rows| rows.table(SEEN_HEADS).is_some_and(|table| !table.is_empty())));
    assert!(shards.iter().any(|rows| rows.table(NEIGHBOURS).is_some_and(|table| !table.is_empty())));
    assert_eq!(model.schema().tables().len(), 13);
}

fn json(event: &Event, users: &[String], items: &[String]) -> String {
    let (user, item) = (&users[event.user as usize], &items[event.item as usize]);
    let rating = event.rating.map_or(String::new(), |rating| format!(r#","rating":{rating}"#));
    format!(r#"{{"user":"{user}","item":"{item}"{rating},"ts":{}}}"#, event.time_ms)
}
