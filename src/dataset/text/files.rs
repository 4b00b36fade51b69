//! Files of text, read in parts by all workers at the same time.

mod parts;
mod shard;

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::file::TextFile;
use super::input_file::InputFile;
use super::lent::LentRecord;
use super::limit::RecordLimit;
use super::numbering::{Changed, CountedParts, Numbering, Start};
use super::options::OpenOptions;
use super::os::files_to_keep_open;
use super::record::{TextRecord, visit_records};
use crate::dataset::format::ScanState;
use crate::dataset::{Dataset, Position, ReadOutcome};
use crate::error::{BadRecord, Error, Place};
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock};
use parts::{FileParts, WantedText, part_bytes_for, total_bytes};

/// Neighbouring parts are fetched together, up to this total number of bytes.
const FETCH_BYTES: u64 = 256 << 10;
/// While other workers read, a worker fetches about this many bytes before it scores the first of their records, so
/// that the workers with later parts quickly learn the numbers of their own records.
const AHEAD_BYTES: u64 = 2 << 20;

/// One or more files of text as one dataset.
///
/// The ending of a file's name chooses its format, see [`OpenOptions`]. In a file of lines, every line that is not
/// blank is a record. In a table, a record may have several lines. Parts are byte ranges of a file that depend on its
/// length alone; a record belongs to the part in which it begins. Lines end with `\n`, `\r\n` or a lone `\r`, but the
/// last line may have no ending. A UTF-8 byte-order mark is skipped. A line of JSON may contain several objects, each
/// of which is a record. A record that is longer than the [limit](TextFiles::max_record) fails.
///
/// ```
/// use manyhands::prelude::*;
///
/// let reviews = TextFiles::open(["data/reviews.jsonl"])?;
/// let stars = fallible(|record: &TextRecord<'_>| {
///     #[derive(serde::Deserialize)]
///     struct Review { rating: f64 }
///     record.parse::<Review>().map(|review| review.rating)
/// });
/// let report = Pipeline::new(&reviews, stars).aggregate(Mean::new())?;
/// assert!((1.0..=5.0).contains(&report.value));
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Debug)]
pub struct TextFiles {
    files: Vec<FileParts>,
    part_bytes: u64,
    limit: RecordLimit,
    /// The state at the first byte of the dataset.
    first_state: ScanState,
    numbering: Numbering,
    buffers: Mutex<Vec<Buffer>>,
    /// Number of workers that are reading.
    readers: AtomicUsize,
}

impl TextFiles {
    /// Opens the files as one dataset, in the order given. At most half of the files that the process may have open are
    /// kept open. Each read of another file opens the file again, so these files must not be replaced or become shorter
    /// during the run.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be opened, is not a regular file, or is plainly not UTF-8 text.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, Error> {
        let files = Self::open_with(&OpenOptions::new().with_bad_records(), paths)?;
        if let Some(path) = files.in_order() {
            let message = "is a JSON document, which can only be read from its beginning; open it \
                           with OpenOptions::open, or write its records as JSON lines";
            return Err(Error::input(path, message));
        }
        Ok(files)
    }

    /// A file that can only be read from its beginning, if there is one.
    pub(in crate::dataset) fn in_order(&self) -> Option<&Path> {
        let mut texts = self.files.iter().map(|file| &file.text);
        let found = texts.find(|text| text.layout.is_in_order());
        found.map(|text| &*text.path)
    }

    pub(in crate::dataset) fn open_with<P: AsRef<Path>>(
        options: &OpenOptions,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, Error> {
        let most_open = files_to_keep_open();
        let open = |(number, path): (usize, P)| {
            let mut text = TextFile::open(path.as_ref(), options)?;
            if number >= most_open {
                text.close()?;
            }
            Ok(text)
        };
        let texts = paths.into_iter().enumerate().map(open);
        let texts = texts.collect::<Result<Vec<_>, Error>>()?;
        let texts: Vec<_> = texts.into_iter().map(WantedText::whole).collect();
        let part_bytes = part_bytes_for(total_bytes(&texts));
        Ok(Self::cut(
            texts,
            part_bytes,
            options.limit(),
            ScanState::Between,
        ))
    }

    /// Sets the limit on the length of a record, in bytes without its line ending, in place of
    /// [`MAX_RECORD_BYTES`](super::MAX_RECORD_BYTES). A longer record fails, regardless of its content, and is
    /// skipped without being kept in memory.
    #[must_use]
    pub fn max_record(self, bytes: u64) -> Self {
        let (part_bytes, state) = (self.part_bytes, self.first_state);
        Self::cut(
            self.into_texts(),
            part_bytes,
            RecordLimit::new(bytes),
            state,
        )
    }

    /// Sets the length of a part in bytes. The answer of a run does not depend on this length.
    #[must_use]
    pub fn with_part_bytes(self, part_bytes: u64) -> Self {
        let (limit, state) = (self.limit, self.first_state);
        Self::cut(self.into_texts(), part_bytes.max(1), limit, state)
    }

    fn into_texts(self) -> Vec<WantedText> {
        let texts = self.files.into_iter();
        texts
            .map(|FileParts { text, range, .. }| WantedText { text, range })
            .collect()
    }

    fn cut(
        texts: Vec<WantedText>,
        part_bytes: u64,
        limit: RecordLimit,
        first_state: ScanState,
    ) -> Self {
        let mut files = Vec::with_capacity(texts.len());
        let mut parts = 0;
        for WantedText { text, range } in texts {
            let first = parts;
            let bytes = range.end - range.start;
            parts += usize::try_from(bytes.div_ceil(part_bytes)).unwrap_or(usize::MAX);
            files.push(FileParts {
                text,
                range,
                parts: first..parts,
            });
        }
        let first = files.iter().find(|file| !file.parts.is_empty());
        let first = Start {
            lines: first.map_or(0, FileParts::lines_before),
            state: first_state,
            ..Start::default()
        };
        TextFiles {
            files,
            part_bytes,
            limit,
            first_state,
            numbering: Numbering::new(parts, first),
            buffers: Mutex::default(),
            readers: AtomicUsize::new(0),
        }
    }

    /// The files and their formats.
    pub fn files(&self) -> Vec<InputFile> {
        let texts = self.files.iter().map(|file| &file.text);
        texts
            .map(|text| InputFile::new(&text.path, text.length, Some(&text.layout)))
            .collect()
    }

    fn place_of(&self, position: Position) -> Place {
        Place {
            path: self.files[position.file].text.path.clone(),
            line: position.line,
            column: None,
        }
    }

    /// The number of the file to which a part belongs.
    fn file_of(&self, part: usize) -> usize {
        self.files.partition_point(|file| file.parts.end <= part)
    }

    /// Divides a range of parts into runs. The parts of a run are in one file and are fetched together.
    fn runs(&self, parts: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
        let together = usize::try_from(FETCH_BYTES / self.part_bytes)
            .unwrap_or(1)
            .max(1);
        let mut next = parts.start;
        std::iter::from_fn(move || {
            if next >= parts.end {
                return None;
            }
            let file = self.file_of(next);
            let end = parts
                .end
                .min(self.files[file].parts.end)
                .min(next + together);
            let run = next..end;
            next = end;
            Some((file, run))
        })
    }

    fn fetch(&self, file: usize, run: &Range<usize>, buffer: &mut Buffer) -> Result<(), Error> {
        let source = &self.files[file];
        let bytes = source.bytes(run, self.part_bytes);
        source.text.fetch(&bytes, self.limit, buffer)
    }

    /// Fetches the first of the parts: at least one run of them, and about [`AHEAD_BYTES`] if other workers are
    /// reading too. Publishes how many records the fetched parts contain. Returns the buffers, and the index of the
    /// first part after the fetched ones.
    fn fetch_and_count(&self, parts: Range<usize>) -> Result<(Vec<Fetched>, usize), Error> {
        let others_read = self.readers.load(Relaxed) > 1;
        let most = if others_read { AHEAD_BYTES } else { 1 };
        let mut runs = Vec::new();
        let (mut end, mut bytes) = (parts.start, 0);
        for (file, run) in self.runs(parts.clone()) {
            if bytes >= most {
                break;
            }
            end = run.end;
            bytes += self.size(run.clone());
            runs.push((file, run));
        }
        let claim = self.numbering.claim(parts.start..end);
        let fetch = |(file, run): (usize, Range<usize>)| {
            let mut buffer = lock(&self.buffers).pop().unwrap_or_default();
            self.fetch(file, &run, &mut buffer)?;
            let count = self.count(file, run.end, &buffer);
            Ok(Fetched {
                file,
                run,
                buffer,
                count,
            })
        };
        let fetched: Vec<_> = runs.into_iter().map(fetch).collect::<Result<_, Error>>()?;
        let counts = fetched.iter().map(|fetched| fetched.count).collect();
        claim
            .counted(counts)
            .map_err(|changed| self.changed(changed))?;
        Ok((fetched, end))
    }

    fn count(&self, file: usize, end: usize, buffer: &Buffer) -> CountedParts {
        let FileParts { text, range, parts } = &self.files[file];
        let next_file = || {
            let next = self.files.get(self.file_of(end));
            next.map_or(0, FileParts::lines_before)
        };
        CountedParts {
            end,
            tallies: text.tallies(buffer),
            lines: buffer.line_count,
            next_file: (end == parts.end && range.end == text.length).then(next_file),
        }
    }

    /// Returns what comes before a part.
    fn start_of(&self, part: usize) -> Result<Start, Error> {
        let mut buffer = Buffer::default();
        let mut count = |(file, run): (usize, Range<usize>)| {
            self.fetch(file, &run, &mut buffer)?;
            Ok(self.count(file, run.end, &buffer))
        };
        let count = |parts| self.runs(parts).map(&mut count).collect();
        let changed = |changed| self.changed(changed);
        self.numbering.start_of(part, count, changed)
    }

    /// Finds the records of fetched parts, if that requires knowing what comes before the parts. Returns how long
    /// this took.
    fn cut_records(
        &self,
        file: usize,
        run: &Range<usize>,
        start: Start,
        buffer: &mut Buffer,
    ) -> Result<Duration, Error> {
        let source = &self.files[file];
        if source.text.is_cut_when_fetched() {
            return Ok(Duration::ZERO);
        }
        let began = Instant::now();
        let bytes = source.bytes(run, self.part_bytes);
        source.text.cut(&bytes, start, buffer)?;
        Ok(began.elapsed())
    }

    fn changed(&self, changed: Changed) -> Error {
        Error::changed(&self.files[self.file_of(changed.end - 1)].text.path)
    }

    fn give_back(&self, buffer: Buffer) {
        if buffer.is_worth_keeping() {
            lock(&self.buffers).push(buffer);
        }
    }
}

/// Parts of a file that have been fetched together.
struct Fetched {
    file: usize,
    run: Range<usize>,
    buffer: Buffer,
    count: CountedParts,
}

/// Counts a worker as reading until this value is dropped.
struct ReaderCount<'a>(&'a AtomicUsize);

impl<'a> ReaderCount<'a> {
    fn new(readers: &'a AtomicUsize) -> Self {
        readers.fetch_add(1, Relaxed);
        ReaderCount(readers)
    }
}

impl Drop for ReaderCount<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Dataset for TextFiles {
    type Record<'a> = TextRecord<'a>;

    fn parts(&self) -> usize {
        self.numbering.parts()
    }

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let mut outcome = ReadOutcome::default();
        let _reader = ReaderCount::new(&self.readers);
        let mut next = parts.start;
        let mut flow = ControlFlow::Continue(());
        while next < parts.end && flow.is_continue() {
            let began = Instant::now();
            let (fetched, end) = self.fetch_and_count(next..parts.end)?;
            let mut start = self.start_of(next)?;
            outcome.waited += began.elapsed();
            next = end;
            for Fetched {
                file,
                run,
                mut buffer,
                count,
            } in fetched
            {
                if flow.is_continue() {
                    outcome.waited += self.cut_records(file, &run, start, &mut buffer)?;
                    let layout = &self.files[file].text.layout;
                    flow = visit_records(&buffer, file, layout, start, &mut visit);
                }
                start = count.after(start);
                self.give_back(buffer);
            }
        }
        Ok(outcome)
    }

    fn size(&self, parts: Range<usize>) -> u64 {
        let bytes = |file: &FileParts| file.bytes(&parts, self.part_bytes);
        self.files
            .iter()
            .map(bytes)
            .map(|bytes| bytes.end - bytes.start)
            .sum()
    }

    fn lend<'r>(&self, record: &'r TextRecord<'_>) -> Option<LentRecord<'r>> {
        Some(LentRecord::Text(*record))
    }

    fn place(&self, position: Position) -> Option<Place> {
        Some(self.place_of(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_a_fraction_of_the_data_within_bounds() {
        assert_eq!(part_bytes_for(0), 32);
        assert_eq!(part_bytes_for(33 << 16), 33);
        assert_eq!(part_bytes_for(1 << 36), 1 << 20);
        assert_eq!(part_bytes_for(1 << 40), 1 << 20);
        // Larger data has longer parts, not more parts.
        assert_eq!(part_bytes_for(1 << 42), 1 << 20);
        assert_eq!(part_bytes_for(1 << 43), 1 << 21);
        assert!(u64::MAX / part_bytes_for(u64::MAX) <= 1 << 22);
    }

    fn three_files() -> (tempfile::TempDir, TextFiles) {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = [("a", 25), ("b", 0), ("c", 10)].map(|(name, length)| {
            let path = folder.path().join(name);
            std::fs::write(&path, "x".repeat(length)).expect("a file");
            path
        });
        let files = TextFiles::open(paths).expect("they can be opened");
        (folder, files.with_part_bytes(10))
    }

    #[test]
    fn no_part_spans_two_files() {
        let (_folder, files) = three_files();
        assert_eq!(files.parts(), 4);
        let extents: Vec<u64> = (0..4).map(|part| files.size(part..part + 1)).collect();
        assert_eq!(extents, [10, 10, 5, 10]);
        assert_eq!(files.size(1..4), 25);
        assert_eq!([0, 1, 2, 3].map(|part| files.file_of(part)), [0, 0, 0, 2]);
        let runs: Vec<_> = files.runs(1..4).collect();
        assert_eq!(runs, [(0, 1..3), (2, 3..4)]);
        assert_eq!(files.runs(1..1).count(), 0);
    }

    #[test]
    fn neighbouring_parts_are_fetched_together_up_to_a_length() {
        let (_folder, files) = three_files();
        let files = files.with_part_bytes(FETCH_BYTES / 2);
        assert_eq!(files.runs(0..2).collect::<Vec<_>>(), [(0, 0..1), (2, 1..2)]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("long");
        std::fs::write(&path, vec![b'x'; 1 << 20]).expect("a file");
        let runs = |part_bytes| {
            let files = TextFiles::open([&path]).expect("it can be opened");
            let files = files.with_part_bytes(part_bytes);
            let runs = files.runs(0..files.parts()).map(|(_, run)| run.len());
            runs.collect::<Vec<_>>()
        };
        assert_eq!(runs(FETCH_BYTES / 2), [2; 4]);
        assert_eq!(runs(FETCH_BYTES), [1; 4]);
        assert_eq!(runs(FETCH_BYTES * 2), [1; 2]);
    }

    /// A worker that reads alone fetches only the parts that it scores next, so its memory does not grow with the
    /// number of parts that it received.
    #[test]
    fn a_worker_fetches_one_run_alone_and_some_runs_ahead_beside_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("long");
        let line = format!("{}\n", "x".repeat(1023));
        std::fs::write(&path, line.repeat(3 << 10)).expect("a file");
        let files = TextFiles::open([&path]).expect("it can be opened");
        let files = files.with_part_bytes(FETCH_BYTES / 4);
        let fetch = |parts: Range<usize>| {
            let (fetched, end) = files.fetch_and_count(parts).expect("it can be read");
            let runs: Vec<_> = fetched
                .iter()
                .map(|fetched| (fetched.run.start, fetched.run.end))
                .collect();
            (runs, end)
        };
        assert_eq!(files.parts(), 48);
        let _own = ReaderCount::new(&files.readers);
        assert_eq!(fetch(0..48), (vec![(0, 4)], 4));
        assert_eq!(fetch(4..6), (vec![(4, 6)], 6));
        let _other = ReaderCount::new(&files.readers);
        let ahead: Vec<_> = (6..38).step_by(4).map(|part| (part, part + 4)).collect();
        assert_eq!(fetch(6..48), (ahead, 38));
        drop(_other);
        assert_eq!(fetch(38..48), (vec![(38, 42)], 42));
    }
}
