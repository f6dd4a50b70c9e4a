//! One pass over a block of ratings: the loop that training spends its time in.

use super::blocks::Rating;

/// Values that are handled at once; rows are padded to whole chunks.
pub(super) const LANES: usize = 4;
/// Where a row has its bias, and where the 1 that the other side's bias is multiplied with: for users 0 and 1, for items 1 and 0.
pub(super) const BIAS_OF_USER: usize = 0;
/// See [`BIAS_OF_USER`].
pub(super) const BIAS_OF_ITEM: usize = 1;
/// Where factors begin.
pub(super) const FACTORS: usize = 2;

/// Values of a row with so many factors.
pub(super) fn width(factors: usize) -> usize {
    (FACTORS + factors).next_multiple_of(LANES)
}

/// How a pass steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) mean: f32,
    pub(super) rate: f32,
    pub(super) regularisation: f32,
}

/// Learns the ratings one after the other on rows of `width` values, and returns the sum of squared errors, each from just
/// before it was learned.
///
/// Biases are factors whose partner stays at 1, so that one loop does everything. Update of a pair of values, both from
/// before: p ← (1 - rate·regularisation)·p + rate·error·q, and the same for q.
pub(super) fn learn(step: Step, ratings: &[Rating], width: usize, users: &mut [f32], items: &mut [f32]) -> f64 {
    match width {
        // Of the usual widths the compiler makes straight code.
        12 => of_width::<12>(step, ratings, users, items),
        16 => of_width::<16>(step, ratings, users, items),
        20 => of_width::<20>(step, ratings, users, items),
        36 => of_width::<36>(step, ratings, users, items),
        68 => of_width::<68>(step, ratings, users, items),
        _ => of_any_width(step, ratings, width, users, items),
    }
}

fn of_width<const WIDTH: usize>(step: Step, ratings: &[Rating], users: &mut [f32], items: &mut [f32]) -> f64 {
    let users = users.as_chunks_mut::<WIDTH>().0;
    let items = items.as_chunks_mut::<WIDTH>().0;
    let mut squared = 0.0;
    for rating in ratings {
        let (user, item) = (&mut users[rating.user as usize], &mut items[rating.item as usize]);
        squared += pair(step, rating.rating, user, item);
    }
    squared
}

fn of_any_width(step: Step, ratings: &[Rating], width: usize, users: &mut [f32], items: &mut [f32]) -> f64 {
    let mut squared = 0.0;
    for rating in ratings {
        let user = &mut users[rating.user as usize * width..][..width];
        let item = &mut items[rating.item as usize * width..][..width];
        squared += pair(step, rating.rating, user, item);
    }
    squared
}

#[inline]
fn pair(step: Step, rating: f32, user: &mut [f32], item: &mut [f32]) -> f64 {
    let users = user.as_chunks_mut::<LANES>().0;
    let items = item.as_chunks_mut::<LANES>().0;
    let mut sums = [0.0; LANES];
    for (p, q) in users.iter().zip(items.iter()) {
        for lane in 0..LANES {
            sums[lane] += p[lane] * q[lane];
        }
    }
    let error = rating - step.mean - (sums[0] + sums[1]) - (sums[2] + sums[3]);
    let (towards, keep) = (step.rate * error, 1.0 - step.rate * step.regularisation);
    for (p, q) in users.iter_mut().zip(items.iter_mut()) {
        for lane in 0..LANES {
            let (old_p, old_q) = (p[lane], q[lane]);
            p[lane] = keep * old_p + towards * old_q;
            q[lane] = keep * old_q + towards * old_p;
        }
    }
    user[BIAS_OF_ITEM] = 1.0;
    item[BIAS_OF_USER] = 1.0;
    f64::from(error * error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Step = Step { mean: 3.0, rate: 0.1, regularisation: 0.5 };

    /// One user and one item with a factor each: (bias 0.2, factor 0.5) and (bias -0.1, factor 1.0).
    fn rows(width: usize) -> (Vec<f32>, Vec<f32>) {
        let (mut user, mut item) = (vec![0.0; width], vec![0.0; width]);
        user[..3].copy_from_slice(&[0.2, 1.0, 0.5]);
        item[..3].copy_from_slice(&[1.0, -0.1, 1.0]);
        (user, item)
    }

    #[test]
    fn one_rating_is_learned_as_worked_out_by_hand() {
        for width in [4, 12, 16, 24] {
            let (mut user, mut item) = rows(width);
            let rating = Rating { user: 0, item: 0, rating: 4.6 };
            let squared = learn(STEP, &[rating], width, &mut user, &mut item);
            // 4.6 - (3 + 0.2 - 0.1 + 0.5) = 1; each value shrinks by 0.05 of itself and moves by 0.1 times the other.
            assert!((squared - 1.0).abs() < 1e-5, "{squared}");
            let check = |found: &[f32], expected: [f32; 3]| {
                let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(off < 1e-5, "{found:?}, not {expected:?}");
                assert!(found[3..].iter().all(|value| *value == 0.0), "{found:?}");
            };
            check(&user, [0.19 + 0.1, 1.0, 0.475 + 0.1]);
            check(&item, [1.0, -0.095 + 0.1, 0.95 + 0.05]);
        }
    }

    #[test]
    fn rows_are_padded_to_whole_chunks() {
        assert_eq!([0, 2, 3, 10, 14, 16].map(width), [4, 4, 8, 12, 16, 20]);
    }
}
