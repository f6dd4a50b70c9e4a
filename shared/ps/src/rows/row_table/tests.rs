use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Action {
    Write(u64, u32),
    Remove(u64),
    Publish,
    Store,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        6 => (0..200_u64, 1..9_u32).prop_map(|(key, by)| Action::Write(key, by)),
        2 => (0..200_u64).prop_map(Action::Remove),
        1 => Just(Action::Publish),
        1 => Just(Action::Store),
    ];
    prop::collection::vec(action, 0..400)
}

/// A log and a store kept up only from what the table says has changed.
#[derive(Default)]
struct Followers {
    log: BTreeMap<u64, Vec<u32>>,
    blocks: BTreeMap<u32, Vec<(u16, u64, Vec<u32>)>>,
}

impl Followers {
    fn publish(&mut self, table: &mut RowTable) {
        let (changed, deleted) = table.take_changes();
        self.log.retain(|key, _| !deleted.contains(key));
        self.log.extend(changed.iter().map(|&key| (key, table.get(key).unwrap().to_vec())));
    }

    fn store(&mut self, table: &mut RowTable) {
        for block in table.take_changed_blocks() {
            let rows = table.block(block).map(|(slot, key, _, row)| (slot, key, row.to_vec())).collect();
            self.blocks.insert(block, rows);
        }
    }

    fn restored(&self) -> RowTable {
        let mut table = RowTable::new(2);
        for (&block, rows) in &self.blocks {
            for (slot, key, row) in rows {
                table.load(block, *slot, *key, None, row);
            }
        }
        table.finish_load();
        table
    }
}

fn contents(table: &RowTable) -> BTreeMap<u64, Vec<u32>> {
    table.iter().map(|(key, _, row)| (key, row.to_vec())).collect()
}

proptest! {
    /// Whoever applies only the changes named, row by row or block by block, ends with the same rows.
    #[test]
    fn followers_of_changes_have_the_same_rows(actions in actions()) {
        let (mut table, mut model, mut followers) = (RowTable::new(2), BTreeMap::new(), Followers::default());
        for action in actions {
            match action {
                Action::Write(key, by) => {
                    table.entry(key, |row| row[1] = 7)[0] += by;
                    model.entry(key).or_insert_with(|| vec![0, 7])[0] += by;
                }
                Action::Remove(key) => {
                    table.remove(key);
                    model.remove(&key);
                }
                Action::Publish => followers.publish(&mut table),
                Action::Store => followers.store(&mut table),
            }
        }
        prop_assert_eq!(&contents(&table), &model);
        followers.publish(&mut table);
        followers.store(&mut table);
        prop_assert_eq!(&followers.log, &model);
        prop_assert_eq!(table.dirty(), 0);
        let mut restored = followers.restored();
        prop_assert_eq!(&contents(&restored), &model);
        restored.entry(1_000, |_| {});
        prop_assert_eq!(restored.len(), model.len() + 1);
    }
}

#[test]
fn changes_put_back_are_there_again() {
    let mut table = RowTable::new(1);
    table.entry(1, |_| {});
    table.entry(2, |_| {});
    table.remove(2);
    let (changed, deleted) = table.take_changes();
    assert_eq!((changed.as_slice(), deleted.as_slice(), table.dirty()), ([1].as_slice(), [2].as_slice(), 0));
    table.remove(1);
    table.restore_changes(&changed, &deleted);
    assert_eq!(table.take_changes(), (vec![], vec![1, 2]));
}

#[test]
fn names_stay_with_their_row_only() {
    let mut table = RowTable::new(1);
    table.set_name(5, "nobody");
    table.entry(5, |_| {});
    assert_eq!(table.name(table.slot(5).unwrap()), None);
    table.set_name(5, "five");
    assert_eq!(table.name(table.slot(5).unwrap()), Some("five"));
    table.remove(5);
    table.entry(6, |_| {});
    assert_eq!(table.name(table.slot(6).unwrap()), None, "a reused slot keeps no name");
}
