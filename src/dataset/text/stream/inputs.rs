//! The inputs of a stream, one after the other, and the records that are taken from the inputs.

use std::collections::VecDeque;
use std::mem;
use std::ops::ControlFlow;
use std::sync::Arc;

use memchr::{memchr_iter, memrchr};

use crate::dataset::format::{
    Boundaries, JSON_LINES_LAYOUT, RecordLayout, RecordSpan, ScanState, Scanner, line_ends,
};
use crate::dataset::text::buffer::{Buffer, room_in};
use crate::dataset::text::encoding::{BYTE_ORDER_MARK, without_mark};
use crate::dataset::text::fault::InputFault;
use crate::dataset::text::input::Input;
use crate::dataset::text::limit::RecordLimit;
use crate::dataset::text::numbering::Start;
use crate::dataset::text::options::{OpenOptions, header_columns};
use crate::sync::atomic::{AtomicBool, Ordering::Acquire};

/// The number of bytes that are requested from an input at a time. More bytes are requested only until there is a
/// complete record.
const READ_BYTES: usize = 256 << 10;

/// The fault that is set while an input is being read. If the read panics, the fault stays set.
const PANICKED: InputFault = InputFault::refused("cannot be read on after a panic");

/// The inputs, and the bytes that have been read from the inputs but not taken yet.
pub(super) struct InputChain<'r> {
    /// The input that is being read and the inputs after it, each with the format that its name chooses.
    inputs: VecDeque<(Input<'r>, RecordLayout)>,
    /// Number of the input that is being read, from 0.
    file: usize,
    /// What comes before the next line. In a format of quoted records, this is what comes before the first line of
    /// the input.
    start: Start,
    options: OpenOptions,
    /// Memory for the bytes that have been read.
    ahead: Vec<u8>,
    /// The bytes before this place have been taken.
    taken: usize,
    /// All records that begin before this place are complete.
    whole: usize,
    /// The end of the bytes that have been read.
    filled: usize,
    /// Number of bytes that were read and thrown away: those of a record that is too long, of a header, or of a
    /// byte-order mark.
    dropped: u64,
    /// Whether the beginning of the input has been read, up to its first record.
    begun: bool,
    /// The scanner that finds the records, if the format has quoted records. `None` if each line is a record.
    scanner: Option<Scanner>,
    /// The complete records that the scanner has found and that have not been taken.
    found: VecDeque<RecordSpan>,
    /// Whether the input has ended.
    ended: bool,
    /// The reason why nothing more can be read. The first fault is kept, and is reported to every later caller.
    fault: Option<InputFault>,
}

/// Records that were taken together: where they begin, how they are read, and how many bytes were taken with them.
#[derive(Clone, Debug)]
pub(super) struct TakenRecords {
    pub(super) file: usize,
    pub(super) layout: RecordLayout,
    pub(super) start: Start,
    pub(super) bytes: u64,
}

impl<'r> InputChain<'r> {
    pub(super) fn new(options: OpenOptions, inputs: VecDeque<(Input<'r>, RecordLayout)>) -> Self {
        InputChain {
            inputs,
            file: 0,
            start: Start::default(),
            options,
            ahead: Vec::new(),
            taken: 0,
            whole: 0,
            filled: 0,
            dropped: 0,
            begun: false,
            scanner: None,
            found: VecDeque::new(),
            ended: false,
            fault: None,
        }
    }

    pub(super) fn set_max_record(&mut self, bytes: u64) {
        self.options.set_max_record(bytes);
    }

    /// Number of the input that is being read, from 0.
    pub(super) fn file(&self) -> usize {
        self.file
    }

    fn limit(&self) -> RecordLimit {
        self.options.limit()
    }

    /// Moves the next records to the buffer. Returns `None` if there are no more records, or if the stream is closed.
    ///
    /// # Errors
    ///
    /// Returns an error if the input cannot be read. Every later call returns the same error.
    pub(super) fn take(
        &mut self,
        at_most: usize,
        buffer: &mut Buffer,
        closed: &Arc<AtomicBool>,
    ) -> Result<Option<TakenRecords>, InputFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        self.fault = Some(PANICKED);
        let taken = self.next_records(at_most, buffer, closed);
        self.fault = taken.as_ref().err().cloned();
        taken
    }

    fn next_records(
        &mut self,
        at_most: usize,
        buffer: &mut Buffer,
        closed: &Arc<AtomicBool>,
    ) -> Result<Option<TakenRecords>, InputFault> {
        if closed.load(Acquire) {
            return Ok(None);
        }
        while self.taken == self.whole {
            if mem::take(&mut self.ended) {
                self.next_input();
            }
            if !self.read_on(closed)? {
                return Ok(self.take_dropped(buffer));
            }
        }
        buffer.clear(self.limit());
        let Some((_, layout)) = self.inputs.front() else {
            return Ok(None);
        };
        let layout = layout.clone();
        let file = self.file;
        let start = self.start;
        let bytes = match self.scanner {
            None => self.move_lines(at_most, buffer)?,
            Some(_) => self.move_found(at_most, buffer)?,
        };
        self.start.records += buffer.spans().len() as u64;
        self.start.lines += buffer.line_count;
        Ok(Some(TakenRecords {
            file,
            layout,
            start,
            bytes: bytes as u64 + mem::take(&mut self.dropped),
        }))
    }

    /// Takes the bytes without records at the end of the last input, if there are any, so that these bytes are
    /// counted too.
    fn take_dropped(&mut self, buffer: &mut Buffer) -> Option<TakenRecords> {
        buffer.clear(self.limit());
        let bytes = mem::take(&mut self.dropped);
        (bytes > 0).then(|| TakenRecords {
            file: self.file,
            layout: JSON_LINES_LAYOUT.clone(),
            start: self.start,
            bytes,
        })
    }

    fn next_input(&mut self) {
        self.inputs.pop_front();
        self.file += 1;
        self.start.lines = 0;
        self.begun = false;
        self.scanner = None;
    }

    /// Reads more of the input when there is no complete record. Returns `false` if there is no input left, or if the
    /// stream is closed.
    fn read_on(&mut self, closed: &Arc<AtomicBool>) -> Result<bool, InputFault> {
        if self.taken > 0 {
            self.ahead.copy_within(self.taken..self.filled, 0);
            self.forget(self.taken);
        }
        let Some((input, _)) = self.inputs.front_mut() else {
            return Ok(false);
        };
        let room = room_in(&mut self.ahead, self.filled..self.filled + READ_BYTES)?;
        let Some(read) = input.read(room, closed)? else {
            return Ok(false);
        };
        let mut new = self.filled;
        self.filled += read;
        self.ended = read == 0;
        if !self.begun {
            if !self.begin()? {
                return Ok(true);
            }
            new = 0;
        }
        self.find_whole(new);
        let kept = self.limit().kept();
        if self.whole == 0 && self.filled > kept {
            let dropped = self.filled - kept;
            self.dropped += dropped as u64;
            self.filled = kept;
            if let Some(scanner) = &mut self.scanner {
                scanner.remove_back(dropped);
            }
        }
        Ok(true)
    }

    /// Adjusts all places after this many bytes were removed from the front of the memory.
    fn forget(&mut self, bytes: usize) {
        self.filled -= bytes;
        self.taken = 0;
        self.whole = 0;
        if let Some(scanner) = &mut self.scanner {
            scanner.remove_front(bytes);
        }
    }

    /// Reads the beginning of an input, up to the place where its first record may begin. Returns `false` if not
    /// enough of the input has been read.
    fn begin(&mut self) -> Result<bool, InputFault> {
        let first = &self.ahead[..self.filled];
        // The beginning of a mark cannot contain the end of a record, so waiting for more delays no record.
        let may_be_mark = first.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(first);
        if may_be_mark && !self.ended {
            return Ok(false);
        }
        let mut skipped = first.len() - without_mark(first).len();
        let Some((_, layout)) = self.inputs.front_mut() else {
            return Ok(false);
        };
        if layout.has_header() {
            let first = &first[skipped..];
            if let Some(header) = layout.boundaries().first(first, self.ended) {
                let bad = |reason| InputFault::bad_record(header.lines_before + 1, reason);
                *layout = header_columns(layout, first, header, &self.options).map_err(bad)?;
                self.start.lines = line_ends(&first[..header.end]);
                skipped += header.end;
            } else if first.len() > self.options.limit().kept() {
                let too_long = self.options.limit().too_long();
                return Err(InputFault::bad_record(1, too_long));
            } else if !self.ended {
                return Ok(false);
            }
        }
        if let Boundaries::Quoted(quoted) = layout.boundaries() {
            self.scanner = Some(Scanner::new(quoted, 0, ScanState::Between));
        }
        self.begun = true;
        self.dropped += skipped as u64;
        self.ahead.copy_within(skipped..self.filled, 0);
        self.filled -= skipped;
        Ok(true)
    }

    /// Finds the complete records after more bytes have been read. The new bytes begin at the place `new`.
    fn find_whole(&mut self, new: usize) {
        let InputChain { scanner, found, .. } = self;
        let Some(scanner) = scanner else {
            let newline = memrchr(b'\n', &self.ahead[new..self.filled]);
            self.whole = newline.map_or(0, |newline| new + newline + 1);
            if self.ended {
                // The last line may have no ending.
                self.whole = self.filled;
            }
            return;
        };
        let _ = scanner.scan(&self.ahead[..self.filled], |span| {
            found.push_back(span);
            ControlFlow::Continue(())
        });
        if self.ended {
            found.extend(scanner.end(self.filled));
        }
        self.whole = scanner.open().unwrap_or(self.filled);
    }

    /// Moves complete lines to the buffer, and returns their length in bytes.
    fn move_lines(&mut self, at_most: usize, buffer: &mut Buffer) -> Result<usize, InputFault> {
        let lines = &self.ahead[self.taken..self.whole];
        // A line has at least one byte. If there are at most `at_most` bytes, all lines can be moved without counting
        // them.
        let newline = (at_most < lines.len())
            .then(|| memchr_iter(b'\n', lines).nth(at_most.saturating_sub(1)))
            .flatten();
        let end = newline.map_or(self.whole, |newline| self.taken + newline + 1);
        let length = self.move_bytes(end, buffer)?;
        buffer.split_lines(0..length);
        Ok(length)
    }

    /// Moves records that the scanner has found to the buffer, and returns the number of moved bytes.
    fn move_found(&mut self, at_most: usize, buffer: &mut Buffer) -> Result<usize, InputFault> {
        let records = at_most
            .clamp(1, self.found.len().max(1))
            .min(self.found.len());
        // The bytes between two records are moved with the first one.
        let end = self
            .found
            .get(records)
            .map_or(self.whole, |next| next.start);
        let taken = self.taken;
        let spans = self.found.drain(..records).map(|span| RecordSpan {
            start: span.start - taken,
            end: span.end - taken,
            ..span
        });
        buffer.add(spans);
        let length = self.move_bytes(end, buffer)?;
        buffer.set_end(length);
        Ok(length)
    }

    /// Moves the bytes that were read, up to the place `end`, to the front of the buffer. Returns the number of moved
    /// bytes.
    fn move_bytes(&mut self, end: usize, buffer: &mut Buffer) -> Result<usize, InputFault> {
        let length = end - self.taken;
        if length == self.whole {
            // If all complete records are taken (this may be a single giant record), the memory itself is swapped,
            // and the incomplete rest is copied back.
            buffer.exchange(&mut self.ahead);
            let rest = buffer.room(self.whole..self.filled)?;
            room_in(&mut self.ahead, 0..rest.len())?.copy_from_slice(rest);
            self.forget(length);
        } else {
            let bytes = &self.ahead[self.taken..end];
            buffer.room(0..length)?.copy_from_slice(bytes);
            self.taken = end;
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::*;

    /// A reader that returns a line in pieces of `piece` bytes, and ends the line after `reads` reads.
    struct LongLine {
        piece: usize,
        reads: usize,
    }

    impl Read for LongLine {
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

    fn chain(input: Input<'_>) -> InputChain<'_> {
        let layout = JSON_LINES_LAYOUT.clone();
        InputChain::new(OpenOptions::new(), VecDeque::from([(input, layout)]))
    }

    #[test]
    fn only_the_beginning_of_a_line_that_is_too_long_is_kept() {
        let piece = 100_000;
        let reads = 1000;
        let input = Input::reader(LongLine { piece, reads }, &OpenOptions::new());
        let mut source = chain(input);
        let limit = RecordLimit::new(1_000_000);
        source.set_max_record(1_000_000);
        let (open, mut buffer) = (Arc::default(), Buffer::default());
        let mut take = |source: &mut InputChain<'_>| {
            let taken = source.take(1, &mut buffer, &open);
            let taken = taken.expect("it can be read").expect("a line");
            let most = limit.kept() + READ_BYTES;
            assert!(source.ahead.len() <= most, "{} bytes", source.ahead.len());
            (taken.bytes, buffer.spans()[0].end)
        };
        assert_eq!(take(&mut source), (999 * 100_000, limit.kept() + piece - 1));
        assert_eq!(take(&mut source), (100_000, 100_000));
    }

    #[test]
    fn bytes_stay_in_place_while_lines_before_them_are_taken() {
        let input = Input::reader(&b"one\ntwo\nthree\nfour"[..], &OpenOptions::new());
        let mut source = chain(input);
        let (open, mut buffer) = (Arc::default(), Buffer::default());
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
    fn nothing_is_read_once_it_is_closed() {
        let input = Input::reader(io::repeat(b'x'), &OpenOptions::new());
        let mut source = chain(input);
        let mut buffer = Buffer::default();
        let taken = source.take(1, &mut buffer, &Arc::new(AtomicBool::new(true)));
        assert!(taken.expect("no fault").is_none());
        assert!(source.ahead.is_empty());
    }
}
