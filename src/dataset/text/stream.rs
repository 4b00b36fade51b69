//! Text from streams, which are inputs that can be read only once, from the front, and whose length is not known.

mod inputs;
mod taken;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::columnar::ColumnarInput;
use super::compression::{Compression, LONGEST_MARK};
use super::input::Input;
use super::input_file::InputFile;
use super::lent::LentRecord;
use super::options::OpenOptions;
use super::os::{open_of_known_length, read_exact_at};
use super::raw::STANDARD_INPUT;
use super::record::{TextRecord, visit_records};
use crate::dataset::{Dataset, FormatName, Position, ReadOutcome};
use crate::error::{BadRecord, Error, Place};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::Release};
use crate::sync::{Mutex, lock};
use inputs::InputChain;
use taken::TakenRecords;

/// Text from one or several readers, which are read one after the other.
///
/// Records and lines are defined as in [`TextFiles`](super::TextFiles). The format of each input is found when its
/// first bytes arrive, see [`OpenOptions`].
///
/// Workers take turns at taking the next records, and then work on them at the same time. The worker whose turn it is
/// reads what the stream has at that moment: a record of a slow producer can be taken as soon as its end has arrived,
/// and a fast producer is read 256 KiB at a time. No thread reads ahead of the workers, so the producer has to wait
/// while all workers are busy, and the memory in use is proportional to the records that the workers hold.
///
/// A run that is stopped does not wait for the producer: on unix, a wait for an input that the stream itself has
/// opened ends within some milliseconds. After a run that ended early, nothing more can be taken from the stream.
///
/// ```
/// use std::ops::{ControlFlow, Range};
/// use manyhands::dataset::TextStream;
///
/// let lines: &[u8] = b"{\"stars\": 4}\n\n{\"stars\": 2}";
/// let stream = TextStream::new("reviews", lines);
/// let mut records = Vec::new();
/// while let Some(_waited) = stream.take(100, |position, record| {
///     records.push((position.index, position.line, record.map(|record| record.as_str().to_owned())));
///     ControlFlow::Continue(())
/// })? {}
/// assert_eq!(records[1], (1, 3, Ok("{\"stars\": 2}".to_owned())));
/// # Ok::<(), manyhands::Error>(())
/// ```
pub struct TextStream<'r> {
    names: Vec<Arc<Path>>,
    inputs: Mutex<Box<InputChain<'r>>>,
    buffers: Mutex<Vec<Buffer>>,
    /// Number of bytes that have been taken from the inputs. It is kept separately from the inputs, because a worker
    /// that waits for bytes holds the lock of the inputs.
    bytes: AtomicU64,
    /// Whether the stream is closed, so that nothing more may be taken.
    closed: Arc<AtomicBool>,
}

/// How an input is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataset) enum Access {
    /// From its beginning, because it [is a stream](TextStream::is_needed_for), is compressed, or is an Arrow IPC
    /// stream.
    InOrder,
    /// As a file of text, at any place.
    Text,
    /// As a columnar file of this kind, at any place.
    Columns(ColumnarInput),
}

impl<'r> TextStream<'r> {
    /// Creates a stream that reads from one reader. Errors and failures call the reader `name`.
    ///
    /// Each read requests many bytes from the reader, so wrapping it in a buffered reader has no benefit.
    ///
    /// A read that has begun cannot be interrupted: a run that is stopped waits until the read returns. If the input
    /// may be silent for long, [open](Self::open) the input by its path instead, or use a reader that returns an
    /// error when it should stop.
    pub fn new(name: impl Into<PathBuf>, reader: impl Read + Send + 'r) -> Self {
        Self::of_reader(&OpenOptions::new().with_bad_records(), name.into(), reader)
    }

    /// Creates a stream that reads standard input directly from the system. If [`std::io::Stdin`] was used before,
    /// the bytes that `Stdin` has read ahead are missing.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no file descriptor left.
    pub fn stdin() -> Result<Self, Error> {
        Self::open([STANDARD_INPUT.0])
    }

    /// Creates a stream that reads files, pipes and devices, one after the other. The path `-` is standard input.
    ///
    /// An input that is compressed is unpacked by the worker whose turn it is, see [`OpenOptions`].
    ///
    /// A pipe is opened only when the inputs before it have ended, because a program that writes to several pipes may
    /// also open them one after the other. A file is opened again when its turn comes.
    ///
    /// # Errors
    ///
    /// Returns an error if a path names nothing, or a directory, or a file that cannot be opened or is plainly not
    /// text.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, Error> {
        Self::open_with(&OpenOptions::new().with_bad_records(), paths)
    }

    pub(in crate::dataset) fn open_with<P: AsRef<Path>>(
        options: &OpenOptions,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, Error> {
        let inputs = paths
            .into_iter()
            .map(|path| Input::at(path.as_ref(), options));
        Ok(Self::chain(
            options,
            inputs.collect::<Result<Vec<_>, Error>>()?,
        ))
    }

    /// Whether the file at a path can only be read as a stream: a pipe, a device, `-`, or a file that is not as long
    /// as the system says, like the files under `/proc` and `/sys`.
    pub fn is_needed_for(path: &Path) -> bool {
        path == Path::new(STANDARD_INPUT.0)
            || open_of_known_length(path).is_ok_and(|file| file.is_none())
    }

    /// How the input at a path is read. `requested` is its format, if that is set.
    pub(in crate::dataset) fn access(path: &Path, requested: Option<FormatName>) -> Access {
        if path == Path::new(STANDARD_INPUT.0) {
            return Access::InOrder;
        }
        match open_of_known_length(path) {
            Ok(None) => Access::InOrder,
            Ok(Some((file, length))) => Self::access_of_file(&file, length, requested),
            // The error is reported when the path is opened.
            Err(_) => Access::Text,
        }
    }

    /// How a file of this length is read, which its first bytes show.
    fn access_of_file(file: &File, length: u64, requested: Option<FormatName>) -> Access {
        let mut first = [0; LONGEST_MARK];
        let length =
            usize::try_from(length).map_or(LONGEST_MARK, |length| length.min(LONGEST_MARK));
        let first = &mut first[..length];
        if read_exact_at(file, first, 0).is_err() {
            // The next read reports the error.
            return Access::Text;
        }
        if Compression::of(first).is_some() {
            return Access::InOrder;
        }
        match ColumnarInput::requested(requested, first) {
            Some(ColumnarInput::ArrowStream) => Access::InOrder,
            Some(kind) => Access::Columns(kind),
            None => Access::Text,
        }
    }

    /// Sets the limit on the length of a record, in bytes without its line ending, in place of
    /// [`MAX_RECORD_BYTES`](super::MAX_RECORD_BYTES). A longer record fails, regardless of its content, and is
    /// skipped without being kept in memory.
    #[must_use]
    pub fn max_record(self, bytes: u64) -> Self {
        lock(&self.inputs).set_max_record(bytes);
        self
    }

    /// Ends the stream after the next `records` records, see [`OpenOptions::head`].
    #[must_use]
    pub fn head(self, records: u64) -> Self {
        lock(&self.inputs).left = records;
        self
    }

    /// Creates a stream that reads from one reader, see [`new`](Self::new).
    pub(in crate::dataset) fn of_reader(
        options: &OpenOptions,
        name: PathBuf,
        reader: impl Read + Send + 'r,
    ) -> Self {
        Self::chain(options, [(name, Input::reader(reader, options))])
    }

    /// The inputs, their formats as far as they have been read, and how many of their bytes have been read. If another
    /// thread is reading, the call waits until this read has ended.
    pub fn files(&self) -> Vec<InputFile> {
        let inputs = lock(&self.inputs);
        let names = self.names.iter().enumerate();
        names
            .map(|(file, name)| {
                let (bytes, layout) = inputs.found(file);
                InputFile::new(name, bytes, layout)
            })
            .collect()
    }

    fn chain(
        options: &OpenOptions,
        inputs: impl IntoIterator<Item = (PathBuf, Input<'r>)>,
    ) -> Self {
        let inputs = inputs.into_iter();
        let (names, inputs): (Vec<Arc<Path>>, _) = inputs
            .map(|(name, input)| {
                let name: Arc<Path> = Arc::from(name);
                (Arc::clone(&name), (input, name))
            })
            .unzip();
        TextStream {
            names,
            inputs: Mutex::new(Box::new(InputChain::new(options.clone(), inputs))),
            buffers: Mutex::default(),
            bytes: AtomicU64::new(0),
            closed: Arc::default(),
        }
    }

    /// Takes the next records, and calls `visit` with each of them until `visit` returns `Break`. At most `at_most`
    /// records are taken, or one record if `at_most` is 0. In a format of one record per line, blank lines are
    /// counted as records here. Waits until a complete record has arrived, and reads no more than that requires.
    /// Other threads may take the next records while this thread visits its records.
    ///
    /// Returns the time that was spent waiting and reading, or `None` at the end of the last input and once the
    /// stream is [closed](Dataset::close). Even if a time is returned, there may have been no record to visit.
    ///
    /// # Errors
    ///
    /// Returns an error if an input fails, has become shorter since it was opened, or is plainly not UTF-8 text.
    /// Every later call returns this error again, on any thread.
    pub fn take<V>(&self, at_most: usize, visit: V) -> Result<Option<Duration>, Error>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let began = Instant::now();
        let mut buffer = lock(&self.buffers).pop().unwrap_or_default();
        let taken = self.take_into(&mut buffer, at_most)?;
        let waited = began.elapsed();
        let any = taken.is_some();
        if let Some(taken) = taken {
            self.bytes.fetch_add(taken.bytes, Relaxed);
            let _ = visit_records(&buffer, taken.file, &taken.layout, taken.start, visit);
        }
        if buffer.is_worth_keeping() {
            lock(&self.buffers).push(buffer);
        }
        Ok(any.then_some(waited))
    }

    fn take_into(
        &self,
        buffer: &mut Buffer,
        at_most: usize,
    ) -> Result<Option<TakenRecords>, Error> {
        let mut inputs = lock(&self.inputs);
        let taken = inputs.take(at_most, buffer, &self.closed);
        taken.map_err(|fault| fault.error(&self.names[inputs.file()]))
    }

    /// Number of bytes that have been taken from the inputs so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// The place of a record.
    pub fn place(&self, position: Position) -> Place {
        Place {
            path: self.names[position.file].clone(),
            line: position.line,
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

    fn lend<'r>(&self, record: &'r TextRecord<'_>) -> Option<LentRecord<'r>> {
        Some(LentRecord::Text(*record))
    }

    fn place(&self, position: Position) -> Option<Place> {
        Some(self.place(position))
    }
}

impl fmt::Debug for TextStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStream")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
