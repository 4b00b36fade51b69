//! The values of the selected fields of one record.

use std::borrow::Cow;

use super::record::TextRecord;
use crate::dataset::fields::{FieldValue, Fields, column_of};
use crate::dataset::format::{RecordLayout, list};
use crate::error::{BadRecord, FailureKind};

/// Largest number of values that are kept without an allocation.
const FEW: usize = 3;

/// The values of the selected fields of one record, in the order of [`Fields::new`]. The values are borrowed from the
/// record, unless they contain doubled quotes.
#[derive(Clone, Debug)]
pub struct FieldValues<'a> {
    fields: &'a Fields,
    text: &'a str,
    layout: &'a RecordLayout,
    values: Values<'a>,
}

#[derive(Clone, Debug)]
enum Values<'a> {
    Few([FieldValue<'a>; FEW]),
    Many(Vec<FieldValue<'a>>),
}

impl Fields {
    /// Reads the fields of one record. If a field appears twice in the record, its last value is used.
    ///
    /// # Errors
    ///
    /// Returns an error if the record is not of its format. A field that the record does not have is no error.
    #[inline]
    pub fn of<'a>(&'a self, record: &TextRecord<'a>) -> Result<FieldValues<'a>, BadRecord> {
        let mut values = match self.len() {
            ..=FEW => Values::Few(Default::default()),
            many => Values::Many(vec![FieldValue::Missing; many]),
        };
        let slots = match &mut values {
            Values::Few(few) => &mut few[..self.len()],
            Values::Many(many) => many,
        };
        record.layout().read(record.record_text(), self, slots)?;
        self.repeat(slots);
        Ok(FieldValues {
            fields: self,
            text: record.as_str(),
            layout: record.layout(),
            values,
        })
    }
}

impl<'a> FieldValues<'a> {
    /// The value of the field at this place among the selected fields, which are counted from 0.
    ///
    /// # Panics
    ///
    /// Panics if there are fewer selected fields.
    pub fn get(&self, place: usize) -> &FieldValue<'a> {
        match &self.values {
            Values::Few(few) => &few[..self.fields.len()][place],
            Values::Many(many) => &many[place],
        }
    }

    /// The name of the field at this place among the selected fields.
    pub(crate) fn name(&self, place: usize) -> &str {
        self.fields.name(place)
    }

    /// Number of fields that the task needs. They come before the others.
    pub(crate) fn needed(&self) -> usize {
        self.fields.needed()
    }

    /// The text of the fields that the task needs. Line ends join the texts of several fields, and the texts of a list
    /// of strings. The text of a single field is borrowed unless it contains escapes.
    ///
    /// # Errors
    ///
    /// Returns an error if one of these fields has no value, or a value that is neither a string nor a list of
    /// strings.
    pub fn text(&self) -> Result<Cow<'_, str>, BadRecord> {
        self.text_or(|place| Err(self.no_value(place, "a text")))
    }

    /// Same as [`text`](Self::text), but calls `missing` for a field without a value. If `missing` returns no
    /// error, the field counts as an empty text.
    pub(crate) fn text_or<E: From<BadRecord>>(
        &self,
        missing: impl Fn(usize) -> Result<(), E>,
    ) -> Result<Cow<'_, str>, E> {
        let text = |place| {
            let value = self.get(place);
            if value.is_missing() {
                return missing(place).map(|()| Cow::Borrowed(""));
            }
            if let Some(text) = value.as_text() {
                return Ok(text);
            }
            let list = value.as_list_of_texts().map(Cow::Owned);
            list.ok_or_else(|| self.unexpected(place, "a string").into())
        };
        if self.needed() == 1 {
            return text(0);
        }
        let texts = (0..self.needed()).map(text);
        let texts: Vec<Cow<'_, str>> = texts.collect::<Result<_, E>>()?;
        Ok(Cow::Owned(texts.join("\n")))
    }

    /// The fields that the task needs, for display: texts without quotes and escapes, other values as JSON. They are
    /// joined by line ends.
    pub(crate) fn shown(&self) -> String {
        let shown = |place| {
            let value = self.get(place);
            if let Some(text) = value.as_text() {
                return text;
            }
            let list = value.as_list_of_texts().map(Cow::Owned);
            list.unwrap_or_else(|| match value.is_missing() {
                true => Cow::Borrowed(""),
                false => Cow::Borrowed(value.json().unwrap_or_default()),
            })
        };
        let shown: Vec<Cow<'_, str>> = (0..self.needed()).map(shown).collect();
        shown.join("\n")
    }

    /// The error of a field whose value is not what was expected. The error has a column if the record is JSON and the
    /// value is not a string.
    pub(crate) fn unexpected(&self, place: usize, expected: &str) -> BadRecord {
        self.found_instead(place, expected, self.get(place).kind())
    }

    /// Same as [`unexpected`](Self::unexpected), but the message describes the value by `found`.
    pub(crate) fn found_instead(&self, place: usize, expected: &str, found: &str) -> BadRecord {
        let value = self.get(place);
        let message = format!(
            "expected {expected} in field {:?}, found {found}",
            self.name(place)
        );
        BadRecord::new(
            message,
            value.json().and_then(|json| column_of(self.text, json)),
        )
        .of_kind(FailureKind::WrongValue)
    }

    /// The error of a field without a value. If the record has the field, the error has no column: a worker process
    /// receives the records of delimited text as JSON, so the column would differ from the column in the file.
    pub(crate) fn no_value(&self, place: usize, expected: &str) -> BadRecord {
        let name = self.name(place);
        if let FieldValue::Missing = self.get(place) {
            let names = list(self.layout.field_names(self.text));
            let message = format!("expected a field {name:?}; the record's fields: {names}");
            let begin = self.text.trim_ascii_start();
            return BadRecord::new(message, column_of(self.text, begin))
                .of_kind(FailureKind::Missing);
        }
        let message = format!("expected {expected} in field {name:?}, found no value");
        BadRecord::new(message, None).of_kind(FailureKind::Missing)
    }
}
