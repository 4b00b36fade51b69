//! A small server on this machine, which answers as a test tells it to.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::calls::{CallControl, CallError};
use crate::dataset::TextRecord;
use crate::remote::{ProgramAnswer, Service, ServiceOptions};

/// What the server does after it has received a request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Writes these bytes, and keeps the connection.
    Bytes(Vec<u8>),
    /// Writes these bytes one by one.
    ByteByByte(Vec<u8>),
    /// Writes these bytes, and closes the connection.
    Close(Vec<u8>),
    /// Never answers.
    Silence,
}

impl Reply {
    /// An answer with this status, these lines of headers, and this body.
    pub(super) fn new(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
        for line in headers.lines() {
            bytes.extend_from_slice(format!("{line}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        Reply::Bytes(bytes)
    }

    pub(super) fn ok(body: impl AsRef<[u8]>) -> Self {
        Reply::new("200 OK", "", body)
    }
}

/// A request as it was received: its head, and its body.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) head: String,
    pub(super) body: String,
}

impl Received {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

#[derive(Clone, Default)]
pub(super) struct Log {
    pub(super) requests: Arc<Mutex<Vec<Received>>>,
    pub(super) connections: Arc<Mutex<usize>>,
}

impl Log {
    pub(super) fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

/// Starts a server, which ends with the runtime of the test. `answer` receives the number of a request, from 0, and the
/// request. Returns the port.
pub(super) async fn serve(
    log: &Log,
    answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (log, answer) = (log.clone(), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            *log.connections.lock().unwrap() += 1;
            let (log, answer) = (log.clone(), Arc::clone(&answer));
            tokio::spawn(async move { converse(connection, &log, &*answer).await });
        }
    });
    port
}

async fn converse(
    mut connection: TcpStream,
    log: &Log,
    answer: &(dyn Fn(usize, &Received) -> Reply + Send + Sync),
) {
    let mut buffer = Vec::new();
    while let Some(received) = receive(&mut connection, &mut buffer).await {
        let number = {
            let mut requests = log.requests.lock().unwrap();
            requests.push(received.clone());
            requests.len() - 1
        };
        match answer(number, &received) {
            Reply::Bytes(bytes) => connection.write_all(&bytes).await.unwrap_or_default(),
            Reply::ByteByByte(bytes) => {
                for byte in bytes {
                    connection.write_all(&[byte]).await.unwrap_or_default();
                    tokio::task::yield_now().await;
                }
            }
            Reply::Close(bytes) => {
                connection.write_all(&bytes).await.unwrap_or_default();
                return;
            }
            Reply::Silence => std::future::pending().await,
        }
    }
}

/// Receives a request. `None` if the connection was closed.
async fn receive(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    loop {
        let text = String::from_utf8_lossy(buffer).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let received = Received {
                head: head.to_owned(),
                body: String::new(),
            };
            let length = received.header("content-length");
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if rest.len() >= length {
                buffer.drain(..head.len() + 4 + length);
                let body = rest[..length].to_owned();
                return Some(Received { body, ..received });
            }
        }
        if connection.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// The token that the variable `TOKEN` holds.
pub(super) const TOKEN: &str = "sk-5ec7e7/t0k3n+of=the-user";

/// The environment of the services in tests.
pub(super) fn environment(name: &str) -> Option<String> {
    (name == "TOKEN").then(|| TOKEN.to_owned())
}

/// A service at this port, with a token in a header.
pub(super) fn service(
    port: u16,
    change: impl FnOnce(&mut ServiceOptions),
) -> (Service, CallControl) {
    let mut options = ServiceOptions::new(format!("http://127.0.0.1:{port}/score"));
    options.headers.push("Authorization: Bearer $TOKEN".into());
    change(&mut options);
    let control = CallControl::default();
    let service = Service::new_in(&environment, &options, control.clone());
    (service.unwrap(), control)
}

/// Calls a service for a record.
pub(super) async fn call(service: &Service, record: &str) -> Result<ProgramAnswer, CallError> {
    let body = service.body(&TextRecord::json(record))?;
    service.call(body).await
}

/// The error of a call that gets this reply.
pub(super) async fn failed(reply: Reply, change: impl FnOnce(&mut ServiceOptions)) -> CallError {
    let port = serve(&Log::default(), move |_, _| reply.clone()).await;
    let (service, _) = service(port, change);
    call(&service, "{}").await.unwrap_err()
}
