//! The columns of a file whose records are values in a fixed order.

use std::borrow::Cow;
use std::sync::Arc;

use crate::dataset::fields::{FieldValues, Fields};
use crate::error::BadRecord;

/// The names of the columns of a file. All values are strings.
#[derive(Clone, Debug)]
pub(crate) struct Columns(Option<Arc<[String]>>);

impl Columns {
    /// No columns: each record contains the names of its own fields.
    pub(crate) const NONE: Columns = Columns(None);

    pub(super) fn new(names: Vec<String>) -> Self {
        Columns(Some(names.into()))
    }

    fn names(&self) -> &[String] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Checks that each of the wanted fields is the name of exactly one column.
    ///
    /// # Errors
    ///
    /// Returns an error if this is not true for a field. The error names the field and lists the columns.
    pub(super) fn check(&self, wanted: &Fields) -> Result<(), BadRecord> {
        for field in wanted.names() {
            let message = match self.names().iter().filter(|name| *name == field).count() {
                1 => continue,
                0 => format!(
                    "expected a field {field:?}; the fields of the header: {}",
                    list(self.names())
                ),
                several => {
                    format!("expected one field {field:?} in the header, found {several}")
                }
            };
            return Err(BadRecord::new(message, None));
        }
        Ok(())
    }

    /// Reads `fields` from a record. `values` are the values of the record, in the order of the columns.
    pub(super) fn read<'a>(
        &self,
        values: impl Iterator<Item = Cow<'a, str>>,
        fields: &Fields,
    ) -> Result<FieldValues<'a>, BadRecord> {
        let mut text = None;
        let mut raw = vec![None; fields.others.len()];
        self.each(values, |name, value| {
            if let Some(other) = fields.others.iter().position(|other| other == name) {
                raw[other] = Some(Cow::Owned(json_string(&value)));
            }
            if *name == fields.text {
                text = Some(value);
            }
        })?;
        let Some(text) = text else {
            let message = format!(
                "expected a field {:?}; the record's fields: {}",
                fields.text,
                list(self.names())
            );
            return Err(BadRecord::new(message, None));
        };
        Ok(FieldValues { text, raw })
    }

    /// Returns a record as one JSON object. `values` are the values of the record, in the order of the columns.
    pub(super) fn to_json<'a>(
        &self,
        values: impl Iterator<Item = Cow<'a, str>>,
    ) -> Result<String, BadRecord> {
        let mut json = String::new();
        self.each(values, |name, value| {
            json.push(if json.is_empty() { '{' } else { ',' });
            json.push_str(&json_string(name));
            json.push(':');
            json.push_str(&json_string(&value));
        })?;
        json.push('}');
        Ok(json)
    }

    /// Calls `visit` with each value and the name of its column.
    fn each<'a>(
        &self,
        mut values: impl Iterator<Item = Cow<'a, str>>,
        mut visit: impl FnMut(&String, Cow<'a, str>),
    ) -> Result<(), BadRecord> {
        let names = self.names();
        let mut found = 0;
        for (name, value) in names.iter().zip(values.by_ref()) {
            visit(name, value);
            found += 1;
        }
        // `zip` takes a name before it takes a value, so no value is lost when the names run out.
        found += values.count();
        if found == names.len() {
            return Ok(());
        }
        let expected = names.len();
        let message = format!("expected {expected} fields as in the header, found {found}");
        Err(BadRecord::new(message, None))
    }
}

/// Returns a string as JSON.
fn json_string(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// The maximum number of names that are listed in a message.
const LISTED: usize = 8;
/// The maximum number of characters that are listed of each name.
const LISTED_CHARACTERS: usize = 40;

/// Returns a list of names for a message.
pub(super) fn list<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> String {
    let mut names = names.into_iter();
    let mut listed: Vec<String> = names
        .by_ref()
        .take(LISTED)
        .map(|name| {
            let name = name.as_ref();
            match name.char_indices().nth(LISTED_CHARACTERS) {
                Some((end, _)) => format!("{:?}…", &name[..end]),
                None => format!("{name:?}"),
            }
        })
        .collect();
    if listed.is_empty() {
        return "none".to_owned();
    }
    listed.extend(names.next().map(|_| "…".to_owned()));
    listed.join(", ")
}
