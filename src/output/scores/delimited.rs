//! Scores as a table of delimited text: a header, and one line for each record.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use super::columns::FileColumns;
use super::further::{FurtherColumns, KnownColumns, text_of};
use super::held::{HeldLine, begin_held, end_held, hold_value};
use crate::dataset::{FieldValue, LentRecord, NamedValues};
use crate::plan::{Cell, Scored};
use crate::sink::RecordOutcome;

/// The last columns of a table. Skipped records have a column of their own, so that a program that counts the errors
/// does not need to understand the texts of the column `error`.
pub(super) const ENDING: [&str; 2] = ["error", "skipped"];

/// The first column of a table.
pub(super) const BEGINNING: &str = "record";

/// Writes the lines of a table. It knows which values must be quoted.
#[derive(Clone)]
pub(super) struct TableWriter {
    rules: csv_core::Writer,
    /// Whether texts are changed that a spreadsheet would run as a formula.
    is_safe: bool,
}

/// One line that is being written.
struct TableLine<'a> {
    table: &'a TableWriter,
    bytes: &'a mut Vec<u8>,
    is_first: bool,
}

impl TableWriter {
    /// A table whose values are separated by this byte. `is_safe` says whether texts are changed that a spreadsheet
    /// would run as a formula.
    pub(super) fn new(delimiter: u8, is_safe: bool) -> Self {
        let mut rules = csv_core::WriterBuilder::new();
        TableWriter {
            rules: rules.delimiter(delimiter).build(),
            is_safe,
        }
    }

    /// Appends the header.
    pub(super) fn write_header(
        &self,
        columns: &FileColumns,
        further: &KnownColumns,
        bytes: &mut Vec<u8>,
    ) {
        let mut line = self.line(bytes);
        line.text(BEGINNING);
        let values = columns.values.iter().map(|column| &column.name);
        let names = values.chain(&columns.keep).chain(&further.names);
        names.for_each(|name| line.text(name));
        ENDING.into_iter().for_each(|name| line.text(name));
        bytes.push(b'\n');
    }

    /// Appends the line of one record. If the further columns are not known yet, a [held line](HeldLine) is appended.
    pub(super) fn write_line(
        &self,
        (columns, further): (&FileColumns, &FurtherColumns),
        index: u64,
        outcome: RecordOutcome<'_, Scored>,
        record: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    ) {
        let values = match &outcome {
            RecordOutcome::Scored(scored) if columns.has_further() => {
                let found = scored.found().iter();
                let found = found.map(|(name, cell)| (Cow::Borrowed(&**name), found_value(cell)));
                let mut fields = columns.further_fields(record);
                fields.splice(0..0, found);
                fields
            }
            _ => Vec::new(),
        };
        let Some(known) = further.known() else {
            let begin = begin_held(index, bytes);
            hold_value(bytes, |bytes| {
                self.write_beginning(columns, index, &outcome, bytes)
            });
            hold_value(bytes, |bytes| self.write_ending(&outcome, bytes));
            for (name, value) in &values {
                hold_value(bytes, |bytes| bytes.extend_from_slice(name.as_bytes()));
                hold_value(bytes, |bytes| {
                    bytes.extend_from_slice(text_of(value).as_bytes())
                });
            }
            end_held(begin, bytes);
            return;
        };
        self.write_beginning(columns, index, &outcome, bytes);
        self.write_further(further, known, index, &values, bytes);
        self.write_ending(&outcome, bytes);
    }

    /// Appends a line that was held back until the further columns were known.
    pub(super) fn write_held(
        &self,
        (further, known): (&FurtherColumns, &KnownColumns),
        line: &HeldLine<'_>,
        bytes: &mut Vec<u8>,
    ) {
        bytes.extend_from_slice(line.beginning.as_bytes());
        let values = line.values().map(|(name, value)| {
            let value = FieldValue::Text(Cow::Borrowed(value));
            (Cow::Borrowed(name), value)
        });
        self.write_further(further, known, line.index, &values.collect(), bytes);
        bytes.extend_from_slice(line.ending.as_bytes());
    }

    /// Appends the values of the columns that are known before the run.
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
                let empty = columns.values.len() + columns.keep.len();
                (0..empty).for_each(|_| line.text(""));
            }
        }
    }

    fn write_further(
        &self,
        further: &FurtherColumns,
        known: &KnownColumns,
        index: u64,
        values: &NamedValues<'_>,
        bytes: &mut Vec<u8>,
    ) {
        if known.names.is_empty() && values.is_empty() {
            return;
        }
        let mut line = self.rest_of_line(bytes);
        for value in further.place(known, index, values) {
            line.value(value.unwrap_or(&FieldValue::Missing));
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
        if self.table.rules.should_quote(text.as_bytes()) {
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
        self.begin_value();
        // This cannot fail, since it writes to memory.
        let _ = write!(self.bytes, "{value}");
    }

    /// Appends a cell in the same form as in JSON, so that numbers have the same digits in all formats. The value is
    /// empty if the cell has no value.
    fn cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Nothing => self.text(""),
            Cell::Label(label) => self.text(label),
            Cell::Quote(quote) => self.value(&quote.value()),
            cell => {
                self.begin_value();
                let begin = self.bytes.len();
                // This cannot fail, since it writes numbers to memory.
                let written = serde_json::to_writer(&mut *self.bytes, cell);
                debug_assert!(written.is_ok());
                if self.table.rules.should_quote(&self.bytes[begin..]) {
                    let json = self.bytes.split_off(begin);
                    self.quoted(&String::from_utf8_lossy(&json));
                }
            }
        }
    }

    fn value(&mut self, value: &FieldValue<'_>) {
        self.text(&text_of(value));
    }

    fn begin_value(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.bytes.push(self.table.rules.get_delimiter());
        }
    }
}

/// Returns the cell of a column that was found during the run as the value of a field.
fn found_value(cell: &Cell) -> FieldValue<'_> {
    match cell {
        Cell::Nothing => FieldValue::Missing,
        Cell::Label(label) => FieldValue::Text(Cow::Borrowed(label)),
        cell => FieldValue::Json(Cow::Owned(serde_json::to_string(cell).unwrap_or_default())),
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

impl fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableWriter")
            .field("delimiter", &self.rules.get_delimiter())
            .field("is_safe", &self.is_safe)
            .finish()
    }
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
