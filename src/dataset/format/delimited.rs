//! CSV and TSV: tables with a header, whose fields may be quoted.

use std::borrow::Cow;

use memchr::memchr;

use super::{Boundaries, Columns, Format, Quoted};
use crate::dataset::fields::{FieldValues, Fields};
use crate::error::BadRecord;

/// A table with a header. Every value is a string.
#[derive(Debug)]
pub(super) struct Delimited {
    endings: &'static [&'static str],
    delimiter: u8,
}

pub(super) static CSV: Delimited = Delimited {
    endings: &["csv"],
    delimiter: b',',
};

pub(super) static TSV: Delimited = Delimited {
    endings: &["tsv"],
    delimiter: b'\t',
};

impl Format for Delimited {
    fn endings(&self) -> &'static [&'static str] {
        self.endings
    }

    fn boundaries(&self) -> Boundaries {
        Boundaries::Quoted(Quoted {
            delimiter: self.delimiter,
        })
    }

    fn has_header(&self) -> bool {
        true
    }

    fn columns(&self, header: Option<&str>, wanted: Option<&Fields>) -> Result<Columns, BadRecord> {
        let names = header.map(|header| self.values(header).map(Cow::into_owned).collect());
        let columns = Columns::new(names.unwrap_or_default());
        if let (Some(_), Some(wanted)) = (header, wanted) {
            columns.check(wanted)?;
        }
        Ok(columns)
    }

    fn read<'a>(
        &self,
        columns: &Columns,
        record: &'a str,
        fields: &Fields,
    ) -> Result<FieldValues<'a>, BadRecord> {
        columns.read(self.values(record), fields)
    }

    fn to_json<'a>(&self, columns: &Columns, record: &'a str) -> Result<Cow<'a, str>, BadRecord> {
        columns.to_json(self.values(record)).map(Cow::Owned)
    }
}

impl Delimited {
    pub(super) fn values<'a>(
        &self,
        record: &'a str,
    ) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        CellIter {
            rest: Some(record),
            delimiter: self.delimiter,
        }
    }
}

/// The values of a record, borrowed from the record unless they contain quotes.
struct CellIter<'a> {
    /// The text after the last delimiter that was read. `None` after the last value.
    rest: Option<&'a str>,
    delimiter: u8,
}

impl<'a> Iterator for CellIter<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.rest.take()?;
        match rest.strip_prefix('"') {
            Some(inside) => Some(self.quoted(inside)),
            None => Some(Cow::Borrowed(self.up_to_delimiter(rest))),
        }
    }
}

impl<'a> CellIter<'a> {
    /// Returns the text before the next delimiter, and continues after that delimiter.
    fn up_to_delimiter(&mut self, text: &'a str) -> &'a str {
        match memchr(self.delimiter, text.as_bytes()) {
            None => text,
            Some(end) => {
                self.rest = Some(&text[end + 1..]);
                &text[..end]
            }
        }
    }

    /// Returns the value that begins after an opening quote.
    fn quoted(&mut self, mut text: &'a str) -> Cow<'a, str> {
        let mut value = Cow::Borrowed("");
        loop {
            let Some(quote) = memchr(b'"', text.as_bytes()) else {
                // The file ends before the quote is closed.
                append(&mut value, text);
                return value;
            };
            let (inside, after) = (&text[..quote], &text[quote + 1..]);
            append(&mut value, inside);
            match after.strip_prefix('"') {
                Some(more) => {
                    append(&mut value, "\"");
                    text = more;
                }
                None => {
                    append(&mut value, self.up_to_delimiter(after));
                    return value;
                }
            }
        }
    }
}

/// Appends a part of a value. Nothing is copied if the value or the part is empty.
fn append<'a>(value: &mut Cow<'a, str>, part: &'a str) {
    if part.is_empty() {
        return;
    }
    if value.is_empty() {
        *value = Cow::Borrowed(part);
    } else {
        value.to_mut().push_str(part);
    }
}
