//! Rows of users and items: what each of the two factor models knows of them, side by side.
//!
//! Both are needed for every rating, so one row has both: half the keys, look-ups and changelog records of two.

use weir_learn::mf;
use weir_ps::words;

/// Where a row of [`super::USERS`] or [`super::ITEMS`] has which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowParts {
    ratings: usize,
}

impl RowParts {
    /// Under these hyper-parameters of the model that predicts ratings.
    #[must_use]
    pub fn new(ratings: &mf::Settings) -> Self {
        Self { ratings: ratings.width() }
    }

    /// The part that predicts ratings ([`weir_learn::mf`]).
    #[must_use]
    #[inline]
    pub fn ratings(self, row: &[u32]) -> &[f32] {
        words::f32s(&row[..self.ratings])
    }

    /// The part that puts items in order ([`weir_learn::ranking`]).
    #[must_use]
    #[inline]
    pub fn ranking(self, row: &[u32]) -> &[f32] {
        words::f32s(&row[self.ratings..])
    }

    /// Both parts, to be changed: first the one that predicts ratings.
    #[inline]
    pub(super) fn split_mut(self, row: &mut [u32]) -> (&mut [f32], &mut [f32]) {
        words::f32s_mut(row).split_at_mut(self.ratings)
    }
}
