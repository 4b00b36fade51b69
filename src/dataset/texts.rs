//! All texts of a file in memory, for use as a reference, which must be complete before the first record is scored.

mod kept;

use std::ops::ControlFlow;
use std::path::Path;

use super::FieldValue;
use super::text::{MAX_RECORD_BYTES, OpenOptions, TextRecord};
use crate::error::{BadRecord, Error, column_in_line};
use kept::{KeptColumn, Selected};

/// The texts of a file in memory, each with the number of its line.
///
/// The format of the file is found as for [records](OpenOptions): in JSON and delimited text, the text is one field of
/// each record. In plain text, each line is a text. Blank lines are not texts.
/// The file may be a pipe, or `-` for standard input.
///
/// A record without a text is [left out](Texts::left_out). A record of a table is also left out if it has more or fewer
/// fields than the header.
///
/// ```
/// use manyhands::dataset::Texts;
///
/// let products = Texts::read("data/reviews.jsonl", "product")?;
/// assert_eq!((products.len(), products.line(1999)), (2000, 2000));
/// assert!(products.iter().all(|product| !product.is_empty()));
/// assert_eq!(products.left_out(), None);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Texts {
    text: String,
    /// The end of each text in the concatenation of all texts.
    ends: Vec<usize>,
    lines: Vec<u64>,
    kept: Vec<KeptColumn>,
    left_out: Option<RecordsLeftOut>,
}

/// The records of a file that [`Texts`] leaves out, because they have no text, or because they have more or fewer
/// fields than the header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordsLeftOut {
    /// Number of these records.
    pub records: u64,
    /// The line, from 1, in which the first of them begins.
    pub first_line: u64,
    /// What is wrong with the first of them.
    pub reason: BadRecord,
}

/// What happens to a record that gives no text.
enum NoText {
    /// The record is left out.
    LeftOut(BadRecord),
    /// The file is refused.
    Broken(BadRecord),
}

impl From<BadRecord> for NoText {
    fn from(bad: BadRecord) -> Self {
        NoText::Broken(bad)
    }
}

impl Texts {
    /// Reads a file. If its records have several fields, only the field `field` is read.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, if a record is not of the file's format, or if the value of a field
    /// is not a text.
    pub fn read(path: impl AsRef<Path>, field: &str) -> Result<Texts, Error> {
        Self::read_within(path, &[field], MAX_RECORD_BYTES)
    }

    /// Same as [`read`](Self::read), but joins the texts of several fields by line ends, and has another limit on the
    /// length of a record, in bytes without its line ending.
    ///
    /// # Errors
    ///
    /// Same as [`read`](Self::read). A record that is longer than the limit is an error too.
    pub fn read_within(
        path: impl AsRef<Path>,
        fields: &[impl AsRef<str>],
        max_record: u64,
    ) -> Result<Texts, Error> {
        Self::read_with(path, fields, &OpenOptions::new().max_record(max_record))
    }

    /// Same as [`read`](Self::read), with these options. The [fields](OpenOptions::fields) of the options have no
    /// effect.
    ///
    /// # Errors
    ///
    /// Same as [`read`](Self::read).
    pub fn read_with(
        path: impl AsRef<Path>,
        fields: &[impl AsRef<str>],
        options: &OpenOptions,
    ) -> Result<Texts, Error> {
        Self::read_keeping(path, fields, &[""; 0], options)
    }

    /// Same as [`read_with`](Self::read_with), and keeps the values of more fields of each record. The name `*` stands
    /// for all fields that a record of the file has, in the order in which they first appear.
    ///
    /// # Errors
    ///
    /// Same as [`read`](Self::read). In addition, returns an error if one of the fields to keep is not a field of any
    /// record.
    pub fn read_keeping(
        path: impl AsRef<Path>,
        fields: &[impl AsRef<str>],
        keep: &[impl AsRef<str>],
        options: &OpenOptions,
    ) -> Result<Texts, Error> {
        let mut selected = Selected::new(fields, keep);
        let options = options.clone().fields(selected.fields()).for_reference();
        let options = options.whole_records(selected.keeps_all());
        // The file is read once, from the front, so it may be a pipe.
        let stream = options.stream(&[&path])?;
        let mut texts = Texts::default();
        loop {
            let mut bad = None;
            let taken = stream.take(usize::MAX, |position, record| {
                let line = position.line;
                let pushed = match record {
                    Ok(record) => texts.push(record, line, &mut selected),
                    Err(bad) => Err(bad.into()),
                };
                match pushed {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(NoText::LeftOut(reason)) => {
                        texts.leave_out(line, reason);
                        ControlFlow::Continue(())
                    }
                    Err(NoText::Broken(reason)) => {
                        let path = stream.place(position).path;
                        let column = column_in_line(reason.column, position.column);
                        let reason = BadRecord { column, ..reason };
                        bad = Some(Error::bad_record(&path, line, reason));
                        ControlFlow::Break(())
                    }
                }
            })?;
            match (bad, taken) {
                (Some(bad), _) => return Err(bad),
                (None, None) => break,
                (None, Some(_)) => {}
            }
        }
        texts.kept = selected.into_columns(path.as_ref())?;
        Ok(texts)
    }

    /// Adds the text of a record, and the values to keep.
    fn push(
        &mut self,
        record: &TextRecord<'_>,
        line: u64,
        selected: &mut Selected,
    ) -> Result<(), NoText> {
        selected.look_for_fields(record);
        let fields = selected.fields();
        let values = fields.of(record).map_err(|bad| {
            if record.is_ragged() {
                NoText::LeftOut(bad)
            } else {
                NoText::Broken(bad)
            }
        })?;
        let text =
            values.text_or(|place| Err(NoText::LeftOut(values.no_value(place, "a text"))))?;
        self.text.push_str(&text);
        self.ends.push(self.text.len());
        self.lines.push(line);
        let kept = values.needed()..fields.len();
        selected.keep(kept.map(|place| values.get(place)));
        Ok(())
    }

    fn leave_out(&mut self, line: u64, reason: BadRecord) {
        let first = || RecordsLeftOut {
            records: 0,
            first_line: line,
            reason,
        };
        self.left_out.get_or_insert_with(first).records += 1;
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at this index.
    ///
    /// # Panics
    ///
    /// Panics if `index` is out of range.
    pub fn text(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }

    /// The line of the file, from 1, in which the record of a text begins.
    ///
    /// # Panics
    ///
    /// Panics if `index` is out of range.
    pub fn line(&self, index: usize) -> u64 {
        self.lines[index]
    }

    /// The texts, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let places = starts.zip(&self.ends);
        places.map(|(start, end)| &self.text[*start..*end])
    }

    /// The names of the fields that were kept, in the order in which they were asked for.
    pub fn kept_fields(&self) -> impl ExactSizeIterator<Item = &str> {
        self.kept.iter().map(KeptColumn::name)
    }

    /// The value of a kept field of the record whose text is at `index`. `field` counts the [kept
    /// fields](Self::kept_fields) from 0.
    ///
    /// # Panics
    ///
    /// Panics if `index` or `field` is out of range.
    pub fn kept(&self, index: usize, field: usize) -> FieldValue<'_> {
        self.kept[field].value(index)
    }

    /// The records that were left out. `None` if every record gave a text.
    pub fn left_out(&self) -> Option<&RecordsLeftOut> {
        self.left_out.as_ref()
    }
}
