//! Records on their way in (borrowed) and out (owned).

use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Header, Headers as _, OwnedHeaders};
use rdkafka::{Message, Offset};

/// A record as it was read. Everything is borrowed from the client's buffer; nothing has been copied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    /// The partition it was read from.
    pub partition: u32,
    /// Its own offset.
    pub offset: u64,
    /// Milliseconds since 1970, if the record has a time.
    pub timestamp_ms: Option<i64>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; none is a tombstone.
    pub payload: Option<&'a [u8]>,
    /// Its headers, parsed when they are asked for.
    pub headers: Headers<'a>,
}

impl<'a> Record<'a> {
    pub(crate) fn of(message: &'a BorrowedMessage<'a>) -> Self {
        Self {
            partition: message.partition() as u32,
            offset: message.offset() as u64,
            timestamp_ms: message.timestamp().to_millis(),
            key: message.key(),
            payload: message.payload(),
            headers: Headers { message: Some(message) },
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.key.map_or(0, <[u8]>::len) + self.payload.map_or(0, <[u8]>::len)) as u64
    }
}

/// The headers of a [`Record`]; the default has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    message: Option<&'a BorrowedMessage<'a>>,
}

impl<'a> Headers<'a> {
    /// The value of the first header of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let message: &'a BorrowedMessage<'a> = self.message?;
        message.headers()?.iter().find(|header| header.key == name)?.value
    }
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutRecord {
    /// Where it goes. One `Arc` per topic serves all its records.
    pub topic: Arc<str>,
    /// The partition; none leaves it to the key as Java clients do (murmur2), or to chance where there is no key.
    pub partition: Option<u32>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; none is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Names and values of its headers.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// Milliseconds since 1970; none means now.
    pub timestamp_ms: Option<i64>,
}

impl OutRecord {
    /// A record without headers, with the time at which it is sent.
    #[must_use]
    pub fn new(topic: Arc<str>, partition: Option<u32>, key: Option<Vec<u8>>, payload: Option<Vec<u8>>) -> Self {
        Self { topic, partition, key, payload, headers: Vec::new(), timestamp_ms: None }
    }

    /// Bytes of key and payload.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len) + self.payload.as_ref().map_or(0, Vec::len)
    }

    pub(crate) fn owned_headers(&self) -> Option<OwnedHeaders> {
        if self.headers.is_empty() {
            return None;
        }
        let headers = OwnedHeaders::new_with_capacity(self.headers.len());
        Some(
            self.headers
                .iter()
                .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) })),
        )
    }
}

/// Where to begin reading a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// At this offset, which must be in the log or be its end.
    Offset(u64),
    /// At the first record that is still there.
    Beginning,
    /// After the last record (the last stable one for readers of committed records).
    End,
}

impl StartAt {
    pub(crate) fn offset(self) -> Offset {
        match self {
            Self::Offset(offset) => Offset::Offset(offset as i64),
            Self::Beginning => Offset::Beginning,
            Self::End => Offset::End,
        }
    }
}
