//! JSON documents: an array of objects, a single object, or objects one after the other. Line ends and spaces between
//! their tokens do not matter.

use std::borrow::Cow;

use memchr::memchr2;

use super::{Boundaries, Columns, Format, JSON_LINES, RecordText, bad_json};
use crate::dataset::fields::{FieldValue, Fields, NamedValues};
use crate::error::BadRecord;

/// A document whose values are records.
#[derive(Debug)]
pub(super) struct JsonDocument;

pub(super) static JSON_DOCUMENT: JsonDocument = JsonDocument;

impl Format for JsonDocument {
    fn boundaries(&self) -> Boundaries {
        Boundaries::Values
    }

    fn read<'a>(
        &self,
        columns: &Columns,
        record: RecordText<'a>,
        fields: &Fields,
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord> {
        JSON_LINES.read(columns, record, fields, values)
    }

    fn all<'a>(
        &self,
        columns: &'a Columns,
        record: RecordText<'a>,
    ) -> Result<NamedValues<'a>, BadRecord> {
        JSON_LINES.all(columns, record)
    }

    fn field_names(&self, columns: &Columns, record: &str) -> Vec<String> {
        JSON_LINES.field_names(columns, record)
    }

    fn to_json<'a>(&self, _: &Columns, record: &'a str) -> Result<Cow<'a, str>, BadRecord> {
        if memchr2(b'\n', b'\r', record.as_bytes()).is_none() {
            return Ok(Cow::Borrowed(record));
        }
        on_one_line(record).map(Cow::Owned)
    }
}

/// Replaces the line ends between the tokens of a value.
///
/// # Errors
///
/// Returns an error if a string contains a line end, which is not allowed in JSON.
fn on_one_line(record: &str) -> Result<String, BadRecord> {
    let mut line = String::with_capacity(record.len());
    let (mut in_string, mut escaped) = (false, false);
    for letter in record.chars() {
        let is_line_end = matches!(letter, '\n' | '\r');
        if in_string && is_line_end {
            // The JSON parser gives the same error message as for a line of JSON.
            let error = serde_json::from_str::<serde::de::IgnoredAny>(record);
            let bad = error.err().map(|error| bad_json(&error));
            return Err(bad.unwrap_or_else(|| BadRecord::new("a string has a line end", None)));
        }
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
        line.push(if is_line_end { ' ' } else { letter });
    }
    Ok(line)
}
