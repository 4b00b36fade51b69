//! The fields of a record that a task reads, and their values.

use std::borrow::Cow;

/// Selects the fields of a record that are read: one field as text, and others as JSON.
///
/// ```
/// use manyhands::dataset::{Fields, TextRecord};
///
/// let fields = Fields::new("text", ["movie"]);
/// let record = TextRecord::json(r#"{"movie": "tt0030563", "stars": 4, "text": "Good \"fun\"."}"#);
/// let values = fields.of(&record)?;
/// assert_eq!(values.text, "Good \"fun\".");
/// assert_eq!(values.raw[0].as_deref(), Some(r#""tt0030563""#));
/// # Ok::<(), manyhands::error::BadRecord>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fields {
    pub(super) text: String,
    pub(super) others: Vec<String>,
    /// Whether the field `text` is also one of `others`. If so, the JSON of that field must be read first.
    pub(super) text_too: bool,
}

/// The fields of one record.
#[derive(Clone, Debug, Default)]
pub struct FieldValues<'a> {
    /// The text, borrowed from the record unless it contains escapes.
    pub text: Cow<'a, str>,
    /// The other fields as JSON, in the order of [`Fields::new`]; `None` for a field that the record does not have.
    /// The values are borrowed from the record if its format is JSON.
    pub raw: Vec<Option<Cow<'a, str>>>,
}

impl Fields {
    /// Selects the string in the field `text`, and the JSON of the fields `others`.
    pub fn new<N: Into<String>>(
        text: impl Into<String>,
        others: impl IntoIterator<Item = N>,
    ) -> Self {
        let text = text.into();
        let others: Vec<String> = others.into_iter().map(Into::into).collect();
        let text_too = others.contains(&text);
        Fields {
            text,
            others,
            text_too,
        }
    }

    /// The names of all selected fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.text).chain(&self.others)
    }
}

/// The column, in bytes from 1, at which `part` begins in this record. `None` if `part` was not borrowed from the
/// record.
pub(super) fn column_of(record: &str, part: &str) -> Option<u64> {
    let (start, part) = (record.as_ptr() as usize, part.as_ptr() as usize);
    let before = part.checked_sub(start)?;
    (before <= record.len()).then_some(before as u64 + 1)
}
