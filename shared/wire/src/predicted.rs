//! Records of the topic `ratings.predicted`: what the recommender expected of a rating before it learned it.
//!
//! Written by workers for a share of the ratings, read by whoever watches how good the predictions are. `source` names the
//! record that was predicted; unknown fields are ignored, so that later versions can say more.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::event::{Reason, Reject};
use crate::output;
use crate::scored::{Model, Source};

/// A rating, and what was predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicted<'a> {
    /// Who rated.
    #[serde(borrow)]
    pub user: Cow<'a, str>,
    /// What was rated.
    #[serde(borrow)]
    pub item: Cow<'a, str>,
    /// As it came, after the topic's mapping. Finite.
    pub rating: f32,
    /// As it was expected; not cut to the scale. Finite.
    pub predicted: f32,
    /// The record that was predicted.
    #[serde(borrow)]
    pub source: Source<'a>,
    /// The model that predicted it.
    #[serde(borrow)]
    pub model: Model<'a>,
}

impl Predicted<'_> {
    /// Appends the record as JSON to `out`; nothing else is allocated.
    ///
    /// # Errors
    /// A number that is not finite: JSON has no such numbers. `out` is as before.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), Reject> {
        self.check()?;
        output::append(out, self)
    }

    fn check(&self) -> Result<(), Reject> {
        for (field, value) in [("rating", self.rating), ("predicted", self.predicted)] {
            if !value.is_finite() {
                return Err(Reject::new(Reason::BadNumber, field, format!("is {value}, must be finite")));
            }
        }
        Ok(())
    }
}

/// Reads one record's value.
///
/// # Errors
/// A [`Reject`] that says what is wrong; arbitrary bytes are no more than that.
pub fn parse(payload: &[u8]) -> Result<Predicted<'_>, Reject> {
    let predicted: Predicted<'_> = output::read(payload, "predicted rating")?;
    predicted.check()?;
    Ok(predicted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn predicted(rating: f32, predicted: f32) -> Predicted<'static> {
        Predicted {
            user: "dora".into(),
            item: "alien".into(),
            rating,
            predicted,
            source: Source { topic: "ratings".into(), partition: 3, offset: 17 },
            model: Model { name: "recommender".into(), generation: "g1".into(), learned: None },
        }
    }

    #[test]
    fn predictions_are_written_in_the_order_of_the_fields() {
        let mut out = b"before".to_vec();
        predicted(4.5, 3.75).write(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"before{"user":"dora","item":"alien","rating":4.5,"predicted":3.75,"#.to_owned()
                + r#""source":{"topic":"ratings","partition":3,"offset":17},"#
                + r#""model":{"name":"recommender","generation":"g1"}}"#
        );
    }

    #[test]
    fn what_is_no_number_is_neither_written_nor_read() {
        let mut out = b"before".to_vec();
        let reject = predicted(4.5, f32::NAN).write(&mut out).unwrap_err().to_string();
        assert_eq!((reject.as_str(), &*out), ("predicted: is NaN, must be finite (bad_number)", &b"before"[..]));
        for (payload, expected) in [("{", "not JSON: EOF"), ("[]", "not a predicted rating: invalid length 0")] {
            let reject = parse(payload.as_bytes()).unwrap_err().to_string();
            assert!(reject.starts_with(expected), "{reject}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(user in "\\PC{1,40}", rating in any::<f32>(), value in any::<f32>(), offset in any::<u64>()) {
            prop_assume!(rating.is_finite() && value.is_finite());
            let mut said = predicted(rating, value);
            said.user = user.into();
            said.source.offset = offset;
            let mut payload = Vec::new();
            said.write(&mut payload).unwrap();
            prop_assert_eq!(parse(&payload), Ok(said));
        }

        #[test]
        fn arbitrary_bytes_are_refused(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&payload).is_err());
        }
    }
}
