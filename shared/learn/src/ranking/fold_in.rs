//! The factors of somebody of whom nothing is stored, from the items that they chose.

use crate::offline::cholesky;

/// The factors p that make Σ (1 - `bias_i` - p·`q_i`)² + λ·|p|² smallest over these items (bias, factors), the items' rows as they are: a step
/// of alternating least squares. λ is the mean of |`q_i`|², so that it depends neither on the scale of the factors nor on how many
/// items there are, and one item alone moves a visitor half of the way. None without an item whose factors say anything.
///
/// Source: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, equation 4, over chosen items only.
#[must_use]
pub fn fold_in<'a>(items: impl Iterator<Item = (f32, &'a [f32])>) -> Option<Vec<f32>> {
    let (mut matrix, mut target) = (Vec::new(), Vec::new());
    let (mut count, mut squares) = (0.0, 0.0);
    for (bias, factors) in items {
        let size = factors.len();
        matrix.resize(size * size, 0.0);
        target.resize(size, 0.0);
        for (row, &value) in factors.iter().enumerate() {
            target[row] += (1.0 - bias) * value;
            matrix[row * size..][..=row].iter_mut().zip(factors).for_each(|(sum, other)| *sum += value * other);
            squares += value * value;
        }
        count += 1.0;
    }
    let size = target.len();
    (0..size).for_each(|place| matrix[place * size + place] += squares / count);
    (size > 0 && squares > 0.0 && cholesky::solve(&mut matrix, &mut target)).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(items: &[(f32, &[f32])], expected: Option<&[f32]>) {
        let found = fold_in(items.iter().copied());
        let Some(expected) = expected else { return assert_eq!(found, None) };
        let found = found.expect("factors");
        let close = found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-6);
        assert!(close && found.len() == expected.len(), "{found:?} is not {expected:?}");
    }

    #[test]
    fn factors_are_those_of_the_formula() {
        // λ = 4: p = (1 - 0.5)·2 / (4 + 4).
        check(&[(0.5, &[2.0, 0.0])], Some(&[0.125, 0.0]));
        // λ = 1: each on its own axis, (1 - 0)·1 / (1 + 1) and (1 - 0.5)·1 / (1 + 1).
        check(&[(0.0, &[1.0, 0.0]), (0.5, &[0.0, 1.0])], Some(&[0.5, 0.25]));
        // λ = 1.5: [1 + 1 + 1.5, 1; 1, 1 + 1.5]·p = (2, 1), so p = (4, 1.5) / 7.75.
        check(&[(0.0, &[1.0, 0.0]), (0.0, &[1.0, 1.0])], Some(&[4.0 / 7.75, 1.5 / 7.75]));
    }

    #[test]
    fn of_nothing_nothing_is_known() {
        check(&[], None);
        check(&[(0.3, &[])], None);
        check(&[(0.3, &[0.0, 0.0])], None);
        check(&[(f32::NAN, &[f32::NAN])], None);
    }
}
