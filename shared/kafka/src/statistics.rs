//! What librdkafka says of a client, about once a second, as far as operators need it.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;

/// Levels of the last second, and counts since the client was opened; brokers' figures are of all of them together, times
/// of the slowest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientStatistics {
    /// How many there were before, and this one; 0 as long as there is none.
    pub number: u64,
    /// From a request to its answer, on average.
    pub round_trip: Duration,
    /// The 99th percentile of the same.
    pub round_trip_p99: Duration,
    /// How long brokers made the client wait, on average.
    pub throttled: Duration,
    /// Messages in a producer's queue or on their way.
    pub waiting_messages: u64,
    /// Requests that are not sent or not answered.
    pub waiting_requests: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Requests that were not answered in time.
    pub timeouts: u64,
    /// Requests that could not be sent, and answers that could not be read.
    pub errors: u64,
    /// Connections that ended.
    pub disconnects: u64,
    /// The partitions that the client reads, as far as it has heard of their bounds.
    pub logs: Vec<LogBounds>,
}

/// The offsets of a partition that a client reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogBounds {
    /// The partition.
    pub partition: u32,
    /// The first record that is still there.
    pub first: u64,
    /// The next record that readers of committed records may have.
    pub stable_end: u64,
    /// The offset that the next record will get.
    pub end: u64,
    /// Whether nothing is left that readers of committed records may have: what lies before the end and was not read are
    /// markers.
    pub drained: bool,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Raw {
    msg_cnt: i64,
    tx_bytes: i64,
    rx_bytes: i64,
    brokers: HashMap<String, RawBroker>,
    topics: HashMap<String, RawTopic>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawBroker {
    outbuf_cnt: i64,
    waitresp_cnt: i64,
    txerrs: i64,
    rxerrs: i64,
    req_timeouts: i64,
    disconnects: i64,
    /// In microseconds.
    rtt: RawWindow,
    /// In milliseconds.
    throttle: RawWindow,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct RawWindow {
    avg: i64,
    p99: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawTopic {
    partitions: HashMap<String, RawPartition>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawPartition {
    partition: i64,
    desired: bool,
    next_offset: i64,
    fetchq_cnt: i64,
    lo_offset: i64,
    hi_offset: i64,
    ls_offset: i64,
}

/// Reads librdkafka's JSON.
pub(crate) fn parse(statistics: &[u8], number: u64) -> serde_json::Result<ClientStatistics> {
    let raw: Raw = serde_json::from_slice(statistics)?;
    // Below zero is what librdkafka says where it does not know.
    let known = |value: i64| value.max(0) as u64;
    let sum = |of: fn(&RawBroker) -> i64| raw.brokers.values().map(|broker| known(of(broker))).sum();
    let slowest = |of: fn(&RawBroker) -> i64| raw.brokers.values().map(|broker| known(of(broker))).max().unwrap_or(0);
    let partitions = raw.topics.values().flat_map(|topic| topic.partitions.values());
    let mut logs: Vec<LogBounds> = partitions.filter_map(bounds).collect();
    logs.sort_unstable_by_key(|log| log.partition);
    Ok(ClientStatistics {
        number,
        round_trip: Duration::from_micros(slowest(|broker| broker.rtt.avg)),
        round_trip_p99: Duration::from_micros(slowest(|broker| broker.rtt.p99)),
        throttled: Duration::from_millis(slowest(|broker| broker.throttle.avg)),
        waiting_messages: known(raw.msg_cnt),
        waiting_requests: sum(|broker| broker.outbuf_cnt.max(0) + broker.waitresp_cnt.max(0)),
        sent_bytes: known(raw.tx_bytes),
        received_bytes: known(raw.rx_bytes),
        timeouts: sum(|broker| broker.req_timeouts),
        errors: sum(|broker| broker.txerrs.max(0) + broker.rxerrs.max(0)),
        disconnects: sum(|broker| broker.disconnects),
        logs,
    })
}

fn bounds(raw: &RawPartition) -> Option<LogBounds> {
    let offset = |value: i64| u64::try_from(value).ok();
    let (partition, end) = (u32::try_from(raw.partition).ok()?, offset(raw.hi_offset)?);
    let stable_end = offset(raw.ls_offset).unwrap_or(end).min(end);
    // The first offset is asked for on its own and may be older or newer than the end.
    let first = offset(raw.lo_offset)?.min(end);
    let drained = raw.fetchq_cnt <= 0 && offset(raw.next_offset).is_some_and(|next| next >= stable_end);
    raw.desired.then_some(LogBounds { partition, first, stable_end, end, drained })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_read_and_what_is_unknown_is_left_out() {
        let json = br#"{"name": "x", "msg_cnt": 3, "tx_bytes": 100, "rx_bytes": -1,
            "brokers": {
                "a": {"outbuf_cnt": 1, "waitresp_cnt": 2, "txerrs": 1, "rxerrs": 1, "req_timeouts": 4, "disconnects": 5,
                      "rtt": {"avg": 900, "p99": 2000}, "throttle": {"avg": 7}},
                "b": {"rtt": {"avg": 1500, "p99": 1800}, "disconnects": 1}},
            "topics": {"t": {"partitions": {
                "1": {"partition": 1, "desired": true, "next_offset": 15, "lo_offset": 5, "hi_offset": 20, "ls_offset": 15},
                "0": {"partition": 0, "desired": true, "lo_offset": 0, "hi_offset": 9, "ls_offset": -1001},
                "2": {"partition": 2, "desired": false, "lo_offset": 0, "hi_offset": 9, "ls_offset": 9},
                "3": {"partition": 3, "desired": true, "lo_offset": -1001, "hi_offset": -1001},
                "-1": {"partition": -1}}}}}"#;
        let found = parse(json, 7).unwrap();
        assert_eq!((found.number, found.waiting_messages, found.waiting_requests), (7, 3, 3));
        assert_eq!((found.round_trip, found.round_trip_p99), (Duration::from_micros(1_500), Duration::from_millis(2)));
        assert_eq!((found.throttled, found.sent_bytes, found.received_bytes), (Duration::from_millis(7), 100, 0));
        assert_eq!((found.timeouts, found.errors, found.disconnects), (4, 2, 6));
        let log = |partition, first, stable_end, end, drained| LogBounds { partition, first, stable_end, end, drained };
        assert_eq!(found.logs, [log(0, 0, 9, 9, false), log(1, 5, 15, 20, true)]);
        assert!(parse(b"{", 1).is_err());
    }
}
