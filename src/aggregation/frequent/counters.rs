//! A Count-Min sketch, which keeps counts that are never too low in constant memory.

use crate::aggregation::hashing::draw;

/// Number of lines of counters. The count of a key is too high only if its counter is too high in
/// every line.
pub(super) const LINES: usize = 12;

/// Number of lines whose places come from one random number of 64 bits.
const LINES_PER_DRAW: usize = 3;

/// Number of bits of a random number that give a place in one line: enough for 2²¹ counters.
const BITS_PER_LINE: usize = 21;

const _: () = assert!(LINES_PER_DRAW * BITS_PER_LINE <= 64);

/// Lines of counters; a key has one counter in each line (Cormode and Muthukrishnan, *An improved
/// data stream summary: the count-min sketch and its applications*, 2005). Each counter is a sum
/// over keys, so the order of observing and merging has no effect. Raising only the lowest counter
/// of a key would be more accurate, but would depend on the order.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    /// Number of counters in a line: a power of two.
    width: usize,
    /// The counters, one line after the other.
    cells: Vec<u64>,
}

impl Counters {
    /// Creates lines of `width` counters each. `width` must be a power of two of at most 2²¹.
    pub(super) fn new(width: usize) -> Counters {
        debug_assert!(width.is_power_of_two() && width <= 1 << BITS_PER_LINE);
        Counters {
            width,
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
        let fits = cells.len() == LINES * width && cells.chunks_exact(width).all(sound);
        fits.then_some(Counters { width, cells })
    }

    pub(super) fn into_cells(self) -> Vec<u64> {
        self.cells
    }

    /// The places of the counters of this hash. Each random number gives the places in three lines,
    /// from bits that do not overlap, so the places in different lines are independent if the bits
    /// of a random number are.
    #[inline]
    fn places(&self, hash: u64) -> [usize; LINES] {
        let draws: [u64; LINES / LINES_PER_DRAW] =
            std::array::from_fn(|number| draw(hash, number as u64));
        std::array::from_fn(|line| {
            let bits = draws[line / LINES_PER_DRAW] >> (line % LINES_PER_DRAW * BITS_PER_LINE);
            line * self.width + (bits as usize & (self.width - 1))
        })
    }

    /// Adds this count to the counters of this hash, and returns the lowest of them: an upper bound
    /// on the count of this hash.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, count: u64) -> u64 {
        let mut lowest = u64::MAX;
        for place in self.places(hash) {
            let cell = &mut self.cells[place];
            *cell = cell.saturating_add(count);
            lowest = lowest.min(*cell);
        }
        lowest
    }

    /// Returns an upper bound on the count of this hash.
    pub(super) fn at_most(&self, hash: u64) -> u64 {
        let cells = self.places(hash).map(|place| self.cells[place]);
        cells.into_iter().fold(u64::MAX, u64::min)
    }

    /// Returns the counter of this hash in the first line. It is an upper bound on the count of the
    /// hash that, unlike the lowest counter, adds up: the counter of a merged sketch is the sum of
    /// the counters.
    pub(super) fn first(&self, hash: u64) -> u64 {
        self.cells[self.places(hash)[0]]
    }

    pub(super) fn merge(&mut self, other: &Counters) {
        for (cell, &other) in self.cells.iter_mut().zip(&other.cells) {
            *cell = cell.saturating_add(other);
        }
    }
}
