//! Lines in memory: for runs that are to be measured without reading, and for data that is scored
//! more than once.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use super::json_line::JsonLine;
use super::{At, Dataset, Reading};
use crate::error::{BadRecord, Error, Place};

/// The lines of a dataset, in memory. A part is one record, and the records are those of the dataset
/// they were loaded from, with the places they have there.
///
/// ```
/// use manyhands::dataset::LoadedLines;
/// use manyhands::prelude::*;
///
/// let reviews = LoadedLines::of(&JsonLines::open(["data/reviews.jsonl"])?)?;
/// let length = |line: &JsonLine<'_>| line.as_str().len() as f64;
/// let report = Pipeline::new(&reviews, length).aggregate(Count::new())?;
/// assert_eq!(report.value, 2000);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct LoadedLines {
    text: String,
    records: Vec<Stored>,
    /// The files that the records come from; of a file without records nobody asks.
    paths: Vec<Option<Arc<Path>>>,
}

/// One record.
#[derive(Clone, Debug)]
struct Stored {
    at: At,
    /// Where it stands in the text, or why it could not be read.
    line: Result<Range<usize>, BadRecord>,
}

impl LoadedLines {
    /// Reads every line of a dataset into memory, a stream to its end.
    ///
    /// # Errors
    ///
    /// Where the dataset cannot be read.
    pub fn of<D>(source: &D) -> Result<Self, Error>
    where
        D: for<'a> Dataset<Record<'a> = JsonLine<'a>> + ?Sized,
    {
        let mut loaded = LoadedLines::default();
        loop {
            let reading = source.read(0..source.parts(), |at, line| {
                loaded.push(source, at, line);
                ControlFlow::Continue(())
            })?;
            if reading.ended || !source.is_stream() {
                return Ok(loaded);
            }
        }
    }

    fn push<D>(&mut self, source: &D, at: At, line: Result<&JsonLine<'_>, BadRecord>)
    where
        D: Dataset + ?Sized,
    {
        if self.paths.len() <= at.file {
            self.paths.resize(at.file, None);
            self.paths.push(source.place(at).map(|place| place.path));
        }
        let line = line.map(|line| {
            let start = self.text.len();
            self.text.push_str(line.as_str());
            start..self.text.len()
        });
        let at = At {
            fetched: false,
            ..at
        };
        self.records.push(Stored { at, line });
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many bytes the lines have, their endings left out.
    pub fn bytes(&self) -> u64 {
        self.text.len() as u64
    }
}

impl Dataset for LoadedLines {
    type Record<'a> = JsonLine<'a>;

    fn parts(&self) -> usize {
        self.records.len()
    }

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<Reading, Error>
    where
        V: FnMut(At, Result<&JsonLine<'_>, BadRecord>) -> ControlFlow<()>,
    {
        for stored in &self.records[parts] {
            let at = stored.at;
            let line = stored.line.as_ref().map_err(BadRecord::clone);
            let line = line.map(|line| JsonLine::at_place(&self.text[line.clone()], at));
            if visit(at, line.as_ref().map_err(BadRecord::clone)).is_break() {
                break;
            }
        }
        Ok(Reading::default())
    }

    fn extent(&self, parts: Range<usize>) -> u64 {
        let length = |stored: &Stored| stored.line.as_ref().map_or(0, Range::len) as u64;
        self.records[parts].iter().map(length).sum()
    }

    fn place(&self, at: At) -> Option<Place> {
        Some(Place {
            path: Arc::clone(self.paths.get(at.file)?.as_ref()?),
            line: at.line,
            column: None,
        })
    }
}
