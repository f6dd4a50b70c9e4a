use std::collections::BTreeMap;

use proptest::prelude::*;
use weir_ps::memory::{Faults, Plan, run};
use weir_ps::words;
use weir_runtime::Settings;

use crate::sketch::{CountMin, SHAPE, counters, words_of};

/// The sketch as it is defined, without a parameter server.
fn directly(texts: &[Vec<String>]) -> BTreeMap<u64, u64> {
    let mut sketch = BTreeMap::new();
    for key in texts.iter().flatten().flat_map(|text| words_of(text)).flat_map(counters) {
        *sketch.entry(key).or_default() += 1;
    }
    sketch
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever crashes, moves or gets lost.
    #[test]
    fn the_sketch_is_the_one_computed_directly_and_never_too_small(
        texts in prop::collection::vec(prop::collection::vec("([a-d]{1,2}[ ,.]){0,8}", 0..40), 1..4),
        seed in any::<u64>(),
        (workers, shards) in (1..4_u32, 1..5_u32),
        (crash_worker, crash_shard, move_source) in (0..4_u32, 0..8_u32, 0..4_u32),
    ) {
        let mut plan = Plan::small(seed, workers, shards);
        let model = CountMin::new();
        let mut settings = Settings::default();
        settings.server.shards = shards;
        plan.worker.partitioner = model.description(&settings).partitioner;
        plan.faults = Faults { crash_worker, crash_shard, move_source, lose_message: 20 };
        let outcome = run(&model, &texts, &plan, |text: &String, batch| {
            batch.events.extend(words_of(text).map(counters));
        });
        let outcome = outcome.unwrap_or_else(|error| panic!("{plan:?}: {error}"));
        for shards in [&outcome.shards, &outcome.published] {
            let rows = shards.iter().filter_map(|rows| rows.table(0)).flat_map(weir_ps::RowTable::iter);
            let found: BTreeMap<u64, u64> = rows.map(|(key, _, row)| (key, words::u64_at(row, 0))).collect();
            prop_assert_eq!(&found, &directly(&texts));
            for (word, count) in counts(&texts) {
                let estimate = counters(word).iter().map(|key| found[key]).min().unwrap();
                prop_assert!(estimate >= count, "{}: {} is less than {}", word, estimate, count);
            }
        }
    }
}

fn counts(texts: &[Vec<String>]) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for word in texts.iter().flatten().flat_map(|text| words_of(text)) {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

#[test]
fn a_word_has_one_counter_in_each_row_and_none_is_0() {
    let of_free = counters("Free");
    assert_eq!(of_free.map(|key| (key - 1) / SHAPE.1), [0, 1, 2, 3]);
    assert_ne!(of_free, counters("free"));
    assert_eq!(words_of(" Häns, 2 go!").collect::<Vec<_>>(), ["Häns", "2", "go"]);
}
