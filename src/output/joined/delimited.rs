//! Joins scores that are tables of delimited text.

use std::path::Path;

use memchr::{memchr, memchr2};

use super::copying::RecordCopier;
use super::shard::ShardScores;
use super::shard_numbers::{OtherRecords, ShardNumbers};

/// Finds the ends of the records of a table, whose quoted values may contain line ends.
#[derive(Debug, Default)]
pub(super) struct RecordEnds {
    /// Number of bytes of the current record that have been examined.
    examined: usize,
    /// Whether the examined bytes end inside quotes.
    is_quoted: bool,
}

impl RecordEnds {
    /// Returns the length of the first record, with its line end, or `None` if these bytes do not contain its end. They
    /// must begin where the record does. If the end is not found, they are continued in the next call.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(found) = memchr2(b'"', b'\n', &bytes[self.examined..]) {
            let place = self.examined + found;
            self.examined = place + 1;
            if bytes[place] == b'"' {
                self.is_quoted = !self.is_quoted;
            } else if !self.is_quoted {
                self.examined = 0;
                return Some(place + 1);
            }
        }
        self.examined = bytes.len();
        None
    }
}

/// Copies the records of a shard, without the header.
#[derive(Debug)]
pub(super) struct DelimitedCopier {
    numbers: ShardNumbers,
    delimiter: u8,
    ends: RecordEnds,
    /// Whether the header has been passed.
    has_header: bool,
}

impl DelimitedCopier {
    pub(super) fn new(shard: &ShardScores<'_>, delimiter: u8) -> Self {
        DelimitedCopier {
            numbers: ShardNumbers::new(shard, written_path),
            delimiter,
            ends: RecordEnds::default(),
            has_header: false,
        }
    }

    fn copy_record(&mut self, record: &[u8], out: &mut Vec<u8>) -> Result<(), OtherRecords> {
        let delimiter = self.delimiter;
        let rest = self.numbers.count(record, &[delimiter], out)?;
        // The columns of errors and of skipped records are the last ones. Both are empty if the record has a score.
        if rest.ends_with(&[delimiter, delimiter, b'\n']) {
            out.extend_from_slice(rest);
            return Ok(());
        }
        let error = last_but_one(rest, delimiter);
        let text = error + usize::from(rest[error..].starts_with(b"\""));
        out.extend_from_slice(&rest[..text]);
        let rest = self.numbers.correct(&rest[text..], out);
        out.extend_from_slice(rest);
        Ok(())
    }
}

impl RecordCopier for DelimitedCopier {
    fn copy(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, OtherRecords> {
        let mut copied = 0;
        while let Some(length) = self.ends.next(&bytes[copied..]) {
            let record = &bytes[copied..copied + length];
            if std::mem::replace(&mut self.has_header, true) {
                self.copy_record(record, out)?;
            }
            copied += length;
        }
        Ok(copied)
    }

    fn finish(&self) -> Result<(), OtherRecords> {
        self.numbers.finish()
    }
}

/// The place at which the last but one value of a record begins.
fn last_but_one(record: &[u8], delimiter: u8) -> usize {
    let (mut last, mut before) = (0, 0);
    let mut at = 0;
    while at < record.len() {
        before = std::mem::replace(&mut last, at);
        // In a quoted value, two quotes stand for one. The second one begins another quoted part.
        while record.get(at) == Some(&b'"') {
            at += 1;
            at += memchr(b'"', &record[at..]).map_or(record.len() - at, |end| end + 1);
        }
        let rest = &record[at..];
        at += memchr(delimiter, rest).map_or(rest.len(), |end| end + 1);
    }
    before
}

/// The form in which a path stands in a value of a table. If it contains a quote, the value is quoted.
fn written_path(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('"', "\"\"").into()
}
