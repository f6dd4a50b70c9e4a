use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::context::tests::context;

/// Asks a served router once and gives back the status line and the body.
fn ask(address: std::net::SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("connected");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: weir\r\nconnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

#[test]
fn probes_and_metrics_are_served_until_the_shutdown() {
    let context = context();
    let listener = bind("ops", "127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address");
    let serving = std::thread::spawn({
        let context = context.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
            runtime.block_on(serve(listener, context))
        }
    });
    assert_eq!(ask(address, "/health/live").0, "HTTP/1.1 200 OK");
    let part = context.health.part("worker");
    part.not_ready("broker 127.0.0.1:9092 cannot be reached");
    let (status, body) = ask(address, "/health/ready");
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    let reason = "broker 127.0.0.1:9092 cannot be reached";
    let expected = serde_json::json!({
        "ready": false, "parts": [{ "name": "worker", "ready": false, "reason": reason }]
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&body).expect("JSON"), expected);
    part.ready();
    assert_eq!(ask(address, "/health/ready").0, "HTTP/1.1 200 OK");
    let (status, body) = ask(address, "/metrics");
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(body.contains("\nweir_ready 1\n"), "{body}");
    // A connection that is kept open must not hold the end.
    let _idle = TcpStream::connect(address).expect("connected");
    context.shutdown.request();
    serving.join().expect("no panic").expect("served");
}

#[test]
fn a_taken_port_is_one_sentence() {
    let taken = bind("listen", "127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let error = bind("listen", &address).expect_err("taken").to_string();
    assert!(
        error.starts_with(&format!("cannot listen on {address}: the port is taken; set it with --listen")),
        "{error}"
    );
    let error = bind("ops", "no.such.host.invalid:1").expect_err("no host").to_string();
    assert!(error.contains("WEIR_OPS") && !error.contains('\n'), "{error}");
}
