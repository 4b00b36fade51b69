//! The inputs of a stream, one after the other, and the records that are taken from the inputs.

mod moving;

use std::collections::VecDeque;
use std::mem;
use std::path::Path;
use std::sync::Arc;

use memchr::memrchr2;

use super::taken::TakenRecords;
use crate::dataset::format::{
    FirstBytes, RecordLayout, RecordScanner, RecordSpan, Unreadable, line_ends,
};
use crate::dataset::text::buffer::{Buffer, room_in};
use crate::dataset::text::encoding::{BYTE_ORDER_MARK, without_mark};
use crate::dataset::text::fault::InputFault;
use crate::dataset::text::input::Input;
use crate::dataset::text::limit::RecordLimit;
use crate::dataset::text::numbering::Start;
use crate::dataset::text::options::{OpenOptions, header_columns};
use crate::error::BadRecord;
use crate::sync::atomic::{AtomicBool, Ordering::Acquire};

/// The number of bytes that are requested from an input at a time. More bytes are requested only until there is a
/// complete record. Only one worker reads at a time, and compressed bytes are unpacked while they are read, so the
/// other workers would wait longer if this number were larger.
const READ_BYTES: usize = 64 << 10;

/// The fault that is set while an input is being read. If the read panics, the fault stays set.
const PANICKED: InputFault = InputFault::refused("cannot be read on after a panic");

/// The inputs, and the bytes that have been read from the inputs but not taken yet.
pub(super) struct InputChain<'r> {
    /// The input that is being read and the inputs after it, each with its name.
    inputs: VecDeque<(Input<'r>, Arc<Path>)>,
    /// For each input that has been begun: the number of bytes that have been read from it, and its layout.
    inputs_read: Vec<(u64, Option<RecordLayout>)>,
    /// Number of the input that is being read, from 0.
    file: usize,
    /// What comes before the next line. In a format of quoted records, this is what comes before the first line of
    /// the input.
    start: Start,
    options: OpenOptions,
    /// Number of records that may still be taken.
    pub(super) left: u64,
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
    scanner: Option<RecordScanner>,
    /// The complete records that the scanner has found and that have not been taken.
    found: VecDeque<RecordSpan>,
    /// The reason why the input cannot be divided into records after those that were found. `None` if no error was
    /// found.
    unreadable: Option<Unreadable>,
    /// The reason why no more bytes of the input can be read. `None` if no read has failed. The records before the
    /// failed read are taken first, so that they are the same in every run.
    broken_off: Option<Unreadable>,
    /// Whether the input has ended.
    ended: bool,
    /// The reason why nothing more can be read. The first fault is kept, and is reported to every later caller.
    fault: Option<InputFault>,
}

impl<'r> InputChain<'r> {
    pub(super) fn new(options: OpenOptions, inputs: VecDeque<(Input<'r>, Arc<Path>)>) -> Self {
        InputChain {
            inputs,
            inputs_read: vec![(0, None)],
            file: 0,
            start: Start::default(),
            left: options.first_records().unwrap_or(u64::MAX),
            options,
            ahead: Vec::new(),
            taken: 0,
            whole: 0,
            filled: 0,
            dropped: 0,
            begun: false,
            scanner: None,
            found: VecDeque::new(),
            unreadable: None,
            broken_off: None,
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

    /// The number of bytes that have been read from an input, and its layout if it is known.
    pub(super) fn found(&self, file: usize) -> (u64, Option<&RecordLayout>) {
        let found = self.inputs_read.get(file);
        found.map_or((0, None), |(bytes, layout)| (*bytes, layout.as_ref()))
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
        if closed.load(Acquire) || self.left == 0 {
            return Ok(None);
        }
        let at_most = usize::try_from(self.left).map_or(at_most, |left| left.min(at_most));
        while self.taken == self.whole {
            if self.unreadable.is_none() {
                self.unreadable = self.broken_off.take();
            }
            if self.unreadable.is_some() {
                return Ok(Some(self.take_unreadable(buffer)));
            }
            if mem::take(&mut self.ended) {
                self.next_input();
            }
            if !self.read_on(closed)? {
                return Ok((self.dropped > 0).then(|| self.take_dropped(buffer)));
            }
        }
        buffer.clear(self.limit());
        let Some((_, Some(layout))) = self.inputs_read.last().cloned() else {
            return Ok(None);
        };
        let file = self.file;
        let start = self.start;
        let bytes = match self.scanner {
            None => self.move_lines(layout.boundaries(), at_most, buffer)?,
            Some(_) => self.move_found(at_most, buffer)?,
        };
        let records = buffer.spans().len() as u64;
        self.start.records += records;
        self.left = self.left.saturating_sub(records);
        if self.left == 0 {
            self.end_here();
        }
        Ok(Some(TakenRecords {
            file,
            layout,
            start,
            bytes: bytes as u64 + mem::take(&mut self.dropped),
        }))
    }

    /// Takes the error after which an input cannot be read any further. The stream ends there.
    fn take_unreadable(&mut self, buffer: &mut Buffer) -> TakenRecords {
        let taken = self.take_dropped(buffer);
        buffer.unreadable = self.unreadable.take();
        self.end_here();
        taken
    }

    /// Ends the stream at this place. The inputs are closed, so that a program that writes to them can stop.
    fn end_here(&mut self) {
        self.inputs.clear();
        self.ended = false;
        self.unreadable = None;
        self.scanner = None;
        self.forget(self.filled);
    }

    /// Takes the bytes without records at the end of an input, so that these bytes are counted too.
    fn take_dropped(&mut self, buffer: &mut Buffer) -> TakenRecords {
        buffer.clear(self.limit());
        TakenRecords::none(self.file, self.start, mem::take(&mut self.dropped))
    }

    fn next_input(&mut self) {
        self.inputs.pop_front();
        self.file += 1;
        self.inputs_read.push((0, None));
        self.start.lines = 0;
        self.start.column = 0;
        self.start.after_cr = false;
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
        let read = match input.read(room, closed) {
            Err(InputFault::Damaged(message)) if self.begun || self.filled > 0 => {
                self.broken_off = Some(Unreadable {
                    lines_before: 0,
                    reason: BadRecord::last(message, None),
                });
                0
            }
            read => match read? {
                Some(read) => read,
                None => return Ok(false),
            },
        };
        let mut new = self.filled;
        self.filled += read;
        if let Some((bytes, _)) = self.inputs_read.last_mut() {
            *bytes += read as u64;
        }
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
        let (Some((input, name)), Some((_, known))) =
            (self.inputs.front(), self.inputs_read.last_mut())
        else {
            return Ok(false);
        };
        if known.is_none() {
            *known = input.layout().cloned();
        }
        if known.is_none() {
            let first = FirstBytes {
                bytes: &first[skipped..],
                is_all: self.ended,
                is_stored: input.is_stored(),
            };
            let refused = |bad: BadRecord| InputFault::Refused(bad.message.into());
            *known = self.options.layout(name, first).map_err(refused)?;
        }
        let Some(layout) = known else {
            return Ok(false);
        };
        if layout.is_table() {
            skipped += layout.before_header();
            let lines_before = layout.lines_before_header();
            let first = &first[skipped..];
            // If the input was broken off, a first record without a line end is not complete.
            let is_all = self.ended && self.broken_off.is_none();
            let bad = |(line, reason)| InputFault::bad_record(lines_before + line, reason);
            match header_columns(layout, first, is_all, &self.options).map_err(bad)? {
                Some((header, with_columns)) => {
                    *layout = with_columns;
                    self.start.lines = lines_before;
                    if layout.has_header() {
                        self.start.lines += line_ends(&first[..header.end], false);
                        skipped += header.end;
                    }
                }
                None if self.ended => {}
                None => return Ok(false),
            }
        }
        self.scanner = RecordScanner::new(layout.boundaries());
        self.begun = true;
        self.dropped += skipped as u64;
        self.ahead.copy_within(skipped..self.filled, 0);
        self.filled -= skipped;
        Ok(true)
    }

    /// Finds the complete records after more bytes have been read. The new bytes begin at the place `new`.
    fn find_whole(&mut self, new: usize) {
        let kept = self.limit().kept();
        // If the input is broken off, its last record is not complete.
        let is_all = self.ended && self.broken_off.is_none();
        let InputChain { scanner, found, .. } = self;
        let Some(scanner) = scanner else {
            let end = memrchr2(b'\n', b'\r', &self.ahead[new..self.filled]);
            self.whole = end.map_or(0, |end| new + end + 1);
            if is_all {
                // The last line may have no ending.
                self.whole = self.filled;
            }
            return;
        };
        let bytes = &self.ahead[..self.filled];
        scanner.scan(bytes, is_all, |span| found.push_back(span));
        self.unreadable = scanner.unreadable(bytes, is_all, kept);
        self.whole = match is_all || self.unreadable.is_some() {
            true => self.filled,
            false => scanner.whole(),
        };
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
        let name = Arc::from(Path::new("lines"));
        InputChain::new(OpenOptions::new(), VecDeque::from([(input, name)]))
    }

    #[test]
    fn only_the_beginning_of_a_line_that_is_too_long_is_kept() {
        let piece = 50_000;
        let reads = 2000;
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
        assert_eq!(take(&mut source), (1999 * 50_000, limit.kept() + piece - 1));
        assert_eq!(take(&mut source), (50_000, 50_000));
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
