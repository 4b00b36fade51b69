//! Formats: where the records of a text begin and end, and how the fields of one record are read.
//!
//! A format does not depend on files, pipes or memory; [`text`](super::text) uses formats only through
//! [`RecordLayout`]. To add a format of one record per line, write its file in this folder, implement [`Format`], give
//! it a [`FormatName`], and say in `detect` which texts have it. If the records of a format may contain line ends, the
//! format says so in [`Format::boundaries`].

mod boundaries;
mod columns;
mod delimited;
mod detect;
mod document;
mod json;
mod lines;
mod members;
mod names;
mod path;
mod plain;
mod quoted;
mod record_text;
mod scanner;
mod state;
mod unreadable;
mod values;

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use super::fields::{FieldValue, Fields, NamedValues};
use crate::error::BadRecord;

pub(super) use boundaries::Boundaries;
pub(crate) use columns::Columns;
pub(super) use columns::list;
use delimited::Delimited;
#[cfg(feature = "cli")]
pub(crate) use delimited::comma_separated;
pub(super) use detect::{EXAMINED_BYTES, FirstBytes, HEADER_BYTES, Requested};
pub(super) use json::{JSON_LINES, bad_json};
pub(super) use lines::{LineCount, Lines, line_ends, next_line};
pub use names::{Delimiter, FormatName};
pub(super) use plain::{PLAIN_TEXT, check_text_field};
pub(super) use quoted::{ExaminedStretch, Quoted, Scanner};
pub(super) use record_text::{ListedDelimiters, RecordText};
pub(super) use scanner::RecordScanner;
pub(super) use state::{RecordSpan, ScanState, Tallies};
pub(super) use unreadable::Unreadable;

/// How a text is divided into records, and how a record is read. At most one of these methods is called per record.
pub(crate) trait Format: fmt::Debug + Sync {
    /// Where records begin and end.
    fn boundaries(&self) -> Boundaries {
        Boundaries::Lines(Lines { json: false })
    }

    /// The columns of a file, taken from its header if the format has one. `wanted` are the fields that will be
    /// read, if they are known.
    ///
    /// # Errors
    ///
    /// Returns an error if the header cannot be read, or lacks a field that is wanted.
    fn columns(&self, header: Option<&str>, wanted: Option<&Fields>) -> Result<Columns, BadRecord> {
        let _ = (header, wanted);
        Ok(Columns::NONE)
    }

    /// Reads the fields of a record into `values`, one for each selected field, in their order. All values are
    /// [missing](FieldValue::Missing) before the call. Values of fields that are selected twice need not be read for
    /// the second selector.
    ///
    /// # Errors
    ///
    /// Returns an error if the record is not of this format.
    fn read<'a>(
        &self,
        columns: &Columns,
        record: RecordText<'a>,
        fields: &Fields,
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord>;

    /// Returns all fields of a record, in their order. No two names are equal: the columns of a table with a repeated
    /// name get numbers, and a repeated member of an object has its last value, at the position of the first one.
    ///
    /// # Errors
    ///
    /// Returns an error if the record is not of this format.
    fn all<'a>(
        &self,
        columns: &'a Columns,
        record: RecordText<'a>,
    ) -> Result<NamedValues<'a>, BadRecord>;

    /// The names of the record's fields, for a message. The list is empty if the record is not of this format.
    fn field_names(&self, columns: &Columns, record: &str) -> Vec<String>;

    /// Whether the record has another number of fields than the header of its file.
    fn is_ragged(&self, columns: &Columns, record: &str) -> bool {
        let _ = (columns, record);
        false
    }

    /// Writes the record as one JSON object on one line. This is the form in which records are sent to worker
    /// processes.
    ///
    /// # Errors
    ///
    /// Returns an error if the record is not of this format.
    fn to_json<'a>(&self, columns: &Columns, record: &'a str) -> Result<Cow<'a, str>, BadRecord>;
}

/// The format of one file, with the columns that its header names. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct RecordLayout {
    format: &'static dyn Format,
    name: FormatName,
    columns: Columns,
    /// Whether the first record of a table is its header, which is not a record of the dataset.
    has_header: bool,
    /// Number of bytes before the first record of a table, which are those of a line like `sep=;`.
    before_header: usize,
    /// Whether the delimiter was found from the first record, and is not the usual one of the format.
    is_delimiter_found: bool,
    /// Whether nothing but the first record shows the format.
    is_guessed: bool,
}

/// The layout of JSON lines.
pub(super) static JSON_LINES_LAYOUT: RecordLayout =
    RecordLayout::of(&JSON_LINES, FormatName::JsonLines);

impl RecordLayout {
    /// The layout of a format, without columns.
    const fn of(format: &'static dyn Format, name: FormatName) -> Self {
        RecordLayout {
            format,
            name,
            columns: Columns::NONE,
            has_header: false,
            before_header: 0,
            is_delimiter_found: false,
            is_guessed: false,
        }
    }

    /// The layout of the records of a columnar file, once they are lines of JSON. `names` are the columns of the file.
    #[cfg(feature = "parquet")]
    pub(super) fn columnar(name: FormatName, names: Vec<String>) -> Self {
        RecordLayout {
            columns: Columns::new(names, None),
            ..Self::of(&JSON_LINES, name)
        }
    }

    /// Whether the records are those of a columnar file.
    pub(super) fn is_columnar(&self) -> bool {
        self.name.is_columnar()
    }

    /// The name of the format.
    pub(super) fn name(&self) -> FormatName {
        self.name
    }

    /// A hash of what gives the text of a record its meaning: the delimiter and the columns of a table. The records of all
    /// formats with JSON have the same hash, since a record of JSON contains its names.
    pub(super) fn meaning(&self) -> u128 {
        let kind = match self.boundaries() {
            Boundaries::Quoted(quoted) => u128::from(quoted.delimiter),
            Boundaries::Values => return 0,
            Boundaries::Lines(_) if self.name == FormatName::Text => 1 << 8,
            Boundaries::Lines(_) => return 0,
        };
        self.columns.hash() ^ kind
    }

    /// The delimiter of a table, and whether it was found from the first record and is not the usual one.
    pub(super) fn delimiter(&self) -> Option<(Delimiter, bool)> {
        match self.boundaries() {
            Boundaries::Quoted(quoted) => {
                Some((Delimiter::new(quoted.delimiter)?, self.is_delimiter_found))
            }
            Boundaries::Lines(_) | Boundaries::Values => None,
        }
    }

    /// Whether nothing but the first record shows the format: no option, no name, and no bracket of JSON.
    pub(super) fn is_guessed(&self) -> bool {
        self.is_guessed
    }

    /// Number of bytes before the first record of a table. They are a line by which the table tells Excel its delimiter,
    /// such as `sep=;`.
    pub(super) fn before_header(&self) -> usize {
        self.before_header
    }

    /// The number of lines before the header: 1 if a line before it names the delimiter, and otherwise 0.
    pub(super) fn lines_before_header(&self) -> u64 {
        u64::from(self.before_header > 0)
    }

    /// The names as they stand in the header of a table, if it has one.
    pub(super) fn header(&self) -> Option<&[String]> {
        (self.has_header && self.is_table()).then(|| self.columns.header())
    }

    /// Where records begin and end.
    pub(super) fn boundaries(&self) -> Boundaries {
        self.format.boundaries()
    }

    /// Whether a record ends inside a quoted field.
    pub(super) fn has_unclosed_quote(&self, record: &[u8]) -> bool {
        match self.boundaries() {
            Boundaries::Quoted(quoted) => {
                let mut scanner = Scanner::new(quoted, ScanState::Between, false);
                let _ = scanner.scan(record, |_| ControlFlow::Continue(()));
                scanner.is_unclosed()
            }
            Boundaries::Lines(_) | Boundaries::Values => false,
        }
    }

    /// Whether a text can only be read from its beginning.
    pub(super) fn is_in_order(&self) -> bool {
        matches!(self.boundaries(), Boundaries::Values)
    }

    /// Whether the columns of a file are taken from its first record.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.boundaries(), Boundaries::Quoted(_))
    }

    /// Whether the first record of a file is its header.
    pub(super) fn has_header(&self) -> bool {
        self.has_header
    }

    /// Returns the same format with the columns of a file, see [`Format::columns`]. The columns of a table without a
    /// header are named by their numbers, from 1, as far as its first record has columns.
    pub(super) fn with_columns(
        &self,
        first: Option<&str>,
        wanted: Option<&Fields>,
    ) -> Result<Self, BadRecord> {
        let columns = match (first, self.delimiter()) {
            (Some(first), Some((delimiter, _))) if !self.has_header => {
                let header = Delimited::by(delimiter).numbers(first);
                self.format.columns(Some(&header), wanted)
            }
            (first, _) => self.format.columns(first, wanted),
        };
        Ok(RecordLayout {
            columns: columns?,
            ..self.clone()
        })
    }

    /// Reads the fields of a record, see [`Format::read`].
    pub(super) fn read<'a>(
        &self,
        record: RecordText<'a>,
        fields: &Fields,
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord> {
        self.format.read(&self.columns, record, fields, values)
    }

    /// Returns all fields of a record, see [`Format::all`].
    pub(super) fn all<'a>(&'a self, record: RecordText<'a>) -> Result<NamedValues<'a>, BadRecord> {
        self.format.all(&self.columns, record)
    }

    /// The names of the fields of a file, if the file names them for all of its records.
    pub(super) fn names(&self) -> &[String] {
        self.columns.names()
    }

    /// The names of the record's fields, for a message.
    pub(super) fn field_names(&self, record: &str) -> Vec<String> {
        self.format.field_names(&self.columns, record)
    }

    /// Whether the record has another number of fields than the header, see [`Format::is_ragged`].
    pub(super) fn is_ragged(&self, record: &str) -> bool {
        self.format.is_ragged(&self.columns, record)
    }

    /// Returns the record as one line of JSON.
    pub(super) fn to_json<'a>(&self, record: &'a str) -> Result<Cow<'a, str>, BadRecord> {
        self.format.to_json(&self.columns, record)
    }
}
