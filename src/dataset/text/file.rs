//! A text file, read by byte range: the lines that start in the range, whole.
//!
//! Which lines belong to a range follows from the bytes of the file alone, so ranges can be read
//! in any order by anyone. Files are read with positioned reads into a buffer, not mapped: mapping
//! is unsafe where another program may shorten the file.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use memchr::{memchr, memrchr};

use super::lines::{Buffer, OUT_OF_MEMORY, RecordLimit, TELLING_BYTES, other_encoding};
use super::os::{open_of_known_length, read_exact_at};
use crate::error::Error;

/// The first read past the end of a range, to find the end of its last line, in bytes.
const TAIL_BYTES: usize = 4 << 10;
/// The longest such read, in bytes.
const TAIL_BYTES_MOST: usize = 1 << 20;

/// An open text file of known length.
#[derive(Debug)]
pub(super) struct TextFile {
    pub(super) path: Arc<Path>,
    pub(super) length: u64,
    file: File,
}

impl TextFile {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let (file, length) = open_of_known_length(path)?.ok_or_else(|| {
            Error::input(
                path,
                "is a pipe, a device or a file that does not tell its length; save its contents to \
                 a file first, so that all workers can read it at once",
            )
        })?;
        let text = TextFile {
            path: Arc::from(path),
            length,
            file,
        };
        text.check_encoding()?;
        Ok(text)
    }

    fn check_encoding(&self) -> Result<(), Error> {
        let mut first = [0; TELLING_BYTES];
        if self.length < TELLING_BYTES as u64 {
            return Ok(());
        }
        self.read_exact_at(&mut first, 0)?;
        other_encoding(&first).map_or(Ok(()), |message| Err(Error::input(&self.path, message)))
    }

    /// Fetches the lines that start in `range`, the last one whole even where it ends beyond; of a
    /// line that is too long to be a record, enough to tell.
    pub(super) fn fetch(
        &self,
        range: Range<u64>,
        limit: RecordLimit,
        buffer: &mut Buffer,
    ) -> Result<(), Error> {
        buffer.clear(limit);
        // One byte more at the front tells whether a line starts at the very first byte.
        let from = range.start.saturating_sub(1);
        let wanted = usize::try_from(range.end - from).map_err(|_| self.too_long())?;
        let out_of_memory = |_| Error::input(&self.path, OUT_OF_MEMORY);
        let bytes = buffer.room(0..wanted).map_err(out_of_memory)?;
        self.read_exact_at(bytes, from)?;
        let start = if range.start == 0 {
            0
        } else {
            match memchr(b'\n', &bytes[..wanted - 1]) {
                Some(newline) => newline + 1,
                None => return Ok(()),
            }
        };
        let mut complete = bytes.ends_with(b"\n");
        let last_line = memrchr(b'\n', bytes).map_or(start, |newline| newline + 1);
        let mut end = wanted;
        let mut tail = TAIL_BYTES;
        while !complete && from + (end as u64) < self.length && end - last_line < limit.kept() {
            let at = from + end as u64;
            let more = tail.min(usize::try_from(self.length - at).unwrap_or(tail));
            let bytes = buffer.room(end..end + more).map_err(out_of_memory)?;
            self.read_exact_at(bytes, at)?;
            let newline = memchr(b'\n', bytes);
            complete = newline.is_some();
            end += newline.map_or(more, |newline| newline + 1);
            tail = (tail * 2).min(TAIL_BYTES_MOST);
        }
        buffer.split(start..end, range.start == 0);
        Ok(())
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        read_exact_at(&self.file, bytes, offset).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                Error::changed(&self.path)
            } else {
                Error::unreadable(&self.path, error)
            }
        })
    }

    fn too_long(&self) -> Error {
        Error::input(
            &self.path,
            "holds a longer line than this machine can address",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::text::lines::Line;

    fn file(content: &[u8]) -> (tempfile::TempDir, TextFile) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, content).expect("a file");
        let file = TextFile::open(&path).expect("it can be opened");
        (folder, file)
    }

    fn fetched(file: &TextFile, range: Range<u64>, limit: u64) -> Vec<Vec<u8>> {
        let mut buffer = Buffer::default();
        let fetched = file.fetch(range, RecordLimit::new(limit), &mut buffer);
        fetched.expect("it can be read");
        let line = |line: &Line| buffer.bytes()[line.start..line.end].to_vec();
        buffer.lines().iter().map(line).collect()
    }

    /// A line belongs to the range in which its first byte stands.
    #[test]
    fn every_range_has_the_lines_that_begin_in_it() {
        let content = b"\xef\xbb\xbfone\nsecond\n\n3\r\nlast but one\nthe end";
        let (_folder, file) = file(content);
        let mut starts = vec![(0, &b"one"[..])];
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

    /// Tails of every length about those that are read at a time.
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

    /// Of a line that is too long as much is read as tells, and no more than one tail beyond that.
    #[test]
    fn a_line_that_is_too_long_is_not_read_to_its_end() {
        let (_folder, file) = file(format!("one\n{}\n", "x".repeat(20_000_000)).as_bytes());
        for range in [0..1, 0..4, 0..5, 4..5, 1..2000] {
            let mut buffer = Buffer::default();
            let limit = RecordLimit::new(100_000);
            file.fetch(range.clone(), limit, &mut buffer)
                .expect("it can be read");
            let longest = buffer
                .lines()
                .iter()
                .map(|line| line.end - line.start)
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
    fn two_bytes_tell_another_encoding() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, b"\xff\xfe").expect("a file");
        let told = TextFile::open(&path)
            .expect_err("it is refused")
            .to_string();
        assert!(told.contains("file: is UTF-16; "), "{told}");
        std::fs::write(&path, b"\xff").expect("a file");
        assert_eq!(
            TextFile::open(&path)
                .expect("one byte tells nothing")
                .length,
            1
        );
    }

    #[test]
    fn a_range_that_is_missing_is_a_change() {
        let (folder, file) = file(b"one\ntwo\n");
        std::fs::write(folder.path().join("file"), b"one\n").expect("a file");
        let mut buffer = Buffer::default();
        let error = file.fetch(0..8, RecordLimit::default(), &mut buffer);
        let told = error.expect_err("half of it is gone").to_string();
        assert!(
            told.contains("file: changed while it was being read; "),
            "{told}"
        );
    }

    #[test]
    fn a_range_that_does_not_fit_in_memory_is_told() {
        let (_folder, mut file) = file(b"one\n");
        file.length = u64::MAX;
        let mut buffer = Buffer::default();
        let error = file.fetch(0..u64::MAX / 2, RecordLimit::default(), &mut buffer);
        let told = error.expect_err("no memory is that large").to_string();
        assert!(
            told.contains("file: holds a line that does not fit in memory; "),
            "{told}"
        );
    }

    /// The memory of this process, of which the system reads no byte at 0.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_the_disk_says_is_told() {
        let file = TextFile {
            path: Arc::from(Path::new("broken")),
            length: 10,
            file: File::open("/proc/self/mem").expect("it can be opened"),
        };
        let mut buffer = Buffer::default();
        let error = file.fetch(0..10, RecordLimit::default(), &mut buffer);
        let told = error.expect_err("nothing can be read").to_string();
        assert!(
            told.starts_with("broken: cannot be read: Input/output error"),
            "{told}"
        );
    }
}
