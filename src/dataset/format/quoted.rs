//! Records with quoted fields, which may contain line ends, as in CSV.
//!
//! Records end in the same places as in the crate `csv`: a quote opens a field only at the field's beginning, a
//! quoted field ends at its first quote that is not doubled, and the bytes between that quote and the next delimiter
//! belong to the field. Records end with `\n`, `\r\n` or `\r` outside quotes.
//!
//! Whether a line end at some place of a file is inside quotes depends on everything before it. A worker that has a
//! part in the middle of a file therefore [examines](Quoted::examine) the part for every state in which the part could
//! begin. The worker learns the actual state in the same way as the number of its first record: from the workers that
//! examine the previous parts.

mod carry;
mod examined;
mod likely;
mod marks;
mod scanner;

use memchr::{memchr, memchr3};

use super::state::{ScanState, Tally};
pub(in crate::dataset) use examined::ExaminedStretch;
pub(in crate::dataset) use scanner::Scanner;

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

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use proptest::prelude::*;

    use super::*;
    use crate::dataset::format::columns::CellReader as _;
    use crate::dataset::format::lines::{LineCount, line_ends};
    use crate::dataset::format::state::RecordSpan;
    use crate::dataset::format::{Delimiter, ListedDelimiters, delimited::Delimited};

    const COMMA: Quoted = Quoted { delimiter: b',' };

    fn all_spans(bytes: &[u8], cuts: &[usize]) -> (Vec<RecordSpan>, ScanState) {
        let mut scanner = Scanner::new(COMMA, ScanState::Between, false);
        let mut spans = Vec::new();
        for end in cuts.iter().copied().chain([bytes.len()]) {
            // The scan is interrupted after each record, as it is after the last record of a part.
            while scanner
                .scan(&bytes[..end], |span| {
                    spans.push(span);
                    ControlFlow::Break(())
                })
                .is_break()
            {}
        }
        let state = scanner.state;
        spans.extend(scanner.end(bytes.len()));
        (spans, state)
    }

    /// The records of stretches of a text that are examined by themselves, and the state at the end of the text.
    fn examined_spans(bytes: &[u8], cuts: &[usize]) -> (Vec<RecordSpan>, ScanState) {
        let mut spans: Vec<RecordSpan> = Vec::new();
        let (mut start, mut lines, mut after_cr, mut state) = (0, 0, false, ScanState::Between);
        for end in cuts.iter().copied().chain([bytes.len()]) {
            let stretch = &bytes[start..end];
            let (mut found, mut delimiters) = (Vec::new(), Vec::new());
            let examined = COMMA.examine(stretch, &mut found, &mut delimiters);
            let (tally, line_count) = (examined.tallies.from(state), examined.line_count);
            let mut scanner = examined.complete((state, after_cr), stretch, &mut found);
            // The last record of the stretch may end in a later stretch.
            let _ = scanner.scan(&bytes[start..], |span| {
                found.push(span);
                ControlFlow::Break(())
            });
            if scanner.open().is_some_and(|open| open < stretch.len()) {
                found.extend(scanner.end(bytes.len() - start));
            }
            found.retain(|span| span.start < stretch.len());
            assert_eq!(
                tally.records,
                found.len() as u64,
                "{stretch:?} from {state:?}"
            );
            for span in &found {
                check_delimiters(&bytes[start..], span, &delimiters);
            }
            spans.extend(found.iter().map(|span| RecordSpan {
                start: start + span.start,
                end: start + span.end,
                lines_before: lines + span.lines_before,
                delimiters: None,
            }));
            state = tally.end;
            (lines, after_cr) = LineCount::after(line_count, lines, after_cr);
            start = end;
        }
        (spans, state)
    }

    /// Checks that the values between the listed delimiters of a record are the values of the record.
    fn check_delimiters(bytes: &[u8], span: &RecordSpan, list: &[u32]) {
        let (Some((first, end)), Ok(text)) = (
            span.delimiters,
            std::str::from_utf8(&bytes[span.start..span.end]),
        ) else {
            return;
        };
        let listed = ListedDelimiters {
            places: &list[first as usize..end as usize],
            start: span.start as u32,
        };
        let mut cells = Delimited::by(Delimiter::COMMA).listed(text, listed);
        let values: Vec<_> = std::iter::from_fn(|| cells.next()).collect();
        let expected = Delimited::by(Delimiter::COMMA).values(text);
        assert_eq!(values, expected.collect::<Vec<_>>(), "{text:?}");
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

    fn check(text: &str, cuts: &[prop::sample::Index]) -> Result<(), TestCaseError> {
        let bytes = text.as_bytes();
        let cuts = cuts.iter().map(|cut| cut.index(bytes.len() + 1));
        let mut cuts: Vec<usize> = cuts.collect();
        cuts.sort_unstable();
        let (spans, end) = all_spans(bytes, &cuts);
        let values = |span: &RecordSpan| {
            let values = Delimited::by(Delimiter::COMMA).values(&text[span.start..span.end]);
            values.map(std::borrow::Cow::into_owned).collect::<Vec<_>>()
        };
        prop_assert_eq!(spans.iter().map(values).collect::<Vec<_>>(), by_csv(text));
        for span in &spans {
            prop_assert_eq!(span.lines_before, line_ends(&bytes[..span.start], false));
        }
        prop_assert_eq!(examined_spans(bytes, &cuts), (spans, end));
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn records_are_those_of_the_crate_csv(
            text in "[abé,\"\r\n]{0,30}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            check(&text, &cuts)?;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// The text has many blocks. In most of them, each quote opens or closes a field or is doubled.
        #[test]
        fn records_of_long_texts_are_those_of_the_crate_csv(
            fields in proptest::collection::vec(
                prop_oneof![
                    8 => "[a ]{0,90}[,\n]",
                    6 => "\"[a, \n]{0,90}(\"\"[a,]{0,9})?\"(,|\n|\r\n)",
                    1 => "[a,\"\r\n]{0,5}",
                ],
                0..120,
            ),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            check(&fields.concat(), &cuts)?;
        }

        /// The text has almost no quotes, so scans that begin in two different states stay different for long.
        #[test]
        fn stretches_with_few_quotes_have_the_records_of_the_text(
            fields in proptest::collection::vec(
                prop_oneof![500 => "[a ]{0,300}[,\n]", 1 => "\"[a ]{0,60}", 1 => "\"\n"],
                0..200,
            ),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..3),
        ) {
            check(&fields.concat(), &cuts)?;
        }
    }
}
