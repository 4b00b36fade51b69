//! A service on loopback that behaves as badly as a test demands, and remembers everything that it receives. It does not
//! use a library for HTTP, since such a library would not let it misbehave.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A request as it has arrived.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// Number of requests that arrived before it.
    pub(super) number: usize,
    /// Number of requests with the same idempotency key that arrived before it. 0 if it has no such key.
    pub(super) attempt: usize,
    pub(super) method: String,
    /// What follows the method: the path and the query.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The time of its arrival after the start of the service.
    pub(super) at: Duration,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter();
        let found = found.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        let json = serde_json::from_slice(&self.body);
        json.unwrap_or_else(|error| panic!("{error} in the body of {self:?}"))
    }

    /// The field `n` of the record in the body.
    pub(super) fn n(&self) -> u64 {
        let json = self.json();
        json["n"]
            .as_u64()
            .unwrap_or_else(|| panic!("no n in {json}"))
    }
}

/// In which way an answer is written.
#[derive(Clone, Debug)]
enum Manner {
    Whole,
    ByteByByte,
    Half,
    Silent,
    Reset,
    Closed,
    Endless,
    Exactly(Vec<u8>),
    Tunnel,
}

/// What the service does with a request.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delay: Duration,
    manner: Manner,
    /// Whether the request counts as one that is in flight. If the client gives it up, it may start the next request
    /// before the service learns of it, so a request that is given up must not count.
    counts: bool,
}

impl Reply {
    /// An answer with this status and no body.
    pub(super) fn status(status: u16) -> Self {
        Reply {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            delay: Duration::ZERO,
            manner: Manner::Whole,
            counts: true,
        }
    }

    pub(super) fn json(value: Value) -> Self {
        Reply::status(200).body(value.to_string())
    }

    /// A chat completion whose message is this text.
    pub(super) fn chat(message: &str, tokens: u64) -> Self {
        let message = serde_json::json!({"role": "assistant", "content": message});
        Reply::json(serde_json::json!({
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"total_tokens": tokens},
        }))
    }

    pub(super) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Reply { body, ..self }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The answer is written after this time. The client must not give up the request before.
    pub(super) fn after(self, delay: Duration) -> Self {
        Reply { delay, ..self }
    }

    pub(super) fn byte_by_byte(self) -> Self {
        self.manner(Manner::ByteByByte)
    }

    /// The first half of the answer is written, and then the connection is closed.
    pub(super) fn half(self) -> Self {
        self.manner(Manner::Half)
    }

    /// The bytes of the body are written without a status and without headers, and then the connection is closed.
    pub(super) fn exactly(bytes: impl Into<Vec<u8>>) -> Self {
        Reply::status(0).manner(Manner::Exactly(bytes.into()))
    }

    /// No answer is written, and the connection remains open.
    pub(super) fn never() -> Self {
        let reply = Reply::status(0).manner(Manner::Silent);
        Reply {
            counts: false,
            ..reply
        }
    }

    /// A body that does not end.
    pub(super) fn endless() -> Self {
        let reply = Reply::status(200).manner(Manner::Endless);
        Reply {
            counts: false,
            ..reply
        }
    }

    /// The connection is reset.
    pub(super) fn reset() -> Self {
        Reply::status(0).manner(Manner::Reset)
    }

    /// The connection is closed without an answer.
    pub(super) fn closed() -> Self {
        Reply::status(0).manner(Manner::Closed)
    }

    /// The service acts as the proxy that a request with the method CONNECT asks for.
    pub(super) fn tunnel() -> Self {
        let reply = Reply::status(200).manner(Manner::Tunnel);
        Reply {
            counts: false,
            ..reply
        }
    }

    fn manner(self, manner: Manner) -> Self {
        Reply { manner, ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Reason\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !matches!(self.manner, Manner::Endless | Manner::Tunnel) {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        head += "\r\n";
        [head.as_bytes(), &self.body].concat()
    }
}

/// What the service remembers.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) received: Vec<Received>,
    /// Number of requests for each idempotency key.
    pub(super) attempts: HashMap<String, usize>,
    /// Largest number of requests that were waiting for their answers at the same time.
    pub(super) most_in_flight: usize,
    /// Number of connections that were made.
    pub(super) connections: usize,
    in_flight: usize,
    /// Every byte that has arrived, without the order of the connections.
    pub(super) bytes: Vec<u8>,
}

type Answer = dyn Fn(&Received) -> Reply + Send + Sync;

struct Shared {
    memory: Mutex<Memory>,
    answer: Box<Answer>,
    start: Instant,
}

impl Shared {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        // The function of a test may have panicked.
        self.memory
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A service that runs until it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a service that replies to each request as the function says.
    pub(super) fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            memory: Mutex::default(),
            answer: Box::new(answer),
            start: Instant::now(),
        });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, serving) => {}
                }
            });
        });
        Server {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The address of the service with this path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The time since the start of the service.
    pub(super) fn age(&self) -> Duration {
        self.shared.start.elapsed()
    }

    /// What the service remembers until now. It waits while this is held.
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.shared.memory()
    }

    /// The requests that have arrived until now.
    pub(super) fn received(&self) -> Vec<Received> {
        self.memory().received.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the service panicked"
            );
        }
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a socket");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        shared.memory().connections += 1;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A client may close its connection at any time.
            let _ = serve(stream, &shared).await;
        });
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = Vec::new();
    while let Some(received) = receive(&mut stream, &mut read, shared).await? {
        let reply = (shared.answer)(&received);
        let leaves = enter(shared, received.clone(), reply.counts);
        tokio::time::sleep(reply.delay).await;
        if !write(&mut stream, &reply, &received, leaves).await? {
            break;
        }
    }
    Ok(())
}

/// A request that counts as one in flight until this value is dropped.
struct InFlight<'a>(&'a Shared);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.memory().in_flight -= 1;
    }
}

/// Remembers a request, and counts it as one in flight if it counts.
fn enter(shared: &Shared, received: Received, counts: bool) -> Option<InFlight<'_>> {
    let mut memory = shared.memory();
    memory.received.push(received);
    memory.in_flight += usize::from(counts);
    memory.most_in_flight = memory.most_in_flight.max(memory.in_flight);
    counts.then(|| InFlight(shared))
}

/// Reads the next request. Returns `None` at the end of the connection.
async fn receive(
    stream: &mut TcpStream,
    read: &mut Vec<u8>,
    shared: &Shared,
) -> io::Result<Option<Received>> {
    loop {
        if let Some((received, length)) = parse(read) {
            read.drain(..length);
            return Ok(Some(number(received, shared)));
        }
        let before = read.len();
        if stream.read_buf(read).await? == 0 {
            return Ok(None);
        }
        shared.memory().bytes.extend_from_slice(&read[before..]);
        // What is not HTTP, such as the beginning of an encrypted connection, is answered as servers do.
        if !read[0].is_ascii_uppercase() {
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await?;
            return Ok(None);
        }
    }
}

/// Gives a request its number, and the number of its attempt.
fn number(received: Received, shared: &Shared) -> Received {
    let mut memory = shared.memory();
    let key = received.header("idempotency-key").map(str::to_owned);
    let attempts = key.map(|key| memory.attempts.entry(key).or_default());
    let attempt = attempts.map_or(0, |attempts| {
        *attempts += 1;
        *attempts - 1
    });
    Received {
        number: memory.received.len(),
        attempt,
        at: shared.start.elapsed(),
        ..received
    }
}

/// Returns the request at the beginning of these bytes and its length, if it is complete.
fn parse(read: &[u8]) -> Option<(Received, usize)> {
    let head = read.windows(4).position(|end| end == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&read[..head]).expect("a head in UTF-8");
    let mut lines = text.split("\r\n");
    let mut first = lines.next().expect("a line").split(' ');
    let mut word = || first.next().expect("a word").to_owned();
    let mut received = Received {
        number: 0,
        attempt: 0,
        method: word(),
        target: word(),
        headers: Vec::new(),
        body: Vec::new(),
        at: Duration::ZERO,
    };
    for line in lines {
        let (name, value) = line.split_once(':').expect("a header");
        let header = (name.to_owned(), value.trim().to_owned());
        received.headers.push(header);
    }
    let coding = received.header("transfer-encoding");
    assert_eq!(
        coding, None,
        "this service needs the length of a body before"
    );
    let length = received.header("content-length");
    let length = length.map_or(0, |length| length.parse().expect("a number"));
    let body = head + 4..head + 4 + length;
    received.body = read.get(body.clone())?.to_vec();
    Some((received, body.end))
}

/// Writes a reply. Returns whether the connection can be used again.
async fn write(
    stream: &mut TcpStream,
    reply: &Reply,
    received: &Received,
    leaves: Option<InFlight<'_>>,
) -> io::Result<bool> {
    let bytes = reply.bytes();
    match &reply.manner {
        Manner::Whole => {
            // The client can start its next request as soon as it has read the last byte.
            drop(leaves);
            stream.write_all(&bytes).await?;
            return Ok(true);
        }
        Manner::ByteByByte => {
            let (last, before) = bytes.split_last().expect("a status");
            for byte in before {
                stream.write_all(&[*byte]).await?;
                tokio::task::yield_now().await;
            }
            drop(leaves);
            stream.write_all(&[*last]).await?;
            return Ok(true);
        }
        Manner::Half => {
            drop(leaves);
            stream.write_all(&bytes[..bytes.len() / 2]).await?;
        }
        Manner::Exactly(bytes) => {
            drop(leaves);
            stream.write_all(bytes).await?;
        }
        Manner::Silent => while stream.read_u8().await.is_ok() {},
        Manner::Reset => {
            drop(leaves);
            stream.set_zero_linger()?;
        }
        Manner::Closed => drop(leaves),
        Manner::Endless => {
            stream.write_all(&bytes).await?;
            loop {
                stream.write_all(&[b'1'; 4096]).await?;
            }
        }
        Manner::Tunnel => {
            stream.write_all(&bytes).await?;
            let mut onward = TcpStream::connect(&received.target).await?;
            tokio::io::copy_bidirectional(stream, &mut onward).await?;
        }
    }
    Ok(false)
}
