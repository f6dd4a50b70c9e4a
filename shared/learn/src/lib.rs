//! The learning algorithms, pure: numbers in, numbers out.
//!
//! What a recommender needs to learn and to answer, on rows of fixed width that others keep: matrix factorisation for
//! explicit ratings ([`mf`]) and for order ([`ranking`]), what is popular now ([`popularity`], [`item_events`]), what goes together ([`neighbours`]), how all
//! that makes one order ([`blend`]), what a user has seen ([`seen`]), the best k of many ([`top_k`]), how what was learned side by side is added up ([`side_by_side`]), and how well all that predicts ([`evaluate`]). All of it learns event by event; [`offline`] learns from all events at once, in several passes. What a spam filter needs: features of a text ([`text`]), a
//! linear classifier ([`linear`]: [`passive_aggressive`], [`arow`], [`ftrl`] or [`adagrad`]) classes of which one is ahead of the other ([`balance`]), and probabilities that mean what they say ([`calibration`]). Wherever possible
//! rows hold **quantities that add**, so that changes made by several workers can be summed.
//!
//! Deliberately not here: where rows live and how they travel, clocks, randomness that is not computed from a seed and a
//! key, and tuning of settings.

pub mod adagrad;
pub mod arow;
pub mod balance;
pub mod blend;
pub mod calibration;
pub mod evaluate;
pub mod ftrl;
pub mod history;
pub mod item_events;
pub mod linear;
pub mod mf;
pub mod neighbours;
pub mod offline;
pub mod passive_aggressive;
pub mod popularity;
pub mod ranking;
pub mod seen;
pub mod side_by_side;
pub mod text;
pub mod top_k;

mod error;
mod mean;
mod noise;
mod vector;

pub use error::Error;
pub use mean::GlobalMean;
