//! The bytes of two requests of Kafka's protocol and as much of their answers as is needed. No I/O.
//!
//! `ApiVersions` 0, which every broker answers, says whether the broker speaks `Metadata` 12: it would close the
//! connection upon a version that it does not know. Formats: <https://kafka.apache.org/protocol>.

const API_METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;
/// Flexible (compact lengths, tagged fields), with topic ids.
const METADATA_VERSION: i16 = 12;
const ID_BYTES: usize = 16;
const UNKNOWN_TOPIC: i16 = 3;
const INVALID_TOPIC: i16 = 17;

/// What is wrong with an answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("this is not an answer of kafka: {0}")]
pub(super) struct Malformed(pub(super) &'static str);

/// What a broker says of a topic.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// It has this id.
    Known(String),
    /// It does not exist, or has no id.
    Absent,
    /// Kafka's error code.
    Refused(i16),
}

/// `size i32 | key i16 | version i16 | number i32 | client string`
pub(super) fn encode_api_versions(number: i32, client: &str) -> Vec<u8> {
    framed(&header(API_VERSIONS, 0, number, client))
}

/// `... | tags | topics [id 16 bytes, name, tags] | create bool | operations bool | tags`
pub(super) fn encode_metadata(number: i32, client: &str, topic: &str) -> Vec<u8> {
    let mut bytes = header(API_METADATA, METADATA_VERSION, number, client);
    // No tags; an array of one topic (lengths count from 1, 0 is null); by name, so the id is left zero.
    bytes.extend_from_slice(&[0, 2]);
    bytes.extend_from_slice(&[0; ID_BYTES]);
    append_varint(&mut bytes, topic.len() as u32 + 1);
    bytes.extend_from_slice(topic.as_bytes());
    // The topic's tags; it is not to be created; nobody asks who may do what; no tags.
    bytes.extend_from_slice(&[0, 0, 0, 0]);
    framed(&bytes)
}

/// Whether the broker speaks the version of `Metadata` that is asked here.
pub(super) fn decode_speaks_metadata(answer: &[u8], number: i32) -> Result<bool, Malformed> {
    let mut rest = Rest(answer);
    rest.number(number)?;
    if rest.i16()? != 0 {
        return Ok(false);
    }
    for _ in 0..rest.i32()? {
        let (key, first, last) = (rest.i16()?, rest.i16()?, rest.i16()?);
        if key == API_METADATA {
            return Ok((first..=last).contains(&METADATA_VERSION));
        }
    }
    Ok(false)
}

/// Reads an answer about one topic as far as its id.
pub(super) fn decode_topic(answer: &[u8], number: i32, topic: &str) -> Result<Topic, Malformed> {
    let mut rest = Rest(answer);
    rest.number(number)?;
    rest.skip_tags()?;
    let _throttled_ms = rest.i32()?;
    for _ in 0..rest.array()? {
        let (_node, _host, _port, _rack) = (rest.i32()?, rest.string()?, rest.i32()?, rest.string()?);
        rest.skip_tags()?;
    }
    let (_cluster, _controller) = (rest.string()?, rest.i32()?);
    if rest.array()? != 1 {
        return Err(Malformed("it is not about one topic"));
    }
    let (code, name, id) = (rest.i16()?, rest.string()?, rest.take(ID_BYTES)?);
    if name != Some(topic.as_bytes()) {
        return Err(Malformed("it is about another topic"));
    }
    Ok(match code {
        0 if id.iter().any(|&byte| byte != 0) => Topic::Known(base64(id)),
        0 | UNKNOWN_TOPIC | INVALID_TOPIC => Topic::Absent,
        code => Topic::Refused(code),
    })
}

fn header(key: i16, version: i16, number: i32, client: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&key.to_be_bytes());
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes.extend_from_slice(&number.to_be_bytes());
    // -1 is no name; one that does not fit is of no use to whoever reads the broker's log.
    let length = i16::try_from(client.len()).unwrap_or(-1);
    bytes.extend_from_slice(&length.to_be_bytes());
    if length >= 0 {
        bytes.extend_from_slice(client.as_bytes());
    }
    bytes
}

fn framed(request: &[u8]) -> Vec<u8> {
    let size = (request.len() as i32).to_be_bytes();
    [&size[..], request].concat()
}

fn append_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// What is left to read. Each step checks that it is there.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array_of<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed("it ends too early"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn i16(&mut self) -> Result<i16, Malformed> {
        self.array_of().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, Malformed> {
        self.array_of().map(i32::from_be_bytes)
    }

    fn number(&mut self, expected: i32) -> Result<(), Malformed> {
        if self.i32()? == expected { Ok(()) } else { Err(Malformed("it answers another question")) }
    }

    fn varint(&mut self) -> Result<u32, Malformed> {
        let mut value = 0;
        for shift in (0..u32::BITS).step_by(7) {
            let [byte] = self.array_of()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed("a length has no end"))
    }

    /// Elements of an array; a null one has none.
    fn array(&mut self) -> Result<u32, Malformed> {
        Ok(self.varint()?.saturating_sub(1))
    }

    fn string(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.varint()?.checked_sub(1) {
            Some(length) => self.take(length as usize).map(Some),
            None => Ok(None),
        }
    }

    fn skip_tags(&mut self) -> Result<(), Malformed> {
        for _ in 0..self.varint()? {
            let _tag = self.varint()?;
            let length = self.varint()?;
            self.take(length as usize)?;
        }
        Ok(())
    }
}

/// RFC 4648's url-safe alphabet, without padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().chain(&[0; 2]).take(3).fold(0, |bits, &byte| bits << 8 | usize::from(byte));
        // Each byte begins one more character of six bits.
        text.extend((0..=chunk.len()).map(|index| char::from(ALPHABET[bits >> (18 - 6 * index) & 0x3f])));
    }
    text
}

#[cfg(test)]
mod tests;
