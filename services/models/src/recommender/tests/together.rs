//! What goes together, how popular items are and how lists are put together, as shards have it after the whole step.

use std::collections::BTreeMap;

use weir_learn::neighbours::Neighbour;
use weir_learn::{blend, item_events, neighbours};

use super::*;

fn with(change: impl FnOnce(&mut blend::HyperParameters, &mut neighbours::HyperParameters)) -> RecommenderModel {
    let (mut blend, mut neighbours) = (blend::HyperParameters::default(), neighbours::HyperParameters::default());
    change(&mut blend, &mut neighbours);
    RecommenderModel::new(RecommenderSettings {
        blend: blend.try_into().unwrap(),
        neighbours: neighbours.try_into().unwrap(),
        ..settings()
    })
}

fn outcome(model: &RecommenderModel, records: Vec<Record>, plan: &Plan) -> Outcome {
    run(model, &[records], plan, |record, batch| decode(model, record, batch)).unwrap()
}

/// By chunk: the item, the total, and the neighbours by key.
type Chunks = BTreeMap<u64, (u64, f32, BTreeMap<u64, u32>)>;

fn chunks<'a>(rows: impl Iterator<Item = (u64, &'a [u32])>) -> Chunks {
    let read = |(key, words)| {
        let (item, row) = neighbours::chunk(words)?;
        let all = neighbours::neighbours(row).map(|Neighbour { item, weight }| (item, weight.to_bits()));
        Some((key, (item, neighbours::total(row), all.collect())))
    };
    rows.filter_map(read).collect()
}

/// The chunks that the same formulas make of the events one by one.
fn expected(model: &RecommenderModel, events: &[(usize, usize)]) -> Chunks {
    let (mut rows, mut users): (BTreeMap<u64, Vec<u32>>, BTreeMap<usize, Vec<u32>>) = Default::default();
    let settings = &model.settings.neighbours;
    for &(user, item) in events {
        let row = users.entry(user).or_insert_with(|| vec![0; LastItems::width(settings.values().history)]);
        let turned = pairs::Turned { item: key(&format!("i{item}")), hours: 0.0, weight: 1.0 };
        turned.note(settings, row, |chunk, pair| {
            let words = rows.entry(chunk).or_insert_with(|| vec![0; neighbours::CHUNK_WIDTH]);
            neighbours::count_in_chunk(words, pair.item, pair.neighbour);
        });
    }
    chunks(rows.iter().map(|(key, row)| (*key, &row[..])))
}

fn of_shards(outcome: &Outcome) -> Chunks {
    let tables = outcome.shards.iter().filter_map(|rows| rows.table(NEIGHBOURS));
    chunks(tables.flat_map(|table| table.iter().map(|(key, _, row)| (key, row))))
}

fn stream(count: usize) -> (Vec<(usize, usize)>, Vec<Record>) {
    let events: Vec<(usize, usize)> =
        (0..count).map(|event| (event * 7 % 11, (event * event + event / 3) % 40)).collect();
    let records = events.iter().map(|(user, item)| rated(&format!("u{user}"), &format!("i{item}"), "4"));
    (events.clone(), records.collect())
}

#[test]
fn pairs_are_counted_once_whatever_crashes() {
    let model = with(|_, _| {});
    let (events, records) = stream(400);
    let expected = expected(&model, &events);
    assert!(expected.len() > 100);
    for seed in 0..8 {
        let mut plan = Plan::small(seed, 2, 3);
        plan.faults = Faults { crash_worker: 5, crash_shard: 5, move_source: 5, lose_message: 20 };
        let outcome = outcome(&model, records.clone(), &plan);
        assert_eq!(of_shards(&outcome), expected, "seed {seed}");
        let count = |item: usize| outcome.row(POPULARITY, key(&format!("i{item}"))).map_or(0, item_events::events);
        assert_eq!((0..40).map(count).sum::<u64>(), 400, "seed {seed}");
        for table in [PAIRS, ITEM_EVENTS] {
            assert!(outcome.shards.iter().filter_map(|rows| rows.table(table)).all(weir_ps::RowTable::is_empty));
        }
    }
}

/// Where users take one of two ways through the items, what comes next says most.
#[test]
fn weights_go_to_the_part_that_foretells_choices_through_any_number_of_parts() {
    let model = with(|blend, _| (blend.share, blend.rate, blend.weights) = (1.0, 0.05, [0.5; blend::PARTS]));
    let event = |event: usize| {
        let (user, step) = (event % 20, event / 20);
        let item = if user % 2 == 0 { step % 60 } else { step * 7 % 60 };
        rated(&format!("u{user}"), &format!("i{item}"), "4")
    };
    for (workers, shards) in [(1, 1), (2, 3)] {
        let outcome = outcome(&model, (0..3_000).map(event).collect(), &Plan::small(2, workers, shards));
        let row = words::f32s(outcome.row(BLEND, BLEND_KEY).unwrap()).as_array().unwrap();
        let weights = blend::weights_in_use(&model.settings.blend, row);
        let others = weights[blend::POPULARITY..].iter().copied().fold(0.0, f32::max);
        assert!(weights[blend::TRANSITIONS] > others.max(0.7), "{weights:?}");
    }
}

#[test]
fn parts_that_are_off_cost_nothing() {
    let (_, records) = stream(100);
    let plan = Plan::small(1, 1, 2);
    let off = outcome(&with(|blend, neighbours| (blend.rate, neighbours.pairs) = (0.0, 0)), records, &plan);
    for table in [NEIGHBOURS, LAST_ITEMS, BLEND] {
        assert!(off.shards.iter().filter_map(|rows| rows.table(table)).all(weir_ps::RowTable::is_empty), "{table}");
    }
}

#[test]
fn the_last_items_of_a_user_are_known_and_may_be_taken_back() {
    let (model, plan) = (with(|_, _| {}), Plan::small(1, 1, 2));
    let last = |records: &[Record]| {
        let outcome = outcome(&model, records.to_vec(), &plan);
        let row = outcome.row(LAST_ITEMS, key("u")).map_or(Vec::new(), <[u32]>::to_vec);
        LastItems::new(&row).items().collect::<Vec<_>>()
    };
    let mut records: Vec<Record> = ["a", "b", "c", "d", "e", "b"].map(|item| rated("u", item, "3")).into();
    assert_eq!(last(&records), ["b", "e", "d", "c"].map(key));
    records.push(rated("u", "d", "null"));
    assert_eq!(last(&records), ["b", "e", "c"].map(key));
}
