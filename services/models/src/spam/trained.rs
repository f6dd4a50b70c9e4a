//! A spam filter that begins trained: the rows that shards have after messages that were all learned at once.

use std::sync::Arc;

use weir_learn::offline::messages::Trained;
use weir_learn::passive_aggressive::Label;
use weir_ps::{Partitioner, Schema, ShardRows, words};

use super::{
    CALIBRATION, CALIBRATION_KEY, CLASSES, CLASSES_KEY, COUNTS, Count, SpamSchema, SpamSettings, WEIGHTS, counts_key,
    verdict, weight_key,
};

/// The rows of every shard: what was learned of the features in these slots, and how many messages of which class. The messages themselves
/// are not remembered: they came without records, and so without times. For two classes.
#[must_use]
pub fn trained(
    settings: &SpamSettings,
    partitioner: Partitioner,
    (learned, slots): (&Trained, &[u32]),
    labels: impl Iterator<Item = Label>,
) -> Vec<ShardRows> {
    let schema = Arc::new(SpamSchema::new(settings));
    let rows = || ShardRows::new(Arc::clone(&schema) as Arc<dyn Schema>);
    let mut shards = Shards { partitioner, rows: (0..partitioner.shards()).map(|_| rows()).collect() };
    shards.put_weights(settings.learning.width(), learned, slots);
    shards.change(CALIBRATION, CALIBRATION_KEY, |row| words::f32s_mut(row).copy_from_slice(&learned.calibration));
    let mut count = 0;
    shards.change(CLASSES, CLASSES_KEY, |row| {
        for label in labels {
            let class = settings.learning.classes.of_side(label == Label::Negative).next();
            if let Some(class) = class {
                verdict::count_label(row, class as u8, None);
            }
            count += 1;
        }
    });
    // As if they had all come through the first partition.
    shards.change(COUNTS, counts_key(0), |row| {
        for kind in [Count::Events, Count::Learned] {
            words::set_u64(row, kind as usize, count);
        }
    });
    shards.rows
}

struct Shards {
    partitioner: Partitioner,
    rows: Vec<ShardRows>,
}

impl Shards {
    fn put_weights(&mut self, width: usize, learned: &Trained, slots: &[u32]) {
        for (slot, row) in slots.iter().zip(learned.rows.chunks_exact(width)) {
            // As it begins anyhow.
            if row.iter().any(|value| *value != 0.0) {
                self.change(WEIGHTS, weight_key(*slot), |words| words::f32s_mut(words).copy_from_slice(row));
            }
        }
    }

    /// Changes a row of the shard that owns its key.
    fn change(&mut self, table: u8, key: u64, change: impl FnOnce(&mut [u32])) {
        let shard = self.partitioner.shard(key) as usize;
        if let Some(row) = self.rows[shard].row_mut(table, key) {
            change(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_learn::calibration;
    use weir_learn::offline::messages::Epoch;

    use super::*;

    #[test]
    fn every_row_is_where_it_belongs() {
        let settings = crate::spam_settings(&weir_runtime::Settings::default()).expect("valid");
        let partitioner = Partitioner::Hash { shards: 3 };
        let width = settings.learning.width();
        let mut rows = vec![0.0; 3 * width];
        (rows[0], rows[2 * width]) = (0.5, -2.0);
        let best = Epoch { number: 1, accuracy: 0.0, held_out: None };
        let learned = Trained { rows, calibration: [1.0, 2.0, 3.0], best };
        let labels = [Label::Positive, Label::Negative, Label::Negative];
        let shards = trained(&settings, partitioner, (&learned, &[10, 20, 30]), labels.into_iter());
        let row = |table: u8, key: u64| {
            let found = |shard: &ShardRows| shard.table(table).and_then(|rows| rows.get(key)).map(<[u32]>::to_vec);
            let owner = partitioner.shard(key) as usize;
            (0..).zip(&shards).filter(|(shard, _)| *shard != owner).for_each(|(_, rows)| assert_eq!(found(rows), None));
            found(&shards[owner])
        };
        let weight = |slot| row(WEIGHTS, weight_key(slot)).map(|words| words::f32s(&words)[0]);
        assert_eq!([weight(10), weight(20), weight(30)], [Some(0.5), None, Some(-2.0)]);
        let values = row(CALIBRATION, CALIBRATION_KEY).expect("it is there");
        assert_eq!(words::f32s(&values), [1.0, 2.0, 3.0]);
        assert_eq!(calibration::WIDTH, 3);
        let classes = row(CLASSES, CLASSES_KEY).expect("it is there");
        assert_eq!([0, 1].map(|class| words::u64_at(&classes, class)), [1, 2], "spam and ham");
        let counts = row(COUNTS, counts_key(0)).expect("it is there");
        assert_eq!(
            [Count::Events, Count::Scored, Count::Learned].map(|kind| words::u64_at(&counts, kind as usize)),
            [3, 0, 3]
        );
    }
}
