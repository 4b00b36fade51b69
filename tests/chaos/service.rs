//! A service on loopback that counts what each run asks it.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::case::Case;
use crate::paid::{Asked, numbers_in};
use crate::program::input;

/// The header with the name of the run that asks.
const RUN: &str = "x-run:";

/// A service that runs until the test ends.
#[derive(Clone)]
pub(crate) struct Service {
    port: u16,
    asked: Arc<Mutex<HashMap<String, Asked>>>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::default();
        let service = Service {
            port,
            asked: Arc::clone(&asked),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, asked) = (stream.expect("a connection"), Arc::clone(&asked));
                // A client that is killed closes its connection at any time.
                thread::spawn(move || serve(&stream, &asked));
            }
        });
        service
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/score", self.port)
    }

    /// What the run with this name has asked until now.
    fn asked(&self, run: &str) -> Asked {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(run).cloned().unwrap_or_default()
    }
}

/// A case of calls to the service with these options.
pub(crate) fn http(service: &Service, number: usize, options: &str) -> Case {
    let url = service.url();
    let command = format!("score in.jsonl --with http --url {url} --field text --json");
    let command = format!("{command} --header X-Run:{{run}} {options}");
    let service = service.clone();
    Case::new(input(number), &command, &[])
        .paid(move |scene, run| service.asked(&scene.name_of(run)))
}

/// Small runs: one call after the other, and several at once with a file of failures.
pub(crate) fn small_calls() -> [Case; 2] {
    let service = Service::start();
    [
        http(&service, 8, "-o out.jsonl --in-flight 1"),
        http(
            &service,
            12,
            "-o out.jsonl --in-flight 4 --failures bad.jsonl",
        ),
    ]
}

fn serve(stream: &TcpStream, asked: &Mutex<HashMap<String, Asked>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let (mut run, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix(RUN) {
                run = value.trim().to_owned();
            } else if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let number = numbers_in(&String::from_utf8_lossy(&body)).next();
        if let Some(number) = number {
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            *asked.entry(run).or_default().entry(number).or_default() += 1;
        }
        thread::sleep(Duration::from_millis(2));
        let (status, answer) = match number {
            None => (400, "{}".to_owned()),
            Some(n) if n % 17 == 5 => (400, "{\"error\":\"no\"}".to_owned()),
            Some(n) => (
                200,
                format!(
                    "{{\"score\":{},\"topic\":\"t{}\"}}",
                    (n * 7 % 1009) as f64 / 8.0,
                    n % 5
                ),
            ),
        };
        let length = answer.len();
        write!(
            writer,
            "HTTP/1.1 {status} Reason\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{answer}"
        )?;
    }
}
