//! Lines in memory: for runs that are to be measured without reading, and for data that is scored
//! more than once.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use super::record::TextRecord;
use crate::dataset::{Dataset, Position, ReadOutcome};
use crate::error::{BadRecord, Error, Place};

/// The lines of a dataset, in memory. A part is one record, and the records are those of the dataset
/// they were loaded from, with the places they have there.
///
/// ```
/// use manyhands::dataset::LoadedRecords;
/// use manyhands::prelude::*;
///
/// let reviews = LoadedRecords::of(&TextFiles::open(["data/reviews.jsonl"])?)?;
/// let length = |line: &TextRecord<'_>| line.as_str().len() as f64;
/// let report = Pipeline::new(&reviews, length).aggregate(Count::new())?;
/// assert_eq!(report.value, 2000);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct LoadedRecords {
    text: String,
    records: Vec<Stored>,
    /// The files that the records come from; of a file without records nobody asks.
    paths: Vec<Option<Arc<Path>>>,
}

/// One record.
#[derive(Clone, Debug)]
struct Stored {
    at: Position,
    /// Where it stands in the text, or why it could not be read.
    line: Result<Range<usize>, BadRecord>,
}

impl LoadedRecords {
    /// Reads every line of a dataset into memory, a stream to its end.
    ///
    /// # Errors
    ///
    /// Where the dataset cannot be read.
    pub fn of<D>(source: &D) -> Result<Self, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>> + ?Sized,
    {
        let mut loaded = LoadedRecords::default();
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

    fn push<D>(&mut self, source: &D, at: Position, line: Result<&TextRecord<'_>, BadRecord>)
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
        let at = Position {
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

impl Dataset for LoadedRecords {
    type Record<'a> = TextRecord<'a>;

    fn parts(&self) -> usize {
        self.records.len()
    }

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        for stored in &self.records[parts] {
            let at = stored.at;
            let line = stored.line.as_ref().map_err(BadRecord::clone);
            let line = line.map(|line| TextRecord::at_place(&self.text[line.clone()], at));
            if visit(at, line.as_ref().map_err(BadRecord::clone)).is_break() {
                break;
            }
        }
        Ok(ReadOutcome::default())
    }

    fn size(&self, parts: Range<usize>) -> u64 {
        let length = |stored: &Stored| stored.line.as_ref().map_or(0, Range::len) as u64;
        self.records[parts].iter().map(length).sum()
    }

    fn place(&self, at: Position) -> Option<Place> {
        Some(Place {
            path: Arc::clone(self.paths.get(at.file)?.as_ref()?),
            line: at.line,
            column: None,
        })
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::dataset::TextFiles;

    #[test]
    fn what_is_loaded_knows_its_length_and_its_places() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = [
            ("a", "{}\n\n[1]\n"),
            ("b", "\n"),
            ("c", "\u{ff}\n{\"x\":1}"),
        ]
        .map(|(name, text)| {
            let path = folder.path().join(name);
            let text: Vec<u8> = text.chars().map(|c| c as u8).collect();
            std::fs::write(&path, text).expect("a file");
            path
        });
        let files = TextFiles::open(&paths).expect("they can be opened");
        let loaded = LoadedRecords::of(&files).expect("they can be read");
        assert_eq!((loaded.len(), loaded.is_empty()), (4, false));
        assert_eq!(loaded.bytes(), 2 + 3 + 7);
        let extents: Vec<_> = (0..4).map(|part| loaded.size(part..part + 1)).collect();
        assert_eq!(
            extents,
            [2, 3, 0, 7],
            "a line that cannot be read has no text"
        );
        let mut found = Vec::new();
        let read = loaded.read(0..4, |at, line| {
            let place = loaded.place(at).expect("it is from a file");
            assert!(!at.fetched);
            found.push((at.index, place.path.to_path_buf(), place.line, line.is_ok()));
            ControlFlow::Continue(())
        });
        assert_eq!(read.expect("memory"), ReadOutcome::default());
        let expected = [
            (0, 0, 1, true),
            (1, 0, 3, true),
            (2, 2, 1, false),
            (3, 2, 2, true),
        ];
        let expected = expected.map(|(index, file, line, ok): (u64, usize, u64, bool)| {
            (index, paths[file].clone(), line, ok)
        });
        assert_eq!(found, expected);
        let nowhere = Position {
            file: 9,
            ..Position::default()
        };
        assert_eq!(loaded.place(nowhere), None);
        assert!(LoadedRecords::default().is_empty());
    }

    #[test]
    fn a_visit_that_breaks_off_sees_no_further_record() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        std::fs::write(&path, "1\n2\n3\n").expect("a file");
        let files = TextFiles::open([&path]).expect("it can be opened");
        let loaded = LoadedRecords::of(&files).expect("it can be read");
        let mut visited = 0;
        let read = loaded.read(0..3, |_, _| {
            visited += 1;
            ControlFlow::Break(())
        });
        assert!(read.is_ok());
        assert_eq!(visited, 1);
    }
}
