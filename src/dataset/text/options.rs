//! How texts are opened: which fields will be read, and how long a record may be.

use std::borrow::Cow;
use std::path::Path;

use super::compression::unpacked_name;
use super::legacy::{EncodingMessages, OF_RECORDS, OF_REFERENCE};
use super::limit::{MAX_RECORD_BYTES, RecordLimit};
use super::record::utf8;
use super::text_encoding::TextEncoding;
use crate::dataset::fields::Fields;
use crate::dataset::format::{
    Delimiter, FirstBytes, FormatName, RecordLayout, RecordSpan, Requested, check_text_field,
    line_ends,
};
use crate::error::BadRecord;

/// Options for opening texts: which fields will be read, and how long a record may be.
///
/// The format of each text is found from its beginning, its name and the fields that will be read, unless an option
/// [sets](Self::format) it:
///
/// - A text that begins with an object or an array is JSON: an object in each line, or several of them.
/// - Otherwise the ending of the name chooses the format, in capitals or not: `.jsonl`, `.ndjson` and `.json` are JSON,
///   `.csv`, `.tsv` and `.tab` are delimited text, and each line of a `.txt` file is a record with the field `text`.
/// - If the name has none of these endings, a text is delimited if a cell of its first record is the name of the wanted
///   field, or if the wanted field is a number and this record has several cells. Otherwise it is plain text, where
///   each line is a record with the field `text`.
///
/// The delimiter of a text is found from its first record, if no option [sets](Self::delimiter) it: the comma, the
/// semicolon, the tab or the bar. Files of several formats can be one dataset.
///
/// A Parquet file, an Arrow IPC file or an Arrow IPC stream is recognised by its first bytes, no matter what its name
/// is, and its records are read as JSON lines with the columns of the wanted fields. This requires the feature
/// `parquet`.
///
/// A file that is compressed with gzip, zstd, bzip2 or xz is unpacked as it is read, no matter what its name is. An
/// ending like `.gz` is removed from the name before the name chooses the format. Reading bzip2 and xz requires the
/// features of these names.
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
    /// The encoding of the texts, if it is not UTF-8.
    encoding: Option<TextEncoding>,
    /// Whether bytes that are not text are replaced.
    lossy: bool,
    /// Whether a text in a legacy encoding is refused as a whole. Otherwise, its records fail one by one.
    refuses_legacy: bool,
    /// Whether the texts are a reference.
    is_reference: bool,
    format: Option<FormatName>,
    delimiter: Option<Delimiter>,
    header: bool,
    /// The number of records after which the dataset ends, if it is limited.
    head: Option<u64>,
    /// Whether all columns of a columnar file are read.
    whole_records: bool,
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
            encoding: None,
            lossy: false,
            refuses_legacy: true,
            is_reference: false,
            format: None,
            delimiter: None,
            header: true,
            head: None,
            whole_records: false,
        }
    }

    /// Sets the fields that will be read, so that a file whose header lacks one of them is refused when it is opened.
    #[must_use]
    pub fn fields(mut self, fields: Fields) -> Self {
        self.fields = Some(fields);
        self
    }

    /// If `whole` is true, the records of a columnar file contain all columns of the file. Otherwise they contain only
    /// the columns of the wanted [fields](Self::fields). Records of text are always whole. Set this if records are
    /// copied, for example to a file of failed records.
    #[must_use]
    pub fn whole_records(mut self, whole: bool) -> Self {
        self.whole_records = whole;
        self
    }

    /// Whether all columns of a columnar file are read.
    #[cfg(feature = "parquet")]
    pub(super) fn reads_whole_records(&self) -> bool {
        self.whole_records
    }

    /// The fields that will be read, if they are known.
    #[cfg(feature = "parquet")]
    pub(super) fn wanted_fields(&self) -> Option<&Fields> {
        self.fields.as_ref()
    }

    /// The format of all texts, if it is set.
    pub(in crate::dataset) fn requested_format(&self) -> Option<FormatName> {
        self.format
    }

    /// Sets the limit on the length of a record, in bytes without its line ending. A longer record fails, regardless
    /// of its content, and is skipped without being kept in memory.
    #[must_use]
    pub fn max_record(mut self, bytes: u64) -> Self {
        self.max_record = bytes;
        self
    }

    /// Sets the encoding of the texts. A byte-order mark at the beginning of a text overrides it. All texts are then
    /// read as one stream, and are decoded as they are read. If a record contains bytes that are invalid in the
    /// encoding, the record fails. Without this option, texts must be UTF-8, and a text that is plainly in another
    /// encoding is refused.
    #[must_use]
    pub fn encoding(mut self, encoding: TextEncoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// If `lossy` is true, bytes that are not text in its encoding are replaced by U+FFFD, the replacement character,
    /// instead of making their record fail. All texts are then read as one stream.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use manyhands::dataset::{Dataset, OpenOptions};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("menu.txt");
    /// std::fs::write(&path, b"caf\xe9\n")?;
    /// let read = |options: OpenOptions| {
    ///     let mut texts = Vec::new();
    ///     options.open(&[&path])?.read(0..1, |_, record| {
    ///         texts.push(record.unwrap().as_str().to_owned());
    ///         ControlFlow::Continue(())
    ///     })?;
    ///     Ok::<_, manyhands::Error>(texts)
    /// };
    /// assert_eq!(read(OpenOptions::new().lossy(true))?, ["caf\u{fffd}"]);
    /// assert_eq!(read(OpenOptions::new().encoding("latin1".parse()?))?, ["café"]);
    /// assert!(read(OpenOptions::new()).unwrap_err().to_string().contains("is not UTF-8 text"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn lossy(mut self, lossy: bool) -> Self {
        self.lossy = lossy;
        self
    }

    /// Sets the options so that a text in a legacy encoding is not refused: its records that are not UTF-8 fail one by
    /// one. This is for the functions that open a dataset without options.
    pub(super) fn with_bad_records(mut self) -> Self {
        self.refuses_legacy = false;
        self
    }

    /// Sets the options for a reference: messages about texts that are not UTF-8 are those for a reference, and the
    /// field of plain text may have any name, because a reference has the names of the records unless other names are
    /// given.
    pub(in crate::dataset) fn for_reference(mut self) -> Self {
        self.is_reference = true;
        self
    }

    /// The messages about texts that are not UTF-8.
    pub(super) fn encoding_messages(&self) -> &'static EncodingMessages {
        match self.is_reference {
            true => &OF_REFERENCE,
            false => &OF_RECORDS,
        }
    }

    /// The encoding of the texts, and whether bytes that are not text are replaced.
    pub(super) fn decoding(&self) -> (Option<TextEncoding>, bool) {
        (self.encoding, self.lossy)
    }

    /// Whether texts are decoded as they are read.
    pub(in crate::dataset) fn decodes(&self) -> bool {
        self.encoding.is_some() || self.lossy
    }

    /// Whether a text in a legacy encoding is refused as a whole.
    pub(super) fn refuses_legacy(&self) -> bool {
        self.refuses_legacy && !self.decodes()
    }

    /// Sets the format of all texts. Without this option, the format of each text is found as described at
    /// [`OpenOptions`].
    #[must_use]
    pub fn format(mut self, format: FormatName) -> Self {
        self.format = Some(format);
        self
    }

    /// Sets the delimiter of all texts that are delimited. Without this option, the delimiter of each text is found
    /// from its first record.
    #[must_use]
    pub fn delimiter(mut self, delimiter: Delimiter) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Sets whether the first record of delimited text is a header that names the columns. The default is `true`. If
    /// `header` is false, the first record is a record like the others, and the columns are named `1`, `2` and so on.
    #[must_use]
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// Ends the dataset after its first `records` records, including those that cannot be read or scored. All texts are
    /// then read as one stream, and no more of them is read than these records require.
    ///
    /// ```
    /// use manyhands::dataset::{LoadedRecords, OpenOptions};
    ///
    /// let first = OpenOptions::new().head(10).open(&["data/reviews.jsonl"])?;
    /// assert_eq!(LoadedRecords::of(&first)?.len(), 10);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    #[must_use]
    pub fn head(mut self, records: u64) -> Self {
        self.head = Some(records);
        self
    }

    /// The number of records after which the dataset ends, if it is limited.
    pub(in crate::dataset) fn first_records(&self) -> Option<u64> {
        self.head
    }

    /// Sets the limit on the length of a record, in bytes, by changing these options in place.
    pub(super) fn set_max_record(&mut self, bytes: u64) {
        self.max_record = bytes;
    }

    /// The limit on the length of a record.
    pub(super) fn limit(&self) -> RecordLimit {
        RecordLimit::new(self.max_record)
    }

    /// Returns the layout of a text. Its columns are known unless they are taken from its first record. Returns `None`
    /// if the bytes are too few to know the layout; they then contain no complete record.
    ///
    /// # Errors
    ///
    /// Returns an error if texts of this format cannot have the fields that will be read.
    pub(super) fn layout(
        &self,
        name: &Path,
        first: FirstBytes<'_>,
    ) -> Result<Option<RecordLayout>, BadRecord> {
        let requested = Requested {
            format: self.format,
            delimiter: self.delimiter,
            header: self.header,
            fields: self.fields.as_ref(),
        };
        let name = unpacked_name(name);
        let layout = requested.layout(name, first);
        if let Some(layout) = &layout {
            self.check_name(name, layout, first)?;
        }
        match layout {
            Some(layout) if !layout.is_table() => {
                if let Some(fields) = &self.fields
                    && layout.name() == FormatName::Text
                    && !self.is_reference
                {
                    check_text_field(fields)?;
                }
                layout.with_columns(None, self.fields.as_ref()).map(Some)
            }
            layout => Ok(layout),
        }
    }
}

impl OpenOptions {
    /// Refuses plain text, or a text with only white space, if its name says that it is a file of another kind.
    fn check_name(
        &self,
        name: &Path,
        layout: &RecordLayout,
        first: FirstBytes<'_>,
    ) -> Result<(), BadRecord> {
        let is_plain = layout.is_guessed() && layout.name() == FormatName::Text;
        let is_empty = self.format.is_none() && first.bytes.trim_ascii().is_empty();
        let ending = name.extension().and_then(|ending| ending.to_str());
        let kind = ending.and_then(FormatName::other_kind_of_ending);
        let Some(kind) = kind.filter(|_| is_plain || is_empty) else {
            return Ok(());
        };
        let found = if is_empty { "nothing" } else { "plain text" };
        let option = match self.is_reference {
            true => "--against-format",
            false => "--format",
        };
        let message = format!(
            "expected {kind}, as the name says, found {found}; if the file is text, name its format with {option}"
        );
        Err(BadRecord::new(message, None))
    }
}

/// The largest number of bytes of blank lines before the first record of delimited text. The number is limited because
/// these bytes are kept in memory until the record is found.
const MOST_BLANK_BYTES: usize = 16 << 20;

/// Returns the first record of a text and the layout of the text, with columns that are taken from this record. Returns
/// `None` if `bytes`, with which the text begins, do not contain the end of the record. If `is_all` is true, the text
/// has no further bytes.
///
/// # Errors
///
/// Returns an error, and the number of the line in which the first record begins, if the record is too long or not
/// UTF-8, or lacks a field that will be read.
pub(super) fn header_columns(
    layout: &RecordLayout,
    bytes: &[u8],
    is_all: bool,
    options: &OpenOptions,
) -> Result<Option<(RecordSpan, RecordLayout)>, (u64, BadRecord)> {
    let Some(header) = layout.boundaries().first(bytes, is_all) else {
        let is_blank = |byte: &&u8| matches!(byte, b'\n' | b'\r');
        let blank = bytes.iter().take_while(is_blank).count();
        if bytes.len() - blank > options.limit().kept() {
            let line = line_ends(&bytes[..blank], false) + 1;
            return Err((line, options.limit().too_long()));
        }
        if blank > MOST_BLANK_BYTES {
            let message = format!(
                "expected a header, found more than {MOST_BLANK_BYTES} bytes of blank lines"
            );
            return Err((1, BadRecord::new(message, None)));
        }
        return Ok(None);
    };
    let columns = columns_of(layout, &bytes[header.start..header.end], options);
    match columns {
        Ok(layout) => Ok(Some((header, layout))),
        Err(bad) => Err((header.lines_before + 1, bad)),
    }
}

/// Returns the layout of a text, with columns that are taken from its first record.
fn columns_of(
    layout: &RecordLayout,
    header: &[u8],
    options: &OpenOptions,
) -> Result<RecordLayout, BadRecord> {
    if options.limit().excludes(header.len()) {
        return Err(options.limit().too_long());
    }
    if layout.has_unclosed_quote(header) {
        let message =
            "expected the end of a quoted field, found the end of the text; close the quote";
        return Err(BadRecord::new(message, None));
    }
    let header = match layout.has_header() {
        true => Cow::Borrowed(utf8(header)?),
        false => String::from_utf8_lossy(header),
    };
    layout.with_columns(Some(&header), options.fields.as_ref())
}
