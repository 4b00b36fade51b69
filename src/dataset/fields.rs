//! The fields of a record that a task reads, and their values.

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memchr;

use super::non_finite::nulled;

/// Selects the fields of a record that are read.
///
/// A selector is the name of a field. If a record has no field of exactly this name, the selector is read as a
/// path into the values of a JSON record: a JSON pointer such as `/user/0`, or names joined by dots such as
/// `user.text`. In delimited text, a selector that is a number and not the name of a column counts the columns
/// from 1.
///
/// ```
/// use manyhands::dataset::{FieldValue, Fields, TextRecord};
///
/// let fields = Fields::new(["text"], ["movie.id"]);
/// let record = TextRecord::json(r#"{"movie": {"id": 30563}, "stars": 4, "text": "Good \"fun\"."}"#);
/// let values = fields.of(&record)?;
/// assert_eq!(values.text()?, "Good \"fun\".");
/// assert_eq!(*values.get(1), FieldValue::Json("30563".into()));
/// # Ok::<(), manyhands::error::BadRecord>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fields(Arc<Selection>);

#[derive(Debug, PartialEq)]
struct Selection {
    selectors: Vec<Selector>,
    /// Number of selectors, from the first one, that select the texts of a record.
    needed: usize,
    /// Whether a header must have the fields of the texts.
    is_required: bool,
    /// The repeated selectors: the place of each, and the place of the first selector that equals it.
    repeated: Vec<(usize, usize)>,
    has_paths: bool,
}

/// Selects one field.
#[derive(Debug, PartialEq)]
pub(super) struct Selector {
    pub(super) name: String,
    /// The steps of the name as a path. There are no steps if the name is not a path.
    pub(super) path: Vec<String>,
}

impl Selector {
    fn new(name: String) -> Self {
        let path = match name.strip_prefix('/') {
            Some(pointer) => {
                let steps = pointer.split('/');
                steps
                    .map(|step| step.replace("~1", "/").replace("~0", "~"))
                    .collect()
            }
            None if name.contains('.') => name.split('.').map(str::to_owned).collect(),
            None => Vec::new(),
        };
        Selector { name, path }
    }

    /// The name as the number of a column, from 0.
    pub(super) fn column(&self) -> Option<usize> {
        let digits = self.name.bytes().all(|byte| byte.is_ascii_digit());
        let number: usize = digits.then(|| self.name.parse().ok())??;
        number.checked_sub(1)
    }
}

impl Fields {
    /// Selects the fields `texts`, which a task needs, and the fields `others`. A header must have the fields
    /// `texts`; any other field may be missing.
    pub fn new<T: Into<String>, O: Into<String>>(
        texts: impl IntoIterator<Item = T>,
        others: impl IntoIterator<Item = O>,
    ) -> Self {
        Self::select(texts, others, true)
    }

    /// Selects the same fields as [`new`](Fields::new), but a header may lack any of them.
    pub(crate) fn optional<T: Into<String>, O: Into<String>>(
        texts: impl IntoIterator<Item = T>,
        others: impl IntoIterator<Item = O>,
    ) -> Self {
        Self::select(texts, others, false)
    }

    fn select<T: Into<String>, O: Into<String>>(
        texts: impl IntoIterator<Item = T>,
        others: impl IntoIterator<Item = O>,
        is_required: bool,
    ) -> Self {
        let selector = |name: String| Selector::new(name);
        let mut selectors: Vec<Selector> =
            texts.into_iter().map(Into::into).map(selector).collect();
        let needed = selectors.len();
        selectors.extend(others.into_iter().map(Into::into).map(selector));
        let first = |place: usize| {
            let mut before = selectors[..place].iter();
            let first = before.position(|before| before.name == selectors[place].name);
            first.map(|first| (place, first))
        };
        let repeated = (0..selectors.len()).filter_map(first).collect();
        let has_paths = selectors.iter().any(|selector| !selector.path.is_empty());
        Fields(Arc::new(Selection {
            selectors,
            needed,
            is_required,
            repeated,
            has_paths,
        }))
    }

    /// Number of selected fields.
    pub(super) fn len(&self) -> usize {
        self.0.selectors.len()
    }

    /// Number of fields, from the first one, that are the texts of a record.
    pub(super) fn needed(&self) -> usize {
        self.0.needed
    }

    /// Number of fields, from the first one, that a header must have.
    pub(super) fn required(&self) -> usize {
        match self.0.is_required {
            true => self.0.needed,
            false => 0,
        }
    }

    /// The name of the first field that is a text of a record. A table is found by this name.
    pub(super) fn first_text(&self) -> Option<&str> {
        (self.needed() > 0).then(|| self.name(0))
    }

    /// Whether a selector may be a path.
    pub(super) fn has_paths(&self) -> bool {
        self.0.has_paths
    }

    pub(super) fn selectors(&self) -> &[Selector] {
        &self.0.selectors
    }

    /// The name of the field at this place.
    pub(super) fn name(&self, place: usize) -> &str {
        &self.0.selectors[place].name
    }

    /// The place of the first selector with this name.
    #[inline]
    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        let mut selectors = self.0.selectors.iter();
        selectors.position(|selector| selector.name == name)
    }

    /// Whether both select the same fields in the same order.
    pub(super) fn is_same(&self, other: &Fields) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }

    /// Copies the values of selectors that appear more than once from the first of them to the others.
    #[inline]
    pub(super) fn repeat(&self, values: &mut [FieldValue<'_>]) {
        for (place, first) in &self.0.repeated {
            values[*place] = values[*first].clone();
        }
    }
}

/// Fields of a record, each with its name.
pub type NamedValues<'a> = Vec<(Cow<'a, str>, FieldValue<'a>)>;

/// The value of one field of a record.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum FieldValue<'a> {
    /// The record has no such field.
    #[default]
    Missing,
    /// A value of a JSON record, as JSON.
    Json(Cow<'a, str>),
    /// A cell of delimited text without its quotes, or a line of plain text.
    Text(Cow<'a, str>),
    /// A value that is `NaN`, `Infinity` or `-Infinity`, or contains one of them, as Python's module `json` writes
    /// them. JSON has no such values; [`to_json`](FieldValue::to_json) replaces them.
    NotJson(&'a str),
}

impl FieldValue<'_> {
    /// Whether there is no value: the record has no such field, or the value is `null` in JSON or an empty cell of
    /// delimited text. An empty string in JSON is a value.
    pub fn is_missing(&self) -> bool {
        match self {
            FieldValue::Missing => true,
            FieldValue::Json(json) => json == "null",
            FieldValue::Text(text) => text.is_empty(),
            FieldValue::NotJson(_) => false,
        }
    }

    /// The contents of a string of JSON, or of a cell of text. `None` if the value is neither, or if the string
    /// contains half of a surrogate pair, which does not stand for a character.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            FieldValue::Text(text) => Some(Cow::Borrowed(text)),
            FieldValue::Json(json) => string_of(json),
            FieldValue::Missing | FieldValue::NotJson(_) => None,
        }
    }

    /// The value of a JSON record as JSON. Values that JSON does not have, such as `NaN`, become `null`; other values of
    /// a list or an object that contains them stay as they are. `None` for the text of a cell and for no value.
    ///
    /// ```
    /// use manyhands::dataset::TextRecord;
    ///
    /// let record = TextRecord::json(r#"{"ratings": [4.5, NaN]}"#);
    /// let fields = record.fields()?;
    /// assert_eq!(fields[0].1.to_json().as_deref(), Some("[4.5, null]"));
    /// # Ok::<(), manyhands::error::BadRecord>(())
    /// ```
    pub fn to_json(&self) -> Option<Cow<'_, str>> {
        match self {
            FieldValue::Json(json) => Some(Cow::Borrowed(json)),
            FieldValue::NotJson(written) => Some(Cow::Owned(nulled(written))),
            FieldValue::Missing | FieldValue::Text(_) => None,
        }
    }

    /// The texts of a list of strings, joined by line ends.
    pub(super) fn as_list_of_texts(&self) -> Option<String> {
        match self {
            FieldValue::Json(json) if json.starts_with('[') => {
                let texts: Vec<Cow<'_, str>> = serde_json::from_str(json).ok()?;
                Some(texts.join("\n"))
            }
            _ => None,
        }
    }

    /// A description of the value for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            FieldValue::Missing => "no value",
            FieldValue::Text(_) => "a text",
            FieldValue::NotJson(_) => "NaN or Infinity, which JSON does not have",
            FieldValue::Json(json) => match kind_of(json) {
                // The value is valid JSON, so its escapes are well-formed. However, an escape such as `\ud800` does not
                // represent a character.
                "a string" if string_of(json).is_none() => {
                    "a string with half a surrogate pair, which is no character"
                }
                kind => kind,
            },
        }
    }

    /// The value as it is written in a record of JSON. `None` for a value of another format.
    pub(super) fn json(&self) -> Option<&str> {
        match self {
            FieldValue::Json(json) => Some(json),
            FieldValue::NotJson(written) => Some(written),
            FieldValue::Missing | FieldValue::Text(_) => None,
        }
    }
}

/// The contents of a JSON string, which are borrowed unless it contains escapes.
fn string_of(json: &str) -> Option<Cow<'_, str>> {
    let inside = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr(b'\\', inside.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str(json).ok().map(Cow::Owned)
}

/// Returns the kind of a JSON value in words, which is determined from the first characters of the value.
pub(super) fn kind_of(json: &str) -> &'static str {
    match json.as_bytes() {
        [b'"', ..] => "a string",
        [b'{', ..] => "an object",
        [b'[', ..] => "an array",
        [b'-' | b'0'..=b'9', ..] => "a number",
        [b't', b'r', b'u', b'e', ..] | [b'f', b'a', b'l', b's', b'e', ..] => "a boolean",
        [b'n', b'u', b'l', b'l', ..] => "null",
        [0xef, 0xbb, 0xbf, ..] => "a byte-order mark",
        _ => "text that is not JSON",
    }
}

/// The column, in bytes from 1, at which `part` begins in this record. `None` if `part` was not borrowed from the
/// record.
pub(super) fn column_of(record: &str, part: &str) -> Option<u64> {
    let (start, part) = (record.as_ptr() as usize, part.as_ptr() as usize);
    let before = part.checked_sub(start)?;
    (before <= record.len()).then_some(before as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_record_has_a_column() {
        let whole = "xabcx";
        let record = &whole[1..4];
        let columns = [1..2, 3..4, 4..4].map(|place| column_of(record, &whole[place]));
        assert_eq!(columns, [Some(1), Some(3), Some(4)]);
        assert_eq!(column_of(record, &whole[..1]), None);
        assert_eq!(column_of(record, &whole[5..]), None);
    }
}
