//! Loops over factors and weights, written so that they vectorise.

/// As many sums side by side as a vector register holds: a single running sum could not be vectorised, since the order of
/// additions matters to floats. `a += x * y` rather than `mul_add`, which is a library call where the target has no FMA.
const LANES: usize = 8;

pub(crate) struct Products {
    pub(crate) user_item: f32,
    pub(crate) user_user: f32,
    pub(crate) item_item: f32,
}

/// p·q, p·p and q·q in one go.
pub(crate) fn products(user: &[f32], item: &[f32]) -> Products {
    let (mut pq, mut pp, mut qq) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    let (users, user_rest) = user.as_chunks::<LANES>();
    let (items, item_rest) = item.as_chunks::<LANES>();
    for (p, q) in users.iter().zip(items) {
        for lane in 0..LANES {
            pq[lane] += p[lane] * q[lane];
            pp[lane] += p[lane] * p[lane];
            qq[lane] += q[lane] * q[lane];
        }
    }
    for (lane, (p, q)) in user_rest.iter().zip(item_rest).enumerate() {
        pq[lane] += p * q;
        pp[lane] += p * p;
        qq[lane] += q * q;
    }
    Products { user_item: pq.iter().sum(), user_user: pp.iter().sum(), item_item: qq.iter().sum() }
}

/// p·q.
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (lefts, left_rest) = left.as_chunks::<LANES>();
    let (rights, right_rest) = right.as_chunks::<LANES>();
    for (l, r) in lefts.iter().zip(rights) {
        for lane in 0..LANES {
            sums[lane] += l[lane] * r[lane];
        }
    }
    for (sum, (l, r)) in sums.iter_mut().zip(left_rest.iter().zip(right_rest)) {
        *sum += l * r;
    }
    sums.iter().sum()
}

/// How strongly a row's factors are drawn towards the other's and back to 0.
#[derive(Clone, Copy)]
pub(crate) struct Pull {
    pub(crate) towards: f32,
    pub(crate) back: f32,
}

/// Both sides move by the other's old factors.
pub(crate) fn move_both(user: Pull, item: Pull, user_factors: &mut [f32], item_factors: &mut [f32]) {
    for (p, q) in user_factors.iter_mut().zip(item_factors) {
        let (old_p, old_q) = (*p, *q);
        *p += user.towards * old_q - user.back * old_p;
        *q += item.towards * old_p - item.back * old_q;
    }
}

/// Σ of all values.
pub(crate) fn sum(values: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += value;
    }
    sums.iter().sum()
}

/// Σ of every second value, the first one included.
pub(crate) fn sum_of_first(pairs: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (pairs, _) = pairs.as_chunks::<2>();
    let (chunks, rest) = pairs.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += chunk[lane][0];
        }
    }
    for (sum, pair) in sums.iter_mut().zip(rest) {
        *sum += pair[0];
    }
    sums.iter().sum()
}
