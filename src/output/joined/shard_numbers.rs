//! The numbers of the records of a shard, and of the lines in the texts of its failures.

use std::path::Path;

use super::counted_number::{CountedNumber, MOST_DIGITS};
use super::shard::ShardScores;

/// What the text of a failure begins with if the record has no place in a file.
const RECORD: &[u8] = b"record ";

/// What is wrong with a scores file whose records are not those of its shard.
pub(super) type OtherRecords = String;

/// Counts the records of a shard, and knows their numbers in the whole.
#[derive(Debug)]
pub(super) struct ShardNumbers {
    records: u64,
    counted: u64,
    /// The number that the shard has given to the next record.
    own: CountedNumber,
    /// The number of the next record in the whole.
    whole: CountedNumber,
    first_lines: Option<FirstPlaces>,
}

/// The places of the first records of a shard.
#[derive(Debug)]
struct FirstPlaces {
    /// The path and a colon, as they stand in the scores file.
    path: Vec<u8>,
    /// Whether a table that is safe for spreadsheets has an apostrophe before this path.
    is_formula: bool,
    records: u64,
    lines_before: u64,
}

impl ShardNumbers {
    /// `written_path` returns the form in which a path stands in the scores file.
    pub(super) fn new(shard: &ShardScores<'_>, written_path: impl Fn(&Path) -> Vec<u8>) -> Self {
        let first_lines = shard.first_lines.map(|lines| {
            let mut path = written_path(lines.path);
            path.push(b':');
            FirstPlaces {
                is_formula: matches!(path[0], b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'),
                path,
                records: lines.records,
                lines_before: lines.lines_before,
            }
        });
        ShardNumbers {
            records: shard.records,
            counted: 0,
            own: CountedNumber::new(1),
            whole: CountedNumber::new(shard.records_before + 1),
            first_lines,
        }
    }

    /// Number of bytes at the beginning of the text of a failure that may have to be changed.
    pub(super) fn longest_beginning(&self) -> usize {
        let path = self
            .first_lines
            .as_ref()
            .map_or(0, |first| first.path.len());
        1 + path.max(RECORD.len()) + MOST_DIGITS + 2
    }

    /// Counts one more record, whose line begins with its number, and appends its number in the whole. Returns what
    /// follows the number. The next byte must be one of `ends`.
    pub(super) fn count<'l>(
        &mut self,
        line: &'l [u8],
        ends: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<&'l [u8], OtherRecords> {
        if self.counted > 0 {
            self.own.count_up();
            self.whole.count_up();
        }
        self.counted += 1;
        let after = line.strip_prefix(self.own.digits());
        let after = after.filter(|after| after.first().is_some_and(|byte| ends.contains(byte)));
        let after = after.filter(|_| self.counted <= self.records);
        out.extend_from_slice(self.whole.digits());
        after.ok_or_else(|| match self.counted <= self.records {
            true => format!("record {} is missing", self.counted),
            false => format!("it has more than {} records", self.records),
        })
    }

    /// Checks that all records were counted.
    pub(super) fn finish(&self) -> Result<(), OtherRecords> {
        match self.counted == self.records {
            true => Ok(()),
            false => Err(format!(
                "it has {} of {} records",
                self.counted, self.records
            )),
        }
    }

    /// Appends the beginning of the text of a failure with the numbers of the whole. The failure is that of the record
    /// that was counted last. Returns the rest of the text, which is the same in the whole.
    pub(super) fn correct<'t>(&self, text: &'t [u8], out: &mut Vec<u8>) -> &'t [u8] {
        let first = self.first_lines.as_ref();
        let first = first.filter(|first| self.counted <= first.records);
        if let Some(rest) = first.and_then(|first| first.correct(text, out)) {
            return rest;
        }
        let after = text.strip_prefix(RECORD);
        let after = after.and_then(|after| after.strip_prefix(self.own.digits()));
        match after.filter(|after| after.starts_with(b": ")) {
            Some(after) => {
                out.extend_from_slice(RECORD);
                out.extend_from_slice(self.whole.digits());
                after
            }
            None => text,
        }
    }
}

impl FirstPlaces {
    fn correct<'t>(&self, text: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
        let unsafe_text = text.strip_prefix(b"'").filter(|_| self.is_formula);
        let after = unsafe_text.unwrap_or(text).strip_prefix(&*self.path)?;
        let digits = after
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (line, rest) = after.split_at(digits);
        if !rest.starts_with(b":") {
            return None;
        }
        let line: u64 = std::str::from_utf8(line).ok()?.parse().ok()?;
        out.extend_from_slice(&text[..text.len() - after.len()]);
        let line = line.saturating_add(self.lines_before);
        out.extend_from_slice(CountedNumber::new(line).digits());
        Some(rest)
    }
}
