use proptest::prelude::*;

use super::*;

/// Keys by their last digit: a third party's rule that forgets how many shards there are.
static LAST_DIGIT: CustomPartitioner = CustomPartitioner { name: "last-digit", shard: |key, _| (key % 10) as u32 };

fn bounded(bounds: &'static [u64]) -> Partitioner {
    Partitioner::Bounded(bounds.try_into().unwrap())
}

fn all(shards: u32) -> [Partitioner; 4] {
    let bounds: Vec<u64> = (1..u64::from(shards)).map(|shard| shard * 1_000).collect();
    [
        Partitioner::Hash { shards },
        Partitioner::Range { shards },
        bounded(bounds.leak()),
        Partitioner::Custom { custom: &LAST_DIGIT, shards },
    ]
}

proptest! {
    /// Every key is on exactly one shard, and that shard is there.
    #[test]
    fn every_key_has_a_shard_in_range(key in any::<u64>(), shards in 1..200_u32) {
        for partitioner in all(shards) {
            prop_assert_eq!(partitioner.shards(), shards);
            prop_assert!(partitioner.shard(key) < shards, "{:?}", partitioner);
            prop_assert_eq!(partitioner.shard(key), partitioner.shard(key));
        }
    }

    /// A larger key is on the same shard or a later one, and all shards have keys: ranges without hole or overlap.
    #[test]
    fn ranges_are_contiguous_and_cover_all(a in any::<u64>(), b in any::<u64>(), shards in 1..200_u32) {
        let [_, range, bounded, _] = all(shards);
        for partitioner in [range, bounded] {
            prop_assert!(partitioner.shard(a.min(b)) <= partitioner.shard(a.max(b)), "{:?}", partitioner);
            prop_assert_eq!((partitioner.shard(0), partitioner.shard(u64::MAX)), (0, shards - 1));
        }
        // No gap between two neighbours anywhere near a border.
        let border = (u128::from(shards / 2 + 1) << 64) / u128::from(shards);
        let last = (border.min(u128::from(u64::MAX)) as u64).saturating_sub(1);
        prop_assert!(range.shard(last + 1) - range.shard(last) <= 1);
    }
}

#[test]
fn keys_spread_evenly_over_equal_ranges_and_hashes() {
    for shards in [1, 2, 3, 7, 64] {
        let hashed = |partitioner: Partitioner| (0..10_000).map(move |key| partitioner.shard(key));
        let spread =
            |partitioner: Partitioner| (0..10_000).map(move |key| partitioner.shard(key * (u64::MAX / 10_000)));
        for placed in
            [hashed(Partitioner::Hash { shards }).collect::<Vec<_>>(), spread(Partitioner::Range { shards }).collect()]
        {
            let mut counts = vec![0_u32; shards as usize];
            for shard in placed {
                counts[shard as usize] += 1;
            }
            let fair = 10_000 / shards;
            assert!(counts.iter().all(|&count| count > fair / 2 && count < fair * 2), "{shards}: {counts:?}");
        }
    }
}

/// What is stored under one placement must be found again by every later version.
#[test]
fn placement_is_stable() {
    let check = |partitioner: Partitioner, expected: [u32; 6]| {
        let shards = [1, 2, 3, u64::MAX, 0xDEAD_BEEF, 1 << 63].map(|key| partitioner.shard(key));
        assert_eq!(shards, expected, "{partitioner:?}");
    };
    check(Partitioner::Hash { shards: 5 }, [3, 1, 4, 1, 0, 2]);
    check(Partitioner::Range { shards: 5 }, [0, 0, 0, 4, 0, 2]);
    check(bounded(&[1, 2, 1 << 40]), [0, 1, 2, 3, 2, 3]);
    check(Partitioner::Custom { custom: &LAST_DIGIT, shards: 5 }, [1, 2, 3, 4, 4, 4]);
}

#[test]
fn a_rule_that_names_a_shard_that_is_not_there_means_the_last_one() {
    let wild = &CustomPartitioner { name: "wild", shard: |_, _| u32::MAX };
    let partitioner = Partitioner::Custom { custom: wild, shards: 3 };
    assert_eq!([0, 7, u64::MAX].map(|key| partitioner.shard(key)), [2, 2, 2]);
}

#[test]
fn a_name_says_all_that_placement_depends_on() {
    let names = all(3).map(Partitioner::name);
    assert_eq!(names, ["hash", "range", "range:1000,2000", "custom:last-digit"]);
    assert_eq!(bounded(&[]).name(), "range:");
}

#[test]
fn bounds_that_do_not_rise_are_refused() {
    for bounds in [&[1, 1][..], &[0, 5, 4]] {
        let error = UpperBounds::try_from(bounds).unwrap_err().to_string();
        assert!(error.contains("must rise") && error.contains(&bounds[bounds.len() - 1].to_string()), "{error}");
    }
}
