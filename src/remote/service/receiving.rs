//! How the body of an answer is received: no more of it than is allowed, and unpacked.

use std::io::Read as _;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use http::response::Parts;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

/// The body of an answer, as far as it was received.
#[derive(Debug, Default)]
pub(super) struct ReceivedBody {
    pub(super) bytes: Bytes,
    /// Number of bytes before the body was unpacked.
    pub(super) packed: usize,
    /// Why the rest is missing.
    pub(super) problem: Option<BodyProblem>,
}

/// Why a part of a body is missing.
#[derive(Debug)]
pub(super) enum BodyProblem {
    TooLong,
    /// The connection broke.
    Broken(hyper::Error),
    /// The body is not packed as its header says.
    Damaged,
    /// The body is packed in a way that was not asked for.
    Encoding(String),
}

/// How a body is packed.
enum Packing {
    None,
    Gzip,
    Other(String),
}

fn packing(head: &Parts) -> Packing {
    let Some(encoding) = head.headers.get(CONTENT_ENCODING) else {
        return Packing::None;
    };
    let encoding = String::from_utf8_lossy(encoding.as_bytes());
    match encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Packing::None,
        "gzip" | "x-gzip" => Packing::Gzip,
        other => Packing::Other(other.to_owned()),
    }
}

impl ReceivedBody {
    /// Receives a body of at most `most` bytes.
    pub(super) async fn of(head: &Parts, body: Incoming, most: usize) -> Self {
        let received = receive(body, most).await;
        match packing(head) {
            Packing::None => received,
            Packing::Gzip => received.unpacked(most),
            Packing::Other(_) if received.bytes.is_empty() => received,
            Packing::Other(encoding) => ReceivedBody {
                bytes: Bytes::new(),
                problem: Some(BodyProblem::Encoding(encoding)),
                ..received
            },
        }
    }

    fn unpacked(self, most: usize) -> Self {
        if self.bytes.is_empty() {
            return self;
        }
        let mut bytes = Vec::new();
        let decoder = MultiGzDecoder::new(&self.bytes[..]);
        // One byte more shows that the body is too long.
        let read = decoder.take(most as u64 + 1).read_to_end(&mut bytes);
        let problem = match read {
            _ if bytes.len() > most => Some(BodyProblem::TooLong),
            _ if self.problem.is_some() => self.problem,
            Ok(_) => None,
            Err(_) => Some(BodyProblem::Damaged),
        };
        bytes.truncate(most);
        ReceivedBody {
            bytes: bytes.into(),
            problem,
            packed: self.packed,
        }
    }
}

async fn receive(mut body: Incoming, most: usize) -> ReceivedBody {
    if body.size_hint().lower() > most as u64 {
        return ReceivedBody {
            problem: Some(BodyProblem::TooLong),
            ..ReceivedBody::default()
        };
    }
    // Almost all bodies arrive in one piece, which is not copied.
    let mut first = Bytes::new();
    let mut all = Vec::new();
    let mut problem = None;
    while let Some(frame) = body.frame().await {
        let data = match frame.map(|frame| frame.into_data()) {
            Ok(Ok(data)) => data,
            // The lines after a body.
            Ok(Err(_)) => continue,
            Err(error) => {
                problem = Some(BodyProblem::Broken(error));
                break;
            }
        };
        let so_far = first.len().max(all.len());
        if data.len() > most - so_far {
            problem = Some(BodyProblem::TooLong);
            break;
        }
        if so_far == 0 {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
    }
    let bytes = if all.is_empty() { first } else { all.into() };
    ReceivedBody {
        packed: bytes.len(),
        bytes,
        problem,
    }
}
