//! Joins scores that are JSON lines.

use std::path::Path;

use memchr::memchr;

use super::copying::RecordCopier;
use super::counted_number::MOST_DIGITS;
use super::shard::ShardScores;
use super::shard_numbers::{OtherRecords, ShardNumbers};
use crate::visible;

/// The beginning of every line, up to the number of the record.
pub(super) const NUMBER: &[u8] = b"{\"record\":";

/// What follows the number of a record that has failed, up to the text of the failure.
const ERROR: &[u8] = b",\"error\":\"";

/// Copies the lines of a shard. Only the beginning of a line is examined, so a long line is never in memory as a whole.
#[derive(Debug)]
pub(super) struct JsonLinesCopier {
    numbers: ShardNumbers,
    /// Whether the beginning of the current line has been copied.
    is_inside: bool,
}

impl JsonLinesCopier {
    pub(super) fn new(shard: &ShardScores<'_>) -> Self {
        JsonLinesCopier {
            numbers: ShardNumbers::new(shard, written_path),
            is_inside: false,
        }
    }

    /// Copies a line, or its beginning, with the numbers of the whole.
    fn copy_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), OtherRecords> {
        out.extend_from_slice(NUMBER);
        let number = line.strip_prefix(NUMBER).unwrap_or_default();
        let mut rest = self.numbers.count(number, b",}", out)?;
        if let Some(text) = rest.strip_prefix(ERROR) {
            out.extend_from_slice(ERROR);
            rest = self.numbers.correct(text, out);
        }
        out.extend_from_slice(rest);
        Ok(())
    }
}

impl RecordCopier for JsonLinesCopier {
    fn copy(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, OtherRecords> {
        let beginning = NUMBER.len() + MOST_DIGITS + ERROR.len();
        let beginning = beginning + self.numbers.longest_beginning();
        let mut copied = 0;
        while copied < bytes.len() {
            let rest = &bytes[copied..];
            let end = memchr(b'\n', rest);
            let line = end.map_or(rest, |end| &rest[..=end]);
            match self.is_inside {
                true => out.extend_from_slice(line),
                false if end.is_none() && line.len() < beginning => break,
                false => self.copy_line(line, out)?,
            }
            self.is_inside = end.is_none();
            copied += line.len();
        }
        Ok(copied)
    }

    fn finish(&self) -> Result<(), OtherRecords> {
        match self.is_inside {
            true => Err("it ends inside a record".to_owned()),
            false => self.numbers.finish(),
        }
    }
}

/// The form in which a path stands in a string of JSON.
pub(super) fn written_path(path: &Path) -> Vec<u8> {
    // This cannot fail, since it writes a text to memory.
    let json = visible::to_json(&path.to_string_lossy()).unwrap_or_default();
    let text = json
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    text.unwrap_or_default().into()
}
