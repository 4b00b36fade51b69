//! The scanner that finds quoted records.

use std::ops::ControlFlow;

use memchr::{memchr, memrchr2};

use super::carry::Carry;
use super::marks::{BLOCK, ByWords, FindMarks, Marks};
use super::{Edge, Quoted};
use crate::dataset::format::lines::{line_ends, newlines};
use crate::dataset::format::state::{RecordSpan, ScanState};
use crate::dataset::format::unreadable::Unreadable;
use crate::error::BadRecord;

/// Finds the records of a text that is read piece by piece.
#[derive(Debug)]
pub(in crate::dataset) struct Scanner {
    quoted: Quoted,
    pub(super) state: ScanState,
    /// Bytes before this place have been scanned.
    at: usize,
    /// The unfinished record. `None` if there is none, or if it began before the text.
    pub(super) open: Option<OpenRecord>,
    /// Number of line ends among the bytes that have been scanned.
    pub(super) lines: u64,
    /// Whether the last byte that was scanned is a `\r`. A `\n` after it belongs to the same line end.
    after_cr: bool,
}

/// A record whose end has not been found.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenRecord {
    pub(super) start: usize,
    /// Number of lines before the record.
    pub(super) lines_before: u64,
    /// The index of the record's first delimiter in the list of delimiters. `None` if its delimiters are not listed.
    delimiters: Option<u32>,
}

impl OpenRecord {
    pub(super) fn new(start: usize, lines_before: u64) -> Self {
        OpenRecord {
            start,
            lines_before,
            delimiters: None,
        }
    }
}

impl Scanner {
    /// Creates a scanner that starts at the beginning of a text, in the given state. `after_cr` says whether the byte
    /// before the text is a `\r`.
    pub(in crate::dataset) fn new(quoted: Quoted, state: ScanState, after_cr: bool) -> Self {
        Scanner::starting_at(0, quoted, state, after_cr)
    }

    /// Creates a scanner that starts at the place `at` of a text.
    pub(super) fn starting_at(at: usize, quoted: Quoted, state: ScanState, after_cr: bool) -> Self {
        Scanner {
            quoted,
            state,
            at,
            open: None,
            lines: 0,
            after_cr,
        }
    }

    /// Scans the bytes that have not been scanned, and calls `found` with each record that ends in them, until
    /// `found` returns `Break`.
    pub(in crate::dataset) fn scan(
        &mut self,
        bytes: &[u8],
        found: impl FnMut(RecordSpan) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.scan_and_list(bytes, None, found)
    }

    /// Scans bytes as [`scan`](Self::scan) does, and adds the places of the delimiters that separate two fields to
    /// `list`.
    pub(super) fn scan_and_list(
        &mut self,
        bytes: &[u8],
        list: Option<&mut Vec<u32>>,
        found: impl FnMut(RecordSpan) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let scan = Scan {
            delimiter: self.quoted.delimiter,
            scanner: self,
            bytes,
            list: list.filter(|_| u32::try_from(bytes.len()).is_ok()),
            found,
        };
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            return simd.vectorize(ScanByVectors { simd, scan });
        }
        scan.run(ByWords)
    }

    /// Scans the bytes that have not been scanned, one mark after the other. A block is scanned in this way if
    /// `Carry::advance` cannot tell from the number of quotes which of its bytes are inside quotes.
    #[cold]
    fn scan_bytes(
        &mut self,
        bytes: &[u8],
        found: &mut impl FnMut(RecordSpan) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        // This function lists no delimiters, so the list lacks some of the unfinished record.
        self.open.iter_mut().for_each(|open| open.delimiters = None);
        let mut counted = self.at;
        let count = match memchr(b'\r', &bytes[self.at..]) {
            Some(_) => line_ends,
            None => newlines,
        };
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue()
            && let Some(edge) = self.quoted.next_edge(bytes, &mut self.at, &mut self.state)
        {
            match edge {
                Edge::Start(start) => {
                    self.lines += self.line_ends(&bytes[counted..start], count);
                    counted = start;
                    self.open = Some(OpenRecord::new(start, self.lines));
                }
                Edge::End(end) => {
                    if let Some(span) = self.end(end) {
                        flow = found(span);
                    }
                }
            }
        }
        self.lines += self.line_ends(&bytes[counted..self.at], count);
        flow
    }

    /// Counts the line ends of the next bytes that were scanned.
    fn line_ends(&mut self, bytes: &[u8], count: fn(&[u8], bool) -> u64) -> u64 {
        let ends = count(bytes, self.after_cr);
        self.after_cr = bytes.last().map_or(self.after_cr, |last| *last == b'\r');
        ends
    }

    /// Ends the unfinished record, if there is one, because the text ends there or the record is too long.
    pub(in crate::dataset) fn end(&mut self, end: usize) -> Option<RecordSpan> {
        self.end_listed(end, None)
    }

    /// Ends the unfinished record. `listed` is the number of listed delimiters before `end`, if delimiters are listed.
    #[inline(always)]
    fn end_listed(&mut self, end: usize, listed: Option<u32>) -> Option<RecordSpan> {
        let OpenRecord {
            start,
            lines_before,
            delimiters,
        } = self.open.take()?;
        Some(RecordSpan {
            start,
            end,
            lines_before,
            delimiters: delimiters.zip(listed),
        })
    }

    /// The place up to which the text has been scanned.
    pub(in crate::dataset) fn scanned(&self) -> usize {
        self.at
    }

    /// Whether the scanner is inside a quoted field.
    pub(in crate::dataset::format) fn is_unclosed(&self) -> bool {
        self.state == ScanState::Quoted
    }

    /// If the end of the scanned bytes is the end of the text, and is inside a quoted field, returns an error that says
    /// where the field begins. Only the first `kept` bytes of the record are examined.
    pub(in crate::dataset) fn unclosed(&self, bytes: &[u8], kept: usize) -> Option<Unreadable> {
        let open = self.open.filter(|_| self.state == ScanState::Quoted)?;
        let (start, lines_before) = (open.start, open.lines_before);
        let record = &bytes[start..self.at];
        let record = &record[..record.len().min(kept)];
        let quote = self.quoted.last_quote(record);
        let before = &record[..quote];
        let line = memrchr2(b'\n', b'\r', before).map_or(0, |end| end + 1);
        let message = "expected the end of the quoted field that begins here, found the end of the \
                       text; close the quote, or write it twice in quotes if it belongs to the text";
        Some(Unreadable {
            lines_before: lines_before + line_ends(before, false),
            reason: BadRecord::last(message, (quote - line) as u64 + 1),
        })
    }

    /// The place where the unfinished record begins, if there is one.
    pub(in crate::dataset) fn open(&self) -> Option<usize> {
        self.open.map(|open| open.start)
    }

    /// Adjusts all places after this number of bytes was removed from the front of the memory. All removed bytes must
    /// have been scanned.
    pub(in crate::dataset) fn remove_front(&mut self, bytes: usize) {
        self.at -= bytes;
        if let Some(open) = &mut self.open {
            open.start -= bytes;
        }
    }

    /// Adjusts the place of the scanner after the last bytes that it scanned were removed; `bytes` is their number.
    pub(in crate::dataset) fn remove_back(&mut self, bytes: usize) {
        self.at -= bytes;
    }
}

/// A scan of those bytes that the scanner has not scanned yet.
struct Scan<'a, F> {
    scanner: &'a mut Scanner,
    bytes: &'a [u8],
    delimiter: u8,
    list: Option<&'a mut Vec<u32>>,
    found: F,
}

/// A scan with the instructions of AVX2.
#[cfg(target_arch = "x86_64")]
struct ScanByVectors<'a, F> {
    simd: pulp::x86::V3,
    scan: Scan<'a, F>,
}

#[cfg(target_arch = "x86_64")]
impl<F: FnMut(RecordSpan) -> ControlFlow<()>> pulp::NullaryFnOnce for ScanByVectors<'_, F> {
    type Output = ControlFlow<()>;

    #[inline(always)]
    fn call(self) -> ControlFlow<()> {
        let ScanByVectors { simd, scan } = self;
        scan.run(simd)
    }
}

impl<F: FnMut(RecordSpan) -> ControlFlow<()>> Scan<'_, F> {
    #[inline(always)]
    fn run(mut self, find: impl FindMarks) -> ControlFlow<()> {
        let mut carry = Carry::of(self.scanner.state, self.scanner.after_cr);
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() && self.scanner.at < self.bytes.len() {
            let rest = &self.bytes[self.scanner.at..];
            flow = match rest.first_chunk() {
                Some(block) => self.block(&find.marks(block, self.delimiter), BLOCK, &mut carry),
                None => {
                    let mut last = [0; BLOCK];
                    last[..rest.len()].copy_from_slice(rest);
                    self.block(&find.marks(&last, self.delimiter), rest.len(), &mut carry)
                }
            };
        }
        (self.scanner.state, self.scanner.after_cr) = carry.state();
        flow
    }

    /// Scans the next `length` bytes, which are at most a block. `marks` are the marks of these bytes.
    #[inline(always)]
    fn block(&mut self, marks: &Marks, length: usize, carry: &mut Carry) -> ControlFlow<()> {
        let Scan { scanner, bytes, .. } = self;
        let Some(edges) = carry.advance(marks, length) else {
            (scanner.state, scanner.after_cr) = carry.state();
            let flow = scanner.scan_bytes(&bytes[..scanner.at + length], &mut self.found);
            *carry = Carry::of(scanner.state, scanner.after_cr);
            return flow;
        };
        let begin = scanner.at;
        let place_of = |bits: u64| begin + bits.trailing_zeros() as usize;
        let count = |bits: u64| bits.count_ones();
        let listed = self.list.as_deref_mut().map(|list| {
            let listed = list.len() as u32;
            let mut left = edges.delimiters;
            while left != 0 {
                list.push(place_of(left) as u32);
                left &= left - 1;
            }
            listed
        });
        let mut left = edges.starts | edges.ends;
        while left != 0 {
            let edge = left & left.wrapping_neg();
            let before = edge - 1;
            let listed = listed.map(|listed| listed + count(edges.delimiters & before));
            let place = place_of(edge);
            if edges.starts & edge != 0 {
                scanner.open = Some(OpenRecord {
                    start: place,
                    lines_before: scanner.lines + u64::from(count(edges.line_ends & before)),
                    delimiters: listed,
                });
            } else if let Some(span) = scanner.end_listed(place, listed)
                && (self.found)(span).is_break()
            {
                scanner.lines += u64::from(count(edges.line_ends & (edge | before)));
                scanner.at = place + 1;
                *carry = Carry::of(ScanState::Between, bytes[place] == b'\r');
                return ControlFlow::Break(());
            }
            left ^= edge;
        }
        scanner.lines += u64::from(count(edges.line_ends));
        scanner.at += length;
        ControlFlow::Continue(())
    }
}
