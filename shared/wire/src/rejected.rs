//! Records of a `.rejected` topic: the bytes as they came, and headers that say where from and why not.

use crate::Reject;

/// Most bytes of a rejected value that are kept: with its key and headers it stays below the broker's limit of 1 MB.
pub const MAX_VALUE_BYTES: usize = 512 * 1024;
/// Most bytes of a rejected key that are kept.
pub const MAX_KEY_BYTES: usize = 64 * 1024;

/// Header: the topic that the record came from.
pub const TOPIC: &str = "topic";
/// Header: its partition, in decimal.
pub const PARTITION: &str = "partition";
/// Header: its offset, in decimal.
pub const OFFSET: &str = "offset";
/// Header: the reason's name ([`crate::Reason::as_str`]).
pub const REASON: &str = "reason";
/// Header: the whole message for people.
pub const DETAIL: &str = "detail";
/// Header: bytes of the value as it came, in decimal; the value here may be cut.
pub const LENGTH: &str = "length";

/// The headers of a record at `offset` of `partition` of `topic` whose value had `length` bytes.
#[must_use]
pub fn headers(
    topic: &str,
    partition: u32,
    offset: u64,
    reject: &Reject,
    length: usize,
) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (TOPIC, topic.into()),
        (PARTITION, partition.to_string().into()),
        (OFFSET, offset.to_string().into()),
        (REASON, reject.reason.as_str().into()),
        (DETAIL, reject.to_string().into()),
        (LENGTH, length.to_string().into()),
    ]
}

/// `bytes`, or as much of their beginning as `most` allows.
#[must_use]
pub fn cut(bytes: &[u8], most: usize) -> &[u8] {
    bytes.get(..most).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rating::parse;

    #[test]
    fn headers_say_where_and_why() {
        let reject = parse(None, Some(br#"{"user":"u"}"#)).unwrap_err();
        let headers = headers("ratings", 3, 17, &reject, 12);
        let text: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value))).collect();
        assert_eq!(
            text.join(" "),
            "topic=ratings partition=3 offset=17 reason=missing_field \
             detail=item: is missing, every event needs it (missing_field) length=12"
        );
    }

    #[test]
    fn long_values_are_cut_and_short_ones_are_not() {
        assert_eq!(cut(b"abc", 2), b"ab");
        assert_eq!(cut(b"abc", 3), b"abc");
    }
}
