//! Edit distances, computed for 64 positions of the pattern at a time.
//!
//! The distances between all beginnings of the pattern and all beginnings of the text form a matrix. It is computed
//! column by column. Two cells that are next to each other differ by at most 1, so a column is stored as the
//! differences of its cells, with two bits for each cell. A few operations on 64-bit words then compute 64 cells of
//! the next column.
//!
//! The algorithm is from G. Myers, "A fast bit-vector algorithm for approximate string matching based on dynamic
//! programming", JACM 46 (1999). H. Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit
//! Distances", Nordic Journal of Computing 10 (2003), extends it to whole texts, to patterns of more than 64 symbols
//! and to transpositions.

use super::alphabet::Symbol;
use super::pattern::{Pattern, WORD};

/// 64 cells of the current column of the matrix of distances.
#[derive(Clone, Copy, Debug)]
pub(super) struct ColumnWord {
    /// A bit for each cell: 1 if the cell is one more than the cell above.
    up: u64,
    /// A bit for each cell: 1 if the cell is one less than the cell above.
    down: u64,
    /// A bit for each cell: 1 if the cell equals its diagonal neighbour; used for transpositions only.
    diagonal: u64,
    /// The mask of the previous symbol; used for transpositions only.
    previous: u64,
}

/// The first column: distances grow by one from cell to cell.
pub(super) const FIRST: ColumnWord = ColumnWord {
    up: !0,
    down: 0,
    diagonal: 0,
    previous: 0,
};

/// Advances the column by one symbol of the text, given by its masks.
///
/// Returns the change of the last cell of the column, which is bit `last` of the last word.
#[inline(always)]
pub(super) fn step<const SWAPS: bool>(
    columns: &mut [ColumnWord],
    masks: &[u64],
    last: u64,
) -> isize {
    // These are the carries from one word to the next. Above the first cell, distances grow by one.
    let (mut more, mut less, mut swap) = (1, 0, 0);
    let (mut change_up, mut change_down) = (0, 0);
    for (column, &mask) in columns.iter_mut().zip(masks) {
        let ColumnWord { up, down, .. } = *column;
        let matches = mask | less;
        let mut diagonal = (((matches & up).wrapping_add(up)) ^ up) | matches | down;
        if SWAPS {
            let crossed = !column.diagonal & mask;
            diagonal |= ((crossed << 1) | swap) & column.previous;
            swap = crossed >> (WORD - 1);
            column.diagonal = diagonal;
            column.previous = mask;
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

/// The distance, or `usize::MAX` once it is certain to be more than `at_most`.
#[inline(always)]
fn run<'p, const SWAPS: bool, S: Symbol>(
    pattern: &'p Pattern,
    masks: impl Fn(S) -> &'p [u64],
    columns: &mut [ColumnWord],
    text: &[S],
    at_most: usize,
) -> usize {
    if pattern.length == 0 {
        return text.len();
    }
    let last = 1 << ((pattern.length - 1) % WORD);
    let mut distance = pattern.length;
    for (index, &symbol) in text.iter().enumerate() {
        let change = step::<SWAPS>(columns, masks(symbol), last);
        distance = distance.wrapping_add_signed(change);
        // Every remaining symbol can reduce the distance by one.
        if distance > at_most + (text.len() - index - 1) {
            return usize::MAX;
        }
    }
    distance
}

/// The distance between the pattern and a text: the least number of insertions, deletions and replacements.
///
/// With `SWAPS`, transpositions of two neighbours count as one edit each, and no symbol is edited twice
/// (optimal string alignment). If the distance is more than `at_most`, the result is any number above
/// `at_most`.
pub(super) fn distance<const SWAPS: bool, S: Symbol>(
    pattern: &Pattern,
    text: &[S],
    at_most: usize,
    columns: &mut Vec<ColumnWord>,
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
