//! A Count-Min sketch: counts that are never too low, in a space that does not grow.

use crate::aggregation::hashing::draw;

/// Lines of counters; each would have to be wrong for an answer to be.
pub(super) const LINES: usize = 5;

/// Counters in lines; a key counts at one place of each (Cormode and Muthukrishnan, *An improved
/// data stream summary: the count-min sketch and its applications*, 2005). The counters are sums
/// over the keys, so neither order nor merging shows in them. Raising only the lowest counter of a
/// key would be more accurate, and would depend on the order.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    /// What a place in a line is shifted by: 64 less the bits of one.
    shift: u32,
    /// One line after the other.
    cells: Vec<u64>,
}

impl Counters {
    /// Lines of `width` counters, a power of two over 1.
    pub(super) fn new(width: usize) -> Counters {
        Counters {
            shift: 64 - width.ilog2(),
            cells: vec![0; LINES * width],
        }
    }

    /// Counters that stand like this, of `total` in all; `None` where none can.
    pub(super) fn of(width: usize, cells: Vec<u64>, total: u64) -> Option<Counters> {
        let sound = |line: &[u64]| {
            let sum = line
                .iter()
                .try_fold(0, |sum: u64, &count| sum.checked_add(count));
            sum == Some(total)
        };
        let fits = cells.len() == LINES * width
            && (0..LINES).all(|line| sound(&cells[line * width..][..width]));
        fits.then_some(Counters {
            shift: 64 - width.ilog2(),
            cells,
        })
    }

    pub(super) fn into_cells(self) -> Vec<u64> {
        self.cells
    }

    #[inline]
    fn places(&self, hash: u64) -> [usize; LINES] {
        let width = 1 << (64 - self.shift);
        std::array::from_fn(|line| line * width + (draw(hash, line as u64) >> self.shift) as usize)
    }

    #[inline]
    pub(super) fn add(&mut self, hash: u64, count: u64) {
        for place in self.places(hash) {
            let cell = &mut self.cells[place];
            *cell = cell.saturating_add(count);
        }
    }

    /// The most that this hash can have been counted.
    pub(super) fn at_most(&self, hash: u64) -> u64 {
        let cells = self.places(hash).map(|place| self.cells[place]);
        cells.into_iter().fold(u64::MAX, u64::min)
    }

    pub(super) fn merge(&mut self, other: &Counters) {
        for (cell, &other) in self.cells.iter_mut().zip(&other.cells) {
            *cell = cell.saturating_add(other);
        }
    }
}
