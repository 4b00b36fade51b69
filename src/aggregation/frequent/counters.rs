//! A Count-Min sketch, which keeps counts that are never too low in constant memory.

use crate::aggregation::hashing::draw;

/// Number of lines of counters. The count of a key is too high only if its counter is too high in
/// every line.
pub(super) const LINES: usize = 5;

/// Lines of counters; a key has one counter in each line (Cormode and Muthukrishnan, *An improved
/// data stream summary: the count-min sketch and its applications*, 2005). Each counter is a sum
/// over keys, so the order of observing and merging has no effect. Raising only the lowest counter
/// of a key would be more accurate, but would depend on the order.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    /// Number of bits by which a random number is shifted right to give a place in a line.
    shift: u32,
    /// The counters, one line after the other.
    cells: Vec<u64>,
}

impl Counters {
    /// Creates lines of `width` counters each. `width` must be a power of two greater than 1.
    pub(super) fn new(width: usize) -> Counters {
        Counters {
            shift: 64 - width.ilog2(),
            cells: vec![0; LINES * width],
        }
    }

    /// Returns counters with these values, or `None` if a line does not add up to `total`.
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

    /// Returns an upper bound on the count of this hash.
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
