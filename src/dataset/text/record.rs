//! One line that should be a JSON object, and how the lines of a buffer are visited as records.

use std::ops::ControlFlow;

use serde::Deserialize;

use super::lines::Buffer;
use crate::dataset::Position;
use crate::error::BadRecord;

/// A line that should be a JSON object.
#[derive(Clone, Copy, Debug)]
pub struct TextRecord<'a> {
    text: &'a str,
    at: Position,
}

impl<'a> TextRecord<'a> {
    /// A record that stands in memory.
    pub fn json(text: &'a str) -> Self {
        let at = Position::default();
        TextRecord { text, at }
    }

    /// A record that stands in memory, and at such a place of its dataset.
    pub(super) fn at_place(text: &'a str, at: Position) -> Self {
        TextRecord { text, at }
    }

    /// Which record of its dataset it is.
    pub(crate) fn position(&self) -> Position {
        self.at
    }

    /// The line as it stands in the file, without its ending.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The column, in bytes from 1, of a piece of this very line; `None` for any other text.
    pub(crate) fn column_of(&self, piece: &str) -> Option<u64> {
        let (line, piece) = (self.text.as_ptr() as usize, piece.as_ptr() as usize);
        let before = piece.checked_sub(line)?;
        (before <= self.text.len()).then_some(before as u64 + 1)
    }

    /// The line as a value of a type of yours, which may borrow from it.
    ///
    /// # Errors
    ///
    /// Where the line is not JSON or does not fit the type; names the column.
    pub fn parse<T: Deserialize<'a>>(&self) -> Result<T, BadRecord> {
        serde_json::from_str(self.text).map_err(|error| crate::dataset::fields::bad_json(&error))
    }
}

/// How many records of the dataset and lines of the file come before some of its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) records: u64,
    pub(super) lines: u64,
}

impl Start {
    /// What comes before the line after those in the buffer.
    pub(super) fn after(self, buffer: &Buffer) -> Start {
        Start {
            records: self.records + buffer.lines().len() as u64,
            lines: self.lines + buffer.line_count,
        }
    }
}

/// Visits the records among the lines of a buffer, before which comes `start`, until `visit` breaks
/// off. A line that is not UTF-8, or too long, costs that record alone.
pub(super) fn visit_lines<V>(
    buffer: &Buffer,
    file: usize,
    start: Start,
    mut visit: V,
) -> ControlFlow<()>
where
    V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
{
    let whole = std::str::from_utf8(buffer.bytes());
    for (index, line) in (start.records..).zip(buffer.lines()) {
        let at = Position {
            index,
            file,
            line: start.lines + line.before + 1,
            fetched: index == start.records,
        };
        if buffer.limit.excludes(line.end - line.start) {
            visit(at, Err(buffer.limit.too_long()))?;
            continue;
        }
        let text = match whole {
            Ok(text) => Ok(&text[line.start..line.end]),
            Err(_) => std::str::from_utf8(&buffer.bytes()[line.start..line.end]),
        };
        match text {
            Ok(text) => visit(at, Ok(&TextRecord { text, at }))?,
            Err(error) => visit(at, Err(not_utf8(error)))?,
        }
    }
    ControlFlow::Continue(())
}

fn not_utf8(error: std::str::Utf8Error) -> BadRecord {
    BadRecord::new(
        "expected UTF-8 text, found a byte that is not",
        error.valid_up_to() as u64 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_of_pieces_of_the_line() {
        let whole = "xabcx";
        let line = TextRecord::json(&whole[1..4]);
        let columns = [1..2, 3..4, 4..4].map(|place| line.column_of(&whole[place]));
        assert_eq!(columns, [Some(1), Some(3), Some(4)]);
        assert_eq!(line.column_of(&whole[..1]), None);
        assert_eq!(line.column_of(&whole[5..]), None);
    }
}
