//! Records that are sent to a worker process in one message.

use std::io::{self, Write};

use serde::Serialize;

use super::message::Message;
use crate::dataset::Position;
use crate::error::BadRecord;

/// Consecutive records. Bad records are not sent, but keep their place among the others.
#[derive(Debug)]
pub(super) struct RecordBlock {
    message: Message,
    /// The length in bytes of each record that is sent.
    lengths: Vec<usize>,
    /// The box keeps this list small, since almost no record is bad.
    records: Vec<(Position, Result<(), Box<BadRecord>>)>,
}

/// Largest number of records in a block, however short the records are. It is limited because their answers are
/// held in memory.
const MAX_RECORDS: usize = 4096;

impl RecordBlock {
    pub(super) fn new() -> Self {
        RecordBlock {
            message: Message::new(),
            lengths: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Empties the block, and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.message.clear();
        self.lengths.clear();
        self.records.clear();
    }

    pub(super) fn push(&mut self, at: Position, record: Result<&str, BadRecord>) {
        let record = record.map(|text| {
            self.message.push(text.as_bytes());
            self.lengths.push(text.len());
        });
        self.records.push((at, record.map_err(Box::new)));
    }

    /// Whether the block holds at least this many bytes of text, or the largest number of records.
    pub(super) fn is_full(&self, bytes: usize) -> bool {
        self.bytes() >= bytes || self.records.len() >= MAX_RECORDS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether to keep the memory of this block for another block. If the block has held a giant record, its
    /// memory is released instead.
    pub(super) fn is_worth_keeping(&self, bytes: usize) -> bool {
        self.message.capacity() <= 4 * bytes
    }

    /// Number of bytes of memory that are allocated for the texts.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.message.capacity()
    }

    /// Number of bytes of text in the block.
    pub(super) fn bytes(&self) -> usize {
        self.message.body().len()
    }

    /// Number of records that are sent.
    pub(super) fn sent(&self) -> usize {
        self.lengths.len()
    }

    /// The record at this place of the block. If it is not sent, the reason why it is bad comes with it.
    pub(super) fn record(&self, place: usize) -> Option<&(Position, Result<(), Box<BadRecord>>)> {
        self.records.get(place)
    }

    /// Writes the texts and the note as one message.
    pub(super) fn write(&mut self, note: &impl Serialize, to: &mut impl Write) -> io::Result<()> {
        self.message.write(&(note, &self.lengths), to)
    }

    /// Creates a block that contains only one of the records that are sent.
    pub(super) fn single(&self, sent: usize) -> RecordBlock {
        let start: usize = self.lengths[..sent].iter().sum();
        let length = self.lengths[sent];
        let mut single = RecordBlock::new();
        single
            .message
            .push(&self.message.body()[start..start + length]);
        single.lengths.push(length);
        single
    }
}
