//! Formats: where the records of a text begin and end, and how the fields of one record are read.
//!
//! A format does not depend on files, pipes or memory; [`text`](super::text) uses formats only through
//! [`RecordLayout`]. To add a format of one record per line, write its file in this folder, implement [`Format`], and
//! add it to [`FORMATS`]. If the records of a format may contain line ends, the format says so in
//! [`Format::boundaries`].

mod boundaries;
mod columns;
mod delimited;
mod json;
mod non_finite;
mod path;
mod plain;
mod quoted;
mod state;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use super::fields::{FieldValue, Fields};
use crate::error::BadRecord;

pub(super) use boundaries::Boundaries;
pub(crate) use columns::Columns;
pub(super) use columns::list;
pub(super) use json::{JSON_LINES, bad_json};
pub(super) use plain::PLAIN_TEXT;
pub(super) use quoted::{Quoted, Scanner, line_ends};
pub(super) use state::{RecordSpan, ScanState, Tallies};

/// Every format that a file name can choose.
static FORMATS: &[&dyn Format] = &[
    // Each format has one line.
    &JSON_LINES,
    &delimited::CSV,
    &delimited::TSV,
    &PLAIN_TEXT,
];

/// How a text is cut into records, and how a record is read. At most one of these methods is called per record.
pub(crate) trait Format: fmt::Debug + Sync {
    /// The endings of file names that choose this format, without the dot.
    fn endings(&self) -> &'static [&'static str];

    /// Where records begin and end.
    fn boundaries(&self) -> Boundaries {
        Boundaries::Lines
    }

    /// Whether the first record of a file is its header, which is not a record of the dataset.
    fn has_header(&self) -> bool {
        false
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
        record: &'a str,
        fields: &Fields,
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord>;

    /// The names of the record's fields, for a message. There are none if the record is not of this format.
    fn field_names(&self, columns: &Columns, record: &str) -> Vec<String>;

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
    columns: Columns,
}

/// The layout of JSON lines.
pub(super) static JSON_LINES_LAYOUT: RecordLayout = RecordLayout {
    format: &JSON_LINES,
    columns: Columns::NONE,
};

impl RecordLayout {
    /// The format that a file's name chooses, or `otherwise` if the name chooses none. The columns are not known
    /// before the file is read.
    pub(super) fn of_name(name: &Path, otherwise: &'static dyn Format) -> Self {
        let ending = name.extension().and_then(|ending| ending.to_str());
        let ending = ending.unwrap_or_default().to_ascii_lowercase();
        let mut named = FORMATS.iter();
        let named = named.find(|format| format.endings().contains(&ending.as_str()));
        RecordLayout {
            format: named.map_or(otherwise, |format| *format),
            columns: Columns::NONE,
        }
    }

    /// Where records begin and end.
    pub(super) fn boundaries(&self) -> Boundaries {
        self.format.boundaries()
    }

    /// Whether the first record of a file is its header.
    pub(super) fn has_header(&self) -> bool {
        self.format.has_header()
    }

    /// Returns the same format with the columns of a file, see [`Format::columns`].
    pub(super) fn with_columns(
        &self,
        header: Option<&str>,
        wanted: Option<&Fields>,
    ) -> Result<Self, BadRecord> {
        Ok(RecordLayout {
            format: self.format,
            columns: self.format.columns(header, wanted)?,
        })
    }

    /// Reads the fields of a record, see [`Format::read`].
    pub(super) fn read<'a>(
        &self,
        record: &'a str,
        fields: &Fields,
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord> {
        self.format.read(&self.columns, record, fields, values)
    }

    /// The names of the record's fields, for a message.
    pub(super) fn field_names(&self, record: &str) -> Vec<String> {
        self.format.field_names(&self.columns, record)
    }

    /// Returns the record as one line of JSON.
    pub(super) fn to_json<'a>(&self, record: &'a str) -> Result<Cow<'a, str>, BadRecord> {
        self.format.to_json(&self.columns, record)
    }
}
