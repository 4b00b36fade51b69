//! Where the records of a text begin and end.

use std::ops::ControlFlow;

use memchr::memchr;

use super::quoted::{Quoted, Scanner};
use super::state::{RecordSpan, ScanState};

/// How a text is cut into records.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) enum Boundaries {
    /// Every line that contains more than white space is a record.
    Lines,
    /// A record ends at a line end outside quotes. Empty lines are not records.
    Quoted(Quoted),
}

impl Boundaries {
    /// Finds the first record of a text that begins with `bytes`. Returns `None` if `bytes` do not contain the end of
    /// the record. If `is_all` is true, the text has no further bytes.
    pub(in crate::dataset) fn first(self, bytes: &[u8], is_all: bool) -> Option<RecordSpan> {
        match self {
            Boundaries::Lines => first_line(bytes, is_all),
            Boundaries::Quoted(quoted) => {
                let mut scanner = Scanner::new(quoted, 0, ScanState::Between);
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

fn first_line(bytes: &[u8], is_all: bool) -> Option<RecordSpan> {
    let (mut start, mut lines_before) = (0, 0);
    while start < bytes.len() {
        let rest = &bytes[start..];
        let end = memchr(b'\n', rest).or(is_all.then_some(rest.len()))?;
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        if !line.trim_ascii_start().is_empty() {
            let end = start + line.len();
            return Some(RecordSpan {
                start,
                end,
                lines_before,
            });
        }
        start += end + 1;
        lines_before += 1;
    }
    None
}
