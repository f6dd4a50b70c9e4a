//! A small REST client: what a test wants to know of an answer, and nothing hidden.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// Longer than the gateway's own longest wait, so that it is the gateway that answers.
const TIMEOUT: Duration = Duration::from_secs(20);
const PROBLEM: &str = "application/problem+json";

/// Speaks HTTP to one address.
#[derive(Clone, Debug)]
pub struct Client {
    address: String,
    agent: Agent,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type without its parameters, empty where there is none.
    pub content_type: String,
    /// The body as text.
    pub body: String,
}

impl Client {
    /// A client for 127.0.0.1.
    #[must_use]
    pub fn new(port: u16) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build();
        Self { address: format!("127.0.0.1:{port}"), agent: config.new_agent() }
    }

    /// `HOST:PORT` of the server.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks for `path`; none where nobody answers.
    #[must_use]
    pub fn try_get(&self, path: &str) -> Option<Answer> {
        self.agent.get(self.url(path)).call().ok().and_then(Answer::read)
    }

    /// Asks for `path`.
    ///
    /// # Panics
    /// When nobody answers.
    #[track_caller]
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        let answer = self.agent.get(self.url(path)).call();
        let answer = answer.unwrap_or_else(|error| panic!("GET {}: {error}", self.url(path)));
        Answer::read(answer).unwrap_or_else(|| panic!("GET {}: the body broke off", self.url(path)))
    }

    /// Sends JSON.
    ///
    /// # Panics
    /// When nobody answers.
    #[track_caller]
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_bytes(path, "application/json", body.to_string().as_bytes())
    }

    /// Puts JSON.
    ///
    /// # Panics
    /// When nobody answers.
    #[track_caller]
    #[must_use]
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        let request = self.agent.put(self.url(path)).header("content-type", "application/json");
        let answer = request.send(body.to_string()).unwrap_or_else(|error| panic!("PUT {}: {error}", self.url(path)));
        Answer::read(answer).unwrap_or_else(|| panic!("PUT {}: the body broke off", self.url(path)))
    }

    /// Deletes.
    ///
    /// # Panics
    /// When nobody answers.
    #[track_caller]
    #[must_use]
    pub fn delete(&self, path: &str) -> Answer {
        let answer = self.agent.delete(self.url(path)).call();
        let answer = answer.unwrap_or_else(|error| panic!("DELETE {}: {error}", self.url(path)));
        Answer::read(answer).unwrap_or_else(|| panic!("DELETE {}: the body broke off", self.url(path)))
    }

    /// Sends JSON; none where nobody answers.
    #[must_use]
    pub fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let request = self.agent.post(self.url(path)).header("content-type", "application/json");
        request.send(body.to_string()).ok().and_then(Answer::read)
    }

    /// Sends any bytes under any content type; an empty one sends none.
    ///
    /// # Panics
    /// When nobody answers.
    #[track_caller]
    #[must_use]
    pub fn post_bytes(&self, path: &str, content_type: &str, body: &[u8]) -> Answer {
        let mut request = self.agent.post(self.url(path));
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let answer = request.send(body).unwrap_or_else(|error| panic!("POST {}: {error}", self.url(path)));
        Answer::read(answer).unwrap_or_else(|| panic!("POST {}: the body broke off", self.url(path)))
    }

    /// The status of a request whose body is announced with `length` bytes and never sent: a server with a limit
    /// must answer without reading it.
    ///
    /// # Panics
    /// When the server does not answer with a status line.
    #[must_use]
    pub fn post_announced(&self, path: &str, length: usize) -> u16 {
        let mut stream = TcpStream::connect(&self.address).unwrap_or_else(|error| panic!("{}: {error}", self.address));
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            self.address
        );
        let mut line = [0; 12];
        let talk = stream
            .set_read_timeout(Some(TIMEOUT))
            .and_then(|()| stream.write_all(head.as_bytes()))
            .and_then(|()| stream.read_exact(&mut line));
        let status = String::from_utf8_lossy(&line).rsplit(' ').next().and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("POST {path} of {length} bytes: {talk:?}, {line:?}"))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Answer {
    fn read(mut response: ureq::http::Response<ureq::Body>) -> Option<Self> {
        let content_type = response.body().mime_type().unwrap_or_default().to_owned();
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(256 << 20).read_to_string().ok()?;
        Some(Self { status, content_type, body })
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The body as JSON of an answer that must have this status.
    ///
    /// # Panics
    /// When the status is another one.
    #[track_caller]
    #[must_use]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.content_type, "application/json", "{}", self.body);
        self.json()
    }

    /// The RFC 9457 problem of an answer that must have this status.
    ///
    /// # Panics
    /// When the status is another one or the body is no problem.
    #[track_caller]
    #[must_use]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.content_type, PROBLEM, "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "no title in {problem}");
        problem
    }
}

/// An id as one segment of a path.
#[must_use]
pub fn segment(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    id.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    /// Answers one request and tells its head.
    fn server(answer: &'static str) -> (Client, JoinHandle<String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let client = Client::new(listener.local_addr().unwrap().port());
        let serve = move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(head).unwrap().to_lowercase()
        };
        (client, std::thread::spawn(serve))
    }

    #[test]
    fn an_answer_is_told_as_it_is() {
        let (client, head) = server(
            "HTTP/1.1 422 No\r\ncontent-type: application/problem+json; charset=utf-8\r\ncontent-length: 29\r\n\r\n\
             {\"status\": 422, \"title\": \"t\"}",
        );
        assert_eq!(client.get("/v1/x?y=1").problem(422)["title"], "t");
        assert!(head.join().unwrap().starts_with("get /v1/x?y=1 http/1.1\r\n"));
    }

    #[test]
    fn a_body_goes_under_its_type_or_under_none() {
        for (content_type, expected) in [("text/plain", Some("content-type: text/plain\r\n")), ("", None)] {
            let (client, head) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            assert_eq!(client.post_bytes("/", content_type, b"").status, 200);
            let head = head.join().unwrap();
            assert_eq!(head.lines().any(|line| line.starts_with("content-type")), expected.is_some(), "{head}");
            assert!(expected.is_none_or(|expected| head.contains(expected)), "{head}");
        }
    }

    #[test]
    fn a_refusal_before_the_body_is_heard() {
        let (client, head) = server("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(client.post_announced("/", 1 << 30), 413);
        assert!(head.join().unwrap().contains("content-length: 1073741824\r\n"));
    }

    #[test]
    fn nobody_there_is_no_answer() {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        assert!(Client::new(port).try_get("/").is_none());
    }

    #[test]
    fn ids_become_one_segment() {
        assert_eq!(segment("a/b ü?"), "a%2Fb%20%C3%BC%3F");
        assert_eq!(segment("Az09-._~"), "Az09-._~");
    }
}
