//! Lines: how they are counted in every format, and which records the lines of a text contain.
//!
//! A line ends with `\n`, `\r\n` or a lone `\r`. A line end is counted where its first byte is: if a text is read in
//! pieces and one of them ends with `\r`, a `\n` at the beginning of the next piece belongs to the same line end.

use memchr::{memchr, memchr_iter, memchr2};

use super::state::RecordSpan;

/// The byte-order mark, which is blank at the beginning of a record of JSON lines.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How the records of a text are found if no record has more than one line.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) struct Lines {
    /// Whether the lines are JSON. If they are, a line may contain several objects, each of which is a record, and a
    /// byte-order mark before a record is ignored.
    pub(super) json: bool,
}

impl Lines {
    /// Finds the records in complete lines, calls `found` with each of them, and returns the number of line ends. The
    /// last line may have no ending. A line that is blank contains no record, unless it is `too_long` to be examined.
    /// A line that is too long is one record. If `after_cr` is true, the byte before the text is a `\r`.
    pub(in crate::dataset) fn each(
        self,
        bytes: &[u8],
        after_cr: bool,
        too_long: impl Fn(usize) -> bool,
        mut found: impl FnMut(RecordSpan),
    ) -> u64 {
        let mut lines_before = 0;
        let mut start = usize::from(after_cr && bytes.first() == Some(&b'\n'));
        while start < bytes.len() {
            let (end, next) = line_at(bytes, start);
            let line = &bytes[start..end];
            let mut add = |range: std::ops::Range<usize>| {
                found(RecordSpan {
                    start: start + range.start,
                    end: start + range.end,
                    lines_before,
                    delimiters: None,
                });
            };
            if too_long(line.len()) {
                add(0..line.len());
            } else {
                self.each_in_line(line, &mut add);
            }
            lines_before += u64::from(next > end);
            start = next;
        }
        lines_before
    }

    /// Calls `found` with the place of each record in a line.
    fn each_in_line(self, line: &[u8], mut found: impl FnMut(std::ops::Range<usize>)) {
        if !self.json {
            // The first byte of most lines shows that they are not blank.
            if !line.trim_ascii_start().is_empty() {
                found(0..line.len());
            }
            return;
        }
        let first = blank(line);
        if first == line.len() {
            return;
        }
        // The white space before a record belongs to the record, so that columns count from the start of the line.
        let mut start = if line[..first].contains(&MARK[0]) {
            first
        } else {
            0
        };
        if may_hold_several(line) {
            let mut object = first;
            while let Some(end) = object_end(&line[object..]).map(|end| object + end) {
                object = end + blank(&line[end..]);
                if line.get(object) != Some(&b'{') {
                    break;
                }
                found(start..end);
                start = object;
            }
        }
        // White space at the end never belongs to a record. Otherwise, the end of a record would depend on whether the
        // next object of the line is taken with it.
        found(start..without_blank_end(line));
    }

    /// Returns the length of the longest prefix of complete lines that has at most `at_most` records, where a blank
    /// line counts as a record. The prefix contains at least one record; it may end between two records of a line.
    pub(in crate::dataset) fn prefix(
        self,
        bytes: &[u8],
        after_cr: bool,
        too_long: impl Fn(usize) -> bool,
        at_most: usize,
    ) -> usize {
        let mut left = at_most.max(1);
        let mut start = usize::from(after_cr && bytes.first() == Some(&b'\n'));
        while start < bytes.len() && left > 0 {
            let (end, next) = line_at(bytes, start);
            let mut records = 0;
            let mut cut = None;
            if !too_long(end - start) {
                self.each_in_line(&bytes[start..end], |range| {
                    records += 1;
                    if records == left + 1 {
                        cut = Some(start + range.start);
                    }
                });
            }
            if let Some(cut) = cut {
                return cut;
            }
            left -= records.max(1);
            start = next;
        }
        start
    }
}

/// Returns the end of the line that begins at `start`, without its ending, and the beginning of the next line.
fn line_at(bytes: &[u8], start: usize) -> (usize, usize) {
    match memchr2(b'\n', b'\r', &bytes[start..]) {
        None => (bytes.len(), bytes.len()),
        Some(length) => (start + length, after_line_end(bytes, start + length)),
    }
}

/// Returns the place after a line end. The line end begins at the place `at`.
fn after_line_end(bytes: &[u8], at: usize) -> usize {
    at + match bytes[at..] {
        [b'\r', b'\n', ..] => 2,
        _ => 1,
    }
}

/// Returns the place after the first line end of a text.
pub(in crate::dataset) fn next_line(bytes: &[u8]) -> Option<usize> {
    let end = memchr2(b'\n', b'\r', bytes)?;
    Some(after_line_end(bytes, end))
}

/// Returns the first record of a text whose records are lines. `None` if the text does not contain the end of the
/// record. If `is_all` is true, the text has no further bytes.
pub(super) fn first_line(bytes: &[u8], is_all: bool) -> Option<RecordSpan> {
    let (mut start, mut lines_before) = (0, 0);
    while start < bytes.len() {
        let (end, next) = line_at(bytes, start);
        if next == end && !is_all {
            return None;
        }
        if blank(&bytes[start..end]) < end - start {
            return Some(RecordSpan {
                start,
                end,
                lines_before,
                delimiters: None,
            });
        }
        start = next;
        lines_before += 1;
    }
    None
}

/// The number of line ends among the bytes, counted in the same way as the lines in messages. If `after_cr` is true,
/// the byte before the bytes is a `\r`, whose line end has been counted.
pub(in crate::dataset) fn line_ends(bytes: &[u8], after_cr: bool) -> u64 {
    newlines(bytes, after_cr) + lone_returns(bytes)
}

/// The number of line ends among bytes that contain no `\r`.
pub(super) fn newlines(bytes: &[u8], after_cr: bool) -> u64 {
    let counted_before = u64::from(after_cr && bytes.first() == Some(&b'\n'));
    memchr_iter(b'\n', bytes).count() as u64 - counted_before
}

/// The number of line ends of a piece of a text, which may begin in the middle of a line end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dataset) struct LineCount {
    /// The number of line ends, if the byte before the piece is not a `\r`.
    ends: u64,
    /// Whether the first byte is a `\n`, which belongs to the previous line end if the byte before it is a `\r`.
    begins_with_newline: bool,
    /// Whether the last byte is a `\r`. `None` if the piece is empty.
    ends_with_cr: Option<bool>,
}

impl LineCount {
    /// The count of a piece of a text. `ends` is the number of its line ends, if the byte before it is not a `\r`.
    pub(super) fn with_ends(bytes: &[u8], ends: u64) -> Self {
        LineCount {
            ends,
            begins_with_newline: bytes.first() == Some(&b'\n'),
            ends_with_cr: bytes.last().map(|last| *last == b'\r'),
        }
    }

    /// The count of a piece that begins and ends between two lines.
    pub(in crate::dataset) fn of_lines(ends: u64) -> Self {
        LineCount {
            ends,
            begins_with_newline: false,
            ends_with_cr: Some(false),
        }
    }

    /// The number of lines before the end of the piece, and whether the piece ends with a `\r`. `lines` is the number
    /// of lines before the piece, and `after_cr` says whether the byte before the piece is a `\r`.
    pub(in crate::dataset) fn after(self, lines: u64, after_cr: bool) -> (u64, bool) {
        let counted_before = u64::from(after_cr && self.begins_with_newline);
        let lines = lines + self.ends - counted_before;
        (lines, self.ends_with_cr.unwrap_or(after_cr))
    }
}

/// The number of `\r` that are not followed by `\n`.
fn lone_returns(bytes: &[u8]) -> u64 {
    let returns = memchr_iter(b'\r', bytes);
    let lone = |at: &usize| bytes.get(at + 1) != Some(&b'\n');
    returns.filter(lone).count() as u64
}

/// The number of blank bytes at the beginning of the bytes: white space and byte-order marks.
pub(super) fn blank(bytes: &[u8]) -> usize {
    let mut rest = bytes.trim_ascii_start();
    while let Some(after) = rest.strip_prefix(MARK) {
        rest = after.trim_ascii_start();
    }
    bytes.len() - rest.len()
}

/// Returns the end of a line without the white space and the byte-order marks at its end.
fn without_blank_end(line: &[u8]) -> usize {
    let mut rest = line.trim_ascii_end();
    while let Some(before) = rest.strip_suffix(MARK) {
        rest = before.trim_ascii_end();
    }
    rest.len()
}

/// Whether a closing brace of a line is followed by an opening one. This is necessary for a second object in the line,
/// but both braces may be in a string.
fn may_hold_several(line: &[u8]) -> bool {
    let mut from = 0;
    while let Some(brace) = memchr(b'}', &line[from..]) {
        from += brace + 1;
        let next = from + blank(&line[from..]);
        if line.get(next) == Some(&b'{') {
            return true;
        }
    }
    false
}

/// Returns the length of the JSON object at the beginning of the bytes, or `None` if its end is not found.
fn object_end(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = bytes.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if in_string => _ = bytes.next(),
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return (*byte == b'}').then_some(at + 1);
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(text: &str) -> Vec<(&str, u64)> {
        let mut records = Vec::new();
        let lines = Lines { json: true };
        lines.each(
            text.as_bytes(),
            false,
            |_| false,
            |span| {
                records.push((&text[span.start..span.end], span.lines_before));
            },
        );
        records
    }

    #[test]
    fn a_line_may_contain_several_objects() {
        let text = "{\"a\":\"} {\"} {\"b\":{}}\r \r\n{}{}\u{feff}{ \n\u{feff}[{},{}]\n{}, {}\n\u{feff}\n {\"}{\n}\n{}{]{}";
        let expected = [
            ("{\"a\":\"} {\"}", 0),
            ("{\"b\":{}}", 0),
            ("{}", 2),
            ("{}", 2),
            ("{", 2),
            ("[{},{}]", 3),
            ("{}, {}", 4),
            (" {\"}{", 6),
            ("}", 7),
            ("{}", 8),
            ("{]{}", 8),
        ];
        assert_eq!(records(text), expected);
    }

    #[test]
    fn a_line_that_is_too_long_is_one_record() {
        let mut found = Vec::new();
        let lines = Lines { json: true };
        let ends = lines.each(
            b"{}{}\n    \n",
            false,
            |length| length > 3,
            |span| found.push(span),
        );
        let places: Vec<_> = found.iter().map(|span| span.start..span.end).collect();
        assert_eq!((places, ends), (vec![0..4, 5..9], 2));
    }

    /// The lines of a text, by the simplest possible means.
    fn by_replacement(text: &str) -> Vec<String> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        text.split('\n').map(str::to_owned).collect()
    }

    proptest! {
        #[test]
        fn lines_end_with_every_kind_of_line_end(
            text in "[ax\r\n]{0,12}",
            cut in any::<prop::sample::Index>(),
            json in any::<bool>(),
        ) {
            let expected = by_replacement(&text);
            let ends = expected.len() as u64 - 1;
            let expected = (0..).zip(&expected).filter(|(_, line)| !line.is_empty());
            let expected: Vec<_> = expected.map(|(n, line)| (n, line.clone())).collect();
            let mut found = Vec::new();
            let lines = Lines { json };
            let counted = lines.each(text.as_bytes(), false, |_| false, |span| {
                found.push((span.lines_before, text[span.start..span.end].to_owned()));
            });
            prop_assert_eq!((counted, found), (ends, expected));
            let (one, two) = text.as_bytes().split_at(cut.index(text.len() + 1));
            prop_assert_eq!(line_ends(one, false) + line_ends(two, one.ends_with(b"\r")), ends);
            let count = |piece| LineCount::with_ends(piece, line_ends(piece, false));
            let (lines, after_cr) = count(one).after(0, false);
            let expected = (ends, text.ends_with('\r'));
            prop_assert_eq!(count(two).after(lines, after_cr), expected);
        }

        /// Prefixes taken one after the other have the same records and line ends as the whole text.
        #[test]
        fn prefixes_have_the_records_of_the_whole(
            text in "([{}\\[\\]\r\n ]|\"a\"|\\{\\}|\u{feff}){0,12}\n",
            at_most in 1..4_usize,
        ) {
            let lines = Lines { json: true };
            let bytes = text.as_bytes();
            let (mut found, mut start, mut before, mut after_cr) = (Vec::new(), 0, 0, false);
            while start < bytes.len() {
                let rest = &bytes[start..];
                let length = lines.prefix(rest, after_cr, |_| false, at_most);
                let piece = &text[start..start + length];
                let had = found.len();
                let ends = lines.each(piece.as_bytes(), after_cr, |_| false, |span| {
                    found.push((piece[span.start..span.end].to_owned(), before + span.lines_before));
                });
                prop_assert!(length > 0 && found.len() - had <= at_most);
                before += ends;
                start += length;
                after_cr = piece.ends_with('\r');
            }
            let whole = records(&text).into_iter().map(|(text, line)| (text.to_owned(), line));
            let whole: Vec<_> = whole.collect();
            prop_assert_eq!(found, whole);
        }
    }
}
