//! Edit distances, many places of the pattern at a time.
//!
//! A column of the table of distances is kept as the differences of its cells, two bits each. G.
//! Myers, "A fast bit-vector algorithm for approximate string matching based on dynamic
//! programming", JACM 46 (1999); for whole texts, several words and neighbours that change places,
//! H. Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances", Nordic
//! Journal of Computing 10 (2003).

use super::alphabet::Symbol;
use super::pattern::{Pattern, WORD};

/// A word of the column of distances that is being worked on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Where a cell is one more than the cell above it.
    up: u64,
    /// Where it is one less.
    down: u64,
    /// Where a cell equals its neighbour on the diagonal; only for neighbours that change places.
    diagonal: u64,
    /// The masks of the symbol before; likewise.
    before: u64,
}

pub(super) const FIRST: Column = Column {
    up: !0,
    down: 0,
    diagonal: 0,
    before: 0,
};

/// Takes in one symbol of the text, whose masks are `masks`; returns by how much the last cell, at
/// `last` in the last word, changes.
#[inline(always)]
pub(super) fn step<const SWAPS: bool>(columns: &mut [Column], masks: &[u64], last: u64) -> isize {
    // What goes from one word to the next. Above the first cell distances grow by one.
    let (mut more, mut less, mut swap) = (1, 0, 0);
    let (mut change_up, mut change_down) = (0, 0);
    for (column, &mask) in columns.iter_mut().zip(masks) {
        let Column { up, down, .. } = *column;
        let matches = mask | less;
        let mut diagonal = (((matches & up).wrapping_add(up)) ^ up) | matches | down;
        if SWAPS {
            let crossed = !column.diagonal & mask;
            diagonal |= ((crossed << 1) | swap) & column.before;
            swap = crossed >> (WORD - 1);
            column.diagonal = diagonal;
            column.before = mask;
        }
        let right_up = down | !(diagonal | up);
        let right_down = diagonal & up;
        (change_up, change_down) = (right_up, right_down);
        let shifted_up = (right_up << 1) | more;
        let shifted_down = (right_down << 1) | less;
        more = right_up >> (WORD - 1);
        less = right_down >> (WORD - 1);
        column.up = shifted_down | !(diagonal | shifted_up);
        column.down = diagonal & shifted_up;
    }
    isize::from(change_up & last != 0) - isize::from(change_down & last != 0)
}

#[inline(always)]
fn run<'p, const SWAPS: bool, S: Symbol>(
    pattern: &'p Pattern,
    masks: impl Fn(S) -> &'p [u64],
    columns: &mut [Column],
    text: &[S],
    at_most: usize,
) -> usize {
    if pattern.length == 0 {
        return text.len();
    }
    let last = 1 << ((pattern.length - 1) % WORD);
    let mut distance = pattern.length;
    for (place, &symbol) in text.iter().enumerate() {
        let change = step::<SWAPS>(columns, masks(symbol), last);
        distance = distance.wrapping_add_signed(change);
        // Every symbol that is still to come can take away one.
        if distance > at_most + (text.len() - place - 1) {
            return usize::MAX;
        }
    }
    distance
}

/// The distance between the pattern and a text by insertions, deletions, replacements and, if
/// `SWAPS`, changes of place of two neighbours, each symbol in one of them at most; anything larger
/// than `at_most` where it is more than that.
pub(super) fn distance<const SWAPS: bool, S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    at_most: usize,
    columns: &mut Vec<Column>,
) -> usize {
    match pattern.words {
        1 => {
            let masks = |symbol| pattern.masks_of::<1, S>(symbol).as_slice();
            run::<SWAPS, S>(pattern, masks, &mut [FIRST], text, at_most)
        }
        2 => {
            let masks = |symbol| pattern.masks_of::<2, S>(symbol).as_slice();
            run::<SWAPS, S>(pattern, masks, &mut [FIRST; 2], text, at_most)
        }
        words => {
            columns.clear();
            columns.resize(words, FIRST);
            let masks = |symbol| pattern.masks(symbol);
            run::<SWAPS, S>(pattern, masks, columns, text, at_most)
        }
    }
}
