//! `POST /v1/ratings`.

use axum::extract::State;
use axum::response::Response;
use weir_wire::rating::{RatingEvent, RatingMapping, Reason, Reject};

use super::extract::JsonBytes;
use super::{ApiError, events};
use crate::Gateway;

/// Sends ratings to their topic, keyed by user.
pub(super) async fn post(State(gateway): State<Gateway>, body: JsonBytes) -> Result<Response, ApiError> {
    let key = |event: &[u8]| Ok(checked(&gateway.ratings, event)?.user().as_bytes().to_vec());
    events::send(&gateway, &gateway.ratings_topic, key, body).await
}

/// An event that workers will take, read as they read it.
fn checked<'a>(mapping: &'a RatingMapping, payload: &'a [u8]) -> Result<RatingEvent<'a>, Reject> {
    let skipped = || {
        let detail = "is one that is passed over (setting input.ratings), so the event would teach nothing".to_owned();
        Reject { reason: Reason::UnknownEvent, field: Some("event"), detail }
    };
    mapping.parse(None, Some(payload))?.map(|weighted| weighted.event).ok_or_else(skipped)
}

#[cfg(test)]
mod tests {
    use weir_wire::mapping::Source;
    use weir_wire::rating::{EventType, Meaning, RatingSources};

    use super::*;

    #[test]
    fn events_are_read_as_workers_read_them() {
        let types = [("buy", Meaning::Rating(5.0)), ("login", Meaning::Skip)];
        let mapping = RatingMapping::new(&RatingSources {
            fields: [("user".to_owned(), Source::Pointer("/customer".to_owned()))].into(),
            types: types.map(|(name, meaning)| (name.to_owned(), EventType { meaning, weight: 1.0 })).into(),
            ..RatingSources::default()
        })
        .expect("a mapping");
        let taken = checked(&mapping, br#"{"customer": "c", "item": "i", "event": "buy"}"#);
        assert_eq!(taken.expect("taken").user(), "c");
        for (event, field) in [
            (&br#"{"user": "c", "item": "i", "event": "buy"}"#[..], "user"),
            (br#"{"customer": "c", "item": "i", "event": "other"}"#, "event"),
            (br#"{"customer": "c", "item": "i", "event": "login"}"#, "event"),
        ] {
            assert_eq!(checked(&mapping, event).expect_err("refused").field, Some(field));
        }
    }
}
