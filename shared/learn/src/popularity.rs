//! What is popular now: sums of weights that halve with time.
//!
//! A row is `[hours, sum]`: at the time `hours` (since 2000-01-01 00:00 UTC) the decayed sum was `sum`. Two rows of one key,
//! and a row and a change to it, are put together by bringing both to the later of their times and adding; the order does
//! not matter, and nothing ever has to be decayed in place.
//!
//! An f32 tells hours apart to 1/64 h (56 s) from 1970-02-04 to 2029-11-26, to 1/32 h for the thirty years after that. Times before 2000 are
//! negative.

/// Where a row has its time, in hours since 2000.
pub const HOURS: usize = 0;
/// Where a row has its sum at that time.
pub const SUM: usize = 1;
/// Values of a row.
pub const WIDTH: usize = 2;

/// 2000-01-01 00:00 UTC in ms since 1970.
const EPOCH_MS: i64 = 946_684_800_000;
const MS_PER_HOUR: f64 = 3_600_000.0;

/// The row of a key that nothing happened to; merging it changes nothing.
pub const EMPTY: [f32; WIDTH] = [0.0, 0.0];

/// Hours since 2000 of a time in ms since 1970, no later than `latest_ms` and no earlier than 1970.
///
/// `latest_ms` is a time that can be trusted, as the broker's of the event: a single event that claims to be from the future would
/// otherwise outweigh everything until then.
#[must_use]
pub fn hours(time_ms: i64, latest_ms: i64) -> f32 {
    ((time_ms.min(latest_ms).max(0) - EPOCH_MS) as f64 / MS_PER_HOUR) as f32
}

/// The time of such hours in milliseconds since 1970, to about 20 seconds: what stands in a row is rounded.
#[must_use]
pub fn time_ms(hours: f32) -> i64 {
    EPOCH_MS + (f64::from(hours) * MS_PER_HOUR) as i64
}

/// The part that is left after `elapsed_hours`: 2^(-elapsed / half-life).
#[must_use]
pub fn decay(elapsed_hours: f32, half_life_hours: f32) -> f32 {
    (-elapsed_hours / half_life_hours).exp2()
}

/// Adds `delta` to `row`, both at their own times.
pub fn merge(row: &mut [f32; WIDTH], delta: [f32; WIDTH], half_life_hours: f32) {
    // An empty side has no time of its own, however late its hours may be.
    if delta[SUM] == 0.0 {
        return;
    }
    if row[SUM] == 0.0 {
        *row = delta;
        return;
    }
    let latest = row[HOURS].max(delta[HOURS]);
    let sum = at(*row, latest, half_life_hours) + at(delta, latest, half_life_hours);
    *row = [latest, sum];
}

/// The sum as it is at `hours`, a time not before the row's own.
#[must_use]
pub fn at(row: [f32; WIDTH], hours: f32, half_life_hours: f32) -> f32 {
    row[SUM] * decay(hours - row[HOURS], half_life_hours)
}

/// A number that puts rows of different times in the order that their sums have at any one time: log2(sum) + hours /
/// half-life, -∞ for sums that are not above 0.
#[must_use]
pub fn order(row: [f32; WIDTH], half_life_hours: f32) -> f64 {
    let sum = f64::from(row[SUM]);
    if sum > 0.0 { sum.log2() + f64::from(row[HOURS]) / f64::from(half_life_hours) } else { f64::NEG_INFINITY }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn merged(mut row: [f32; WIDTH], delta: [f32; WIDTH], half_life_hours: f32) -> [f32; WIDTH] {
        merge(&mut row, delta, half_life_hours);
        row
    }

    #[test]
    fn sums_halve_with_the_half_life() {
        assert_eq!(decay(0.0, 24.0), 1.0);
        assert_eq!(decay(24.0, 24.0), 0.5);
        assert_eq!(decay(72.0, 24.0), 0.125);
        // 3 a day ago and 1 now: 1.5 + 1. In the other order the same.
        assert_eq!(merged([100.0, 3.0], [124.0, 1.0], 24.0), [124.0, 2.5]);
        assert_eq!(merged([124.0, 1.0], [100.0, 3.0], 24.0), [124.0, 2.5]);
        assert_eq!(at([100.0, 3.0], 148.0, 24.0), 0.75);
        // So long ago that nothing is left, not even a NaN.
        assert_eq!(merged([0.0, 1.0], [260_000.0, 1.0], 1.0), [260_000.0, 1.0]);
    }

    #[test]
    fn an_empty_side_changes_nothing() {
        assert_eq!(merged(EMPTY, [124.0, 1.0], 24.0), [124.0, 1.0]);
        assert_eq!(merged([124.0, 1.0], EMPTY, 24.0), [124.0, 1.0]);
        assert_eq!(merged([124.0, 1.0], [500.0, 0.0], 24.0), [124.0, 1.0]);
    }

    #[test]
    fn times_are_hours_since_2000_and_clamped() {
        let (start, now) = (EPOCH_MS, 1_767_225_600_000);
        assert_eq!(hours(start + 3_600_000, now), 1.0);
        // 2026-01-01: 26 years of 365 days and 7 leap days.
        assert_eq!(hours(now, now), 227_928.0);
        assert_eq!(hours(now + 1, now), 227_928.0);
        assert_eq!(hours(i64::MAX, now), 227_928.0);
        // 1970: thirty years of 365 days and 7 leap days before 2000. Ratings of the last century decay like others.
        assert_eq!(hours(0, now), -262_968.0);
        assert_eq!(hours(i64::MIN, now), -262_968.0);
        assert_eq!(hours(start - 3_600_000, now), -1.0);
        // The resolution that the module's documentation promises, just before it halves.
        assert_eq!(262_144.0_f32.next_down(), 262_144.0 - 1.0 / 64.0);
        assert_eq!(hours(1_890_691_200_000, i64::MAX), 262_224.0, "2029-11-30");
    }

    #[test]
    fn order_is_that_of_the_sums_at_one_time() {
        let check = |left, right| assert!(order(left, 24.0) > order(right, 24.0), "{left:?} {right:?}");
        check([124.0, 1.0], [124.0, 0.9]);
        check([124.0, 1.0], [100.0, 1.9]);
        check([100.0, 2.1], [124.0, 1.0]);
        check([100.0, 1e-9], EMPTY);
        assert_eq!(order([5.0, -1.0], 24.0), f64::NEG_INFINITY);
    }

    proptest! {
        #[test]
        fn any_order_and_grouping_gives_the_same(
            rows in prop::collection::vec((200_000.0_f32..230_000.0, 0.0_f32..100.0).prop_map(|(h, s)| [h, s]), 3),
            half_life_hours in 24.0_f32..10_000.0,
        ) {
            let merged = |a, b| merged(a, b, half_life_hours);
            prop_assert_eq!(merged(rows[0], rows[1]), merged(rows[1], rows[0]));
            let left = merged(merged(rows[0], rows[1]), rows[2]);
            let right = merged(rows[0], merged(rows[1], rows[2]));
            prop_assert_eq!(left[HOURS], right[HOURS]);
            // A rounded sum of a time with a rounded exponent: the exponent's error is multiplied by its size.
            prop_assert!((left[SUM] - right[SUM]).abs() <= 1e-3 * left[SUM].max(1e-3));
        }

        #[test]
        fn order_agrees_with_sums_brought_to_one_time(
            left in (200_000.0_f32..230_000.0, 0.01_f32..100.0).prop_map(|(h, s)| [h, s]),
            right in (200_000.0_f32..230_000.0, 0.01_f32..100.0).prop_map(|(h, s)| [h, s]),
        ) {
            let at_end = |row: [f32; WIDTH]| f64::from(row[SUM]) * (f64::from(row[HOURS] - 230_000.0) / 720.0).exp2();
            let expected = at_end(left).total_cmp(&at_end(right));
            if (at_end(left) / at_end(right) - 1.0).abs() > 1e-6 {
                prop_assert_eq!(order(left, 720.0).total_cmp(&order(right, 720.0)), expected);
            }
        }
    }
}
