//! How texts are opened: which fields will be read, and how long a record may be.

use std::path::Path;

use super::compression::unpacked_name;
use super::limit::{MAX_RECORD_BYTES, RecordLimit};
use super::record::utf8;
use crate::dataset::fields::Fields;
use crate::dataset::format::{Format, JSON_LINES, PLAIN_TEXT, RecordLayout, RecordSpan};
use crate::error::{BadRecord, Error};

/// Options for opening texts: which fields will be read, and how long a record may be.
///
/// The ending of a file's name chooses its format: `.jsonl`, `.ndjson` and `.json` are JSON lines, `.csv` and `.tsv`
/// are tables whose first record names the fields, and each line of a `.txt` file is a record of one field. Other
/// files are JSON lines. Files of several formats can be one dataset.
///
/// A file that is compressed with gzip, zstd, bzip2 or xz is unpacked as it is read, whatever its name is. An ending
/// like `.gz` is taken off the name before the name chooses the format. Reading bzip2 and xz requires the features of
/// these names.
///
/// ```
/// use manyhands::dataset::{Dataset, Fields, OpenOptions};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("cities.csv");
/// std::fs::write(&path, "name,country\nUlm,D\nLima,PE\n")?;
/// let cities = OpenOptions::new().fields(Fields::new(["name"], ["country"])).open(&[&path])?;
/// assert_eq!(cities.bytes(), 27);
/// let missing = OpenOptions::new().fields(Fields::new(["city"], [""; 0])).open(&[&path]).unwrap_err();
/// assert!(missing.to_string().ends_with(
///     "cities.csv:1: expected a field \"city\"; the fields of the header: \"name\", \"country\""
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    fields: Option<Fields>,
    max_record: u64,
    /// The format of files whose names do not determine a format.
    otherwise: &'static dyn Format,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl OpenOptions {
    /// Creates options for the case that the fields to read are not known yet, with the default
    /// [limit](MAX_RECORD_BYTES).
    pub fn new() -> Self {
        OpenOptions {
            fields: None,
            max_record: MAX_RECORD_BYTES,
            otherwise: &JSON_LINES,
        }
    }

    /// Sets the fields that will be read, so that a file whose header lacks one of them is refused when it is opened.
    #[must_use]
    pub fn fields(mut self, fields: Fields) -> Self {
        self.fields = Some(fields);
        self
    }

    /// Sets the limit on the length of a record, in bytes without its line ending. A longer record fails, regardless
    /// of its content, and is skipped without being kept in memory.
    #[must_use]
    pub fn max_record(mut self, bytes: u64) -> Self {
        self.max_record = bytes;
        self
    }

    /// Sets the options so that a file is read as plain text if its name does not determine a format.
    pub(in crate::dataset) fn plain_text_by_default(mut self) -> Self {
        self.otherwise = &PLAIN_TEXT;
        self
    }

    /// Sets the limit on the length of a record, in bytes, by changing these options in place.
    pub(super) fn set_max_record(&mut self, bytes: u64) {
        self.max_record = bytes;
    }

    /// The limit on the length of a record.
    pub(super) fn limit(&self) -> RecordLimit {
        RecordLimit::new(self.max_record)
    }

    /// Returns the layout for the format that a name chooses. The columns are known unless the format has a header.
    pub(super) fn layout(&self, name: &Path) -> Result<RecordLayout, Error> {
        let layout = RecordLayout::of_name(unpacked_name(name), self.otherwise);
        if layout.has_header() {
            return Ok(layout);
        }
        let columns = layout.with_columns(None, self.fields.as_ref());
        columns.map_err(|bad| Error::input(name, bad.message))
    }
}

/// Returns the layout of a text, with the columns that are named in its header. `header` is the place of the header
/// in `bytes`.
///
/// # Errors
///
/// Returns an error if the header is too long or not UTF-8, or lacks a field that will be read.
pub(super) fn header_columns(
    layout: &RecordLayout,
    bytes: &[u8],
    header: RecordSpan,
    options: &OpenOptions,
) -> Result<RecordLayout, BadRecord> {
    if options.limit().excludes(header.end - header.start) {
        return Err(options.limit().too_long());
    }
    let header = utf8(&bytes[header.start..header.end])?;
    layout.with_columns(Some(header), options.fields.as_ref())
}
