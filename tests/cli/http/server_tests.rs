//! These tests check the service of the other tests: that it misbehaves as it should, and counts what it should.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use super::server::{Reply, Server};

fn request(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nIdempotency-Key: {body}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).expect("it listens");
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).expect("a socket");
    stream
}

/// Sends a request to a service that replies in this way, and returns everything that it writes.
fn exchange(reply: Reply) -> std::io::Result<String> {
    let server = Server::start(move |_| reply.clone());
    let mut stream = connect(&server);
    stream.write_all(request("/", "body").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut written = Vec::new();
    stream.read_to_end(&mut written)?;
    Ok(String::from_utf8(written).expect("UTF-8"))
}

#[test]
fn answers_are_written_in_the_manner_of_the_test() {
    let whole = "HTTP/1.1 429 Reason\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nslow";
    let reply = Reply::status(429).header("Retry-After", "1").body("slow");
    let read = |reply: &Reply| exchange(reply.clone()).expect("an answer");
    assert_eq!(read(&reply), whole);
    assert_eq!(read(&reply.clone().byte_by_byte()), whole);
    assert_eq!(read(&reply.clone().half()), whole[..whole.len() / 2]);
    let late = Duration::from_millis(30);
    let began = Instant::now();
    assert_eq!(read(&reply.after(late)), whole);
    assert!(began.elapsed() >= late);
    assert_eq!(read(&Reply::closed()), "");
    assert_eq!(read(&Reply::exactly("nonsense")), "nonsense");
    let chat = read(&Reply::chat("a \"quoted\" word", 7));
    let body = chat.split("\r\n\r\n").nth(1).expect("a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(
        body["choices"][0]["message"]["content"],
        "a \"quoted\" word"
    );
    assert_eq!(body["usage"]["total_tokens"], 7);
}

#[test]
fn connections_are_reset_kept_silent_and_flooded() {
    let reset = exchange(Reply::reset()).expect_err("a reset");
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);

    let server = Server::start(|received| match received.target.as_str() {
        "/silent" => Reply::never(),
        _ => Reply::endless(),
    });
    let mut silent = connect(&server);
    silent
        .write_all(request("/silent", "1").as_bytes())
        .expect("a socket");
    let mut flood = connect(&server);
    flood
        .write_all(request("/flood", "2").as_bytes())
        .expect("a socket");
    let mut bytes = vec![0; 1 << 20];
    flood.read_exact(&mut bytes).expect("a flood");
    silent.set_nonblocking(true).expect("a socket");
    let error = silent.read(&mut bytes).expect_err("nothing to read");
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(server.memory().most_in_flight, 0);
}

#[test]
fn requests_are_counted_and_remembered() {
    const ONE: &str = "{\"n\":1}";
    const TWO: &str = "{\"n\":2}";
    let server = Server::start(|received| {
        let sum = json!({"number": received.number, "attempt": received.attempt});
        Reply::json(sum)
    });
    let mut stream = connect(&server);
    let sent = [("/a", ONE), ("/b", TWO), ("/c", ONE)].map(|(path, body)| request(path, body));
    for request in &sent {
        // The service must put the pieces together.
        let (first, second) = request.split_at(20);
        stream.write_all(first.as_bytes()).expect("a socket");
        stream.write_all(second.as_bytes()).expect("a socket");
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            answer.extend(byte);
        }
    }
    let received = server.received();
    let seen = received.iter().map(|one| {
        (
            one.number,
            one.attempt,
            one.target.as_str(),
            one.body.as_slice(),
        )
    });
    let expected: [(_, _, _, &[u8]); 3] = [
        (0, 0, "/a", ONE.as_bytes()),
        (1, 0, "/b", TWO.as_bytes()),
        (2, 1, "/c", ONE.as_bytes()),
    ];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
    assert_eq!(received[0].header("CONTENT-LENGTH"), Some("7"));
    let numbers = received.iter().map(|one| (one.n(), one.method.as_str()));
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        [(1, "POST"), (2, "POST"), (1, "POST")]
    );
    assert!(server.url("/a").ends_with(&format!(":{}/a", server.port())));
    assert!(received.is_sorted_by_key(|one| one.at));
    let memory = server.memory();
    assert_eq!(memory.bytes, sent.concat().as_bytes());
    assert_eq!((memory.most_in_flight, memory.connections), (1, 1));
    assert_eq!(memory.attempts[ONE], 2);
}

#[test]
fn the_service_sees_how_many_requests_are_in_flight() {
    let server = Server::start(|received| match received.target.as_str() {
        "/last" => Reply::status(200),
        _ => Reply::status(200).after(Duration::from_secs(3600)),
    });
    let mut waiting = [(); 3].map(|()| connect(&server));
    for stream in &mut waiting {
        stream
            .write_all(request("/", "x").as_bytes())
            .expect("a socket");
    }
    crate::wait_for("all requests", || {
        (server.memory().received.len() == 3).then_some(())
    });
    let mut last = connect(&server);
    for _ in 0..2 {
        last.write_all(request("/last", "x").as_bytes())
            .expect("a socket");
        last.read_exact(&mut [0; 20]).expect("an answer");
    }
    assert_eq!(server.memory().most_in_flight, 4);
}

#[test]
fn the_service_can_be_a_proxy() {
    let server = Server::start(|_| Reply::status(200).body("reached"));
    let proxy = Server::start(|_| Reply::tunnel());
    let mut stream = connect(&proxy);
    let connect = format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n\r\n", server.port());
    stream.write_all(connect.as_bytes()).expect("a socket");
    let accepted = b"HTTP/1.1 200 Reason\r\n\r\n";
    let mut answer = vec![0; accepted.len()];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, accepted);
    stream
        .write_all(request("/", "behind").as_bytes())
        .expect("a socket");
    stream.shutdown(Shutdown::Write).expect("a socket");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.ends_with("reached"), "{answer}");
    assert_eq!(proxy.memory().bytes, connect.as_bytes());
    assert_eq!(server.received()[0].body, b"behind");
}
