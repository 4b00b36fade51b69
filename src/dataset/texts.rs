//! All texts of a file in memory, for use as a reference, which must be complete before the first record is scored.

use std::ops::ControlFlow;
use std::path::Path;

use super::text::{MAX_RECORD_BYTES, OpenOptions};
use super::{FieldValue, Fields};
use crate::error::Error;

/// The texts of a file in memory, each with the number of its line.
///
/// The format of the file is found as for [records](OpenOptions): in JSON and delimited text, the text is one field of
/// each record. In plain text, each line is a text. Blank lines are not texts.
/// The file may be a pipe, or `-` for standard input.
///
/// ```
/// use manyhands::dataset::Texts;
///
/// let products = Texts::read("data/reviews.jsonl", "product")?;
/// assert_eq!((products.len(), products.line(1999)), (2000, 2000));
/// assert!(products.iter().all(|product| !product.is_empty()));
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Texts {
    text: String,
    /// The end of each text in the concatenation of all texts.
    ends: Vec<usize>,
    lines: Vec<u64>,
}

impl Texts {
    /// Reads a file. If its records have several fields, only the field `field` is read.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or if a record does not have this text, because a reference must
    /// be complete.
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

    /// Same as [`read`](Self::read), with other options, whose [fields](OpenOptions::fields) have no effect.
    ///
    /// # Errors
    ///
    /// Same as [`read`](Self::read).
    pub fn read_with(
        path: impl AsRef<Path>,
        fields: &[impl AsRef<str>],
        options: &OpenOptions,
    ) -> Result<Texts, Error> {
        let fields = Fields::new(fields.iter().map(AsRef::as_ref), [""; 0]);
        let options = options.clone().fields(fields.clone()).for_reference();
        // The file is read once, from the front, so it may be a pipe.
        let stream = options.stream(&[path])?;
        let mut texts = Texts::default();
        loop {
            let mut bad = None;
            let taken = stream.take(usize::MAX, |position, record| {
                let pushed = record.and_then(|record| {
                    let values = fields.of(record)?;
                    // An empty cell of a table is an empty text.
                    let text = values.text_or(|place| match values.get(place) {
                        FieldValue::Text(_) => Ok(()),
                        _ => Err(values.no_value(place, "a text")),
                    })?;
                    texts.push(&text, position.line);
                    Ok(())
                });
                match pushed {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(reason) => {
                        let path = stream.place(position).path;
                        bad = Some(Error::bad_record(&path, position.line, reason));
                        ControlFlow::Break(())
                    }
                }
            })?;
            match (bad, taken) {
                (Some(bad), _) => return Err(bad),
                (None, None) => return Ok(texts),
                (None, Some(_)) => {}
            }
        }
    }

    fn push(&mut self, text: &str, line: u64) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.lines.push(line);
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The line of the file, from 1, in which a text begins.
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

    /// Only the line numbers of the texts, for use when the texts are no longer needed.
    pub fn into_lines(self) -> Vec<u64> {
        self.lines
    }
}
