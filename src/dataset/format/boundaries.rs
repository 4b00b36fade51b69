//! Where the records of a text begin and end.

use std::ops::ControlFlow;

use super::lines::{Lines, first_line};
use super::quoted::{Quoted, Scanner};
use super::state::{RecordSpan, ScanState};

/// How a text is divided into records.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) enum Boundaries {
    /// Every line that contains more than white space is a record, or several of them in JSON.
    Lines(Lines),
    /// A record ends at a line end outside quotes. Empty lines are not records.
    Quoted(Quoted),
    /// A record is a value of a JSON document, which can only be read from its beginning.
    Values,
}

impl Boundaries {
    /// Finds the first record of a text that begins with `bytes`. Returns `None` if `bytes` do not contain the end of
    /// the record. If `is_all` is true, the text has no further bytes.
    pub(in crate::dataset) fn first(self, bytes: &[u8], is_all: bool) -> Option<RecordSpan> {
        match self {
            Boundaries::Values => None,
            Boundaries::Lines(_) => first_line(bytes, is_all),
            Boundaries::Quoted(quoted) => {
                let mut scanner = Scanner::new(quoted, ScanState::Between, false);
                let mut first = None;
                let _ = scanner.scan(bytes, |span| {
                    first = Some(span);
                    ControlFlow::Break(())
                });
                first.or_else(|| is_all.then(|| scanner.end(bytes.len()))?)
            }
        }
    }
}
