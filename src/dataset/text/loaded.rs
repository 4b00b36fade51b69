//! Records of text in memory: for runs that are measured without reading, and for data that is scored more than once.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use super::input_file::InputFile;
use super::lent::LentRecord;
use super::record::TextRecord;
use crate::dataset::format::{JSON_LINES_LAYOUT, RecordLayout};
use crate::dataset::{Dataset, Position, ReadOutcome};
use crate::error::{BadRecord, Error, Place};

/// The records of another dataset of text, in memory. Each part is one record. A record keeps the place (file and line)
/// that it has in the dataset from which it was loaded. It also keeps its index, unless the records are a
/// [sample](LoadedRecords::sample).
///
/// ```
/// use manyhands::dataset::LoadedRecords;
/// use manyhands::prelude::*;
///
/// let reviews = LoadedRecords::of(&TextFiles::open(["data/reviews.jsonl"])?)?;
/// let length = |record: &TextRecord<'_>| record.as_str().len() as f64;
/// let report = Pipeline::new(&reviews, length).aggregate(Count::new())?;
/// assert_eq!(report.value, 2000);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct LoadedRecords {
    text: String,
    records: Vec<StoredRecord>,
    /// The files from which the records come. A file without records has no entry or an empty one.
    files: SourceFiles,
    /// The index of each record in the input, if the records are a sample of the input.
    indices: Option<Vec<u64>>,
    /// The inputs with their formats, delimiters and lengths.
    inputs: Vec<InputFile>,
}

/// One record in memory.
#[derive(Clone, Debug)]
struct StoredRecord {
    position: Position,
    /// The range of the record in the text, or the reason why the record could not be read.
    text: Result<Range<usize>, BadRecord>,
}

/// A file from which records come.
#[derive(Clone, Debug, Default)]
struct SourceFile {
    path: Option<Arc<Path>>,
    /// How the records of the file are read. This is `None` until a record could be read.
    layout: Option<RecordLayout>,
}

/// The files from which records come.
#[derive(Clone, Debug, Default)]
pub(super) struct SourceFiles(Vec<SourceFile>);

impl SourceFiles {
    /// Copies from a record what is known about its file.
    pub(super) fn learn<D: Dataset + ?Sized>(
        &mut self,
        dataset: &D,
        position: Position,
        record: Option<&TextRecord<'_>>,
    ) {
        if self.0.len() <= position.file {
            self.0.resize(position.file + 1, SourceFile::default());
        }
        let file = &mut self.0[position.file];
        if file.path.is_none() {
            file.path = dataset.place(position).map(|place| place.path);
        }
        if let (None, Some(record)) = (&file.layout, record) {
            file.layout = Some(record.layout().clone());
        }
    }

    fn get(&self, file: usize) -> Option<&SourceFile> {
        self.0.get(file)
    }
}

impl LoadedRecords {
    /// Reads every record of a dataset into memory. A stream is read to its end.
    ///
    /// # Errors
    ///
    /// Returns an error if the dataset cannot be read.
    pub fn of<D>(dataset: &D) -> Result<Self, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>> + ?Sized,
    {
        let mut loaded = LoadedRecords::default();
        loop {
            let outcome = dataset.read(0..dataset.parts(), |position, record| {
                loaded.push(dataset, position, record);
                ControlFlow::Continue(())
            })?;
            if outcome.ended || !dataset.is_stream() {
                return Ok(loaded);
            }
        }
    }

    fn push<D>(
        &mut self,
        dataset: &D,
        position: Position,
        record: Result<&TextRecord<'_>, BadRecord>,
    ) where
        D: Dataset + ?Sized,
    {
        self.files
            .learn(dataset, position, record.as_ref().ok().copied());
        self.store(position, record.map(TextRecord::as_str));
    }

    fn store(&mut self, position: Position, text: Result<&str, BadRecord>) {
        let text = text.map(|text| {
            let start = self.text.len();
            self.text.push_str(text);
            start..self.text.len()
        });
        let position = Position {
            fetched: false,
            ..position
        };
        self.records.push(StoredRecord { position, text });
    }

    /// Stores records that were drawn from a dataset, in the order of their indices. The index of a record here is its
    /// place among them.
    pub(super) fn of_drawn(
        files: SourceFiles,
        records: impl IntoIterator<Item = (Position, Result<Box<str>, BadRecord>)>,
    ) -> Self {
        let mut loaded = LoadedRecords {
            files,
            ..LoadedRecords::default()
        };
        let mut indices = Vec::new();
        for (position, text) in records {
            let index = indices.len() as u64;
            indices.push(position.index);
            let text = text.as_deref().map_err(BadRecord::clone);
            loaded.store(Position { index, ..position }, text);
        }
        loaded.indices = Some(indices);
        loaded
    }

    /// Adds the inputs with their formats, delimiters and lengths.
    #[must_use]
    pub(in crate::dataset) fn with_inputs(mut self, inputs: Vec<InputFile>) -> Self {
        self.inputs = inputs;
        self
    }

    /// The inputs with their formats, delimiters and lengths, if they were [loaded](crate::dataset::TextSource::load)
    /// from paths.
    pub fn files(&self) -> Vec<InputFile> {
        self.inputs.clone()
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Number of bytes of the records, not counting their line endings.
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
        for StoredRecord { position, text } in &self.records[parts] {
            let layout = self.files.get(position.file);
            let layout = layout.and_then(|file| file.layout.as_ref());
            let layout = layout.unwrap_or(&JSON_LINES_LAYOUT);
            let text = text.as_ref().map_err(BadRecord::clone);
            let record =
                text.map(|text| TextRecord::new(&self.text[text.clone()], *position, layout));
            let record = record.as_ref().map_err(BadRecord::clone);
            if visit(*position, record).is_break() {
                break;
            }
        }
        Ok(ReadOutcome::default())
    }

    fn size(&self, parts: Range<usize>) -> u64 {
        let length = |stored: &StoredRecord| stored.text.as_ref().map_or(0, Range::len) as u64;
        self.records[parts].iter().map(length).sum()
    }

    fn lend<'r>(&self, record: &'r TextRecord<'_>) -> Option<LentRecord<'r>> {
        Some(LentRecord::Text(*record))
    }

    fn place(&self, position: Position) -> Option<Place> {
        Some(Place {
            path: Arc::clone(self.files.get(position.file)?.path.as_ref()?),
            line: position.line,
            column: None,
        })
    }

    fn index_in_input(&self, index: u64) -> u64 {
        let Some(indices) = &self.indices else {
            return index;
        };
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        indices.get(place).copied().unwrap_or(index)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::dataset::TextFiles;

    #[test]
    fn loaded_records_have_their_lengths_and_places() {
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
            "a record that cannot be read has no text"
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
    fn a_visit_that_breaks_off_gets_no_further_record() {
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
