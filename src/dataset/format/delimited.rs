//! CSV and TSV: tables with a header, whose fields may be quoted.

use std::borrow::Cow;

use memchr::memchr;

use super::columns::CellReader;
use super::{Boundaries, Columns, Delimiter, Format, ListedDelimiters, Quoted, RecordText};
use crate::dataset::fields::{FieldValue, Fields, NamedValues};
use crate::error::BadRecord;
use crate::similar::most_similar;

/// A table whose fields are separated by one particular delimiter. Every value is a string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delimited {
    delimiter: u8,
}

/// The tables with each delimiter that is an ASCII character.
static DELIMITED: [Delimited; 128] = {
    let mut all = [Delimited { delimiter: 0 }; 128];
    let mut delimiter = 0;
    while delimiter < all.len() {
        all[delimiter].delimiter = delimiter as u8;
        delimiter += 1;
    }
    all
};

impl Format for Delimited {
    fn boundaries(&self) -> Boundaries {
        Boundaries::Quoted(Quoted {
            delimiter: self.delimiter,
        })
    }

    fn columns(&self, header: Option<&str>, wanted: Option<&Fields>) -> Result<Columns, BadRecord> {
        let mut names = Vec::new();
        if let Some(header) = header {
            let mut cells = self.cells(header);
            names.extend(std::iter::from_fn(|| cells.next().map(Cow::into_owned)));
        }
        let columns = Columns::new(names, wanted);
        if let (Some(header), Some(wanted)) = (header, wanted) {
            columns.check(wanted, |field| remedy(field, header, columns.names()))?;
        }
        Ok(columns)
    }

    #[inline]
    fn read<'a>(
        &self,
        columns: &Columns,
        record: RecordText<'a>,
        fields: &Fields,
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord> {
        match record.delimiters {
            Some(listed) => columns.read(&mut self.listed(record.text, listed), fields, values),
            None => columns.read(&mut self.cells(record.text), fields, values),
        }
    }

    fn all<'a>(
        &self,
        columns: &'a Columns,
        record: RecordText<'a>,
    ) -> Result<NamedValues<'a>, BadRecord> {
        match record.delimiters {
            Some(listed) => columns.all(&mut self.listed(record.text, listed)),
            None => columns.all(&mut self.cells(record.text)),
        }
    }

    fn field_names(&self, columns: &Columns, _: &str) -> Vec<String> {
        columns.names().to_vec()
    }

    fn is_ragged(&self, columns: &Columns, record: &str) -> bool {
        let mut cells = self.cells(record);
        let found = std::iter::from_fn(|| cells.skip().then_some(())).count();
        found != columns.names().len()
    }

    fn to_json<'a>(&self, columns: &Columns, record: &'a str) -> Result<Cow<'a, str>, BadRecord> {
        columns.to_json(&mut self.cells(record)).map(Cow::Owned)
    }
}

impl Delimited {
    /// The table with this delimiter.
    pub(super) fn by(delimiter: Delimiter) -> &'static Self {
        &DELIMITED[usize::from(delimiter.byte())]
    }

    /// The values of the first record of a text. `None` if the bytes do not contain the end of the record. If `is_all`
    /// is true, the text has no further bytes.
    pub(super) fn first_cells(&self, bytes: &[u8], is_all: bool) -> Option<Vec<String>> {
        match self.boundaries().first(bytes, is_all) {
            Some(first) => {
                let first = String::from_utf8_lossy(&bytes[first.start..first.end]);
                Some(self.values(&first).map(Cow::into_owned).collect())
            }
            None => is_all.then(Vec::new),
        }
    }

    /// A header that names the columns of a record by their numbers, from 1.
    pub(super) fn numbers(&self, record: &str) -> String {
        let numbers: Vec<_> = (1..=self.values(record).count())
            .map(|number| format!("\"{number}\""))
            .collect();
        numbers.join(&char::from(self.delimiter).to_string())
    }

    pub(super) fn values<'a>(&self, record: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
        let mut cells = self.cells(record);
        std::iter::from_fn(move || cells.next())
    }

    pub(super) fn listed<'a>(
        &self,
        record: &'a str,
        listed: ListedDelimiters<'a>,
    ) -> ListedCells<'a> {
        ListedCells {
            record,
            listed,
            next: 0,
            delimiter: self.delimiter,
        }
    }

    fn cells<'a>(&self, record: &'a str) -> CellIter<'a> {
        CellIter {
            rest: Some(record),
            delimiter: self.delimiter,
        }
    }
}

/// Returns the cells of a line of CSV, or `None` if a quote is not closed.
#[cfg(feature = "cli")]
pub(crate) fn comma_separated(line: &str) -> Option<Vec<String>> {
    let table = Delimited::by(Delimiter::COMMA);
    let layout = super::RecordLayout::of(table, super::FormatName::Csv);
    let cells = || table.values(line).map(Cow::into_owned).collect();
    (!layout.has_unclosed_quote(line.as_bytes())).then(cells)
}

/// Returns what to do about a field that a header lacks: to use a similar name, or, if the header has a single field, to
/// divide it at another character.
fn remedy(field: &str, header: &str, names: &[String]) -> Option<String> {
    let has_field = |delimiter: &Delimiter| {
        let mut cells = Delimited::by(*delimiter).values(header);
        cells.any(|cell| cell == field)
    };
    let is_used = |byte: &u8| !byte.is_ascii_alphanumeric() && header.as_bytes().contains(byte);
    let mut delimiters = (0..128).filter(is_used).filter_map(Delimiter::new);
    if names.len() == 1
        && let Some(delimiter) = delimiters.find(has_field)
    {
        return Some(format!(
            "the header has this field if it is divided at {0:?}: use --delimiter '{0}'",
            delimiter.to_string()
        ));
    }
    if let Some(similar) = most_similar(field, names) {
        return Some(format!("did you mean {similar:?}?"));
    }
    let remedy = "if another character separates its fields, name it with --delimiter";
    (names.len() == 1).then(|| remedy.to_owned())
}

/// The values of a record, borrowed from the record unless they contain quotes.
struct CellIter<'a> {
    /// The text after the last delimiter that was read. `None` after the last value.
    rest: Option<&'a str>,
    delimiter: u8,
}

impl<'a> CellReader<'a> for CellIter<'a> {
    #[inline]
    fn next(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.rest.take()?;
        match rest.strip_prefix('"') {
            Some(inside) => Some(self.quoted(inside)),
            None => Some(Cow::Borrowed(self.up_to_delimiter(rest))),
        }
    }

    #[inline]
    fn skip(&mut self) -> bool {
        let Some(rest) = self.rest.take() else {
            return false;
        };
        match rest.strip_prefix('"') {
            Some(inside) => self.skip_quoted(inside),
            None => _ = self.up_to_delimiter(rest),
        }
        true
    }
}

/// The values of a record whose delimiters are known.
pub(super) struct ListedCells<'a> {
    record: &'a str,
    listed: ListedDelimiters<'a>,
    /// The number of the next value, from 0.
    next: usize,
    delimiter: u8,
}

impl<'a> CellReader<'a> for ListedCells<'a> {
    #[inline]
    fn next(&mut self) -> Option<Cow<'a, str>> {
        let cell = self.listed.field(self.record, self.next)?;
        self.next += 1;
        if !cell.starts_with('"') {
            return Some(Cow::Borrowed(cell));
        }
        let delimiter = self.delimiter;
        let rest = Some(cell);
        CellIter { rest, delimiter }.next()
    }

    #[inline]
    fn skip(&mut self) -> bool {
        self.skip_up_to(1) == 1
    }

    #[inline]
    fn skip_up_to(&mut self, most: usize) -> usize {
        let skipped = most.min(self.listed.fields() - self.next);
        self.next += skipped;
        skipped
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

    /// Skips the value that begins after an opening quote.
    fn skip_quoted(&mut self, mut text: &'a str) {
        while let Some(quote) = memchr(b'"', text.as_bytes()) {
            let after = &text[quote + 1..];
            match after.strip_prefix('"') {
                Some(more) => text = more,
                None => {
                    self.up_to_delimiter(after);
                    return;
                }
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
