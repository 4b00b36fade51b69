//! JSON lines: files with one JSON object a line, read in parts by every worker at once.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::json_line::{JsonLine, Start, visit_lines};
use super::lines::Buffer;
use super::text_file::TextFile;
use super::{At, Dataset, Reading};
use crate::error::{BadRecord, Error, Place};
use crate::sync::{Mutex, lock};

/// A part is this fraction of the data, so that there is something to share out at the end of the
/// run even among many workers …
const PARTS_AIM: u64 = 1 << 16;
/// … within these bounds, in bytes: not so short that there are many more parts than records, not so
/// long that one fills memory.
const PART_BYTES: (u64, u64) = (32, 1 << 20);
/// Neighbouring parts are fetched together up to this many bytes.
const FETCH_BYTES: u64 = 256 << 10;
/// How long a worker looks whether its neighbour has counted the records before its own, before it
/// counts them itself. A neighbour needs some tens of microseconds.
const PATIENCE: Duration = Duration::from_millis(1);

/// One or more files of JSON lines as one dataset.
///
/// Every line that is not blank is a record. Parts are byte ranges of a file, cut from its length
/// alone; a record belongs to the part in which its first byte stands. Lines end with `\n` or
/// `\r\n`, the last one may go without; a UTF-8 byte-order mark is skipped. A line of any length
/// is one record, and memory follows the longest line that is read at a time.
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
        let total: u64 = texts.iter().map(|text| text.length).sum();
        let part_bytes = (total / PARTS_AIM).clamp(PART_BYTES.0, PART_BYTES.1);
        Ok(Self::cut(texts, part_bytes))
    }

    /// The same files cut into parts of another length. The answer does not depend on it; tests
    /// show that.
    #[must_use]
    pub fn with_part_bytes(self, part_bytes: u64) -> Self {
        Self::cut(
            self.files.into_iter().map(|file| file.text).collect(),
            part_bytes.max(1),
        )
    }

    fn cut(texts: Vec<TextFile>, part_bytes: u64) -> Self {
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
        source.text.fetch(bytes, buffer)
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
