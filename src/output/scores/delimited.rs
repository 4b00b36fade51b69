//! Scores as a table of delimited text: a header, and one line for each record.

use std::fmt;

use super::columns::FileColumns;
use crate::dataset::FieldValue;
use crate::plan::{Cell, Scored};
use crate::sink::RecordOutcome;

/// The last columns of a table. Skipped records have a column of their own, so that a program that counts the errors
/// does not need to understand the texts of the column `error`.
const ENDING: [&str; 2] = ["error", "skipped"];

/// Writes the lines of a table. It knows which values must be quoted.
#[derive(Clone)]
pub(super) struct TableWriter(csv_core::Writer);

/// One line that is being written.
struct TableLine<'a> {
    table: &'a TableWriter,
    bytes: &'a mut Vec<u8>,
    is_first: bool,
}

impl TableWriter {
    /// A table whose values are separated by this byte.
    pub(super) fn new(delimiter: u8) -> Self {
        let mut rules = csv_core::WriterBuilder::new();
        TableWriter(rules.delimiter(delimiter).build())
    }

    /// Appends the header.
    pub(super) fn write_header(&self, columns: &FileColumns, bytes: &mut Vec<u8>) {
        let mut line = self.line(bytes);
        line.text("record");
        for name in columns.scores.iter().chain(&columns.keep) {
            line.text(name);
        }
        ENDING.into_iter().for_each(|name| line.text(name));
        line.end();
    }

    /// Appends the line of one record.
    pub(super) fn write_line(
        &self,
        columns: &FileColumns,
        index: u64,
        outcome: RecordOutcome<'_, Scored>,
        bytes: &mut Vec<u8>,
    ) {
        let mut line = self.line(bytes);
        line.shown(index + 1);
        match &outcome {
            RecordOutcome::Scored(scored) => {
                scored.cells().iter().for_each(|cell| line.cell(cell));
                scored.kept.iter().for_each(|value| line.value(&value));
            }
            RecordOutcome::Failed(_) | RecordOutcome::Skipped(_) => {
                let empty = columns.scores.len() + columns.keep.len();
                (0..empty).for_each(|_| line.text(""));
            }
        }
        match outcome {
            RecordOutcome::Scored(_) => ["", ""].into_iter().for_each(|empty| line.text(empty)),
            RecordOutcome::Failed(failure) => {
                line.text(&failure.to_string());
                line.text("");
            }
            RecordOutcome::Skipped(skipped) => {
                line.text("");
                line.text(&skipped.reason);
            }
        }
        line.end();
    }

    fn line<'a>(&'a self, bytes: &'a mut Vec<u8>) -> TableLine<'a> {
        TableLine {
            table: self,
            bytes,
            is_first: true,
        }
    }
}

impl TableLine<'_> {
    /// Appends a text, in quotes if it needs them.
    fn text(&mut self, text: &str) {
        self.begin_value();
        if self.table.0.should_quote(text.as_bytes()) {
            self.quoted(text);
        } else {
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }

    fn quoted(&mut self, text: &str) {
        self.bytes.push(b'"');
        let begin = self.bytes.len();
        // Every byte may be a quote, which is doubled.
        self.bytes.resize(begin + 2 * text.len(), 0);
        let (_, _, written) =
            csv_core::quote(text.as_bytes(), &mut self.bytes[begin..], b'"', b'"', true);
        self.bytes.truncate(begin + written);
        self.bytes.push(b'"');
    }

    fn shown(&mut self, value: impl fmt::Display) {
        use std::io::Write as _;

        self.begin_value();
        // This cannot fail, since it writes to memory.
        let _ = write!(self.bytes, "{value}");
    }

    /// Appends a cell as JSON has it, so that all formats have the same digits. The value is empty if there is none.
    fn cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Nothing => self.text(""),
            Cell::Label(label) => self.text(label),
            cell => {
                self.begin_value();
                let begin = self.bytes.len();
                // This cannot fail, since it writes numbers to memory.
                let written = serde_json::to_writer(&mut *self.bytes, cell);
                debug_assert!(written.is_ok());
                if self.table.0.should_quote(&self.bytes[begin..]) {
                    let json = self.bytes.split_off(begin);
                    self.quoted(&String::from_utf8_lossy(&json));
                }
            }
        }
    }

    /// Appends the value of a field: a string becomes its contents, no value becomes an empty value, and any other
    /// value stays as JSON.
    fn value(&mut self, value: &FieldValue<'_>) {
        match (value.as_text(), value) {
            _ if value.is_missing() => self.text(""),
            (Some(text), _) => self.text(&text),
            (None, FieldValue::Json(json)) => self.text(json),
            (None, _) => self.text(""),
        }
    }

    fn begin_value(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.bytes.push(self.table.0.get_delimiter());
        }
    }

    fn end(self) {
        self.bytes.push(b'\n');
    }
}

impl fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TableWriter")
            .field(&self.0.get_delimiter())
            .finish()
    }
}
