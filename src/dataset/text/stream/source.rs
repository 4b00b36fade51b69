//! The inputs of a stream, one after the other, and the lines that are taken from them.

use std::collections::VecDeque;
use std::mem;

use memchr::{memchr_iter, memrchr};

use crate::dataset::text::input::{Fault, Input};
use crate::dataset::text::lines::{Buffer, RecordLimit, TELLING_BYTES, other_encoding, room_in};
use crate::dataset::text::record::Start;
use crate::sync::atomic::{AtomicBool, Ordering::Acquire};

/// A stream is asked for this many bytes at a time, and for more only until a line is whole.
const READ_BYTES: usize = 256 << 10;

/// The fault of an input while it is being read: it stays if the read panics.
const PANICKED: Fault = Fault::Refused("cannot be read on after a panic");

/// The inputs, and what has been read of them and not taken yet.
pub(super) struct Source<'r> {
    /// The one that is being read and those after it.
    inputs: VecDeque<Input<'r>>,
    /// Which one is being read, from 0.
    file: usize,
    /// What comes before the next line.
    start: Start,
    limit: RecordLimit,
    /// Memory for what has been read, …
    ahead: Vec<u8>,
    /// … of which what comes before this place has been taken, …
    taken: usize,
    /// … the lines up to this one are whole …
    whole: usize,
    /// … and nothing has been read beyond this one.
    filled: usize,
    /// Bytes of the next line that were read and thrown away, since it is too long to be a record.
    dropped: u64,
    /// The input has said that there is no more of it.
    ended: bool,
    /// Why nothing more can be read. The first fault is kept, and reported to every later caller.
    fault: Option<Fault>,
}

/// Where lines that were taken together begin, and how many bytes they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) file: usize,
    pub(super) start: Start,
    pub(super) bytes: u64,
}

impl<'r> Source<'r> {
    pub(super) fn new(inputs: VecDeque<Input<'r>>) -> Self {
        Source {
            inputs,
            file: 0,
            start: Start::default(),
            limit: RecordLimit::default(),
            ahead: Vec::new(),
            taken: 0,
            whole: 0,
            filled: 0,
            dropped: 0,
            ended: false,
            fault: None,
        }
    }

    pub(super) fn set_limit(&mut self, limit: RecordLimit) {
        self.limit = limit;
    }

    /// Which input is being read, from 0.
    pub(super) fn file(&self) -> usize {
        self.file
    }

    /// Moves the next lines to the buffer; `None` where there are no more, or once it is closed.
    ///
    /// # Errors
    ///
    /// If the input cannot be read: the same one each time from then on.
    pub(super) fn take(
        &mut self,
        at_most: usize,
        buffer: &mut Buffer,
        closed: &AtomicBool,
    ) -> Result<Option<Taken>, Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        self.fault = Some(PANICKED);
        let taken = self.next_lines(at_most, buffer, closed);
        self.fault = taken.as_ref().err().cloned();
        taken
    }

    fn next_lines(
        &mut self,
        at_most: usize,
        buffer: &mut Buffer,
        closed: &AtomicBool,
    ) -> Result<Option<Taken>, Fault> {
        if closed.load(Acquire) {
            return Ok(None);
        }
        while self.taken == self.whole {
            if mem::take(&mut self.ended) {
                self.inputs.pop_front();
                self.file += 1;
                self.start.lines = 0;
            }
            if !self.read_on(closed)? {
                return Ok(None);
            }
        }
        self.hand_over(at_most, buffer).map(Some)
    }

    /// Reads more of the input, where no line is whole; false where there is no input left, or it is
    /// closed.
    fn read_on(&mut self, closed: &AtomicBool) -> Result<bool, Fault> {
        let Some(input) = self.inputs.front_mut() else {
            return Ok(false);
        };
        if self.taken > 0 {
            self.ahead.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            (self.taken, self.whole) = (0, 0);
        }
        let room = room_in(&mut self.ahead, self.filled..self.filled + READ_BYTES)?;
        let Some(read) = input.read(room, closed)? else {
            return Ok(false);
        };
        let newline = memrchr(b'\n', &room[..read]);
        self.whole = newline.map_or(0, |newline| self.filled + newline + 1);
        self.filled += read;
        if self.start.lines == 0
            && self.filled >= TELLING_BYTES
            && let Some(message) = other_encoding(&self.ahead[..self.filled])
        {
            return Err(Fault::Refused(message));
        }
        if read == 0 {
            self.ended = true;
            // The last line may go without an end.
            self.whole = self.filled;
        } else if self.whole == 0 && self.filled > self.limit.kept() {
            self.dropped += (self.filled - self.limit.kept()) as u64;
            self.filled = self.limit.kept();
        }
        Ok(true)
    }

    /// Moves lines that are whole to the buffer.
    fn hand_over(&mut self, at_most: usize, buffer: &mut Buffer) -> Result<Taken, Fault> {
        buffer.clear(self.limit);
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
            let rest = buffer.room(self.whole..self.filled)?;
            room_in(&mut self.ahead, 0..rest.len())?.copy_from_slice(rest);
            (self.taken, self.whole, self.filled) = (0, 0, rest.len());
        } else {
            let lines = &self.ahead[self.taken..end];
            buffer.room(0..length)?.copy_from_slice(lines);
            self.taken = end;
        }
        let taken = Taken {
            file: self.file,
            start: self.start,
            bytes: length as u64 + mem::take(&mut self.dropped),
        };
        buffer.split(0..length, self.start.lines == 0);
        self.start = self.start.after(buffer);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::*;

    /// Gives this many bytes of a line at a time, and ends it after some reads.
    struct Line {
        piece: usize,
        reads: usize,
    }

    impl Read for Line {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let Some(left) = self.reads.checked_sub(1) else {
                return Ok(0);
            };
            self.reads = left;
            room[..self.piece].fill(b'x');
            if left == 1 {
                room[self.piece - 1] = b'\n';
            }
            Ok(self.piece)
        }
    }

    #[test]
    fn of_a_line_that_is_too_long_no_more_is_kept_than_tells() {
        let piece = 100_000;
        let reads = 1000;
        let input = Input::Reader(Box::new(Line { piece, reads }));
        let mut source = Source::new(VecDeque::from([input]));
        let limit = RecordLimit::new(1_000_000);
        source.set_limit(limit);
        let (open, mut buffer) = (AtomicBool::new(false), Buffer::default());
        let mut take = |source: &mut Source<'_>| {
            let taken = source.take(1, &mut buffer, &open);
            let taken = taken.expect("it can be read").expect("a line");
            let most = limit.kept() + READ_BYTES;
            assert!(source.ahead.len() <= most, "{} bytes", source.ahead.len());
            (taken.bytes, buffer.lines()[0].end)
        };
        assert_eq!(take(&mut source), (999 * 100_000, limit.kept() + piece - 1));
        assert_eq!(take(&mut source), (100_000, 100_000));
    }

    #[test]
    fn what_is_ahead_stays_where_lines_are_taken_from_its_front() {
        let input = Input::Reader(Box::new(&b"one\ntwo\nthree\nfour"[..]));
        let mut source = Source::new(VecDeque::from([input]));
        let (open, mut buffer) = (AtomicBool::new(false), Buffer::default());
        let mut places = Vec::new();
        while let Some(taken) = source.take(1, &mut buffer, &open).expect("lines") {
            places.push((source.taken, source.whole, source.filled, taken.bytes));
        }
        let expected = [
            (4, 14, 18, 4),
            (8, 14, 18, 4),
            (14, 14, 18, 6),
            (0, 0, 0, 4),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn once_it_is_closed_nothing_is_read() {
        let input = Input::Reader(Box::new(io::repeat(b'x')));
        let mut source = Source::new(VecDeque::from([input]));
        let mut buffer = Buffer::default();
        let taken = source.take(1, &mut buffer, &AtomicBool::new(true));
        assert!(taken.expect("no fault").is_none());
        assert!(source.ahead.is_empty());
    }
}
