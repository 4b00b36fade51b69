//! Plain text: each line is a record whose only field is the text of the line.

use std::borrow::Cow;

use super::columns::CellReader;
use super::{Columns, Format, RecordText};
use crate::dataset::fields::{FieldValue, Fields, NamedValues};
use crate::error::BadRecord;

/// One text per line.
#[derive(Debug)]
pub(in crate::dataset) struct PlainText;

/// The format of files whose names end in `.txt`, and of files that show no other format.
pub(in crate::dataset) static PLAIN_TEXT: PlainText = PlainText;

/// The name of the only field of records, and of a reference unless another name is requested.
const FIELD: &str = "text";

/// Checks that the only field that is read as text is that of plain text. A mistyped name would otherwise score the lines
/// of a table that is not recognised, because its first record does not have the name.
///
/// # Errors
///
/// Returns an error that names a field that plain text does not have.
pub(in crate::dataset) fn check_text_field(fields: &Fields) -> Result<(), BadRecord> {
    check_only(fields, FIELD)
}

/// Checks that every field that must be there has this name.
fn check_only(fields: &Fields, only: &str) -> Result<(), BadRecord> {
    let required = fields.selectors().iter().take(fields.required());
    match required.map(|one| &one.name).find(|name| *name != only) {
        None => Ok(()),
        Some(other) => Err(no_field(other)),
    }
}

fn no_field(name: &str) -> BadRecord {
    let message = format!(
        "is plain text, where each line is one text in the field {FIELD:?}, and has no field {name:?}; if it \
         is a table, say so with --format csv"
    );
    BadRecord::new(message, None)
}

impl Format for PlainText {
    fn columns(&self, _: Option<&str>, wanted: Option<&Fields>) -> Result<Columns, BadRecord> {
        // The line is the value of the first selected field, no matter what the name of this field is.
        let field = wanted
            .filter(|wanted| wanted.len() > 0)
            .map_or(FIELD, |wanted| wanted.name(0));
        if let Some(wanted) = wanted {
            check_only(wanted, field)?;
        }
        Ok(Columns::new(vec![field.to_owned()], wanted))
    }

    fn read<'a>(
        &self,
        columns: &Columns,
        record: RecordText<'a>,
        fields: &Fields,
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord> {
        columns.read(&mut OneCell(Some(record.text)), fields, values)
    }

    fn all<'a>(
        &self,
        columns: &'a Columns,
        record: RecordText<'a>,
    ) -> Result<NamedValues<'a>, BadRecord> {
        columns.all(&mut OneCell(Some(record.text)))
    }

    fn field_names(&self, columns: &Columns, _: &str) -> Vec<String> {
        columns.names().to_vec()
    }

    fn to_json<'a>(&self, columns: &Columns, record: &'a str) -> Result<Cow<'a, str>, BadRecord> {
        let json = columns.to_json(&mut OneCell(Some(record)))?;
        Ok(Cow::Owned(json))
    }
}

/// The only value of a record.
struct OneCell<'a>(Option<&'a str>);

impl<'a> CellReader<'a> for OneCell<'a> {
    fn skip(&mut self) -> bool {
        self.0.take().is_some()
    }

    fn next(&mut self) -> Option<Cow<'a, str>> {
        self.0.take().map(Cow::Borrowed)
    }
}
