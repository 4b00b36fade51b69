//! JSON lines from streams: what can be read once, from the front, and has no known end.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::mem;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use memchr::{memchr_iter, memrchr};

use super::input::Input;
use super::json_line::{JsonLine, Start, visit_lines};
use super::lines::{Buffer, TELLING_BYTES, check_encoding, room_in};
use super::text_file::is_regular;
use super::{At, Dataset, Reading};
use crate::error::{BadRecord, Error, Place};
use crate::sync::atomic::{
    AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use crate::sync::{Mutex, lock};

/// A stream is asked for this many bytes at a time, and for more only until a line is whole.
const READ_BYTES: usize = 256 << 10;
/// What stands for standard input among paths, and what its lines are named after.
const STANDARD_INPUT: (&str, &str) = ("-", "<stdin>");

/// JSON lines from one reader or several, one after the other.
///
/// What is a record, and what is a line, is as in [`JsonLines`](super::JsonLines). Workers take
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
/// use manyhands::dataset::JsonStream;
///
/// let lines: &[u8] = b"{\"stars\": 4}\n\n{\"stars\": 2}";
/// let stream = JsonStream::new("reviews", lines);
/// let mut records = Vec::new();
/// while let Some(_reading) = stream.take(100, |at, record| {
///     records.push((at.index, at.line, record.map(|line| line.as_str().to_owned())));
///     ControlFlow::Continue(())
/// })? {}
/// assert_eq!(records[1], (1, 3, Ok("{\"stars\": 2}".to_owned())));
/// # Ok::<(), manyhands::Error>(())
/// ```
pub struct JsonStream<'r> {
    names: Vec<Arc<Path>>,
    source: Mutex<Source<'r>>,
    buffers: Mutex<Vec<Buffer>>,
    /// How many bytes have been taken in all. Beside the source, which is locked by whoever waits.
    bytes: AtomicU64,
    /// Nothing more is to be taken.
    closed: AtomicBool,
}

/// The inputs, and what has been read of them and not taken yet.
struct Source<'r> {
    /// The one that is being read and those after it.
    inputs: VecDeque<Input<'r>>,
    /// Which one is being read, from 0.
    file: usize,
    /// What comes before the next line.
    start: Start,
    /// Memory for what has been read, …
    ahead: Vec<u8>,
    /// … of which what comes before this place has been taken, …
    taken: usize,
    /// … the lines up to this one are whole …
    whole: usize,
    /// … and nothing has been read beyond this one.
    filled: usize,
    /// The input has said that there is no more of it.
    ended: bool,
    /// The input has failed, or panicked.
    broken: bool,
}

/// Where lines that were taken together begin.
#[derive(Clone, Copy, Debug)]
struct Taken {
    file: usize,
    start: Start,
    bytes: usize,
}

impl<'r> JsonStream<'r> {
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
        let open = |path: P| {
            let path = path.as_ref();
            let unreadable = |error| Error::unreadable(path, error);
            if path == Path::new(STANDARD_INPUT.0) {
                let name = Path::new(STANDARD_INPUT.1);
                let input = Input::stdin().map_err(|error| Error::unreadable(name, error))?;
                return Ok((name.to_owned(), input));
            }
            let input = if is_regular(path)? {
                Input::Open(File::open(path).map_err(unreadable)?)
            } else {
                Input::Later(path.to_owned())
            };
            Ok((path.to_owned(), input))
        };
        let sources: Result<Vec<_>, Error> = paths.into_iter().map(open).collect();
        sources.map(Self::chain)
    }

    /// Whether a path names what can only be read as a stream: a pipe, a device, or `-`.
    pub fn is_needed_for(path: &Path) -> bool {
        path == Path::new(STANDARD_INPUT.0) || is_regular(path).is_ok_and(|regular| !regular)
    }

    fn chain(sources: impl IntoIterator<Item = (PathBuf, Input<'r>)>) -> Self {
        let (names, inputs): (Vec<_>, _) = sources
            .into_iter()
            .map(|(name, input)| (Arc::from(name), input))
            .unzip();
        JsonStream {
            names,
            source: Mutex::new(Source {
                inputs,
                file: 0,
                start: Start::default(),
                ahead: Vec::new(),
                taken: 0,
                whole: 0,
                filled: 0,
                ended: false,
                broken: false,
            }),
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
    /// Where an input fails, or is plainly not UTF-8 text. From then on there are only errors.
    pub fn take<V>(&self, at_most: usize, visit: V) -> Result<Option<Duration>, Error>
    where
        V: FnMut(At, Result<&JsonLine<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let began = Instant::now();
        let mut buffer = lock(&self.buffers).pop().unwrap_or_default();
        let taken = lock(&self.source).take(&self.names, at_most, &mut buffer, &self.closed)?;
        let reading = began.elapsed();
        if let Some(Taken { file, start, bytes }) = taken {
            self.bytes.fetch_add(bytes as u64, Relaxed);
            let _ = visit_lines(&buffer, file, start, visit);
        }
        if buffer.is_worth_keeping() {
            lock(&self.buffers).push(buffer);
        }
        Ok(taken.map(|_| reading))
    }

    /// How many bytes have been taken so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Where a record stands.
    pub fn place(&self, at: At) -> Place {
        Place {
            path: self.names[at.file].clone(),
            line: at.line,
            column: None,
        }
    }
}

impl Dataset for JsonStream<'_> {
    type Record<'a> = JsonLine<'a>;

    fn parts(&self) -> usize {
        usize::MAX
    }

    fn is_stream(&self) -> bool {
        true
    }

    fn close(&self) {
        self.closed.store(true, Release);
    }

    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<Reading, Error>
    where
        V: FnMut(At, Result<&JsonLine<'_>, BadRecord>) -> ControlFlow<()>,
    {
        let began = Instant::now();
        let waited = self.take(parts.len(), visit)?;
        Ok(Reading {
            waited: waited.unwrap_or_else(|| began.elapsed()),
            ended: waited.is_none(),
        })
    }

    fn place(&self, at: At) -> Option<Place> {
        Some(self.place(at))
    }
}

impl Source<'_> {
    /// Moves the next lines to the buffer; `None` where there are no more.
    fn take(
        &mut self,
        names: &[Arc<Path>],
        at_most: usize,
        buffer: &mut Buffer,
        closed: &AtomicBool,
    ) -> Result<Option<Taken>, Error> {
        if closed.load(Acquire) {
            return Ok(None);
        }
        while self.taken == self.whole {
            if mem::take(&mut self.ended) {
                self.inputs.pop_front();
                self.file += 1;
                self.start.lines = 0;
            }
            let Some(input) = self.inputs.front_mut() else {
                return Ok(None);
            };
            let name = &names[self.file];
            // Said of it before it is called, as it may panic.
            if mem::replace(&mut self.broken, true) {
                return Err(Error::input(name, "cannot be read on after an error"));
            }
            let rest = self.taken..self.filled;
            (self.taken, self.whole, self.filled) = (0, 0, rest.len());
            self.ahead.copy_within(rest, 0);
            let room = room_in(&mut self.ahead, self.filled..self.filled + READ_BYTES);
            let read = input.read(room, closed);
            let Some(read) = read.map_err(|error| Error::unreadable(name, error))? else {
                self.broken = false;
                return Ok(None);
            };
            let newline = memrchr(b'\n', &room[..read]);
            self.whole = newline.map_or(0, |newline| self.filled + newline + 1);
            self.filled += read;
            if self.start.lines == 0 && self.filled >= TELLING_BYTES {
                check_encoding(name, &self.ahead[..self.filled])?;
            }
            self.broken = false;
            if read == 0 {
                self.ended = true;
                // The last line may go without an end.
                self.whole = self.filled;
            }
        }
        Ok(Some(self.hand_over(at_most, buffer)))
    }

    /// Moves lines that are whole to the buffer.
    fn hand_over(&mut self, at_most: usize, buffer: &mut Buffer) -> Taken {
        buffer.clear();
        let lines = &self.ahead[self.taken..self.whole];
        // A line has at least one byte, so often it is clear that all of them are wanted.
        let newline = (at_most < lines.len())
            .then(|| memchr_iter(b'\n', lines).nth(at_most.saturating_sub(1)))
            .flatten();
        let end = newline.map_or(self.whole, |newline| self.taken + newline + 1);
        let length = end - self.taken;
        if length == self.whole {
            // All of it, perhaps one giant line: the memory itself goes, and the rest comes back.
            buffer.exchange(&mut self.ahead);
            let rest = buffer.room(self.whole..self.filled);
            room_in(&mut self.ahead, 0..rest.len()).copy_from_slice(rest);
            (self.taken, self.whole, self.filled) = (0, 0, rest.len());
        } else {
            let lines = &self.ahead[self.taken..end];
            buffer.room(0..length).copy_from_slice(lines);
            self.taken = end;
        }
        let taken = Taken {
            file: self.file,
            start: self.start,
            bytes: length,
        };
        buffer.split(0..length, self.start.lines == 0);
        self.start = self.start.after(buffer);
        taken
    }
}

impl fmt::Debug for JsonStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonStream")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
