//! Tables: records as the crate `csv` reads them, each with the line it begins in, and a limit to its
//! length.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use memchr::memchr_iter;

use super::input::{Fault, Input};
use super::lines::{BYTE_ORDER_MARK, RecordLimit, other_encoding, without_mark};
use crate::error::{BadRecord, Error};
use crate::sync::atomic::AtomicBool;

/// A table, read record by record; the first one is its header.
pub(super) struct Table {
    name: PathBuf,
    csv: csv::Reader<Window>,
    record: StringRecord,
    limit: RecordLimit,
}

impl Table {
    /// Opens a table, which may be a pipe.
    pub(super) fn open(path: &Path, delimiter: u8, limit: RecordLimit) -> Result<Self, Error> {
        let (name, input) = Input::at(path)?;
        Self::over(name, input, delimiter, limit)
    }

    fn over(
        name: PathBuf,
        input: Input<'static>,
        delimiter: u8,
        limit: RecordLimit,
    ) -> Result<Self, Error> {
        let window = Window::new(input, limit).map_err(|fault| fault.error(&name))?;
        let csv = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .from_reader(window);
        Ok(Table {
            name,
            csv,
            record: StringRecord::new(),
            limit,
        })
    }

    /// The next record and the line it begins in, from 1; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the table cannot be read, or the record is too long, not UTF-8, or has another number of
    /// fields than the first.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &StringRecord)>, Error> {
        let start = self.csv.position().byte();
        self.csv.get_mut().pass(start);
        let read = self.csv.read_record(&mut self.record);
        let end = self.csv.position().byte();
        let window = self.csv.get_mut();
        window.skip_line_ends();
        let (line, fault) = (window.line, window.fault.take());
        if fault.is_none() && (window.is_full || self.limit.excludes(window.length_up_to(end))) {
            return Err(Error::bad_record(&self.name, line, self.limit.too_long()));
        }
        match (fault, read) {
            (Some(fault), _) => Err(fault.error(&self.name)),
            (None, Err(error)) => Err(self.bad(line, &error)),
            (None, Ok(false)) => Ok(None),
            (None, Ok(true)) => Ok(Some((line, &self.record))),
        }
    }

    /// What is wrong with the record of this line.
    fn bad(&self, line: u64, error: &csv::Error) -> Error {
        self.refuse(
            line,
            match error.kind() {
                csv::ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => format!("expected {expected_len} fields as in the header, found {len}"),
                // The window keeps what the input says to itself, so there is no other kind.
                _ => "expected UTF-8 text, found a byte that is not".to_owned(),
            },
        )
    }

    /// The error of a record that is not what it should be.
    pub(super) fn refuse(&self, line: u64, reason: String) -> Error {
        Error::bad_record(&self.name, line, BadRecord::new(reason, None))
    }
}

/// The bytes of a table on their way to the parser, with the record that is being read in sight: the
/// parser does not tell in which line a record begins where blank lines or the `\n` of a `\r\n` come
/// before it, and takes a record of any length.
struct Window {
    input: Input<'static>,
    limit: RecordLimit,
    /// The first bytes of the table, not handed on yet.
    first: Vec<u8>,
    /// Bytes that were handed on …
    bytes: Vec<u8>,
    /// … of which what comes before this place has been passed, …
    passed: usize,
    /// … and this many of the table before them.
    dropped: u64,
    /// The line of the first byte that has not been passed, from 1.
    line: u64,
    /// Whether the record is too long, and so there is no more of it.
    is_full: bool,
    /// Why the input could not be read on.
    fault: Option<Fault>,
}

impl Window {
    fn new(mut input: Input<'static>, limit: RecordLimit) -> Result<Self, Fault> {
        // The parser sees a byte-order mark only if it comes in one piece.
        let mut first = vec![0; BYTE_ORDER_MARK.len()];
        let mut filled = 0;
        while filled < first.len() {
            match input.read(&mut first[filled..], &AtomicBool::new(false))? {
                None | Some(0) => break,
                Some(read) => filled += read,
            }
        }
        first.truncate(filled);
        if let Some(message) = other_encoding(&first) {
            return Err(Fault::Refused(message));
        }
        Ok(Window {
            input,
            limit,
            first: without_mark(&first).to_vec(),
            bytes: Vec::new(),
            passed: 0,
            dropped: 0,
            line: 1,
            is_full: false,
            fault: None,
        })
    }

    /// Passes the bytes up to this place in the table.
    fn pass(&mut self, place: u64) {
        let until = (place - self.dropped) as usize;
        self.line += memchr_iter(b'\n', &self.bytes[self.passed..until]).count() as u64;
        self.passed = until;
    }

    /// Passes line ends that come before a record.
    fn skip_line_ends(&mut self) {
        let ends = self.bytes[self.passed..].iter();
        let ends = ends.take_while(|byte| is_line_end(byte));
        self.pass(self.dropped + (self.passed + ends.count()) as u64);
    }

    /// The bytes of the record that ends at this place in the table, its line ending left out.
    fn length_up_to(&self, place: u64) -> usize {
        let end = (place.saturating_sub(self.dropped) as usize).max(self.passed);
        let record = &self.bytes[self.passed..end];
        let line_end = record.iter().rev().take_while(|byte| is_line_end(byte));
        record.len() - line_end.count()
    }

    fn next_bytes(&mut self, room: &mut [u8]) -> Result<usize, Fault> {
        if self.first.is_empty() {
            let read = self.input.read(room, &AtomicBool::new(false))?;
            return Ok(read.unwrap_or_default());
        }
        let given = self.first.len().min(room.len());
        room[..given].copy_from_slice(&self.first[..given]);
        self.first.drain(..given);
        Ok(given)
    }
}

impl Read for Window {
    /// The parser asks for more when it has looked at all it was given, so what has not been passed
    /// belongs to one record.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.skip_line_ends();
        if self.limit.excludes(self.bytes.len() - self.passed) {
            self.is_full = true;
            return Ok(0);
        }
        self.bytes.drain(..self.passed);
        self.dropped += self.passed as u64;
        self.passed = 0;
        match self.next_bytes(room) {
            Ok(read) => {
                self.bytes.extend_from_slice(&room[..read]);
                Ok(read)
            }
            Err(fault) => {
                self.fault = Some(fault);
                Ok(0)
            }
        }
    }
}

fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hands bytes on in pieces of this length.
    struct Pieces(io::Cursor<Vec<u8>>, usize);

    impl Read for Pieces {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(room.len());
            self.0.read(&mut room[..most])
        }
    }

    type Records = Vec<(u64, Vec<String>)>;

    fn read(input: impl Read + Send + 'static, limit: u64) -> Result<Records, String> {
        let input = Input::Reader(Box::new(input));
        let limit = RecordLimit::new(limit);
        let told = |error: Error| error.to_string();
        let mut table = Table::over("table".into(), input, b',', limit).map_err(told)?;
        let mut records = Vec::new();
        while let Some((line, record)) = table.next().map_err(told)? {
            records.push((line, record.iter().map(str::to_owned).collect()));
        }
        assert_eq!(table.next().map_err(told)?, None);
        Ok(records)
    }

    fn of(text: &str, limit: u64) -> Result<Records, String> {
        read(io::Cursor::new(text.to_owned().into_bytes()), limit)
    }

    fn field() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => "[a-zé]{1,6}",
            1 => "[a-zé\"\r\n, ]{0,8}",
            1 => "x{0,300}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn every_record_has_its_line_and_a_limit(
            records in proptest::collection::vec(
                (field(), field(), "(\n|\r\n){0,2}", any::<bool>()), 1..20),
            mark in any::<bool>(),
            last_end in any::<bool>(),
            limit in prop_oneof![3 => Just(1000_u64), 1 => 0_u64..40],
            piece in prop_oneof![1_usize..4, Just(8192)],
        ) {
            let mut text = if mark { "\u{feff}".to_owned() } else { String::new() };
            let (mut expected, mut too_long) = (Vec::new(), None);
            let last = records.len() - 1;
            for (number, (one, two, blank, windows)) in records.into_iter().enumerate() {
                text += &blank;
                let line = 1 + text.matches('\n').count() as u64;
                let written = [&one, &two].map(|field| {
                    if field.contains(['"', '\r', '\n', ',']) {
                        format!("\"{}\"", field.replace('"', "\"\""))
                    } else {
                        field.clone()
                    }
                });
                let written = written.join(",");
                if written.len() as u64 > limit && too_long.is_none() {
                    too_long = Some(line);
                }
                text += &written;
                if number < last || last_end {
                    text += if windows { "\r\n" } else { "\n" };
                }
                expected.push((line, vec![one, two]));
            }
            let found = read(Pieces(io::Cursor::new(text.into_bytes()), piece), limit);
            let expected = match too_long {
                None => Ok(expected),
                Some(line) => Err(format!("table:{line}: {}", RecordLimit::new(limit).too_long())),
            };
            prop_assert_eq!(found, expected);
        }
    }

    /// The quote is never closed, so all that comes is one field.
    #[test]
    fn a_record_without_an_end_is_too_long() {
        let endless = io::Cursor::new(b"a,b\n\n\"".to_vec()).chain(io::repeat(b'\n'));
        let told = read(endless, 100_000).expect_err("too long");
        assert!(
            told.starts_with("table:3: expected a record of at most 100000 bytes, "),
            "{told}"
        );
    }

    /// Blank lines take no memory, however many there are.
    #[test]
    fn blank_lines_are_no_record_and_have_no_limit() {
        let text = format!(
            "a,b\n{}1,2\r\n{}",
            "\n".repeat(100_000),
            "\r\n".repeat(100_000)
        );
        let records = of(&text, 3).expect("a table");
        assert_eq!(
            records.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
            [1, 100_002]
        );
        assert_eq!(of("", 3), Ok(vec![]));
        assert_eq!(of("\n\r\n", 3), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let told =
            |text: &[u8]| read(io::Cursor::new(text.to_vec()), 1000).expect_err("it is wrong");
        let unequal = "table:5: expected 2 fields as in the header, found 1";
        assert_eq!(told(b"a,b\r\n\"1\n\",2\r\n\r\n3\r\n"), unequal);
        let latin = "table:3: expected UTF-8 text, found a byte that is not";
        assert_eq!(told(b"a,b\r\n\r\n\xe9,2\r\n"), latin);
        assert!(told(b"\x1f\x8bx").starts_with("table: is gzip-compressed; "));
        assert!(told(b"\xff\xfex").starts_with("table: is UTF-16; "));
    }

    #[test]
    fn what_the_input_says_is_told() {
        struct Unplugged(bool);
        impl Read for Unplugged {
            fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::Error::other("unplugged"));
                }
                room[..3].copy_from_slice(b"a,b");
                Ok(3)
            }
        }
        for later in [true, false] {
            let told = read(Unplugged(later), 100).expect_err("unplugged");
            assert_eq!(told, "table: cannot be read: unplugged");
        }
    }
}
