//! The fields of a reference that are kept beside its texts.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use crate::dataset::format::list;
use crate::dataset::text::TextRecord;
use crate::dataset::{FieldValue, Fields};
use crate::error::Error;

/// The name that stands for all fields.
const ALL: &str = "*";

/// The values of one field of all records.
#[derive(Clone, Debug)]
pub(super) struct KeptColumn {
    name: String,
    /// All values, one after the other.
    text: String,
    values: Vec<ValueEnd>,
}

/// The place where a value ends in the text, and the kind of the value.
#[derive(Clone, Copy, Debug)]
struct ValueEnd {
    end: usize,
    kind: ValueKind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum ValueKind {
    Missing,
    Json,
    Text,
}

impl KeptColumn {
    /// A column whose first `records` records do not have the field.
    fn new(name: String, records: usize) -> Self {
        let kind = ValueKind::Missing;
        KeptColumn {
            name,
            text: String::new(),
            values: vec![ValueEnd { end: 0, kind }; records],
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn push(&mut self, value: &FieldValue<'_>) {
        let json = value.to_json();
        let (kind, text) = match (value, &json) {
            (_, Some(json)) => (ValueKind::Json, &**json),
            (FieldValue::Text(text), None) => (ValueKind::Text, &**text),
            _ => (ValueKind::Missing, ""),
        };
        self.text.push_str(text);
        let end = self.text.len();
        self.values.push(ValueEnd { end, kind });
    }

    /// The value of the record at this index.
    pub(super) fn value(&self, index: usize) -> FieldValue<'_> {
        let start = index
            .checked_sub(1)
            .map_or(0, |before| self.values[before].end);
        let ValueEnd { end, kind } = self.values[index];
        let text = Cow::Borrowed(&self.text[start..end]);
        match kind {
            ValueKind::Missing => FieldValue::Missing,
            ValueKind::Json => FieldValue::Json(text),
            ValueKind::Text => FieldValue::Text(text),
        }
    }
}

/// The fields that are read from a reference: those of the texts, and those to keep.
pub(super) struct Selected {
    texts: Vec<String>,
    /// Whether every field that appears is kept.
    all: bool,
    columns: Vec<KeptColumn>,
    names: HashSet<String>,
    fields: Fields,
    records: usize,
    /// The fields of the first record, for a message.
    first: Option<Vec<String>>,
}

impl Selected {
    pub(super) fn new(texts: &[impl AsRef<str>], keep: &[impl AsRef<str>]) -> Self {
        let texts: Vec<String> = texts.iter().map(|name| name.as_ref().to_owned()).collect();
        let mut keep: Vec<&str> = keep.iter().map(AsRef::as_ref).collect();
        let all = keep.contains(&ALL);
        keep.retain(|name| *name != ALL);
        let mut selected = Selected {
            fields: Fields::new(&texts, [""; 0]),
            texts,
            all,
            columns: Vec::new(),
            names: HashSet::new(),
            records: 0,
            first: None,
        };
        for name in keep {
            selected.add(name.to_owned());
        }
        selected.fields = selected.all_fields();
        selected
    }

    /// The fields to read: first those of the texts, then those to keep.
    pub(super) fn fields(&self) -> Fields {
        self.fields.clone()
    }

    /// Whether every field that appears is kept.
    pub(super) fn keeps_all(&self) -> bool {
        self.all
    }

    fn all_fields(&self) -> Fields {
        let kept = self.columns.iter().map(KeptColumn::name);
        Fields::new(&self.texts, kept)
    }

    fn add(&mut self, name: String) -> bool {
        let is_new = self.names.insert(name.clone());
        if is_new {
            self.columns.push(KeptColumn::new(name, self.records));
        }
        is_new
    }

    /// If all fields are kept, adds the fields of this record that no earlier record has.
    pub(super) fn look_for_fields(&mut self, record: &TextRecord<'_>) {
        if self.columns.is_empty() && !self.all {
            return;
        }
        if self.first.is_none() {
            self.first = Some(record.known_names());
        }
        if self.all {
            let mut added = false;
            for name in record.field_names() {
                added |= self.add(name);
            }
            if added {
                self.fields = self.all_fields();
            }
        }
    }

    /// Keeps the values of a record, one for each field to keep.
    pub(super) fn keep<'v>(&mut self, values: impl Iterator<Item = &'v FieldValue<'v>>) {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        self.records += 1;
    }

    /// Returns the values of all records.
    ///
    /// # Errors
    ///
    /// Returns an error if a field that was named is not a field of any record.
    pub(super) fn into_columns(self, path: &Path) -> Result<Vec<KeptColumn>, Error> {
        let is_absent = |column: &KeptColumn| {
            let mut values = column.values.iter();
            values.all(|value| value.kind == ValueKind::Missing)
        };
        match self.columns.iter().find(|column| is_absent(column)) {
            Some(column) if self.records > 0 => {
                let first = list(self.first.unwrap_or_default());
                let name = column.name();
                let message = format!(
                    "expected a field {name:?} to keep, but no record has it; the fields of the first record: {first}"
                );
                Err(Error::input(path, message))
            }
            _ => Ok(self.columns),
        }
    }
}
