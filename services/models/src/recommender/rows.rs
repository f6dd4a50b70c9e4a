//! Rows of users and items: what each of the two factor models knows of them, side by side.
//!
//! Both are needed for every rating, so one row has both: half the keys, look-ups and changelog records of two. A row of an item
//! ends with two marks. They are 0 wherever the row is kept; in a push they say how much the row had learned when the batch
//! read it, so that the shard can tell what was learned side by side ([`weir_learn::side_by_side`]).

use weir_learn::{mf, ranking};
use weir_ps::words;

/// Where a row of [`super::USERS`] or [`super::ITEMS`] has which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowParts {
    ratings: usize,
    user_ranking: usize,
    item_ranking: usize,
}

/// The marks of an item's row, as a push has them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mark {
    /// How many ratings the row had.
    Count,
    /// The sum of squared gradients of the part that ranks.
    Sum,
}

/// Marks of an item's row.
const MARKS: usize = 2;

impl RowParts {
    /// Under these hyper-parameters of the two models.
    #[must_use]
    pub fn new(ratings: &mf::Settings, ranking: &ranking::Settings) -> Self {
        let (user_ranking, item_ranking) = (ranking.user_width(), ranking.item_width());
        Self { ratings: ratings.width(), user_ranking, item_ranking }
    }

    /// Values of a user's row.
    pub(super) fn user_width(self) -> usize {
        self.ratings + self.user_ranking
    }

    /// Values of an item's row.
    pub(super) fn item_width(self) -> usize {
        self.ratings + self.item_ranking + MARKS
    }

    /// The part that predicts ratings ([`weir_learn::mf`]), of users and items alike.
    #[must_use]
    #[inline]
    pub fn ratings(self, row: &[u32]) -> &[f32] {
        words::f32s(&row[..self.ratings])
    }

    /// The part of a user's row that puts items in order ([`weir_learn::ranking`]).
    #[must_use]
    #[inline]
    pub fn user_ranking(self, row: &[u32]) -> &[f32] {
        words::f32s(&row[self.ratings..])
    }

    /// The part of an item's row by which it is put in order ([`weir_learn::ranking`]).
    #[must_use]
    #[inline]
    pub fn item_ranking(self, row: &[u32]) -> &[f32] {
        words::f32s(&row[self.ratings..self.ratings + self.item_ranking])
    }

    /// Both parts of a user's row, to be changed: first the one that predicts ratings.
    #[inline]
    pub(super) fn user_mut(self, row: &mut [u32]) -> (&mut [f32], &mut [f32]) {
        words::f32s_mut(row).split_at_mut(self.ratings)
    }

    /// Both parts of an item's row, to be changed, and its marks.
    #[inline]
    pub(super) fn item_mut(self, row: &mut [u32]) -> (&mut [f32], &mut [f32], &mut [f32]) {
        let (ratings, rest) = words::f32s_mut(row).split_at_mut(self.ratings);
        let (ranking, marks) = rest.split_at_mut(self.item_ranking);
        (ratings, ranking, marks)
    }

    /// What a pushed row of an item says the row had learned when it was read; none if nothing was learned of that.
    pub(super) fn read(self, pushed: &[u32], mark: Mark) -> Option<f32> {
        let value = words::f32s(&pushed[self.ratings + self.item_ranking..])[mark as usize];
        (value > 0.0).then_some(value - 1.0)
    }
}

/// Marks how much the row had learned, unless the batch has learned of it before. One more than that, so that a mark is
/// never the 0 of a row that was not touched.
#[inline]
pub(super) fn mark(marks: &mut [f32], mark: Mark, learned: f32) {
    let mark = &mut marks[mark as usize];
    if *mark == 0.0 {
        *mark = 1.0 + learned;
    }
}
