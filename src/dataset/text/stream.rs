//! JSON lines from streams: what can be read once, from the front, and has no known end.

mod source;

use std::fmt;
use std::io::Read;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::input::{Input, STANDARD_INPUT};
use super::lines::{Buffer, RecordLimit};
use super::os::open_of_known_length;
use super::record::{TextRecord, visit_lines};
use crate::dataset::{Dataset, Position, ReadOutcome};
use crate::error::{BadRecord, Error, Place};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::Release};
use crate::sync::{Mutex, lock};
use source::{Source, Taken};

/// JSON lines from one reader or several, one after the other.
///
/// What is a record, and what is a line, is as in [`TextFiles`](super::TextFiles). Workers take
/// turns in taking the next lines and go on with them side by side. Whoever takes reads what the
/// stream has at that moment: a line of a slow producer is there as soon as its end has come, and a
/// fast producer is read in large pieces. Nobody reads ahead of the workers, so the producer is held
/// up while all of them are busy, and memory follows the lines in work.
///
/// A run that is stopped does not wait for the producer: on unix a wait for more of what this has
/// opened itself ends within some milliseconds. After a run that ended early nothing more can be taken.
///
/// ```
/// use std::ops::{ControlFlow, Range};
/// use manyhands::dataset::TextStream;
///
/// let lines: &[u8] = b"{\"stars\": 4}\n\n{\"stars\": 2}";
/// let stream = TextStream::new("reviews", lines);
/// let mut records = Vec::new();
/// while let Some(_reading) = stream.take(100, |at, record| {
///     records.push((at.index, at.line, record.map(|line| line.as_str().to_owned())));
///     ControlFlow::Continue(())
/// })? {}
/// assert_eq!(records[1], (1, 3, Ok("{\"stars\": 2}".to_owned())));
/// # Ok::<(), manyhands::Error>(())
/// ```
pub struct TextStream<'r> {
    names: Vec<Arc<Path>>,
    source: Mutex<Source<'r>>,
    buffers: Mutex<Vec<Buffer>>,
    /// How many bytes have been taken in all. Beside the source, which is locked by whoever waits.
    bytes: AtomicU64,
    /// Nothing more is to be taken.
    closed: AtomicBool,
}

impl<'r> TextStream<'r> {
    /// The lines of one reader, which errors and failures name by `name`.
    ///
    /// Large pieces are asked for, so a buffer around the reader would be of no use.
    ///
    /// A read of it that has begun cannot be broken off: a run that is stopped waits for it to return.
    /// What may have to wait long is better [opened](Self::open) here, or returns an error when it is
    /// to stop.
    pub fn new(name: impl Into<PathBuf>, reader: impl Read + Send + 'r) -> Self {
        Self::chain([(name.into(), Input::Reader(Box::new(reader)))])
    }

    /// The lines of standard input, from what the system has of it: not what [`std::io::Stdin`] has
    /// read ahead, if that was used before.
    ///
    /// # Errors
    ///
    /// Where the system has no descriptor left.
    pub fn stdin() -> Result<Self, Error> {
        Self::open([STANDARD_INPUT.0])
    }

    /// The lines of files, pipes and devices, one after the other; `-` is standard input.
    ///
    /// A pipe is opened when its turn comes, as whoever writes to several may do so one after the
    /// other too.
    ///
    /// # Errors
    ///
    /// Where a path names nothing, or a directory, or a file cannot be opened.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, Error> {
        let sources = paths.into_iter().map(|path| Input::at(path.as_ref()));
        Ok(Self::chain(sources.collect::<Result<Vec<_>, _>>()?))
    }

    /// Whether a path names what can only be read as a stream: a pipe, a device, `-`, or a file that
    /// is not as long as the system says, as those under `/proc` and `/sys`.
    pub fn is_needed_for(path: &Path) -> bool {
        path == Path::new(STANDARD_INPUT.0)
            || open_of_known_length(path).is_ok_and(|file| file.is_none())
    }

    /// Another limit to the length of a record, in bytes without the line ending, in place of
    /// [`MAX_RECORD_BYTES`](super::MAX_RECORD_BYTES). A longer line is a failed record, whatever it
    /// holds, and is read past without being kept in memory.
    #[must_use]
    pub fn max_record(self, bytes: u64) -> Self {
        lock(&self.source).set_limit(RecordLimit::new(bytes));
        self
    }

    fn chain(sources: impl IntoIterator<Item = (PathBuf, Input<'r>)>) -> Self {
        let (names, inputs): (Vec<_>, _) = sources
            .into_iter()
            .map(|(name, input)| (Arc::from(name), input))
            .unzip();
        TextStream {
            names,
            source: Mutex::new(Source::new(inputs)),
            buffers: Mutex::default(),
            bytes: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// Takes the next lines, at most `at_most` of them (and at least one), and calls `visit` for each
    /// record among them until it breaks off. Waits where no whole line is there, and reads no more
    /// than it takes to have one. Other threads may take the lines after these while this one
    /// visits.
    ///
    /// Returns how long it waited and read, or `None` at the end of the last input and once the stream
    /// is [closed](Dataset::close). There may be no record among the lines.
    ///
    /// # Errors
    ///
    /// Where an input fails, has become shorter since it was opened, or is plainly not UTF-8 text. Every
    /// later call returns this error again, on whichever thread.
    pub fn take<V>(&self, at_most: usize, visit: V) -> Result<Option<Duration>, Error>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let began = Instant::now();
        let mut buffer = lock(&self.buffers).pop().unwrap_or_default();
        let taken = self.lines_into(&mut buffer, at_most)?;
        let reading = began.elapsed();
        if let Some(Taken { file, start, bytes }) = taken {
            self.bytes.fetch_add(bytes, Relaxed);
            let _ = visit_lines(&buffer, file, start, visit);
        }
        if buffer.is_worth_keeping() {
            lock(&self.buffers).push(buffer);
        }
        Ok(taken.map(|_| reading))
    }

    fn lines_into(&self, buffer: &mut Buffer, at_most: usize) -> Result<Option<Taken>, Error> {
        let mut source = lock(&self.source);
        let taken = source.take(at_most, buffer, &self.closed);
        taken.map_err(|fault| fault.error(&self.names[source.file()]))
    }

    /// How many bytes have been taken so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Where a record stands.
    pub fn place(&self, at: Position) -> Place {
        Place {
            path: self.names[at.file].clone(),
            line: at.line,
            column: None,
        }
    }
}

impl Dataset for TextStream<'_> {
    type Record<'a> = TextRecord<'a>;

    fn parts(&self) -> usize {
        usize::MAX
    }

    fn is_stream(&self) -> bool {
        true
    }

    fn close(&self) {
        self.closed.store(true, Release);
    }

    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let began = Instant::now();
        let waited = self.take(parts.len(), visit)?;
        Ok(ReadOutcome {
            waited: waited.unwrap_or_else(|| began.elapsed()),
            ended: waited.is_none(),
        })
    }

    fn place(&self, at: Position) -> Option<Place> {
        Some(self.place(at))
    }
}

impl fmt::Debug for TextStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStream")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
