//! Ratings in blocks, so that several threads can learn at once and never touch the same row.
//!
//! Users and items are cut into so many groups each, with about as many ratings; block (u, i) has the ratings of group u's users for group
//! i's items. Blocks of which no two share a group are a *stratum*: they can be learned side by side as if one after the other.
//!
//! Source: Gemulla, Nijkamp, Haas, Sismanis, "Large-Scale Matrix Factorization with Distributed Stochastic Gradient Descent", KDD 2011,
//! section 4.

use crate::evaluate::Size;
use crate::noise::Noise;

const NOISE: u8 = 9;

/// A rating to be learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rating {
    /// Number of the user.
    pub user: u32,
    /// Number of the item.
    pub item: u32,
    /// The rating.
    pub rating: f32,
}

/// Which group each of many belongs to, and where it is there.
#[derive(Clone, Debug)]
pub struct Groups {
    /// By number: group and place.
    places: Vec<(u32, u32)>,
    /// Members of each group.
    pub sizes: Vec<usize>,
}

impl Groups {
    /// Cuts `counts.len()` users or items into groups with about as many ratings: the one with most goes first, each into
    /// the group that has least.
    fn new(counts: &[u32], groups: usize) -> Self {
        let mut order: Vec<u32> = (0..counts.len() as u32).collect();
        order.sort_by_key(|number| std::cmp::Reverse(counts[*number as usize]));
        let (mut loads, mut sizes) = (vec![0_u64; groups], vec![0; groups]);
        let mut places = vec![(0, 0); counts.len()];
        for number in order {
            let least = (0..groups).min_by_key(|group| (loads[*group], sizes[*group])).unwrap_or(0);
            places[number as usize] = (least as u32, sizes[least] as u32);
            loads[least] += u64::from(counts[number as usize]);
            sizes[least] += 1;
        }
        Self { places, sizes }
    }

    /// Group of this number, and its place there.
    #[must_use]
    pub fn place(&self, number: u32) -> (usize, usize) {
        let (group, place) = self.places[number as usize];
        (group as usize, place as usize)
    }
}

/// Ratings by block; users and items in them are places in their groups.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// Groups on each side.
    pub groups: usize,
    /// Of users.
    pub users: Groups,
    /// Of items.
    pub items: Groups,
    ratings: Vec<Vec<Rating>>,
}

impl Blocks {
    /// Sorts ratings into `groups` × `groups` blocks, shuffled in each, the same for the same seed.
    #[must_use]
    pub fn new(ratings: &[Rating], size: Size, groups: usize, seed: u64) -> Self {
        let (mut of_users, mut of_items) = (vec![0; size.users], vec![0; size.items]);
        for rating in ratings {
            of_users[rating.user as usize] += 1;
            of_items[rating.item as usize] += 1;
        }
        let (users, items) = (Groups::new(&of_users, groups), Groups::new(&of_items, groups));
        let mut blocks = vec![Vec::new(); groups * groups];
        for Rating { user, item, rating } in ratings {
            let ((user_group, user), (item_group, item)) = (users.place(*user), items.place(*item));
            let local = Rating { user: user as u32, item: item as u32, rating: *rating };
            blocks[user_group * groups + item_group].push(local);
        }
        for (number, block) in blocks.iter_mut().enumerate() {
            shuffle(block, &mut Noise::new(seed, NOISE, number as u64));
        }
        Self { groups, users, items, ratings: blocks }
    }

    /// The ratings of a block.
    #[must_use]
    pub fn block(&self, user_group: usize, item_group: usize) -> &[Rating] {
        &self.ratings[user_group * self.groups + item_group]
    }
}

/// Into any order with equal chance (Fisher and Yates).
pub(super) fn shuffle<T>(items: &mut [T], noise: &mut Noise) {
    for last in (1..items.len()).rev() {
        let other = (u128::from(noise.next()) * (last as u128 + 1)) >> 64;
        items.swap(last, other as usize);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_rating_is_in_the_block_of_its_groups(
            pairs in prop::collection::vec((0_u32..30, 0_u32..20), 1..200), groups in 1_usize..5, seed in any::<u64>(),
        ) {
            let ratings: Vec<Rating> =
                pairs.iter().enumerate().map(|(n, &(user, item))| Rating { user, item, rating: n as f32 }).collect();
            let blocks = Blocks::new(&ratings, Size { users: 30, items: 20 }, groups, seed);
            prop_assert_eq!((blocks.users.sizes.iter().sum::<usize>(), blocks.items.sizes.iter().sum::<usize>()), (30, 20));
            let mut found = 0;
            for user_group in 0..groups {
                for item_group in 0..groups {
                    for local in blocks.block(user_group, item_group) {
                        let original = ratings[local.rating as usize];
                        prop_assert_eq!(blocks.users.place(original.user), (user_group, local.user as usize));
                        prop_assert_eq!(blocks.items.place(original.item), (item_group, local.item as usize));
                        found += 1;
                    }
                }
            }
            prop_assert_eq!(found, ratings.len());
        }
    }

    #[test]
    fn groups_have_about_as_many_ratings() {
        // One user has as many as all others together.
        let counts: Vec<u32> = std::iter::once(90).chain(std::iter::repeat_n(1, 90)).collect();
        let groups = Groups::new(&counts, 2);
        assert_eq!(groups.place(0), (0, 0));
        assert_eq!(groups.sizes, [1, 90]);
    }
}
