//! The plain senders.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use weir_kafka::{AckedSender, Error, Isolation, OutRecord, Reader, Sender, StartAt};
use weir_tests::wait_until;

use crate::support::{PATIENCE, connection, read, record, topic};

#[test]
fn sent_records_arrive() {
    let topic = topic("replies", 1);
    let sender = Sender::open(&connection()).unwrap();
    for n in 0..1000 {
        sender.send(&record(&topic, 0, &n.to_string())).unwrap();
    }
    sender.flush(PATIENCE).unwrap();
    assert_eq!(sender.stats().records.load(Ordering::Relaxed), 1000);
    assert_eq!(read(&topic, Isolation::ReadUncommitted).len(), 1000);
    let error = sender.send(&record(&topic, 0, &"x".repeat(2_000_000))).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[test]
fn acknowledgements_name_partition_and_offset() {
    let topic = topic("ratings", 3);
    let sender = AckedSender::open(&connection()).unwrap();
    let (send, receive) = mpsc::channel();
    let count = 60;
    for n in 0..count {
        let send = send.clone();
        let key = Some(format!("user {}", n % 6).into_bytes());
        let mut record = OutRecord::new(Arc::clone(&topic), None, key, Some(n.to_string().into_bytes()));
        record.headers = vec![("number", n.to_string().into_bytes())];
        record.timestamp_ms = Some(1_700_000_000_000 + n);
        sender.send_acked(&record, Box::new(move |acked| drop(send.send((n, acked))))).unwrap();
    }
    let acked: Vec<_> = (0..count).map(|_| receive.recv_timeout(PATIENCE).expect("all are acknowledged")).collect();

    let starts: Vec<_> = (0..3).map(|partition| (partition, StartAt::Beginning)).collect();
    let reader = Reader::open(&connection(), &topic, &starts, Isolation::ReadCommitted).unwrap();
    let mut found = Vec::new();
    wait_until("all records", PATIENCE, || {
        reader
            .poll(std::time::Duration::from_millis(50), 100, &mut |record| {
                let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
                assert_eq!(text(record.headers.get("number")), text(record.payload));
                assert_eq!(record.headers.get("missing"), None);
                let number: i64 = text(record.payload).parse().expect("a number");
                assert_eq!(record.timestamp_ms, Some(1_700_000_000_000 + number));
                found.push((number, record.partition, record.offset));
            })
            .expect("the reader is polled");
        (found.len() == count as usize).then_some(())
    });
    for (n, acked) in acked {
        let (partition, offset) = acked.expect("it was taken");
        assert!(found.contains(&(n, partition, offset)), "{n} is not at {partition}:{offset}");
        // One user's events stay together, where Java clients look for them.
        assert_eq!(partition, murmur2_partition(format!("user {}", n % 6).as_bytes(), 3));
    }
}

/// Kafka's own partitioner (`org.apache.kafka.common.utils.Utils.murmur2`), written out.
fn murmur2_partition(key: &[u8], partitions: u32) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ key.len() as u32;
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, byte| (tail << 8) | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^= hash >> 15;
    (hash & 0x7fff_ffff) % partitions
}

#[test]
fn dropping_the_sender_calls_back() {
    let topic = topic("ratings", 1);
    let mut slow = connection();
    slow.settings.insert("linger.ms".to_owned(), "60000".to_owned());
    slow.settings.insert("message.timeout.ms".to_owned(), "90000".to_owned());
    let sender = AckedSender::open(&slow).unwrap();
    let (send, receive) = mpsc::channel();
    sender.send_acked(&record(&topic, 0, "lingers"), Box::new(move |acked| drop(send.send(acked)))).unwrap();
    drop(sender);
    let outcome = receive.recv_timeout(PATIENCE).expect("it is told");
    assert!(matches!(outcome, Err(Error::NotDelivered { .. })), "{outcome:?}");
}
