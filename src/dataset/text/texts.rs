//! All texts of a file at once, for what has to know them before the first record: a reference.

use std::ops::ControlFlow;
use std::path::Path;

use super::lines::RecordLimit;
use super::table::Table;
use super::{MAX_RECORD_BYTES, TextRecord, TextStream};
use crate::dataset::Fields;
use crate::error::{BadRecord, Error};

/// The texts of a file in memory, each with the line it stands in.
///
/// What the file holds is told by its name: `.jsonl`, `.ndjson` and `.json` are JSON lines and `.csv`
/// and `.tsv` are tables with a header, of both of which one field is read; in any other each line
/// is a text. Blank lines are no texts. The file may be a pipe, or `-` for standard input.
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
    ends: Vec<usize>,
    lines: Vec<u64>,
}

impl Texts {
    /// Reads a file. `field` is the one to read where records have several.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or any of it is not a text: nothing that is there may be
    /// missing from a reference.
    pub fn read(path: impl AsRef<Path>, field: &str) -> Result<Texts, Error> {
        Self::read_within(path, field, MAX_RECORD_BYTES)
    }

    /// The same with another limit to the length of a record, in bytes without the line ending.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read). A record that is longer is an error too.
    pub fn read_within(
        path: impl AsRef<Path>,
        field: &str,
        max_record: u64,
    ) -> Result<Texts, Error> {
        let path = path.as_ref();
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("jsonl" | "ndjson" | "json") => {
                let fields = Fields::new(field, [""; 0]);
                Texts::read_lines(path, max_record, |line, texts| {
                    texts.push_text(&fields.of(line)?.text);
                    Ok(())
                })
            }
            Some("csv") => Texts::read_table(path, field, b',', max_record),
            Some("tsv") => Texts::read_table(path, field, b'\t', max_record),
            _ => Texts::read_lines(path, max_record, |line, texts| {
                texts.push_text(line.as_str());
                Ok(())
            }),
        }
    }

    fn read_lines(
        path: &Path,
        max_record: u64,
        mut push: impl FnMut(&TextRecord<'_>, &mut Texts) -> Result<(), BadRecord>,
    ) -> Result<Texts, Error> {
        // Read once from the front, so a pipe will do.
        let stream = TextStream::open([path])?.max_record(max_record);
        let mut texts = Texts::default();
        loop {
            let mut bad = None;
            let taken = stream.take(usize::MAX, |at, line| {
                match line.and_then(|line| push(line, &mut texts)) {
                    Ok(()) => {
                        texts.lines.push(at.line);
                        ControlFlow::Continue(())
                    }
                    Err(reason) => {
                        bad = Some(Error::bad_record(&stream.place(at).path, at.line, reason));
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

    fn read_table(
        path: &Path,
        field: &str,
        delimiter: u8,
        max_record: u64,
    ) -> Result<Texts, Error> {
        let mut table = Table::open(path, delimiter, RecordLimit::new(max_record))?;
        let (line, header) = table
            .next()?
            .map_or_else(Default::default, |(line, header)| (line, header.clone()));
        let Some(place) = header.iter().position(|name| name == field) else {
            let names: Vec<_> = header.iter().map(|name| format!("{name:?}")).collect();
            let reason = format!(
                "expected a field {field:?}; the fields of the header: {}",
                names.join(", ")
            );
            return Err(table.refuse(line.max(1), reason));
        };
        let mut texts = Texts::default();
        while let Some((line, record)) = table.next()? {
            texts.push_text(record.get(place).unwrap_or_default());
            texts.lines.push(line);
        }
        Ok(texts)
    }

    fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The line of the file, from 1, in which a text stands or begins.
    ///
    /// # Panics
    ///
    /// Where there are no so many texts.
    pub fn line(&self, index: usize) -> u64 {
        self.lines[index]
    }

    /// The texts, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let places = starts.zip(&self.ends);
        places.map(|(start, end)| &self.text[*start..*end])
    }

    /// The lines alone, when the texts are no longer needed.
    pub fn into_lines(self) -> Vec<u64> {
        self.lines
    }
}
