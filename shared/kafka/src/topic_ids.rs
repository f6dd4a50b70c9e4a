//! The ids of topics (KIP-516), which tell a topic from one that was created anew under its name.
//!
//! librdkafka keeps them to itself, so this asks a bootstrap broker over plain TCP, in the two requests of [`wire`]. It
//! is no client: no TLS, no SASL, no other request, no connection that outlives the question.

mod wire;

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::embedded;
use crate::{Connection, Error, Result};

const CALL: &str = "look up topic ids";
/// Where brokers listen if the address does not say.
const DEFAULT_PORT: u16 = 9092;
/// An answer lists all partitions of a topic, each in some dozens of bytes; a longer one is not from a broker.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// The ids of these topics, in their order, as Kafka prints them (`kafka-topics.sh --describe`): url-safe base64 of 16
/// bytes, without padding.
///
/// `None` is a topic that does not exist, or whose id cannot be known: all of them where `security.protocol` is anything
/// but `plaintext`, where a broker does not speak version 12 of `Metadata`, and on an embedded broker. Then only the cluster's id and offsets
/// tell logs apart. It takes up to `timeout`; looking up the names of hosts is not under that limit.
///
/// # Errors
/// [`Error::Unreachable`] if no bootstrap broker answers; [`Error::Call`] if one refuses to describe a topic, or its
/// answer is not Kafka's.
pub fn topic_ids(connection: &Connection, topics: &[&str], timeout: Duration) -> Result<Vec<Option<String>>> {
    let unknown = || vec![None; topics.len()];
    if embedded::serves(&connection.brokers) {
        return Ok(unknown());
    }
    let addresses: Vec<&str> = connection.brokers.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
    let addresses: Option<Vec<(String, u16)>> = addresses.into_iter().map(host_and_port).collect();
    let Some(addresses) = addresses.filter(|_| is_plaintext(connection)) else { return Ok(unknown()) };
    let (deadline, count) = (Instant::now() + timeout, addresses.len() as u32);
    let mut detail = "no address is given".to_owned();
    for ((host, port), left) in addresses.iter().zip((1..=count).rev()) {
        // One address that swallows everything leaves time for the next.
        let deadline = Instant::now() + deadline.saturating_duration_since(Instant::now()) / left;
        match ask(host, *port, &connection.client_id, topics, deadline) {
            Ok(ids) => return Ok(ids.unwrap_or_else(unknown)),
            Err(Failure::Io(error)) => detail = format!("{host}:{port}: {}", in_words(&error)),
            Err(failure) => return Err(Error::Call { call: CALL, detail: format!("{host}:{port}: {failure}") }),
        }
    }
    Err(Error::Unreachable { brokers: connection.brokers.clone(), detail })
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Malformed(#[from] wire::Malformed),
    #[error("the broker does not describe topic {topic}: error code {code}")]
    Refused { topic: String, code: i16 },
}

/// The ids as one broker names them, or none if it knows of no ids.
fn ask(
    host: &str,
    port: u16,
    client: &str,
    topics: &[&str],
    deadline: Instant,
) -> Result<Option<Vec<Option<String>>>, Failure> {
    let mut exchange = Exchange { stream: connect(host, port, deadline)?, deadline };
    let answer = exchange.ask(&wire::encode_api_versions(0, client))?;
    if !wire::decode_speaks_metadata(&answer, 0)? {
        return Ok(None);
    }
    let mut ids = Vec::with_capacity(topics.len());
    for (number, topic) in (1..).zip(topics) {
        // One topic at a time, so that nothing behind its id has to be understood.
        let answer = exchange.ask(&wire::encode_metadata(number, client, topic))?;
        ids.push(match wire::decode_topic(&answer, number, topic)? {
            wire::Topic::Known(id) => Some(id),
            wire::Topic::Absent => None,
            wire::Topic::Refused(code) => return Err(Failure::Refused { topic: (*topic).to_owned(), code }),
        });
    }
    Ok(Some(ids))
}

fn connect(host: &str, port: u16, deadline: Instant) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, remaining(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// One connection, one question at a time.
struct Exchange {
    stream: TcpStream,
    deadline: Instant,
}

impl Exchange {
    fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        self.stream.set_write_timeout(Some(remaining(self.deadline)?))?;
        self.stream.write_all(request)?;
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_ANSWER_BYTES {
            return Err(wire::Malformed("its length is not that of an answer").into());
        }
        let mut answer = vec![0; length];
        self.fill(&mut answer)?;
        Ok(answer)
    }

    /// Not `read_exact`: its time-out would begin anew with every byte that drips in.
    fn fill(&mut self, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            self.stream.set_read_timeout(Some(remaining(self.deadline)?))?;
            match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => buffer = buffer.get_mut(read..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn remaining(deadline: Instant) -> io::Result<Duration> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(remaining) }
}

/// A socket's time-out calls itself a resource that is temporarily unavailable.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was closed instead of an answer".to_owned(),
        _ => error.to_string(),
    }
}

/// librdkafka's default, and its values have no case.
fn is_plaintext(connection: &Connection) -> bool {
    connection.settings.get("security.protocol").is_none_or(|protocol| protocol.eq_ignore_ascii_case("plaintext"))
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`, each also behind `plaintext://`; none for what librdkafka reaches otherwise.
fn host_and_port(address: &str) -> Option<(String, u16)> {
    let rest = match address.split_once("://") {
        Some((protocol, rest)) if protocol.eq_ignore_ascii_case("plaintext") => rest,
        Some(_) => return None,
        None => address,
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (rest, DEFAULT_PORT),
    };
    Some((host.trim_start_matches('[').trim_end_matches(']').to_owned(), port))
}

#[cfg(test)]
mod tests;
