//! Examines a stretch of a text before it is known in which state the stretch begins.

use std::ops::ControlFlow;

use super::scanner::{OpenRecord, Scanner};
use super::{Quoted, differ};
use crate::dataset::format::lines::{LineCount, line_ends};
use crate::dataset::format::state::{RecordSpan, ScanState, Tallies, Tally};

/// The states of two scans are compared each time both have scanned this number of bytes.
const PIECE: usize = 512;
/// The number of bytes within which two scans usually come to the same state. They are not compared beyond that.
const SOON: usize = 16 << 10;

/// What was found in a stretch of a text before the state at its start is known. The records of the stretch were found
/// from an assumed state, and may have to be corrected.
#[derive(Debug)]
pub(in crate::dataset) struct ExaminedStretch {
    quoted: Quoted,
    /// The number of records of the stretch, and the state at its end, for each state at its start.
    pub(in crate::dataset) tallies: Tallies,
    pub(in crate::dataset) line_count: LineCount,
    /// A place and a state. The records after the place were found under the assumption that the text has this state
    /// there.
    assumed: (usize, ScanState),
    /// The scanner that has found these records. It is at the end of the stretch, and has counted the lines after the
    /// place.
    scanner: Scanner,
}

/// Counts the records that begin in a text, step by step.
struct RecordCount {
    scanner: Scanner,
    ended: u64,
}

impl RecordCount {
    fn to(&mut self, bytes: &[u8], end: usize) {
        let _ = self.scanner.scan(&bytes[..end], |_| {
            self.ended += 1;
            ControlFlow::Continue(())
        });
    }

    /// The tally of the bytes that were scanned so far. `before` is the number of records before these bytes.
    fn after(&self, before: u64) -> Tally {
        Tally {
            records: before + self.ended + u64::from(self.scanner.open.is_some()),
            end: self.scanner.state,
        }
    }
}

impl Quoted {
    /// Examines a stretch of a text. Adds the records that are found from an assumed state to `spans`, and the places
    /// of the delimiters between their fields to `delimiters`.
    ///
    /// After the first delimiter or line end, only two states are possible: one inside quotes and one outside. The
    /// scans that begin in these states usually come to the same state at the next quoted field. The bytes after that
    /// are scanned only once.
    pub(in crate::dataset) fn examine(
        self,
        bytes: &[u8],
        spans: &mut Vec<RecordSpan>,
        delimiters: &mut Vec<u32>,
    ) -> ExaminedStretch {
        let mut tallies = ScanState::ALL.map(|end| Tally { records: 0, end });
        let mut at = 0;
        while at < bytes.len() && differ(&tallies) > 2 {
            tallies = tallies.map(|tally| self.tally(&bytes[at..=at], tally));
            at += 1;
        }
        let is_after_cr = |at: usize| at > 0 && bytes[at - 1] == b'\r';
        let count = |state| RecordCount {
            scanner: Scanner::starting_at(at, self, state, is_after_cr(at)),
            ended: 0,
        };
        // If only one state is left, both counts are the same.
        let one = tallies[0].end;
        let other = tallies.iter().find(|tally| tally.end != one);
        let other = other.map_or(one, |other| other.end);
        let (mut one, mut other) = ((one, count(one)), (other, count(other)));
        let soon = bytes.len().min(at + SOON);
        while at < soon && one.1.scanner.state != other.1.scanner.state {
            at = soon.min(at + PIECE);
            one.1.to(bytes, at);
            other.1.to(bytes, at);
        }
        // If the two scans still differ, the text has few quotes, so this place is assumed to be outside quotes.
        if one.1.scanner.state == ScanState::Quoted {
            std::mem::swap(&mut one, &mut other);
        }
        let state = one.1.scanner.state;
        let mut scanner = Scanner::starting_at(at, self, state, is_after_cr(at));
        // If `at` is inside a record, the beginning of the record is not known yet. Until then, `at` is used instead.
        scanner.open = (state != ScanState::Between).then_some(OpenRecord::new(at, 0));
        let (first, begins_open) = (spans.len(), u64::from(scanner.open.is_some()));
        let _ = scanner.scan_and_list(bytes, Some(delimiters), |span| {
            spans.push(span);
            ControlFlow::Continue(())
        });
        let begun = (spans.len() - first) as u64 + u64::from(scanner.open.is_some()) - begins_open;
        let one_at_end = Tally {
            records: one.1.after(0).records + begun,
            end: scanner.state,
        };
        let other_at_end = if other.1.scanner.state == state {
            Tally {
                records: other.1.after(0).records + begun,
                ..one_at_end
            }
        } else {
            other.1.to(bytes, bytes.len());
            other.1.after(0)
        };
        let rest = |state: ScanState| match state {
            state if state == one.0 => one_at_end,
            state if state == other.0 => other_at_end,
            // The stretch is so short that more than two states still differ at its end.
            end => Tally { records: 0, end },
        };
        ExaminedStretch {
            quoted: self,
            tallies: Tallies::new(tallies.map(|tally| Tally {
                records: tally.records + rest(tally.end).records,
                end: rest(tally.end).end,
            })),
            line_count: LineCount::with_ends(bytes, line_ends(&bytes[..at], false) + scanner.lines),
            assumed: (at, state),
            scanner,
        }
    }
}

impl ExaminedStretch {
    /// Corrects the records that were assumed, now that the state at the start of the stretch is known. `after_cr` says
    /// whether the byte before the stretch is a `\r`. Returns the scanner at the end of the stretch. `spans` are the
    /// records that [`examine`](Quoted::examine) has added.
    pub(in crate::dataset) fn complete(
        self,
        (state, after_cr): (ScanState, bool),
        bytes: &[u8],
        spans: &mut Vec<RecordSpan>,
    ) -> Scanner {
        let (at, assumed) = self.assumed;
        let mut before = Scanner::new(self.quoted, state, after_cr);
        let mut first = Vec::new();
        let mut add = |span| {
            first.push(span);
            ControlFlow::Continue(())
        };
        let _ = before.scan(&bytes[..at], &mut add);
        if before.state != assumed {
            let _ = before.scan(bytes, &mut add);
            *spans = first;
            return before;
        }
        let mut scanner = self.scanner;
        scanner.lines += before.lines;
        if let Some(open) = &mut scanner.open {
            open.lines_before += before.lines;
        }
        let assumed_spans = spans.iter_mut();
        assumed_spans.for_each(|span| span.lines_before += before.lines);
        let mut replaced = 0;
        if assumed != ScanState::Between {
            // The record that contains the place `at` began before this place, perhaps even before the stretch.
            match spans.first() {
                Some(span) => {
                    first.extend(before.end(span.end));
                    replaced = 1;
                }
                None => scanner.open = before.open,
            }
        }
        drop(spans.splice(..replaced, first));
        scanner
    }
}
