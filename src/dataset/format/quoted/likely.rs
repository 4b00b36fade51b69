//! Guesses whether a line of delimited text begins inside a quoted field, from the bytes after its beginning alone.

use super::Quoted;
use crate::dataset::format::ScanState;

impl Quoted {
    /// Returns the state that a text probably has at the beginning of a line, which is either between two records or in a
    /// quoted field. `bytes` begin there, and `columns` is the number of fields of a record, if it is known.
    ///
    /// The bytes are read under both assumptions, as in Ge, Li, Eilebrecht, Chandramouli and Kossmann, *Speculative
    /// distributed CSV data parsing for big data analytics* (2019). Under the wrong one, texts and what is between them
    /// change places, so quotes soon stand where a careful writer puts none, and records have other numbers of fields.
    pub(in crate::dataset) fn likely_state(
        self,
        bytes: &[u8],
        columns: Option<usize>,
    ) -> ScanState {
        let oddities = |state| self.oddities(bytes, state, columns);
        match oddities(ScanState::Quoted) < oddities(ScanState::Between) {
            true => ScanState::Quoted,
            false => ScanState::Between,
        }
    }

    /// Counts what a careful writer of such a text would not write: a quote inside a field without quotes, a byte between
    /// the end of a quoted field and the next delimiter, and records with another number of fields than `columns`.
    fn oddities(self, bytes: &[u8], state: ScanState, columns: Option<usize>) -> usize {
        let mut odd = 0;
        let mut state = state;
        // The fields of a record that began before the bytes are not known.
        let mut fields = (state == ScanState::Between).then_some(1);
        for byte in bytes.iter().copied() {
            let is_end = super::is_line_end(byte);
            state = match (state, byte) {
                (ScanState::Between, _) if is_end => ScanState::Between,
                (ScanState::Quoted, b'"') => ScanState::QuoteInQuoted,
                (ScanState::Quoted, _) => ScanState::Quoted,
                (ScanState::QuoteInQuoted, b'"') => ScanState::Quoted,
                (ScanState::Between | ScanState::FieldStart, b'"') => ScanState::Quoted,
                (before, byte) if byte == self.delimiter => {
                    debug_assert_ne!(before, ScanState::Quoted);
                    fields = fields.map(|fields| fields + 1);
                    ScanState::FieldStart
                }
                _ if is_end => {
                    let differs = |fields| columns.is_some_and(|columns| fields != columns);
                    odd += usize::from(fields.is_some_and(differs));
                    fields = Some(1);
                    ScanState::Between
                }
                (before, byte) => {
                    let is_odd = before == ScanState::QuoteInQuoted || byte == b'"';
                    odd += usize::from(is_odd);
                    ScanState::Unquoted
                }
            };
        }
        odd
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likely(text: &str, columns: Option<usize>) -> ScanState {
        Quoted { delimiter: b',' }.likely_state(text.as_bytes(), columns)
    }

    #[test]
    fn ordinary_records_begin_outside_quotes() {
        for text in [
            "",
            "1,plain,5\n2,other,4\n",
            "1,\"one, two\",5\n2,\"a \"\"word\"\"\nand a line\",4\n",
        ] {
            assert_eq!(likely(text, Some(3)), ScanState::Between, "{text}");
            assert_eq!(likely(text, None), ScanState::Between, "{text}");
        }
    }

    #[test]
    fn the_rest_of_a_quoted_field_begins_inside_quotes() {
        for text in [
            "the end of it\",5\n2,\"next\",4\n",
            "more lines,\nwith a comma\n\",5\n2,\"next, again\",4\n",
        ] {
            assert_eq!(likely(text, Some(3)), ScanState::Quoted, "{text}");
        }
    }
}
