//! Passive-Aggressive learning of two classes: as little change as corrects the example at hand.
//!
//! The weights of an example's features are gathered into one slice by whoever keeps them, as from the rows of a message's
//! slots, and all features of an example have the **same value** (binary features of unit norm: 1/√n). So an example
//! is `(weights, value)`, and what it teaches is one number that is added to each of its weights. Nothing is allocated. Weights add:
//! the changes of several workers can be summed.
//!
//! Here are two classes; beside it are several ([`multiclass`]), numbers ([`regression`]) and one class ([`uniclass`]).
//!
//! Source: Crammer, Dekel, Keshet, Shalev-Shwartz, Singer, "Online Passive-Aggressive Algorithms", JMLR 7 (2006), figure 1.

pub mod multiclass;
pub mod regression;
pub mod uniclass;

use crate::{
    error::{Error, in_range},
    vector,
};

/// One of two classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The class with margins above 0, such as spam.
    Positive,
    /// The other.
    Negative,
}

impl Label {
    /// The paper's y: +1 or -1.
    #[must_use]
    pub fn sign(self) -> f32 {
        match self {
            Self::Positive => 1.0,
            Self::Negative => -1.0,
        }
    }

    /// The class that a margin speaks for; one of 0, as of a model that knows nothing, speaks for none and is negative.
    #[must_use]
    pub fn of_margin(margin: f32) -> Self {
        if margin > 0.0 { Self::Positive } else { Self::Negative }
    }
}

/// Which of the paper's three step sizes to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Always corrects the example fully; one wrong label can undo much.
    Pa,
    /// Caps the step at the aggressiveness: robust to wrong labels.
    PaI,
    /// Shrinks every step, the more the lower the aggressiveness.
    PaII,
}

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// The step size's formula.
    pub variant: Variant,
    /// The paper's C, how far one example may move the weights: 1e-6 to 1e6. 0.5 to 1 suit labels by people, more only
    /// clean ones; with examples of unit norm 0.1 is far too little. [`Variant::Pa`] has no use for it.
    pub aggressiveness: f32,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self { variant: Variant::PaI, aggressiveness: 1.0 }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("aggressiveness", values.aggressiveness.into(), 1e-6, 1e6)?;
    Ok(())
}

/// Step size τ of an example with this loss and squared norm |x|²: l / |x|², at most C, or l / (|x|² + 1 / 2C).
///
/// An example without features has nothing to move: its step is 0.
#[must_use]
pub fn step(settings: &Settings, loss: f32, norm_squared: f32) -> f32 {
    if norm_squared == 0.0 {
        return 0.0;
    }
    let HyperParameters { variant, aggressiveness } = settings.0;
    match variant {
        Variant::Pa => loss / norm_squared,
        Variant::PaI => (loss / norm_squared).min(aggressiveness),
        Variant::PaII => loss / (norm_squared + 1.0 / (2.0 * aggressiveness)),
    }
}

/// Loss of an example with this margin and label: max(0, 1 - y·margin), and 0 of a margin that is NaN.
#[must_use]
pub fn hinge_loss(margin: f32, label: Label) -> f32 {
    (1.0 - label.sign() * margin).max(0.0)
}

/// w·x of an example whose features, with these weights, all have this value. The order of the weights decides how the sum is rounded:
/// equal weights in equal order give equal margins everywhere.
#[must_use]
pub fn margin(weights: &[f32], value: f32) -> f32 {
    value * vector::sum(weights)
}

/// How sure a margin is of the positive class if nothing was fitted: 1 / (1 + e^-margin).
#[must_use]
pub fn sigmoid(margin: f32) -> f32 {
    1.0 / (1.0 + (-margin).exp())
}

/// What one example teaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson {
    /// The margin before learning.
    pub margin: f32,
    /// The loss before learning; of 0 nothing is learned.
    pub loss: f32,
    /// What is to be added to the weight of each of the example's features: τ·y·value.
    pub change: f32,
}

/// Scores an example and says what it teaches, without changing anything.
#[must_use]
pub fn lesson(settings: &Settings, weights: &[f32], value: f32, label: Label) -> Lesson {
    let margin = margin(weights, value);
    let loss = hinge_loss(margin, label);
    let norm_squared = weights.len() as f32 * value * value;
    Lesson { margin, loss, change: step(settings, loss, norm_squared) * label.sign() * value }
}

/// Learns one example on its weights and returns the margin from before.
pub fn learn(settings: &Settings, weights: &mut [f32], value: f32, label: Label) -> f32 {
    let Lesson { margin, change, .. } = lesson(settings, weights, value, label);
    for weight in weights {
        *weight += change;
    }
    margin
}

#[cfg(test)]
mod tests;
