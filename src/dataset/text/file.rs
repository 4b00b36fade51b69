//! A text file that is read by byte range. A range contains all records that begin in it, and the last of these
//! records belongs to the range completely even if it ends beyond the range.
//!
//! The bytes of the file alone determine which records belong to a range, so any worker can read any range at any
//! time. Files are read with positioned reads into a buffer, not mapped: mapping is unsafe if another program may
//! shorten the file.

mod cuts;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use memchr::{memchr2, memrchr2};

use super::beginning::{Beginning, beginning_of};
use super::buffer::Buffer;
use super::encoding::without_mark;
use super::handle::FileHandle;
use super::legacy::{examined_bytes, is_legacy};
use super::limit::{OUT_OF_MEMORY, RecordLimit};
use super::numbering::Start;
use super::options::{OpenOptions, header_columns};
use super::os::open_of_known_length;
use crate::dataset::format::{
    Boundaries, EXAMINED_BYTES, FirstBytes, HEADER_BYTES, JSON_LINES_LAYOUT, LineCount, Lines,
    RecordLayout, Tallies, line_ends, next_line,
};
use crate::error::Error;

/// The length in bytes of the first read past the end of a range, which looks for the end of the last record.
const TAIL_BYTES: usize = 4 << 10;
/// The maximum length in bytes of a read past the end of a range.
const TAIL_BYTES_MOST: usize = 1 << 20;

/// An open text file of known length.
#[derive(Debug)]
pub(super) struct TextFile {
    pub(super) path: Arc<Path>,
    pub(super) length: u64,
    pub(super) layout: RecordLayout,
    file: FileHandle,
    /// Number of bytes before the first record, which are those of a byte-order mark and of the header.
    begin: u64,
    /// Number of lines before the first record.
    pub(super) header_lines: u64,
}

impl TextFile {
    pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Self, Error> {
        let (file, length) = open_of_known_length(path)?.ok_or_else(|| {
            Error::input(
                path,
                "is a pipe, a device or a file of unknown length; save its contents to \
                 a file first, so that all workers can read it at once",
            )
        })?;
        let mut text = TextFile {
            path: Arc::from(path),
            length,
            layout: JSON_LINES_LAYOUT.clone(),
            file: FileHandle::Open(file),
            begin: 0,
            header_lines: 0,
        };
        text.read_mark(options)?;
        text.find_layout(options)?;
        if text.layout.is_table() {
            text.read_header(options)?;
        }
        Ok(text)
    }

    /// Finds the format of the file.
    fn find_layout(&mut self, options: &OpenOptions) -> Result<(), Error> {
        let rest = self.length - self.begin;
        for most in [EXAMINED_BYTES, HEADER_BYTES] {
            let examined = rest.min(most as u64) as usize;
            let mut bytes = vec![0; examined];
            self.read_exact_at(&mut bytes, self.begin)?;
            let first = FirstBytes {
                bytes: &bytes,
                is_all: rest == examined as u64,
                is_stored: true,
            };
            let layout = options.layout(&self.path, first);
            let layout = layout.map_err(|bad| Error::input(&self.path, bad.message))?;
            if let Some(layout) = layout {
                self.begin += layout.before_header() as u64;
                self.header_lines = layout.lines_before_header();
                self.layout = layout;
                break;
            }
        }
        Ok(())
    }

    /// Skips a byte-order mark, and refuses a file that is plainly not UTF-8 text.
    fn read_mark(&mut self, options: &OpenOptions) -> Result<(), Error> {
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        let mut first = vec![0; length.min(examined_bytes())];
        self.read_exact_at(&mut first, 0)?;
        let messages = options.encoding_messages();
        let refuse = |message: String| Err(Error::input(&self.path, message));
        match beginning_of(&first, true, false) {
            Beginning::TooShort | Beginning::Text => {}
            Beginning::Utf16 => return refuse(messages.utf_16.to_owned()),
            Beginning::Refused(message) => return refuse(message.to_owned()),
            Beginning::Columnar(kind) => return refuse(kind.not_text(options.requested_format())),
            Beginning::Compressed(compression) => {
                return refuse(format!(
                    "is {}-compressed, so it can only be read as a stream; open it with \
                     OpenOptions::open, which unpacks it as it is read",
                    compression.name()
                ));
            }
        }
        if options.refuses_legacy() && is_legacy(&first, first.len() == length) {
            return refuse(messages.legacy.to_owned());
        }
        self.begin = (first.len() - without_mark(&first).len()) as u64;
        Ok(())
    }

    /// Reads the first record, from which the columns are taken. If the first record is a header, the records begin
    /// after it.
    fn read_header(&mut self, options: &OpenOptions) -> Result<(), Error> {
        let mut buffer = Buffer::default();
        let mut tail = Tail::new(self.begin, 0);
        let (header, layout) = loop {
            let is_all = self.read_on(&mut tail, &mut buffer)?.is_empty();
            buffer.set_end(tail.filled);
            match header_columns(&self.layout, buffer.bytes(), is_all, options) {
                Err((line, bad)) => {
                    let line = self.header_lines + line;
                    return Err(Error::bad_record(&self.path, line, bad));
                }
                Ok(Some(found)) => break found,
                Ok(None) if is_all => {
                    // A file without a header has no records.
                    self.begin = self.length;
                    return Ok(());
                }
                Ok(None) => {}
            }
        };
        self.layout = layout;
        if self.layout.has_header() {
            self.begin += header.end as u64;
            self.header_lines += line_ends(&buffer.bytes()[..header.end], false);
        }
        Ok(())
    }

    /// Returns the part of `range` in which records may begin.
    fn without_header(&self, range: &Range<u64>) -> Range<u64> {
        range.start.max(self.begin)..range.end.max(self.begin)
    }

    /// Fetches the bytes of a range. If records are lines, the records that begin in the range are found too; the
    /// last record is complete even if it ends beyond the range. If that line is too long, only enough bytes are
    /// fetched to detect this.
    pub(super) fn fetch(
        &self,
        range: &Range<u64>,
        limit: RecordLimit,
        buffer: &mut Buffer,
    ) -> Result<(), Error> {
        buffer.clear(limit);
        let range = self.without_header(range);
        match self.layout.boundaries() {
            Boundaries::Values => Ok(()),
            Boundaries::Lines(_) if range.is_empty() => Ok(()),
            Boundaries::Lines(lines) => self.fetch_lines(range, lines, limit, buffer),
            Boundaries::Quoted(quoted) => {
                let end = self.fetch_bytes(&range, buffer)?.len();
                buffer.examine(quoted, end);
                Ok(())
            }
        }
    }

    /// Whether [`fetch`](Self::fetch) also finds the records, because that does not require the state at the start of
    /// the range.
    pub(super) fn is_cut_when_fetched(&self) -> bool {
        !matches!(self.layout.boundaries(), Boundaries::Quoted(_))
    }

    /// Counts the records in the bytes that were fetched, for each state in which they may begin.
    pub(super) fn tallies(&self, buffer: &Buffer) -> Tallies {
        let of_lines = || Tallies::of_lines(buffer.spans().len() as u64);
        buffer.tallies().unwrap_or_else(of_lines)
    }

    /// Finds the records that begin in a range that was fetched. This is for formats in which the state at the start
    /// of the range has to be known. The last record found is complete even if it ends beyond the range.
    pub(super) fn cut(
        &self,
        range: &Range<u64>,
        start: Start,
        buffer: &mut Buffer,
    ) -> Result<(), Error> {
        let range = self.without_header(range);
        let Some(mut scanner) = buffer.complete(start.state, start.after_cr) else {
            return Ok(());
        };
        let kept = buffer.limit.kept();
        let mut tail = Tail::new(range.start, (range.end - range.start) as usize);
        while let Some(start) = scanner.open() {
            // Of a record that is too long, only the beginning is kept. It is read to its end, because only its end
            // shows whether it has one.
            let too_much = tail.filled.saturating_sub(start.saturating_add(kept));
            scanner.remove_back(too_much);
            tail.drop_last(too_much);
            if !self.read_on(&mut tail, buffer)?.is_empty() {
                buffer.scan(&mut scanner, tail.filled, 1);
                continue;
            }
            buffer.set_end(tail.filled);
            buffer.unreadable = scanner.unclosed(buffer.bytes(), kept);
            let last = scanner.end(tail.filled);
            buffer.add(last.filter(|_| buffer.unreadable.is_none()).into_iter());
        }
        buffer.set_end(tail.filled);
        Ok(())
    }

    /// Fetches the bytes of a range to the beginning of the buffer.
    fn fetch_bytes<'b>(
        &self,
        range: &Range<u64>,
        buffer: &'b mut Buffer,
    ) -> Result<&'b mut [u8], Error> {
        let wanted = usize::try_from(range.end - range.start).map_err(|_| self.too_long())?;
        let bytes = buffer.room(0..wanted);
        let bytes = bytes.map_err(|_| Error::input(&self.path, OUT_OF_MEMORY))?;
        self.read_exact_at(bytes, range.start)?;
        Ok(bytes)
    }

    fn fetch_lines(
        &self,
        range: Range<u64>,
        lines: Lines,
        limit: RecordLimit,
        buffer: &mut Buffer,
    ) -> Result<(), Error> {
        // The byte before the range shows whether a line starts at the first byte of the range. If that byte and the
        // first byte of the range are the line end `\r\n`, a line starts at the second byte of the range.
        let begins = range.start == self.begin;
        let from = if begins { range.start } else { range.start - 1 };
        let bytes = self.fetch_bytes(&(from..range.end), buffer)?;
        let wanted = bytes.len();
        let start = if begins {
            0
        } else {
            match next_line(bytes) {
                Some(start) if start < wanted => start,
                _ => return Ok(()),
            }
        };
        let mut complete = bytes.ends_with(b"\n") || bytes.ends_with(b"\r");
        let last_line = memrchr2(b'\n', b'\r', bytes).map_or(start, |end| end + 1);
        let mut end = wanted;
        let mut tail = Tail::new(from, wanted);
        while !complete && end - last_line < limit.kept() {
            let more = self.read_on(&mut tail, buffer)?;
            if more.is_empty() {
                break;
            }
            let line_end = memchr2(b'\n', b'\r', more);
            complete = line_end.is_some();
            end += line_end.map_or(more.len(), |line_end| line_end + 1);
        }
        let ends = buffer.split_lines(start..end, lines, false);
        buffer.line_count = LineCount::of_lines(ends + u64::from(!complete));
        Ok(())
    }

    /// Reads the bytes of the file that follow those in the buffer. Returns no bytes at the end of the file.
    fn read_on<'b>(&self, tail: &mut Tail, buffer: &'b mut Buffer) -> Result<&'b [u8], Error> {
        let at = tail.from + tail.dropped + tail.filled as u64;
        let left = usize::try_from(self.length - at).unwrap_or(tail.next);
        let place = tail.filled..tail.filled + tail.next.min(left);
        tail.filled = place.end;
        tail.next = (tail.next * 2).min(TAIL_BYTES_MOST);
        let bytes = buffer.room(place);
        let bytes = bytes.map_err(|_| Error::input(&self.path, OUT_OF_MEMORY))?;
        self.read_exact_at(bytes, at)?;
        Ok(bytes)
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        let read = self.file.read_exact_at(&self.path, bytes, offset);
        read.map_err(|fault| fault.error(&self.path))
    }

    /// Closes the file. Each later read opens it again.
    pub(super) fn close(&mut self) -> Result<(), Error> {
        self.file.close(&self.path)
    }

    fn too_long(&self) -> Error {
        Error::input(
            &self.path,
            "holds a longer record than this machine can address",
        )
    }
}

/// How far a file has been read beyond a range.
struct Tail {
    /// The place in the file at which the buffer begins, in bytes.
    from: u64,
    /// Number of bytes in the buffer.
    filled: usize,
    /// Number of bytes that were read and are not kept.
    dropped: u64,
    /// Number of bytes to read next.
    next: usize,
}

impl Tail {
    fn new(from: u64, filled: usize) -> Self {
        Tail {
            from,
            filled,
            dropped: 0,
            next: TAIL_BYTES,
        }
    }

    /// Drops the last bytes of the buffer.
    fn drop_last(&mut self, bytes: usize) {
        self.filled -= bytes;
        self.dropped += bytes as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::dataset::format::RecordSpan;

    fn file(content: &[u8]) -> (tempfile::TempDir, TextFile) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, content).expect("a file");
        let file = TextFile::open(&path, &OpenOptions::new()).expect("it can be opened");
        (folder, file)
    }

    fn fetched(file: &TextFile, range: Range<u64>, limit: u64) -> Vec<Vec<u8>> {
        let mut buffer = Buffer::default();
        let fetched = file.fetch(&range, RecordLimit::new(limit), &mut buffer);
        fetched.expect("it can be read");
        let text = |span: &RecordSpan| buffer.bytes()[span.start..span.end].to_vec();
        buffer.spans().iter().map(text).collect()
    }

    /// A line belongs to the range that contains its first byte.
    #[test]
    fn every_range_has_the_lines_that_begin_in_it() {
        let content = b"\xef\xbb\xbfone\nsecond\n\n3\r\nlast but one\nthe end";
        let (_folder, file) = file(content);
        let mut starts = vec![(3, &b"one"[..])];
        for (place, _) in content
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
        {
            let rest = &content[place + 1..];
            let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                starts.push((place as u64 + 1, line));
            }
        }
        for from in 0..content.len() as u64 {
            for until in from + 1..=content.len() as u64 {
                let expected: Vec<_> = starts
                    .iter()
                    .filter(|(start, _)| (from..until).contains(start))
                    .map(|(_, line)| line.to_vec())
                    .collect();
                assert_eq!(
                    fetched(&file, from..until, 100),
                    expected,
                    "{from}..{until}"
                );
            }
        }
    }

    /// Tests lines that end just before, at or just after a place up to which the file is read beyond the range.
    #[test]
    fn the_last_line_of_a_range_is_whole() {
        for tail in [1, 4095, 4096, 4097, 12_287, 12_288, 12_289, 3_000_000] {
            for end in ["", "\n", "\nnext\n"] {
                let line = "x".repeat(tail + 1);
                let (_folder, file) = file(format!("{line}{end}").as_bytes());
                let lines = fetched(&file, 0..1, 1 << 30);
                assert!(lines == [line.into_bytes()], "{tail} bytes and {end:?}");
            }
        }
    }

    /// A line that is too long is read until its length exceeds the limit. After that, there is at most one more
    /// read.
    #[test]
    fn a_line_that_is_too_long_is_not_read_to_its_end() {
        let (_folder, file) = file(format!("one\n{}\n", "x".repeat(20_000_000)).as_bytes());
        for range in [0..1, 0..4, 0..5, 4..5, 1..2000] {
            let mut buffer = Buffer::default();
            let limit = RecordLimit::new(100_000);
            file.fetch(&range, limit, &mut buffer)
                .expect("it can be read");
            let longest = buffer
                .spans()
                .iter()
                .map(|span| span.end - span.start)
                .max();
            let longest = longest.expect("a line");
            if range.end <= 4 {
                assert_eq!(longest, 3);
            } else {
                assert!(
                    (100_005..100_005 + TAIL_BYTES_MOST).contains(&longest),
                    "{longest}"
                );
            }
        }
    }

    #[test]
    fn two_bytes_show_another_encoding() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, b"\xff\xfe").expect("a file");
        let message = TextFile::open(&path, &OpenOptions::new())
            .expect_err("it is refused")
            .to_string();
        assert!(message.contains("file: is UTF-16; "), "{message}");
        std::fs::write(&path, b"\xff").expect("a file");
        assert_eq!(
            TextFile::open(&path, &OpenOptions::new().with_bad_records())
                .expect("one byte shows nothing")
                .length,
            1
        );
    }

    #[test]
    fn a_range_that_is_missing_is_reported_as_a_change() {
        let (folder, file) = file(b"one\ntwo\n");
        std::fs::write(folder.path().join("file"), b"one\n").expect("a file");
        let mut buffer = Buffer::default();
        let error = file.fetch(&(0..8), RecordLimit::default(), &mut buffer);
        let message = error.expect_err("half of it is gone").to_string();
        assert!(
            message.contains("file: changed while it was being read; "),
            "{message}"
        );
    }

    #[test]
    fn a_range_that_does_not_fit_in_memory_is_an_error() {
        let (_folder, mut file) = file(b"one\n");
        file.length = u64::MAX;
        let mut buffer = Buffer::default();
        let error = file.fetch(&(0..u64::MAX / 2), RecordLimit::default(), &mut buffer);
        let message = error.expect_err("no memory is that large").to_string();
        assert!(
            message.contains("file: holds a record that does not fit in memory; "),
            "{message}"
        );
    }

    /// The test reads the memory of this process, in which the byte at address 0 cannot be read.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_error_of_the_system_is_reported() {
        let file = TextFile {
            path: Arc::from(Path::new("broken")),
            length: 10,
            layout: JSON_LINES_LAYOUT.clone(),
            file: FileHandle::Open(File::open("/proc/self/mem").expect("it can be opened")),
            begin: 0,
            header_lines: 0,
        };
        let mut buffer = Buffer::default();
        let error = file.fetch(&(0..10), RecordLimit::default(), &mut buffer);
        let message = error.expect_err("nothing can be read").to_string();
        assert!(
            message.starts_with("broken: cannot be read: Input/output error"),
            "{message}"
        );
    }
}
