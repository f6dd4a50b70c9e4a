//! Training on events that are all there already: several passes, in any order, on all processors at once.
//!
//! [`ratings`] is the model of [`crate::mf`] by stratified stochastic gradient descent, [`choices`] the one of
//! [`crate::ranking`] by alternating least squares, [`messages`] a linear classifier ([`crate::linear`]) in several passes. All end
//! in rows that online learning goes on with. Users and items are numbers from 0 without holes.

pub mod blocks;
pub mod choices;
pub(crate) mod cholesky;
pub mod events;
pub mod messages;
pub mod ratings;
mod sweep;

/// Training did not come to numbers.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "training diverges even with a rate of {rate}: its values are no numbers any more; are there ratings far outside of the \
     scale of the others?"
)]
pub struct Diverged {
    /// The last rate that was tried.
    pub rate: f32,
}
