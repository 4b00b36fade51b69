//! Scores on their way from a worker to the sink.

use std::io;
use std::ops::Range;

use crate::error::Failure;
use crate::sink::Sink;

/// Rendered scores are passed on when this many bytes have come together.
const PIECE_BYTES: usize = 256 << 10;

/// Rendered scores of consecutive records on their way to the sink.
pub(super) struct Piece<'s, S> {
    sink: &'s dyn Sink<S>,
    /// The records rendered so far that have not been passed on.
    records: Range<u64>,
    bytes: Vec<u8>,
}

impl<'s, S> Piece<'s, S> {
    pub(super) fn new(sink: &'s dyn Sink<S>) -> Self {
        Piece {
            sink,
            records: 0..0,
            bytes: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, index: u64, score: Result<&S, &Failure>) -> io::Result<()> {
        if self.records.is_empty() {
            self.records.start = index;
        }
        self.records.end = index + 1;
        self.sink.render(index, score, &mut self.bytes);
        if self.bytes.len() < PIECE_BYTES {
            Ok(())
        } else {
            self.finish()
        }
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let (records, bytes) = (self.records.clone(), std::mem::take(&mut self.bytes));
        self.records = 0..0;
        self.sink.write(records, bytes)
    }
}

/// Tells the sink when a worker leaves its units unfinished, even by a panic, so that nobody waits
/// for scores that will not come.
pub(super) struct Unfinished<'s, S>(pub(super) Option<&'s dyn Sink<S>>);

impl<S> Unfinished<'_, S> {
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl<S> Drop for Unfinished<'_, S> {
    fn drop(&mut self) {
        if let Some(sink) = self.0 {
            sink.abandon();
        }
    }
}
