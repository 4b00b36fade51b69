//! Scores on their way from a worker to the sink.

use std::io;
use std::ops::Range;

use crate::error::Failure;
use crate::sink::{Room, Sink};

/// Rendered scores are passed on when this many bytes have come together.
const PIECE_BYTES: usize = 256 << 10;

/// Rendered scores of consecutive records on their way to the sink.
pub(super) struct Piece<'s, S> {
    sink: &'s dyn Sink<S>,
    /// The records rendered so far that have not been passed on.
    records: Range<u64>,
    bytes: Vec<u8>,
    /// What the sink said last.
    pub(super) room: Room,
}

impl<'s, S> Piece<'s, S> {
    pub(super) fn new(sink: &'s dyn Sink<S>) -> Self {
        Piece {
            sink,
            records: 0..0,
            bytes: Vec::new(),
            room: Room::Free,
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
        self.room = self.sink.write(records, bytes)?;
        Ok(())
    }
}
