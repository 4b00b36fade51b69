//! Plain text: each line is a record whose only field is the text of the line.

use std::borrow::Cow;
use std::iter;

use super::{Columns, Format};
use crate::dataset::fields::{FieldValues, Fields};
use crate::error::BadRecord;

/// One text per line.
#[derive(Debug)]
pub(in crate::dataset) struct PlainText;

/// The format of files that end in `.txt`, and of reference files whose name chooses no format.
pub(in crate::dataset) static PLAIN_TEXT: PlainText = PlainText;

/// The name of the only field, unless another name is requested.
const FIELD: &str = "text";

impl Format for PlainText {
    fn endings(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn columns(&self, _: Option<&str>, wanted: Option<&Fields>) -> Result<Columns, BadRecord> {
        let field = wanted.map_or(FIELD, |wanted| &wanted.text);
        let other = wanted.and_then(|wanted| wanted.others.iter().find(|other| *other != field));
        if let Some(other) = other {
            let message =
                format!("is plain text, where each line is one text, and has no field {other:?}");
            return Err(BadRecord::new(message, None));
        }
        Ok(Columns::new(vec![field.to_owned()]))
    }

    fn read<'a>(
        &self,
        columns: &Columns,
        record: &'a str,
        fields: &Fields,
    ) -> Result<FieldValues<'a>, BadRecord> {
        columns.read(iter::once(Cow::Borrowed(record)), fields)
    }

    fn to_json<'a>(&self, columns: &Columns, record: &'a str) -> Result<Cow<'a, str>, BadRecord> {
        let json = columns.to_json(iter::once(Cow::Borrowed(record)))?;
        Ok(Cow::Owned(json))
    }
}
