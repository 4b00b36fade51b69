//! A service that answers each request after a fixed time, to try and to measure clients with. It costs little processor
//! time: one thread reads the requests, and another one writes each answer when it is due.
//!
//! ```sh
//! cargo run --release --example slow_service -- --port 8080 --latency 20
//! curl http://127.0.0.1:8080/ --data '{"text":"not bad at all"}'
//! ```
//!
//! The answer tells the number of bytes and of words in the body of the request: `{"bytes":25,"words":4}`. Under
//! `/v1/chat/completions`, the answer has the form of a chat completion, and its message is such an object.

use std::error::Error;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;

/// The largest body that is accepted, in bytes.
const LARGEST: usize = 1 << 20;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// An answer, its connection, and the time at which it is due. All answers wait equally long, so the first one that was
/// sent to the writing thread is always the first one that is due.
struct Due {
    at: Instant,
    to: Arc<TcpStream>,
    answer: Vec<u8>,
}

fn main() -> Outcome<()> {
    let (port, latency) = options()?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    println!("http://{}", listener.local_addr()?);

    let (answers, due) = mpsc::channel::<Due>();
    thread::spawn(move || {
        for Due { at, to, answer } in due {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            // The client may have closed the connection. A client that does not read its answers loses them.
            let _ = (&*to).write_all(&answer);
        }
    });

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let tasks = tokio::task::LocalSet::new();
        tasks.run_until(accept(listener, latency, answers)).await
    })
}

fn options() -> Outcome<(u16, Duration)> {
    let (mut port, mut latency) = (8080, Duration::from_millis(20));
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match &*name {
            "--port" => port = value.parse()?,
            "--latency" => latency = Duration::from_secs_f64(value.parse::<f64>()? / 1000.0),
            _ => {
                return Err(
                    "expected --port NUMBER (0 chooses one) or --latency MILLISECONDS".into(),
                );
            }
        }
    }
    Ok((port, latency))
}

async fn accept(listener: TcpListener, latency: Duration, answers: Sender<Due>) -> Outcome<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let answers = answers.clone();
        tokio::task::spawn_local(async move {
            match serve(stream, latency, &answers).await {
                // A client may close its connection at any time.
                Err(error) if !error.is::<std::io::Error>() => {
                    eprintln!("a connection was closed: {error}");
                }
                _ => {}
            }
        });
    }
}

/// Reads the requests of one connection.
async fn serve(
    stream: tokio::net::TcpStream,
    latency: Duration,
    answers: &Sender<Due>,
) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let to = Arc::new(stream.try_clone()?);
    let mut stream = tokio::net::TcpStream::from_std(stream)?;
    let mut read = Vec::with_capacity(4096);
    loop {
        while let Some((answer, length)) = answer(&read)? {
            read.drain(..length);
            let at = Instant::now() + latency;
            let to = Arc::clone(&to);
            answers.send(Due { at, to, answer })?;
        }
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
    }
}

/// Returns the answer to the first request, and the length of this request. `None` means that it has not arrived yet.
fn answer(read: &[u8]) -> Outcome<Option<(Vec<u8>, usize)>> {
    let Some(head) = read.windows(4).position(|end| end == b"\r\n\r\n") else {
        return match read.len() > LARGEST {
            true => Err("the head of a request is too long".into()),
            false => Ok(None),
        };
    };
    let text = std::str::from_utf8(&read[..head])?;
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err("expected a request with the header Content-Length".into());
        }
    }
    if length > LARGEST {
        return Err(format!("a body of {length} bytes is too long").into());
    }
    let start = head + 4;
    let Some(body) = read.get(start..start + length) else {
        return Ok(None);
    };
    let words = body.split(u8::is_ascii_whitespace);
    let words = words.filter(|word| !word.is_empty()).count();
    let numbers = format!(r#"{{"bytes":{length},"words":{words}}}"#);
    let content = match first.split(' ').nth(1) {
        Some("/v1/chat/completions") => completion(&numbers, words),
        _ => numbers,
    };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{content}",
        content.len()
    );
    Ok(Some((answer.into_bytes(), start + length)))
}

/// An answer in the form of a chat completion, with one token for each word.
fn completion(message: &str, words: usize) -> String {
    let message = message.replace('"', r#"\""#);
    format!(
        r#"{{"id":"1","object":"chat.completion","created":0,"model":"slow","choices":[{{"index":0,"message":{{"role":"assistant","content":"{message}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{words},"completion_tokens":1,"total_tokens":{}}}}}"#,
        words + 1
    )
}
