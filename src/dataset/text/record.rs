//! One record of a text, and how the records of a buffer are visited.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;

use memchr::{memchr2, memrchr2};
use serde::Deserialize;
use twox_hash::XxHash3_128;

use super::buffer::Buffer;
use super::numbering::Start;
use super::record_bytes::with_bytes;
use crate::dataset::Position;
use crate::dataset::fields::NamedValues;
use crate::dataset::format::{
    JSON_LINES_LAYOUT, ListedDelimiters, RecordLayout, RecordText, Unreadable, bad_json,
};
use crate::error::{BadRecord, FailureKind};

/// A record of a text: a line of JSON, a record of a CSV file, or a line of plain text.
#[derive(Clone, Copy, Debug)]
pub struct TextRecord<'a> {
    text: &'a str,
    position: Position,
    layout: &'a RecordLayout,
    delimiters: Option<ListedDelimiters<'a>>,
}

/// The hash is that of the contents of the record: its text, and the names of its columns if it is a record of a table.
impl Hash for TextRecord<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.content_hash());
    }
}

impl<'a> TextRecord<'a> {
    /// Creates a record from a line of JSON in memory.
    pub fn json(text: &'a str) -> Self {
        TextRecord {
            text,
            position: Position::default(),
            layout: &JSON_LINES_LAYOUT,
            delimiters: None,
        }
    }

    /// Creates a record from text in memory that was read from another dataset.
    pub(super) fn new(text: &'a str, position: Position, layout: &'a RecordLayout) -> Self {
        TextRecord {
            text,
            position,
            layout,
            delimiters: None,
        }
    }

    /// The text of the record, as its format reads it.
    pub(super) fn record_text(&self) -> RecordText<'a> {
        RecordText {
            text: self.text,
            delimiters: self.delimiters,
        }
    }

    /// The position of the record in its dataset.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// How the record is read.
    pub(super) fn layout(&self) -> &'a RecordLayout {
        self.layout
    }

    /// The record as it is written in the file, without its line ending.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// A hash of the contents of the record: its text, and the names of its columns if it is a record of a table.
    pub(crate) fn content_hash(&self) -> u128 {
        XxHash3_128::oneshot(self.text.as_bytes()) ^ self.layout.meaning()
    }

    /// Whether the record has another number of fields than the header of its file.
    pub(in crate::dataset) fn is_ragged(&self) -> bool {
        self.layout.is_ragged(self.text)
    }

    /// The names of the record's fields. The list is empty if the record is not of its format.
    pub(crate) fn field_names(&self) -> Vec<String> {
        self.layout.field_names(self.text)
    }

    /// The names of all fields that records of this file have, if the file names them. Otherwise, the names of the
    /// record's fields.
    pub(crate) fn known_names(&self) -> Vec<String> {
        match self.layout.names() {
            [] => self.field_names(),
            names => names.to_vec(),
        }
    }

    /// Returns all fields of the record, in the order of the input. No two names are equal. If the header of a table
    /// has several columns `n`, they are called `n`, `n_2`, `n_3` and so on. If an object of JSON has several members
    /// `n`, the last one counts, as in other readers of JSON, and has the position of the first one.
    ///
    /// ```
    /// use manyhands::dataset::{FieldValue, TextRecord};
    ///
    /// let record = TextRecord::json(r#"{"movie": {"id": 30563}, "stars": 4, "text": "Good."}"#);
    /// let fields = record.fields()?;
    /// assert_eq!(fields[0], ("movie".into(), FieldValue::Json(r#"{"id": 30563}"#.into())));
    /// assert_eq!(fields.len(), 3);
    /// # Ok::<(), manyhands::error::BadRecord>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the record is not of its format.
    pub fn fields(&self) -> Result<NamedValues<'a>, BadRecord> {
        self.layout.all(self.record_text())
    }

    /// Returns the record as one line of JSON, regardless of its format: an object with all its fields. An empty cell
    /// of delimited text becomes `null`. If the record already is a line of JSON, it is borrowed unchanged and is not
    /// checked.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use manyhands::dataset::TextStream;
    ///
    /// let stream = TextStream::new("cities.csv", &b"name,country\nUlm,\"D\"\n"[..]);
    /// let mut lines = Vec::new();
    /// while let Some(_waited) = stream.take(100, |_, record| {
    ///     lines.push(record.and_then(|record| Ok(record.to_json()?.into_owned())));
    ///     ControlFlow::Continue(())
    /// })? {}
    /// assert_eq!(lines, [Ok(r#"{"name":"Ulm","country":"D"}"#.to_owned())]);
    /// # Ok::<(), manyhands::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the number of fields of the record differs from the number of fields in the header of its
    /// file.
    pub fn to_json(&self) -> Result<Cow<'a, str>, BadRecord> {
        self.layout.to_json(self.text)
    }

    /// Parses the record into a value of your own type. If the format is JSON lines, the value may borrow from the
    /// record. In other formats, a value cannot borrow: the fields are strings, or `null` if they are empty.
    ///
    /// # Errors
    ///
    /// Returns an error if the record is not JSON or does not fit the type. The error states the column.
    pub fn parse<T: Deserialize<'a>>(&self) -> Result<T, BadRecord> {
        match self.to_json()? {
            Cow::Borrowed(json) => serde_json::from_str(json).map_err(|error| bad_json(&error)),
            Cow::Owned(json) => serde_json::from_str(&json)
                .and_then(|value: serde_json::Value| T::deserialize(value))
                .map_err(|error| BadRecord {
                    column: None,
                    ..bad_json(&error)
                }),
        }
    }
}

/// Visits the records of a buffer until `visit` returns `Break`. `start` describes what comes before the buffer. A
/// record that is not UTF-8 or is too long fails without affecting other records.
pub(super) fn visit_records<V>(
    buffer: &Buffer,
    file: usize,
    layout: &RecordLayout,
    start: Start,
    mut visit: V,
) -> ControlFlow<()>
where
    V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
{
    let spans = buffer.spans();
    let first = spans.first().map_or(0, |span| span.start);
    let end = spans.last().map_or(first, |span| span.end);
    // All records are checked together for UTF-8. If this fails, each record is checked by itself.
    let whole = simdutf8::basic::from_utf8(&buffer.bytes()[first..end]);
    let (is_columnar, is_in_order) = (layout.is_columnar(), layout.is_in_order());
    let mut before = (0, start.column);
    for (index, span) in (start.records..).zip(spans) {
        before = (
            span.start,
            column_before(buffer.bytes(), span.start, before),
        );
        // A record has no column if it has several lines in a document, or if it comes from a columnar file, which does
        // not contain its JSON.
        let has_column = !is_columnar
            && (!is_in_order
                || memchr2(b'\n', b'\r', &buffer.bytes()[span.start..span.end]).is_none());
        let position = Position {
            index,
            file,
            line: start.lines + span.lines_before + 1,
            column: has_column.then_some(before.1),
            fetched: index == start.records,
        };
        if buffer.limit.excludes(span.end - span.start) {
            visit(position, Err(buffer.limit.too_long()))?;
            continue;
        }
        let text = match whole {
            Ok(text) => Ok(&text[span.start - first..span.end - first]),
            Err(_) => {
                let bytes = &buffer.bytes()[span.start..span.end];
                utf8(bytes).map_err(|bad| with_bytes(bad, bytes, layout))
            }
        };
        match text {
            Ok(text) => {
                let record = TextRecord {
                    delimiters: buffer.delimiters(span),
                    ..TextRecord::new(text, position, layout)
                };
                visit(position, Ok(&record))?;
            }
            Err(bad) => visit(position, Err(bad))?,
        }
    }
    if let Some(Unreadable {
        lines_before,
        reason,
    }) = &buffer.unreadable
    {
        let position = Position {
            index: start.records + buffer.spans().len() as u64,
            file,
            line: start.lines + lines_before + 1,
            column: Some(0),
            fetched: buffer.spans().is_empty(),
        };
        visit(position, Err(reason.clone()))?;
    }
    ControlFlow::Continue(())
}

/// Returns the number of bytes before a record in its line. `known` is an earlier place and the number of bytes before
/// this place in its line, so that a line with many records is examined only once.
#[inline]
fn column_before(bytes: &[u8], start: usize, known: (usize, u64)) -> u64 {
    match start.checked_sub(1).map(|last| bytes[last]) {
        Some(b'\n' | b'\r') => 0,
        _ => match memrchr2(b'\n', b'\r', &bytes[known.0..start]) {
            Some(end) => (start - known.0 - end - 1) as u64,
            None => known.1 + (start - known.0) as u64,
        },
    }
}

/// Returns the text of a record.
///
/// # Errors
///
/// Returns an error if the record is not UTF-8. The error has a column if there is no line end before the invalid
/// byte.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, BadRecord> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = error.valid_up_to();
        let one_line = memchr2(b'\n', b'\r', &bytes[..valid]).is_none();
        let column = one_line.then_some(valid as u64 + 1);
        BadRecord::new("expected UTF-8 text, found a byte that is not", column)
            .of_kind(FailureKind::NotUtf8)
    })
}
