//! Records that go to a worker process together.

use std::io::{self, Write};

use serde::Serialize;

use super::frame::Frame;
use crate::dataset::At;
use crate::error::BadRecord;

/// Consecutive records, those among them that cannot be read included: they are not sent, and keep
/// their place.
#[derive(Debug)]
pub(super) struct Block {
    frame: Frame,
    /// How many bytes each of those that are sent has.
    lengths: Vec<usize>,
    records: Vec<(At, Result<(), BadRecord>)>,
}

/// The most records that go together, however short: so many answers are held in memory.
const MOST: usize = 4096;

impl Block {
    pub(super) fn new() -> Self {
        Block {
            frame: Frame::new(),
            lengths: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Starts anew, in the same memory.
    pub(super) fn clear(&mut self) {
        self.frame.clear();
        self.lengths.clear();
        self.records.clear();
    }

    pub(super) fn push(&mut self, at: At, record: Result<&str, BadRecord>) {
        let record = record.map(|text| {
            self.frame.push(text.as_bytes());
            self.lengths.push(text.len());
        });
        self.records.push((at, record));
    }

    /// Whether it holds so many bytes of text, or as many records as go together.
    pub(super) fn is_full(&self, bytes: usize) -> bool {
        self.bytes() >= bytes || self.records.len() >= MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether its memory is worth keeping: one that has held a giant record is not.
    pub(super) fn is_worth_keeping(&self, bytes: usize) -> bool {
        self.frame.capacity() <= 4 * bytes
    }

    /// How many bytes of text there are.
    pub(super) fn bytes(&self) -> usize {
        self.frame.body().len()
    }

    /// How many records are sent.
    pub(super) fn sent(&self) -> usize {
        self.lengths.len()
    }

    /// A record, and what is wrong with it if it is not sent.
    pub(super) fn record(&self, place: usize) -> Option<&(At, Result<(), BadRecord>)> {
        self.records.get(place)
    }

    /// Writes the texts, with a note.
    pub(super) fn write(&mut self, note: &impl Serialize, to: &mut impl Write) -> io::Result<()> {
        self.frame.write(&(note, &self.lengths), to)
    }

    /// One of the records that are sent, alone.
    pub(super) fn alone(&self, sent: usize) -> Block {
        let start: usize = self.lengths[..sent].iter().sum();
        let length = self.lengths[sent];
        let mut alone = Block::new();
        alone.frame.push(&self.frame.body()[start..start + length]);
        alone.lengths.push(length);
        alone
    }
}
