use std::net::{SocketAddr, TcpListener};
use std::thread;

use super::*;

const SHORT: Duration = Duration::from_millis(300);

fn connection(brokers: &str) -> Connection {
    Connection::new(brokers, "test")
}

/// Something that is no broker: it sends `bytes` to whoever connects, and then closes, or waits for the other to.
fn stranger(bytes: &'static [u8], closes: bool) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port can be taken");
    let address = listener.local_addr().expect("it has an address");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        stream.write_all(bytes)?;
        if closes { Ok(0) } else { io::copy(&mut stream, &mut io::sink()) }
    });
    address
}

fn refused(bytes: &'static [u8], closes: bool) -> Error {
    let address = stranger(bytes, closes).to_string();
    topic_ids(&connection(&address), &["t"], SHORT).expect_err("that is no broker")
}

#[test]
fn whoever_is_no_broker_costs_no_more_than_the_timeout() {
    let silent = refused(b"", false);
    assert!(silent.is_unreachable() && silent.to_string().contains("no answer in time"), "{silent}");
    let slow = refused(b"\0\0\0\x09abc", false);
    assert!(slow.is_unreachable(), "{slow}");
    assert!(refused(b"", true).is_unreachable());
}

#[test]
fn an_answer_that_is_not_kafkas_is_an_error_of_its_own() {
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n"[..], b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x04\0\0\0\x01"] {
        let error = refused(bytes, false);
        assert!(matches!(error, Error::Call { .. }) && error.to_string().contains("not an answer of kafka"), "{error}");
    }
}

#[test]
fn each_address_is_tried_and_a_broker_without_ids_is_believed() {
    // It speaks Metadata up to version 9.
    let old = stranger(b"\0\0\0\x10\0\0\0\0\0\0\0\0\0\x01\0\x03\0\0\0\x09", false);
    let brokers = format!("{}, {old}", stranger(b"", true));
    assert_eq!(topic_ids(&connection(&brokers), &["a", "b"], Duration::from_secs(10)).unwrap(), [None, None]);
}

#[test]
fn without_plaintext_nothing_is_asked() {
    let mut connection = connection("127.0.0.1:1");
    connection.settings.insert("security.protocol".to_owned(), "SASL_SSL".to_owned());
    assert_eq!(topic_ids(&connection, &["a"], SHORT).unwrap(), [None]);
    connection.settings.insert("security.protocol".to_owned(), "PlainText".to_owned());
    assert!(topic_ids(&connection, &["a"], SHORT).unwrap_err().is_unreachable());
}

#[test]
fn addresses_are_those_of_librdkafka() {
    let check = |text, host: &str, port| assert_eq!(host_and_port(text), Some((host.to_owned(), port)), "{text}");
    check("broker", "broker", 9092);
    check("broker:1234", "broker", 1234);
    check("PLAINTEXT://broker:1234", "broker", 1234);
    check("[::1]:1234", "::1", 1234);
    check("[::1]", "::1", 9092);
    assert_eq!(host_and_port("ssl://broker:1234"), None);
    assert_eq!(host_and_port("broker:many"), None);
}
