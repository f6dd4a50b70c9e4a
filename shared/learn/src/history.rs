//! The last items of a user, the last one first, each once: what speaks for what comes next.
//!
//! A row has a fixed number of places of two words of 32 bits: an item's key, low word first; key 0 is a free place, and all behind it are
//! free too.

/// Words of a place.
const PLACE_WORDS: usize = 2;

/// Words of a row for so many items.
#[must_use]
pub fn width(items: usize) -> usize {
    PLACE_WORDS * items
}

/// The items, the last one first.
pub fn items(row: &[u32]) -> impl Iterator<Item = u64> + '_ {
    row.as_chunks::<PLACE_WORDS>().0.iter().map(|place| key(*place)).take_while(|item| *item != 0)
}

/// Puts an item in front; of those that no longer fit the oldest goes. Key 0 is no item.
pub fn push(row: &mut [u32], item: u64) {
    let places = row.as_chunks_mut::<PLACE_WORDS>().0;
    if item == 0 || places.is_empty() {
        return;
    }
    let end = places.iter().position(|place| key(*place) == item || key(*place) == 0).unwrap_or(places.len() - 1);
    places.copy_within(..end, 1);
    places[0] = [item as u32, (item >> 32) as u32];
}

/// Takes an item out.
pub fn remove(row: &mut [u32], item: u64) {
    let places = row.as_chunks_mut::<PLACE_WORDS>().0;
    if let Some(found) = places.iter().position(|place| key(*place) == item && item != 0) {
        places.copy_within(found + 1.., found);
        places[places.len() - 1] = [0; PLACE_WORDS];
    }
}

fn key(place: [u32; PLACE_WORDS]) -> u64 {
    u64::from(place[0]) | u64::from(place[1]) << 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_item_is_first_and_the_oldest_goes() {
        let mut row = vec![0; width(3)];
        for item in [7, 1 << 40, 7, 9, 0, 3] {
            push(&mut row, item);
        }
        assert_eq!(items(&row).collect::<Vec<_>>(), [3, 9, 7]);
        remove(&mut row, 9);
        remove(&mut row, 5);
        assert_eq!(items(&row).collect::<Vec<_>>(), [3, 7]);
        assert_eq!(row, [3, 0, 7, 0, 0, 0]);
        push(&mut [], 1);
        remove(&mut [], 1);
    }

    proptest! {
        #[test]
        fn a_row_is_a_list_without_repetitions(
            changes in prop::collection::vec((any::<bool>(), 1_u64..9), 0..60), places in 1_usize..8,
        ) {
            let (mut row, mut list) = (vec![0; width(places)], Vec::new());
            for (add, item) in changes {
                list.retain(|other| *other != item);
                if add {
                    push(&mut row, item);
                    list.insert(0, item);
                    list.truncate(places);
                } else {
                    remove(&mut row, item);
                }
                prop_assert_eq!(items(&row).collect::<Vec<_>>(), list.clone());
            }
        }
    }
}
