//! Tests of connections that break, and of answers that arrive slowly, packed, or not at all.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::server::{Log, Reply, call, environment, failed, serve, service};
use crate::calls::{Again, CallControl, RetryReason};
use crate::error::Unavailable;
use crate::remote::{Service, ServiceOptions};

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn broken_connections_are_tried_again() {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":";
    for reply in [
        Reply::Close(Vec::new()),
        Reply::Close(whole.as_bytes()[..20].to_vec()),
        Reply::Close(whole.into()),
        Reply::Close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a".into()),
        Reply::Close(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nwhat\r\n".into()),
        Reply::Bytes(b"What is that?\r\n\r\n".into()),
        Reply::Close(b"\x16\x03\x01\x00\x05".into()),
    ] {
        let error = failed(reply.clone(), |_| {}).await;
        let found = (error.again, error.reason);
        assert_eq!(
            found,
            (Again::AsUsual, RetryReason::Connection),
            "{reply:?}"
        );
        assert!(error.cause.is::<Unavailable>());
        assert!(error.to_string().contains("127.0.0.1:"), "{error}");
    }
    // Nothing listens at this port.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let (service, _) = service(port, |_| {});
    let error = call(&service, "{}").await.unwrap_err();
    assert_eq!(
        (error.again, error.reason),
        (Again::AsUsual, RetryReason::Connection)
    );
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn slow_and_packed_answers_are_read() {
    let gzip = |body: &[u8]| Reply::new("200 OK", "Content-Encoding: gzip", packed(body));
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n0.5";
    let pieces = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n0.\r\n1\r\n5\r\n0\r\nx: y\r\n\r\n";
    for reply in [
        Reply::ByteByByte(whole.into()),
        Reply::ByteByByte(pieces.into()),
        Reply::Bytes(pieces.into()),
        Reply::Close(b"HTTP/1.1 200 OK\r\n\r\n0.5".into()),
        gzip(b"0.5"),
        Reply::new("200 OK", "Content-Encoding: identity", "0.5"),
        Reply::new("201 Created", "", "0.5"),
    ] {
        let served = reply.clone();
        let port = serve(&Log::default(), move |_, _| served.clone()).await;
        let (service, _) = service(port, |_| {});
        let answer = call(&service, "{}").await;
        assert_eq!(answer.unwrap().score(), Some(0.5), "{reply:?}");
    }
}

#[tokio::test]
async fn answers_are_bounded_and_undamaged() {
    let gzip = |body: &[u8]| Reply::new("200 OK", "Content-Encoding: gzip", packed(body));
    let small = |options: &mut ServiceOptions| options.max_answer = 1_000;
    let long = "9".repeat(1_001);
    let in_pieces =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{long}\r\n0\r\n\r\n");
    for reply in [
        Reply::ok(&long),
        Reply::Bytes(in_pieces.into_bytes()),
        gzip(&vec![b' '; 1_000_000]),
        Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n5".into()),
    ] {
        let error = failed(reply, small).await;
        assert_eq!(error.to_string(), "the answer has more than 1000 bytes");
        assert_eq!(
            (error.again, error.reason),
            (Again::Never, RetryReason::BadAnswer)
        );
    }
    let damaged = Reply::new("200 OK", "Content-Encoding: gzip", &packed(b"0.5")[..12]);
    let error = failed(damaged, |_| {}).await;
    assert_eq!(
        (error.again, error.reason),
        (Again::AsUsual, RetryReason::Connection)
    );
    let error = failed(Reply::new("200 OK", "Content-Encoding: br", "x"), |_| {}).await;
    assert!(
        error.to_string().contains("found the encoding br"),
        "{error}"
    );
    let error = failed(
        Reply::new("400 Bad Request", "Content-Encoding: gzip", packed(b"no")),
        |_| {},
    );
    assert_eq!(error.await.to_string(), "400 Bad Request: no");
}

#[tokio::test]
async fn an_error_of_encryption_is_not_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // A server that answers the greeting of TLS without encryption.
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        connection.write_all(refusal).await.unwrap();
        // Unread bytes would reset the connection before the client has read the answer.
        let _ = connection.read_to_end(&mut Vec::new()).await;
    });
    let options = ServiceOptions::new(format!("https://127.0.0.1:{port}/"));
    let service = match Service::new_in(&environment, &options, CallControl::default()) {
        Ok(service) => service,
        // A machine may have no certificates.
        Err(error) => return assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}"),
    };
    let error = call(&service, "{}").await.unwrap_err();
    assert_eq!(
        (error.again, error.reason),
        (Again::Never, RetryReason::Connection)
    );
    assert!(
        error.to_string().contains("no encrypted connection"),
        "{error}"
    );
    server.await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_dropped_is_no_longer_in_flight() {
    let log = Log::default();
    let port = serve(&log, |_, _| Reply::Silence).await;
    let (service, _) = service(port, |_| {});
    let waiting = tokio::time::timeout(Duration::from_millis(200), call(&service, "{}"));
    assert!(waiting.await.is_err());
    assert_eq!(service.calls_in_flight(), 0);
    assert_eq!(service.statistics().latency, None);
}
