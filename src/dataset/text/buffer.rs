//! Bytes that were fetched together, and the records found in them.

use std::collections::TryReserveError;
use std::ops::{ControlFlow, Range};

use super::limit::RecordLimit;
use crate::dataset::format::{
    ExaminedStretch, LineCount, Lines, ListedDelimiters, Quoted, RecordSpan, ScanState, Scanner,
    Tallies, Unreadable,
};

/// Memory for records that are fetched together. It is reused for the records that are fetched next.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    spans: Vec<RecordSpan>,
    /// The places in the region of the delimiters of all records whose delimiters are listed.
    delimiters: Vec<u32>,
    /// The bytes that contain the records. The places of the records are relative to the start of this region.
    region: Range<usize>,
    /// The line ends in the region.
    pub(super) line_count: LineCount,
    pub(super) limit: RecordLimit,
    /// What was found in the region, if its records are quoted and the state at its start is not known yet.
    examined: Option<ExaminedStretch>,
    /// The reason why the text cannot be divided into records after those in the buffer. `None` if no error was found.
    pub(super) unreadable: Option<Unreadable>,
}

/// Returns the memory for the bytes at this place, which is extended if necessary.
///
/// # Errors
///
/// Returns an error if there is not enough memory left for the bytes.
pub(super) fn room_in(
    bytes: &mut Vec<u8>,
    place: Range<usize>,
) -> Result<&mut [u8], TryReserveError> {
    if let Some(more) = place.end.checked_sub(bytes.len()) {
        // Reserves up to twice the length, or only what is needed if there is not enough memory for that.
        let reserved = bytes.try_reserve(more);
        reserved.or_else(|_| bytes.try_reserve_exact(more))?;
        bytes.resize(place.end, 0);
    }
    Ok(&mut bytes[place])
}

impl Buffer {
    /// The maximum size in bytes of a buffer that is kept. Larger buffers, which result from giant records, are
    /// freed.
    const KEPT_BYTES: usize = 4 << 20;

    /// Clears the buffer, and sets the limit on the length of the records that follow.
    pub(super) fn clear(&mut self, limit: RecordLimit) {
        self.spans.clear();
        self.delimiters.clear();
        self.region = 0..0;
        self.line_count = LineCount::default();
        self.limit = limit;
        self.examined = None;
        self.unreadable = None;
    }

    /// Returns the memory for the bytes at this place, which is extended if necessary.
    pub(super) fn room(&mut self, place: Range<usize>) -> Result<&mut [u8], TryReserveError> {
        room_in(&mut self.bytes, place)
    }

    /// Swaps the bytes of the buffer with `bytes`.
    pub(super) fn exchange(&mut self, bytes: &mut Vec<u8>) {
        std::mem::swap(&mut self.bytes, bytes);
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        self.bytes.len() <= Self::KEPT_BYTES
    }

    /// The places of the records in [`bytes`](Self::bytes), including records that are too long.
    pub(super) fn spans(&self) -> &[RecordSpan] {
        &self.spans
    }

    /// The delimiters of a record, if they are listed.
    pub(super) fn delimiters(&self, span: &RecordSpan) -> Option<ListedDelimiters<'_>> {
        let (first, end) = span.delimiters?;
        Some(ListedDelimiters {
            places: self.delimiters.get(first as usize..end as usize)?,
            start: u32::try_from(span.start).ok()?,
        })
    }

    /// The bytes that contain the records. The places of the records are relative to the start of these bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.region.clone()]
    }

    /// Sets the end of the bytes that contain the records.
    pub(super) fn set_end(&mut self, end: usize) {
        self.region = 0..end;
    }

    /// Adds records that a caller has found in the bytes.
    pub(super) fn add(&mut self, spans: impl Iterator<Item = RecordSpan>) {
        self.spans.extend(spans);
    }

    /// Examines the bytes before `end`, whose records are quoted, before it is known in which state these bytes begin.
    pub(super) fn examine(&mut self, quoted: Quoted, end: usize) {
        self.set_end(end);
        let examined = quoted.examine(&self.bytes[..end], &mut self.spans, &mut self.delimiters);
        self.line_count = examined.line_count;
        self.examined = Some(examined);
    }

    /// The number of records in the bytes that were examined, for each state in which the bytes may begin. `None` if
    /// no bytes were examined.
    pub(super) fn tallies(&self) -> Option<Tallies> {
        self.examined.as_ref().map(|examined| examined.tallies)
    }

    /// Finds the records in the bytes that were examined, now that it is known in which state these bytes begin.
    /// `after_cr` says whether the byte before them is a `\r`. Returns the scanner at the end of these bytes, or `None`
    /// if no bytes were examined.
    pub(super) fn complete(&mut self, state: ScanState, after_cr: bool) -> Option<Scanner> {
        let examined = self.examined.take()?;
        let bytes = &self.bytes[self.region.clone()];
        Some(examined.complete((state, after_cr), bytes, &mut self.spans))
    }

    /// Scans those bytes before `end` that have not been scanned, and adds the records that end in them, but at most
    /// `at_most` records.
    pub(super) fn scan(&mut self, scanner: &mut Scanner, end: usize, at_most: usize) {
        let Buffer { bytes, spans, .. } = self;
        let most = spans.len().saturating_add(at_most);
        let _ = scanner.scan(&bytes[..end], |span| {
            spans.push(span);
            match spans.len() < most {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
    }

    /// Finds the records in a region of the bytes that consists of lines. `after_cr` says whether the byte before the
    /// region is a `\r`. Returns the number of line ends.
    pub(super) fn split_lines(
        &mut self,
        region: Range<usize>,
        lines: Lines,
        after_cr: bool,
    ) -> u64 {
        let bytes = &self.bytes[region.clone()];
        let too_long = |length| self.limit.excludes(length);
        let ends = lines.each(bytes, after_cr, too_long, |span| self.spans.push(span));
        self.region = region;
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::format::{Boundaries, Format as _, PLAIN_TEXT};

    fn split(bytes: &[u8], region: Range<usize>, limit: u64) -> Buffer {
        let mut buffer = Buffer::default();
        buffer.clear(RecordLimit::new(limit));
        let room = buffer.room(0..bytes.len()).expect("memory");
        room.copy_from_slice(bytes);
        let Boundaries::Lines(lines) = PLAIN_TEXT.boundaries() else {
            panic!("each line of plain text is a record");
        };
        let ends = buffer.split_lines(region, lines, false);
        buffer.line_count = LineCount::of_lines(ends);
        buffer
    }

    fn texts(buffer: &Buffer) -> Vec<(&[u8], u64)> {
        let text = |span: &RecordSpan| (&buffer.bytes()[span.start..span.end], span.lines_before);
        buffer.spans().iter().map(text).collect()
    }

    #[test]
    fn a_region_is_split_and_nothing_beside_it() {
        let bytes = b"xxone\r\n\n \t\ntwo\nxx";
        let buffer = split(bytes, 2..15, 100);
        assert_eq!(texts(&buffer), [(&b"one"[..], 0), (b"two", 3)]);
        assert_eq!(buffer.line_count, LineCount::of_lines(4));
        let buffer = split(bytes, 0..0, 100);
        let none = LineCount::of_lines(0);
        assert_eq!((texts(&buffer), buffer.line_count), (vec![], none));
    }

    #[test]
    fn a_line_is_too_long_from_one_byte_more() {
        let limit = RecordLimit::new(3);
        assert!(!limit.excludes(3));
        assert!(limit.excludes(4));
        // The sum of a byte-order mark (3 bytes), the limit (3 bytes), one more byte, and a carriage return.
        assert_eq!(limit.kept(), 8);
        assert_eq!(RecordLimit::new(u64::MAX).kept(), usize::MAX);
        assert!(RecordLimit::default().excludes((16 << 20) + 1));
        assert!(!RecordLimit::default().excludes(16 << 20));
        let buffer = split(b"    \n   \r\n", 0..10, 3);
        assert_eq!(texts(&buffer), [(&b"    "[..], 0)]);
    }

    #[test]
    fn room_is_made_and_what_was_there_stays() {
        let mut bytes = vec![1, 2, 3];
        assert_eq!(room_in(&mut bytes, 1..2).expect("memory"), [2]);
        assert_eq!(room_in(&mut bytes, 1..3).expect("memory"), [2, 3]);
        assert_eq!(bytes.len(), 3);
        assert_eq!(room_in(&mut bytes, 2..5).expect("memory"), [3, 0, 0]);
        assert_eq!(bytes, [1, 2, 3, 0, 0]);
        assert!(room_in(&mut bytes, 0..usize::MAX / 2).is_err());
        assert_eq!(bytes.len(), 5);
    }

    #[test]
    fn a_buffer_that_held_a_giant_line_is_not_kept() {
        let mut buffer = Buffer::default();
        assert!(buffer.is_worth_keeping());
        let _ = buffer.room(0..Buffer::KEPT_BYTES).expect("memory");
        assert!(buffer.is_worth_keeping());
        let mut other = vec![0; Buffer::KEPT_BYTES + 1];
        buffer.exchange(&mut other);
        assert!(!buffer.is_worth_keeping());
        assert_eq!(other.len(), 4 << 20);
    }

    #[test]
    fn a_buffer_is_used_again_from_its_beginning() {
        let mut buffer = split(b"one\ntwo\n", 0..8, 2);
        assert_eq!(buffer.spans().len(), 2);
        buffer.clear(RecordLimit::new(3));
        let none = LineCount::default();
        assert_eq!((texts(&buffer), buffer.line_count), (vec![], none));
        assert!(buffer.bytes().is_empty());
        assert!(!buffer.limit.excludes(3));
    }
}
