//! How far predicted ratings are off.

/// Root mean squared and mean absolute error.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    count: u64,
    squares: f64,
    absolutes: f64,
}

impl Errors {
    /// Counts one error (rating - prediction).
    pub fn add(&mut self, error: f32) {
        let error = f64::from(error);
        self.count += 1;
        self.squares += error * error;
        self.absolutes += error.abs();
    }

    /// All of both.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.squares += other.squares;
        self.absolutes += other.absolutes;
    }

    /// Errors counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// √(Σ error² / n), NaN of no errors.
    #[must_use]
    pub fn rmse(&self) -> f64 {
        (self.squares / self.count as f64).sqrt()
    }

    /// Σ |error| / n, NaN of no errors.
    #[must_use]
    pub fn mae(&self) -> f64 {
        self.absolutes / self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_worked_out_by_hand() {
        let mut errors = Errors::default();
        for error in [3.0, -4.0] {
            errors.add(error);
        }
        assert!((errors.rmse() - 12.5_f64.sqrt()).abs() < 1e-12);
        assert!((errors.mae() - 3.5).abs() < 1e-12);
        let mut twice = errors;
        twice.merge(&errors);
        assert_eq!((twice.count(), twice.rmse()), (4, errors.rmse()));
        assert!(Errors::default().rmse().is_nan() && Errors::default().mae().is_nan());
    }
}
