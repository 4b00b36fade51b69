//! The scanners that find the records of a text which is read piece by piece.

use std::ops::ControlFlow;

use super::Boundaries;
use super::quoted::Scanner;
use super::state::{RecordSpan, ScanState};
use super::unreadable::Unreadable;
use super::values::ValueScanner;

/// Finds the records of a text that is read from its beginning, if a record may have several lines.
#[derive(Debug)]
pub(in crate::dataset) enum RecordScanner {
    Quoted(Scanner),
    Values(ValueScanner),
}

impl RecordScanner {
    /// Creates a scanner at the beginning of a text. Returns `None` if every record is a line.
    pub(in crate::dataset) fn new(boundaries: Boundaries) -> Option<Self> {
        match boundaries {
            Boundaries::Lines(_) => None,
            Boundaries::Quoted(quoted) => {
                let scanner = Scanner::new(quoted, ScanState::Between, false);
                Some(RecordScanner::Quoted(scanner))
            }
            Boundaries::Values => Some(RecordScanner::Values(ValueScanner::new())),
        }
    }

    /// Scans the bytes that have not been scanned, and calls `found` with each record that ends in them. If `is_all`
    /// is true, the text has no further bytes.
    pub(in crate::dataset) fn scan(
        &mut self,
        bytes: &[u8],
        is_all: bool,
        mut found: impl FnMut(RecordSpan),
    ) {
        let mut all = |span| {
            found(span);
            ControlFlow::Continue(())
        };
        let last = match self {
            RecordScanner::Quoted(scanner) => {
                let _ = scanner.scan(bytes, &mut all);
                let is_last = is_all && !scanner.is_unclosed();
                is_last.then(|| scanner.end(bytes.len())).flatten()
            }
            RecordScanner::Values(scanner) => {
                let _ = scanner.scan(bytes, &mut all);
                is_all.then(|| scanner.end(bytes)).flatten()
            }
        };
        last.into_iter().for_each(found);
    }

    /// Returns the reason why the text cannot be read to its end, or `None` if no error has been found. If there is a
    /// reason, the unfinished record is dropped. If `is_all` is true, the text has no further bytes. Only the first
    /// `kept` bytes of a record are examined.
    pub(in crate::dataset) fn unreadable(
        &mut self,
        bytes: &[u8],
        is_all: bool,
        kept: usize,
    ) -> Option<Unreadable> {
        match self {
            RecordScanner::Quoted(scanner) => {
                let unclosed = is_all.then(|| scanner.unclosed(bytes, kept)).flatten()?;
                let _ = scanner.end(bytes.len());
                Some(unclosed)
            }
            RecordScanner::Values(scanner) => scanner.unreadable().cloned(),
        }
    }

    /// The place before which all records are complete.
    pub(in crate::dataset) fn whole(&self) -> usize {
        match self {
            RecordScanner::Quoted(scanner) => scanner.open().unwrap_or(scanner.scanned()),
            RecordScanner::Values(scanner) => scanner.open().unwrap_or(scanner.scanned()),
        }
    }

    /// Adjusts all places after this number of bytes was removed from the front of the memory. All removed bytes must
    /// have been scanned.
    pub(in crate::dataset) fn remove_front(&mut self, bytes: usize) {
        match self {
            RecordScanner::Quoted(scanner) => scanner.remove_front(bytes),
            RecordScanner::Values(scanner) => scanner.remove_front(bytes),
        }
    }

    /// Adjusts the place of the scanner after the last bytes that it scanned were removed; `bytes` is their number.
    pub(in crate::dataset) fn remove_back(&mut self, bytes: usize) {
        match self {
            RecordScanner::Quoted(scanner) => scanner.remove_back(bytes),
            RecordScanner::Values(scanner) => scanner.remove_back(bytes),
        }
    }
}
