//! Solves symmetric positive definite systems, small ones.

/// Solves A·x = b in place: `a` is the lower triangle of A, row by row in a square of `b.len()`² values, and is overwritten;
/// `b` becomes x. False, and neither means anything, if A is not positive definite.
///
/// Source: Golub, Van Loan, "Matrix Computations", 4th edition, section 4.2 (the factorisation A = L·Lᵀ by rows).
#[must_use]
pub(crate) fn solve(a: &mut [f32], b: &mut [f32]) -> bool {
    let size = b.len();
    for row in 0..size {
        let (above, own) = a.split_at_mut(row * size);
        for column in 0..row {
            let other = &above[column * size..][..=column];
            let sum = dot(&own[..column], &other[..column]);
            own[column] = (own[column] - sum) / other[column];
        }
        let rest = own[row] - dot(&own[..row], &own[..row]);
        // Not a number is no more positive than 0.
        if rest.is_nan() || rest <= 0.0 {
            return false;
        }
        own[row] = rest.sqrt();
    }
    for row in 0..size {
        let sum = dot(&a[row * size..][..row], &b[..row]);
        b[row] = (b[row] - sum) / a[row * size + row];
    }
    for row in (0..size).rev() {
        b[row] /= a[row * size + row];
        let value = b[row];
        for column in 0..row {
            b[column] -= a[row * size + column] * value;
        }
    }
    true
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    crate::vector::dot(left, right)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_small_system_is_solved_as_by_hand() {
        // [4 2; 2 3]·(1, -1) = (2, -1); what stands above the diagonal is not looked at.
        let (mut a, mut b) = ([4.0, f32::NAN, 2.0, 3.0], [2.0, -1.0]);
        assert!(solve(&mut a, &mut b));
        assert!((b[0] - 1.0).abs() < 1e-6 && (b[1] + 1.0).abs() < 1e-6, "{b:?}");
        assert!(!solve(&mut [1.0, 0.0, 2.0, 1.0], &mut [1.0, 1.0]), "not positive definite");
        assert!(!solve(&mut [f32::NAN], &mut [1.0]));
    }

    proptest! {
        #[test]
        fn what_it_finds_solves_the_system(values in prop::collection::vec(-1.0_f32..1.0, 36), x in prop::collection::vec(-2.0_f32..2.0, 6)) {
            // B·Bᵀ + I is positive definite for any B.
            let entry = |row: usize, column: usize| {
                (0..6).map(|k| values[row * 6 + k] * values[column * 6 + k]).sum::<f32>() + f32::from(u8::from(row == column))
            };
            let full: Vec<f32> = (0..36).map(|place| entry(place / 6, place % 6)).collect();
            let mut b: Vec<f32> = (0..6).map(|row| (0..6).map(|column| full[row * 6 + column] * x[column]).sum()).collect();
            prop_assert!(solve(&mut full.clone(), &mut b));
            for (found, expected) in b.iter().zip(&x) {
                prop_assert!((found - expected).abs() < 1e-3, "{b:?} {x:?}");
            }
        }
    }
}
