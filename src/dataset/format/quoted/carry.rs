//! Computes from the marks of a block of bytes where records begin and end in the block.

use super::marks::Marks;
use crate::dataset::format::state::ScanState;

/// What has to be known of the bytes before a block. Each number except `inside` is 1 for yes and 0 for no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carry {
    /// All bits are set if the block begins inside a quoted field. Otherwise no bit is set.
    inside: u64,
    /// Whether a quote as the first byte of the block would open a field, or would be the second of two quotes that
    /// represent a single one.
    may_open: u64,
    /// Whether the byte before the block is a quote that closes a field, or the first of two quotes.
    closed: u64,
    /// Whether the block begins between two records.
    between: u64,
    /// Whether the byte before the block is a `\r`.
    after_cr: u64,
}

/// Where records, line ends and fields begin or end in a block. Each number has a bit for each byte of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockEdges {
    /// The first byte of each record.
    pub(super) starts: u64,
    /// The first byte after each record.
    pub(super) ends: u64,
    /// The first byte of each line end, inside quotes or not.
    pub(super) line_ends: u64,
    /// The delimiters that separate two fields, which are those outside quotes.
    pub(super) delimiters: u64,
}

impl Carry {
    /// The carry after bytes that end in this state. `after_cr` says whether the last byte is a `\r`.
    pub(super) fn of(state: ScanState, after_cr: bool) -> Self {
        let is = |states: &[ScanState]| u64::from(states.contains(&state));
        use ScanState::{Between, FieldStart, QuoteInQuoted, Quoted};
        Carry {
            inside: is(&[Quoted]).wrapping_neg(),
            may_open: is(&[Between, FieldStart, QuoteInQuoted]),
            closed: is(&[QuoteInQuoted]),
            between: is(&[Between]),
            after_cr: u64::from(after_cr),
        }
    }

    /// The state at the end of the bytes, and whether the last of them is a `\r`.
    pub(super) fn state(self) -> (ScanState, bool) {
        let state = match self {
            Carry { inside: 1.., .. } => ScanState::Quoted,
            Carry { closed: 1.., .. } => ScanState::QuoteInQuoted,
            Carry { between: 1.., .. } => ScanState::Between,
            Carry { may_open: 1.., .. } => ScanState::FieldStart,
            _ => ScanState::Unquoted,
        };
        (state, self.after_cr == 1)
    }

    /// Finds the edges in the first `length` bytes of a block. The carry then describes the end of these bytes.
    ///
    /// A byte is inside a quoted field if the number of quotes up to it is odd. This holds as long as each quote opens
    /// or closes a field, or is one of two quotes that represent a single one. The function returns `None` and leaves
    /// the carry unchanged if a quote is in the middle of an unquoted field, or if other bytes are between a closing
    /// quote and the next delimiter or line end.
    #[inline(always)]
    pub(super) fn advance(&mut self, marks: &Marks, length: usize) -> Option<BlockEdges> {
        let Marks {
            quotes,
            delimiters,
            newlines,
            returns,
        } = *marks;
        let block = u64::MAX >> (64 - length);
        let ends = newlines | returns;
        let inside = odd_number_before(quotes) ^ self.inside;
        let closing = quotes & !inside;
        let line_ends_outside = ends & !inside;
        let may_open = (delimiters & !inside) | line_ends_outside | closing;
        let opens_in_field = (quotes & inside) & !(may_open << 1 | self.may_open);
        let after_closing = closing << 1 | self.closed;
        let text_after_closing = after_closing & !(quotes | delimiters | ends) & block;
        if opens_in_field | text_after_closing != 0 {
            return None;
        }
        let between = line_ends_outside << 1 | self.between;
        let edges = BlockEdges {
            starts: between & !line_ends_outside & block,
            ends: line_ends_outside & !between,
            line_ends: returns | newlines & !(returns << 1 | self.after_cr),
            delimiters: delimiters & !inside,
        };
        let last = |bits: u64| bits >> (length - 1) & 1;
        *self = Carry {
            inside: last(inside).wrapping_neg(),
            may_open: last(may_open),
            closed: last(closing),
            between: last(line_ends_outside),
            after_cr: last(returns),
        };
        Some(edges)
    }
}

/// Returns a number in which the bit `n` is set if an odd number of the bits 0 to `n` of `bits` is set.
#[inline(always)]
fn odd_number_before(bits: u64) -> u64 {
    let mut odd = bits;
    for shift in [1, 2, 4, 8, 16, 32] {
        odd ^= odd << shift;
    }
    odd
}
