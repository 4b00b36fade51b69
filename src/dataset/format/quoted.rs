//! Records with quoted fields, which may contain line ends, as in CSV.
//!
//! Records end in the same places as in the crate `csv`: a quote opens a field only at the field's beginning, a
//! quoted field ends at its first quote that is not doubled, and the bytes between that quote and the next delimiter
//! belong to the field. Records end with `\n`, `\r\n` or `\r` outside quotes.
//!
//! Whether a line end at some place of a file is inside quotes depends on everything before it. A worker that has a
//! part in the middle of a file therefore [tallies](Quoted::tallies) the part for every state in which the part could
//! begin. The worker learns the actual state in the same way as the number of its first record: from the workers that
//! tally the previous parts. After a delimiter or a line end, only two of the states still differ (inside quotes or
//! not), so tallying a part for all states costs about two passes over bytes in memory.

use std::ops::ControlFlow;

use memchr::{memchr, memchr3, memrchr2};

use super::lines::{line_ends, newlines};
use super::state::{RecordSpan, ScanState, Tallies, Tally};
use super::unreadable::Unreadable;
use crate::error::BadRecord;

/// The rules for records whose fields are separated by one particular delimiter.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) struct Quoted {
    pub(super) delimiter: u8,
}

/// The place where a record begins, or where it ends (without its line ending).
enum Edge {
    Start(usize),
    End(usize),
}

impl Quoted {
    /// Moves `at` to the next edge of a record, or to the end of the bytes.
    fn next_edge(self, bytes: &[u8], at: &mut usize, state: &mut ScanState) -> Option<Edge> {
        while let rest @ [byte, ..] = &bytes[*at..] {
            match *state {
                ScanState::Between => {
                    let blank = rest.iter().position(|byte| !is_line_end(*byte));
                    *at += blank.unwrap_or(rest.len());
                    blank?;
                    *state = ScanState::FieldStart;
                    return Some(Edge::Start(*at));
                }
                ScanState::FieldStart if *byte == b'"' => {
                    *state = ScanState::Quoted;
                    *at += 1;
                }
                ScanState::QuoteInQuoted if *byte == b'"' => {
                    *state = ScanState::Quoted;
                    *at += 1;
                }
                ScanState::FieldStart | ScanState::QuoteInQuoted => *state = ScanState::Unquoted,
                ScanState::Quoted => {
                    let quote = memchr(b'"', rest);
                    *at += quote.map_or(rest.len(), |quote| quote + 1);
                    quote?;
                    *state = ScanState::QuoteInQuoted;
                }
                ScanState::Unquoted => {
                    let end = memchr3(self.delimiter, b'\r', b'\n', rest);
                    *at += end.map_or(rest.len(), |end| end + 1);
                    if rest[end?] == self.delimiter {
                        *state = ScanState::FieldStart;
                    } else {
                        *state = ScanState::Between;
                        return Some(Edge::End(*at - 1));
                    }
                }
            }
        }
        None
    }

    /// The place of the quote that begins the last quoted field of a record, or 0 if no field is quoted.
    fn last_quote(self, record: &[u8]) -> usize {
        let (mut at, mut last) = (0, 0);
        loop {
            if record.get(at) == Some(&b'"') {
                last = at;
                at += 1;
                while let Some(quote) = memchr(b'"', &record[at..]) {
                    at += quote + 1;
                    if record.get(at) != Some(&b'"') {
                        break;
                    }
                    at += 1;
                }
            }
            match memchr(self.delimiter, &record[at..]) {
                Some(delimiter) => at += delimiter + 1,
                None => return last,
            }
        }
    }

    /// For each state at the start of the bytes, counts the records that begin in the bytes and determines the state
    /// at the end of the bytes.
    pub(in crate::dataset) fn tallies(self, bytes: &[u8]) -> Tallies {
        let mut tallies = ScanState::ALL.map(|end| Tally { records: 0, end });
        let mut at = 0;
        while at < bytes.len() && differ(&tallies) > 2 {
            tallies = tallies.map(|tally| self.tally(&bytes[at..=at], tally));
            at += 1;
        }
        let mut known = [None; ScanState::ALL.len()];
        Tallies::new(tallies.map(|Tally { records, end }| {
            let rest: &mut Option<Tally> = &mut known[end as usize];
            let rest = rest.get_or_insert_with(|| {
                let records = 0;
                self.tally(&bytes[at..], Tally { records, end })
            });
            Tally {
                records: records + rest.records,
                end: rest.end,
            }
        }))
    }

    /// Continues a tally with further bytes.
    fn tally(self, bytes: &[u8], mut tally: Tally) -> Tally {
        let mut at = 0;
        while let Some(edge) = self.next_edge(bytes, &mut at, &mut tally.end) {
            tally.records += u64::from(matches!(edge, Edge::Start(_)));
        }
        tally
    }
}

/// The number of different end states among the tallies.
fn differ(tallies: &[Tally]) -> usize {
    let ends = |state: &ScanState| tallies.iter().any(|tally| tally.end == *state);
    ScanState::ALL.iter().filter(|state| ends(state)).count()
}

pub(super) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// Finds the records of a text that is read piece by piece.
#[derive(Debug)]
pub(in crate::dataset) struct Scanner {
    quoted: Quoted,
    state: ScanState,
    /// Bytes before this place have been scanned.
    at: usize,
    /// The place where the unfinished record begins, and the number of lines before it. `None` if there is no
    /// unfinished record, or if it began before the text.
    open: Option<(usize, u64)>,
    /// Number of line ends among the bytes that have been scanned.
    lines: u64,
    /// Whether the last byte that was scanned is a `\r`. A `\n` after it belongs to the same line end.
    after_cr: bool,
}

impl Scanner {
    /// Creates a scanner that starts at the beginning of a text, in the given state. `after_cr` says whether the byte
    /// before the text is a `\r`.
    pub(in crate::dataset) fn new(quoted: Quoted, state: ScanState, after_cr: bool) -> Self {
        Scanner {
            quoted,
            state,
            at: 0,
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
        mut found: impl FnMut(RecordSpan) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut counted = self.at;
        // Most texts have no `\r`. This is determined once, and not for each record.
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
                    self.open = Some((start, self.lines));
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
        self.open.take().map(|(start, lines_before)| RecordSpan {
            start,
            end,
            lines_before,
        })
    }

    /// The place up to which the text has been scanned.
    pub(in crate::dataset) fn scanned(&self) -> usize {
        self.at
    }

    /// Whether the scanner is inside a quoted field.
    pub(super) fn is_unclosed(&self) -> bool {
        self.state == ScanState::Quoted
    }

    /// If the end of the scanned bytes is the end of the text, and is inside a quoted field, returns an error that says
    /// where the field begins. Only the first `kept` bytes of the record are examined.
    pub(in crate::dataset) fn unclosed(&self, bytes: &[u8], kept: usize) -> Option<Unreadable> {
        let (start, lines_before) = self.open.filter(|_| self.state == ScanState::Quoted)?;
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
        self.open.map(|(start, _)| start)
    }

    /// Adjusts all places after this number of bytes was removed from the front of the memory. All removed bytes must
    /// have been scanned.
    pub(in crate::dataset) fn remove_front(&mut self, bytes: usize) {
        self.at -= bytes;
        if let Some((start, _)) = &mut self.open {
            *start -= bytes;
        }
    }

    /// Adjusts the place of the scanner after the last bytes that it scanned were removed; `bytes` is their number.
    pub(in crate::dataset) fn remove_back(&mut self, bytes: usize) {
        self.at -= bytes;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dataset::format::{Delimiter, delimited::Delimited};

    fn all_spans(bytes: &[u8], cuts: &[usize]) -> (Vec<RecordSpan>, ScanState) {
        let mut scanner = Scanner::new(Quoted { delimiter: b',' }, ScanState::Between, false);
        let mut spans = Vec::new();
        for end in cuts.iter().copied().chain([bytes.len()]) {
            let flow = scanner.scan(&bytes[..end], |span| {
                spans.push(span);
                ControlFlow::Continue(())
            });
            assert!(flow.is_continue());
        }
        let state = scanner.state;
        spans.extend(scanner.end(bytes.len()));
        (spans, state)
    }

    /// The records as the crate `csv` reads them.
    fn by_csv(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let record = |record: Result<csv::StringRecord, csv::Error>| {
            record.expect("text").iter().map(str::to_owned).collect()
        };
        reader.records().map(record).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn records_are_those_of_the_crate_csv(
            text in "[abé,\"\r\n]{0,30}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let bytes = text.as_bytes();
            let cuts = cuts.iter().map(|cut| cut.index(bytes.len() + 1));
            let mut cuts: Vec<usize> = cuts.collect();
            cuts.sort_unstable();
            let (spans, end) = all_spans(bytes, &cuts);
            let values = |span: &RecordSpan| {
                let values = Delimited::by(Delimiter::COMMA).values(&text[span.start..span.end]);
                values.map(std::borrow::Cow::into_owned).collect::<Vec<_>>()
            };
            prop_assert_eq!(spans.iter().map(values).collect::<Vec<_>>(), by_csv(&text));
            for span in &spans {
                prop_assert_eq!(span.lines_before, line_ends(&bytes[..span.start], false));
            }

            // Tallies of separate parts add up to the same result.
            let quoted = Quoted { delimiter: b',' };
            let (mut start, mut records, mut state) = (0, 0, ScanState::Between);
            for end in cuts.iter().copied().chain([bytes.len()]) {
                let tally = quoted.tallies(&bytes[start..end]).from(state);
                records += tally.records;
                state = tally.end;
                start = end;
            }
            prop_assert_eq!((records, state), (spans.len() as u64, end));
        }
    }
}
