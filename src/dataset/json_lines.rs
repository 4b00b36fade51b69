//! JSON lines: files with one JSON object a line, read in parts by every worker at once.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::json_line::{JsonLine, Start, visit_lines};
use super::lines::{Buffer, RecordLimit};
use super::text_file::TextFile;
use super::{At, Dataset, Reading};
use crate::error::{BadRecord, Error, Place};
use crate::sync::{Mutex, lock};

/// A part is this fraction of the data, so that there is something to share out at the end of the
/// run even among many workers …
const PARTS_AIM: u64 = 1 << 16;
/// … within these bounds, in bytes: not so short that there are many more parts than records, not so
/// long that one fills memory, …
const PART_BYTES: (u64, u64) = (32, 1 << 20);
/// … unless there would be more parts than this: what comes before each of them is kept in memory.
const PARTS_MOST: u64 = 1 << 22;
/// Neighbouring parts are fetched together up to this many bytes.
const FETCH_BYTES: u64 = 256 << 10;
/// How long a worker looks whether its neighbour has counted the records before its own, before it
/// counts them itself. A neighbour needs some tens of microseconds.
const PATIENCE: Duration = Duration::from_millis(1);

/// One or more files of JSON lines as one dataset.
///
/// Every line that is not blank is a record. Parts are byte ranges of a file, cut from its length
/// alone; a record belongs to the part in which its first byte stands. Lines end with `\n` or
/// `\r\n`, the last one may go without; a UTF-8 byte-order mark is skipped. A line that is longer than
/// the [limit](JsonLines::max_record) is a failed record, even if it is blank, and is read past.
///
/// ```
/// use manyhands::prelude::*;
///
/// let reviews = JsonLines::open(["data/reviews.jsonl"])?;
/// let stars = fallible(|line: &JsonLine<'_>| {
///     #[derive(serde::Deserialize)]
///     struct Review { rating: f64 }
///     line.parse::<Review>().map(|review| review.rating)
/// });
/// let report = Pipeline::new(&reviews, stars).aggregate(Mean::new())?;
/// assert!((1.0..=5.0).contains(&report.value));
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Debug)]
pub struct JsonLines {
    files: Vec<Source>,
    part_bytes: u64,
    limit: RecordLimit,
    /// What comes before each part, as far as it is known; one entry more than there are parts.
    starts: Vec<OnceLock<Start>>,
    buffers: Mutex<Vec<Buffer>>,
    /// Held by whoever counts what others have not told.
    counting: Mutex<()>,
}

/// One file and the parts it is cut into.
#[derive(Debug)]
struct Source {
    text: TextFile,
    parts: Range<usize>,
}

impl Source {
    /// The bytes of the file that belong to the parts; of parts of other files, none.
    fn bytes(&self, parts: &Range<usize>, part_bytes: u64) -> Range<u64> {
        let offset = |part: usize| {
            let part = part.clamp(self.parts.start, self.parts.end) - self.parts.start;
            (part as u64 * part_bytes).min(self.text.length)
        };
        offset(parts.start)..offset(parts.end)
    }
}

/// The bytes of a part where the data has this many in all.
fn part_bytes_for(total: u64) -> u64 {
    let most = PART_BYTES.1.max(total / PARTS_MOST);
    (total / PARTS_AIM).clamp(PART_BYTES.0, most)
}

impl JsonLines {
    /// Opens the files, which together are one dataset, in the order given.
    ///
    /// # Errors
    ///
    /// Where one cannot be opened, is no regular file, or is plainly not UTF-8 text.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, Error> {
        let texts = paths
            .into_iter()
            .map(|path| TextFile::open(path.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let lengths = texts.iter().map(|text| text.length);
        let part_bytes = part_bytes_for(lengths.fold(0, u64::saturating_add));
        Ok(Self::cut(texts, part_bytes, RecordLimit::default()))
    }

    /// Another limit to the length of a record, in bytes without the line ending, in place of
    /// [`MAX_RECORD_BYTES`](super::MAX_RECORD_BYTES). A longer line is a failed record, whatever it
    /// holds, and is read past without being kept in memory.
    #[must_use]
    pub fn max_record(self, bytes: u64) -> Self {
        let part_bytes = self.part_bytes;
        Self::cut(self.into_texts(), part_bytes, RecordLimit::new(bytes))
    }

    /// The same files cut into parts of another length. The answer does not depend on it; tests
    /// show that.
    #[must_use]
    pub fn with_part_bytes(self, part_bytes: u64) -> Self {
        let limit = self.limit;
        Self::cut(self.into_texts(), part_bytes.max(1), limit)
    }

    fn into_texts(self) -> Vec<TextFile> {
        self.files.into_iter().map(|file| file.text).collect()
    }

    fn cut(texts: Vec<TextFile>, part_bytes: u64, limit: RecordLimit) -> Self {
        let mut files = Vec::with_capacity(texts.len());
        let mut parts = 0;
        for text in texts {
            let first = parts;
            parts += usize::try_from(text.length.div_ceil(part_bytes)).unwrap_or(usize::MAX);
            files.push(Source {
                text,
                parts: first..parts,
            });
        }
        let starts: Vec<_> = (0..=parts).map(|_| OnceLock::new()).collect();
        let _ = starts[0].set(Start::default());
        JsonLines {
            files,
            part_bytes,
            limit,
            starts,
            buffers: Mutex::default(),
            counting: Mutex::default(),
        }
    }

    fn place_of(&self, at: At) -> Place {
        Place {
            path: self.files[at.file].text.path.clone(),
            line: at.line,
            column: None,
        }
    }

    /// The file a part belongs to.
    fn file_of(&self, part: usize) -> usize {
        self.files.partition_point(|file| file.parts.end <= part)
    }

    /// Cuts a range of parts into runs that lie in one file and are fetched together.
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
        source.text.fetch(bytes, self.limit, buffer)
    }

    /// What comes before the part. The worker that has the part before tells as soon as it has
    /// counted its lines, before it scores them; where nobody does for a while, this one counts.
    fn start_of(&self, part: usize) -> Result<Start, Error> {
        loop {
            let began = Instant::now();
            while began.elapsed() < PATIENCE {
                if let Some(start) = self.starts[part].get() {
                    return Ok(*start);
                }
                std::thread::yield_now();
            }
            // One at a time: each holds the lines it counts in memory, and where a line is giant so
            // would every worker that waits for whoever reads it.
            if let Ok(_counting) = self.counting.try_lock() {
                return self.count_up_to(part);
            }
        }
    }

    fn count_up_to(&self, part: usize) -> Result<Start, Error> {
        let (first, mut start) = self.last_known(part, |_| true);
        let mut buffer = Buffer::default();
        for (file, run) in self.runs(first..part) {
            self.fetch(file, &run, &mut buffer)?;
            start = self.tell(file, run.end, start, &buffer)?;
        }
        Ok(start)
    }

    /// The last part before `end` of which is known what comes before it, and that is `wanted`; the
    /// first part of all, before which comes nothing, where there is no other.
    fn last_known(&self, end: usize, wanted: impl Fn(&Start) -> bool) -> (usize, Start) {
        let known = |part: usize| Some((part, *self.starts[part].get()?));
        let mut all_known = (0..end).rev().filter_map(known);
        all_known
            .find(|(_, start)| wanted(start))
            .unwrap_or_default()
    }

    /// Tells what comes before the part `end`: what came before the run, and the run itself.
    ///
    /// # Errors
    ///
    /// Where that is not what was counted there before: the file has changed.
    fn tell(&self, file: usize, end: usize, start: Start, buffer: &Buffer) -> Result<Start, Error> {
        let ends_file = end == self.files[file].parts.end;
        let mut counted = start.after(buffer);
        if ends_file {
            counted.lines = 0;
        }
        if *self.starts[end].get_or_init(|| counted) == counted {
            Ok(counted)
        } else {
            Err(Error::changed(&self.files[file].text.path))
        }
    }
}

impl Dataset for JsonLines {
    type Record<'a> = JsonLine<'a>;

    fn parts(&self) -> usize {
        self.starts.len() - 1
    }

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<Reading, Error>
    where
        V: FnMut(At, Result<&JsonLine<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let mut reading = Reading::default();
        let spare = lock(&self.buffers).pop();
        let mut buffer = spare.unwrap_or_default();
        for (file, run) in self.runs(parts) {
            let began = Instant::now();
            self.fetch(file, &run, &mut buffer)?;
            let start = self.start_of(run.start)?;
            self.tell(file, run.end, start, &buffer)?;
            reading.waited += began.elapsed();
            if visit_lines(&buffer, file, start, &mut visit).is_break() {
                break;
            }
        }
        if buffer.is_worth_keeping() {
            lock(&self.buffers).push(buffer);
        }
        Ok(reading)
    }

    fn extent(&self, parts: Range<usize>) -> u64 {
        let bytes = |file: &Source| file.bytes(&parts, self.part_bytes);
        self.files
            .iter()
            .map(bytes)
            .map(|bytes| bytes.end - bytes.start)
            .sum()
    }

    fn place(&self, at: At) -> Option<Place> {
        Some(self.place_of(at))
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
        // From there on there are no more parts, but longer ones.
        assert_eq!(part_bytes_for(1 << 42), 1 << 20);
        assert_eq!(part_bytes_for(1 << 43), 1 << 21);
        assert!(u64::MAX / part_bytes_for(u64::MAX) <= 1 << 22);
    }

    fn three_files() -> (tempfile::TempDir, JsonLines) {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = [("a", 25), ("b", 0), ("c", 10)].map(|(name, length)| {
            let path = folder.path().join(name);
            std::fs::write(&path, "x".repeat(length)).expect("a file");
            path
        });
        let files = JsonLines::open(paths).expect("they can be opened");
        (folder, files.with_part_bytes(10))
    }

    #[test]
    fn parts_lie_in_one_file_each() {
        let (_folder, files) = three_files();
        assert_eq!(files.parts(), 4);
        let extents: Vec<u64> = (0..4).map(|part| files.extent(part..part + 1)).collect();
        assert_eq!(extents, [10, 10, 5, 10]);
        assert_eq!(files.extent(1..4), 25);
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
            let files = JsonLines::open([&path]).expect("it can be opened");
            let files = files.with_part_bytes(part_bytes);
            let runs = files.runs(0..files.parts()).map(|(_, run)| run.len());
            runs.collect::<Vec<_>>()
        };
        assert_eq!(runs(FETCH_BYTES / 2), [2; 4]);
        assert_eq!(runs(FETCH_BYTES), [1; 4]);
        assert_eq!(runs(FETCH_BYTES * 2), [1; 2]);
    }
}
