//! Scores as a table of delimited text: a header, and one line for each record.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::Arc;

use memchr::{memchr, memchr3};

use super::columns::FileColumns;
use super::further::{KnownColumns, text_of};
use super::held::HeldLine;
use super::lines::LinesOut;
use super::table::{FurtherValue, Table, TableFormat};
use crate::dataset::FieldValue;
use crate::error::Error;
use crate::output::destination::{Destination, PartialFile};
use crate::output::encoder::OutputEncoder;
use crate::plan::{Cell, Scored};
use crate::sink::RecordOutcome;

/// Writes the lines of a table. It knows which values must be quoted.
#[derive(Debug)]
pub(super) struct DelimitedLines {
    delimiter: u8,
    /// Whether texts are changed that a spreadsheet would run as a formula.
    is_safe: bool,
}

/// One line that is being written.
struct TableLine<'a> {
    table: &'a DelimitedLines,
    bytes: &'a mut Vec<u8>,
    is_first: bool,
}

impl DelimitedLines {
    /// A table whose values are separated by this byte. `is_safe` says whether texts are changed that a spreadsheet
    /// would run as a formula.
    pub(super) fn new(delimiter: u8, is_safe: bool) -> Self {
        DelimitedLines { delimiter, is_safe }
    }

    fn line<'a>(&'a self, bytes: &'a mut Vec<u8>) -> TableLine<'a> {
        TableLine {
            table: self,
            bytes,
            is_first: true,
        }
    }

    fn rest_of_line<'a>(&'a self, bytes: &'a mut Vec<u8>) -> TableLine<'a> {
        TableLine {
            is_first: false,
            ..self.line(bytes)
        }
    }
}

impl TableFormat for DelimitedLines {
    fn write_beginning(
        &self,
        columns: &FileColumns,
        index: u64,
        outcome: &RecordOutcome<'_, Scored>,
        bytes: &mut Vec<u8>,
    ) {
        let mut line = self.line(bytes);
        line.shown(index + 1);
        match outcome {
            RecordOutcome::Scored(scored) => {
                for column in &columns.values {
                    match (scored.cells().get(column.cell), column.place) {
                        (Some(cell), None) => line.cell(cell),
                        (Some(cell), Some(place)) => line.cell(&cell.at(place)),
                        (None, _) => line.text(""),
                    }
                }
                scored.kept.iter().for_each(|value| line.value(&value));
            }
            RecordOutcome::Failed(_) | RecordOutcome::Skipped(_) => {
                (0..columns.known_width()).for_each(|_| line.text(""));
            }
        }
    }

    fn write_further(
        &self,
        _: (&FileColumns, &KnownColumns),
        _: u64,
        values: &[Option<&FurtherValue<'_>>],
        bytes: &mut Vec<u8>,
    ) {
        let mut line = self.rest_of_line(bytes);
        for value in values {
            match value {
                Some(value) => line.further(value),
                None => line.text(""),
            }
        }
    }

    fn write_ending(&self, outcome: &RecordOutcome<'_, Scored>, bytes: &mut Vec<u8>) {
        let mut line = self.rest_of_line(bytes);
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
        bytes.push(b'\n');
    }

    /// A held value has the form that it has in a line, with the quotes that it needs.
    fn hold(&self, value: &FurtherValue<'_>, bytes: &mut Vec<u8>) {
        self.line(bytes).further(value);
    }
}

/// Writes a table of delimited text.
#[derive(Debug)]
pub(super) struct DelimitedOut {
    out: OutputEncoder,
    table: Arc<Table>,
    lines: Arc<DelimitedLines>,
    /// Lines that were added and are not written yet.
    added: Vec<u8>,
}

impl DelimitedOut {
    pub(super) fn new(out: OutputEncoder, table: &Arc<Table>, lines: &Arc<DelimitedLines>) -> Self {
        DelimitedOut {
            out,
            table: Arc::clone(table),
            lines: Arc::clone(lines),
            added: Vec::new(),
        }
    }
}

impl LinesOut for DelimitedOut {
    fn begin(&mut self, names: &[String], _: &[u8]) -> io::Result<()> {
        let mut header = Vec::new();
        let mut line = self.lines.line(&mut header);
        self.table.names(names).for_each(|name| line.text(name));
        header.push(b'\n');
        self.out.write_all(&header)
    }

    fn add_held(&mut self, known: &KnownColumns, held: &HeldLine<'_>) -> io::Result<()> {
        self.added.extend_from_slice(held.beginning);
        let further = &self.table.further;
        let placed = further.place(known, held.index, held.values(), |value| value.is_empty());
        for value in placed {
            self.added.push(self.lines.delimiter);
            self.added.extend_from_slice(value.unwrap_or_default());
        }
        self.added.extend_from_slice(held.ending);
        Ok(())
    }

    fn write_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.added.is_empty() {
            return self.out.write_lines(lines);
        }
        self.added.extend_from_slice(lines);
        let written = self.out.write_all(&self.added);
        self.added.clear();
        written
    }

    fn finish(self: Box<Self>) -> io::Result<Destination> {
        self.out.finish()
    }

    fn keep_partial(self: Box<Self>, records: u64) -> Result<Option<PartialFile>, Error> {
        self.out.keep_partial(records)
    }
}

impl TableLine<'_> {
    /// Appends a text, in quotes if it needs them.
    fn text(&mut self, text: &str) {
        self.begin_value();
        if self.table.is_safe && is_formula(text) {
            self.escaped(&format!("'{text}"));
        } else {
            self.escaped(text);
        }
    }

    fn escaped(&mut self, text: &str) {
        if self.must_quote(text.as_bytes()) {
            self.quoted(text);
        } else {
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }

    /// Whether a value has a byte that would end it, if it had no quotes.
    fn must_quote(&self, text: &[u8]) -> bool {
        memchr3(self.table.delimiter, b'"', b'\n', text).is_some() || memchr(b'\r', text).is_some()
    }

    fn quoted(&mut self, text: &str) {
        self.bytes.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(quote) = memchr(b'"', rest) {
            self.bytes.extend_from_slice(&rest[..=quote]);
            self.bytes.push(b'"');
            rest = &rest[quote + 1..];
        }
        self.bytes.extend_from_slice(rest);
        self.bytes.push(b'"');
    }

    fn shown(&mut self, value: impl fmt::Display) {
        self.begin_value();
        // This cannot fail, since it writes to memory.
        let _ = write!(self.bytes, "{value}");
    }

    /// Appends a cell in the same form as in JSON, so that numbers have the same digits in all formats. JSON lacks NaN
    /// and the infinities: they are written as `NaN`, `inf` and `-inf`, which programs that read tables take for
    /// numbers. The value is empty if the cell has no value.
    fn cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Nothing => self.text(""),
            Cell::Number(number) if !number.is_finite() => self.shown(number),
            Cell::Label(label) => self.text(label),
            Cell::Json(json) => self.text(json),
            Cell::Quote(quote) => self.value(&quote.value()),
            cell => {
                self.begin_value();
                let begin = self.bytes.len();
                // This cannot fail, since it writes numbers to memory.
                let written = serde_json::to_writer(&mut *self.bytes, cell);
                debug_assert!(written.is_ok());
                if self.must_quote(&self.bytes[begin..]) {
                    let json = self.bytes.split_off(begin);
                    self.quoted(&String::from_utf8_lossy(&json));
                }
            }
        }
    }

    fn further(&mut self, value: &FurtherValue<'_>) {
        match value {
            FurtherValue::Field(value) => self.value(value),
            FurtherValue::Cell(cell) => self.cell(cell),
        }
    }

    fn value(&mut self, value: &FieldValue<'_>) {
        self.text(&text_of(value));
    }

    fn begin_value(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.bytes.push(self.table.delimiter);
        }
    }
}

/// Whether a spreadsheet would run a text as a formula. The first characters are taken from the page of OWASP on CSV
/// injection. A number is not a formula.
fn is_formula(text: &str) -> bool {
    let is_number = || {
        let number = text.trim();
        number.parse::<f64>().is_ok() && number.bytes().any(|byte| byte.is_ascii_digit())
    };
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_texts_that_begin_as_formulas_and_are_no_numbers() {
        for text in [
            "=1+1", "+49 30 1", "-x", "-", "@sum", "\tx", "\r", "-inf", "+1+1",
        ] {
            assert!(is_formula(text), "{text:?}");
        }
        for text in ["", "x=1", "-1", "+1.5e3", "-.5", "'=1", "1-2", " =1", "\t1"] {
            assert!(!is_formula(text), "{text:?}");
        }
    }
}
