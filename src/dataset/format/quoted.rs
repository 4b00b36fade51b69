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

use memchr::{memchr, memchr_iter, memchr3};

use super::state::{RecordSpan, ScanState, Tallies, Tally};

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
}

impl Scanner {
    /// Creates a scanner that starts at the place `at` of the text, where the text is in the given state.
    pub(in crate::dataset) fn new(quoted: Quoted, at: usize, state: ScanState) -> Self {
        Scanner {
            quoted,
            state,
            at,
            open: None,
            lines: 0,
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
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue()
            && let Some(edge) = self.quoted.next_edge(bytes, &mut self.at, &mut self.state)
        {
            match edge {
                Edge::Start(start) => {
                    self.lines += line_ends(&bytes[counted..start]);
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
        self.lines += line_ends(&bytes[counted..self.at]);
        flow
    }

    /// Ends the unfinished record, if there is one, because the text ends there or the record is too long.
    pub(in crate::dataset) fn end(&mut self, end: usize) -> Option<RecordSpan> {
        self.open.take().map(|(start, lines_before)| RecordSpan {
            start,
            end,
            lines_before,
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

/// The number of line ends among the bytes, counted in the same way as the lines in messages.
pub(in crate::dataset) fn line_ends(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dataset::format::delimited::CSV;

    fn all_spans(bytes: &[u8], cuts: &[usize]) -> (Vec<RecordSpan>, ScanState) {
        let mut scanner = Scanner::new(Quoted { delimiter: b',' }, 0, ScanState::Between);
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
                let values = CSV.values(&text[span.start..span.end]);
                values.map(std::borrow::Cow::into_owned).collect::<Vec<_>>()
            };
            prop_assert_eq!(spans.iter().map(values).collect::<Vec<_>>(), by_csv(&text));
            for span in &spans {
                prop_assert_eq!(span.lines_before, line_ends(&bytes[..span.start]));
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
