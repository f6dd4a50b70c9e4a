//! What only shows on a real connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::*;

/// Serves `api` and gives its address; the task ends after the shutdown.
fn serving(api: &Api) -> (SocketAddr, tokio::task::JoinHandle<anyhow::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    (address, tokio::spawn(serve(listener, api.gateway.clone(), api.context.clone())))
}

/// Sends `head`, announces a body of `length` bytes that is never sent, and reads to the end.
async fn announce(address: SocketAddr, length: usize) -> String {
    let talk = move || {
        let mut stream = TcpStream::connect(address)?;
        let head = "POST /v1/ratings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close";
        write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    tokio::task::spawn_blocking(talk).await.expect("the thread").expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_before_it_is_sent() {
    let api = Api::loaded();
    let (address, _serving) = serving(&api);
    let answer = announce(address, (1 << 20) + 1).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains(PROBLEM), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let api = Api::empty(|settings| settings.gateway.request_timeout_ms = 200);
    let (address, _serving) = serving(&api);
    let answer = announce(address, 10).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains(PROBLEM), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn serving_ends_with_the_shutdown() {
    let api = Api::loaded();
    let (address, serving) = serving(&api);
    announce(address, (1 << 20) + 1).await;
    api.context.shutdown.request();
    serving.await.expect("no panic").expect("no error");
}
