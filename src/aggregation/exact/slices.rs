//! The exact sum of many values at once, without decoding each of them.
//!
//! Adding `1.5 · 2^(52 + k)`, a magic number, to a value below `2^(51 + k)` rounds the value to a
//! multiple of `2^k`, and leaves that multiple, as an integer, in the low bits of the sum. One
//! floating-point addition and one integer addition therefore add the upper half of a value
//! exactly. The rounding error is then added in the same way, on a grid of multiples that is 2⁵¹
//! times finer. If no error is left after that, the value has been added to two sums of integers
//! without a branch or a shift. Several values are added at once in vector registers. The two grids
//! cover every value whose bits lie within 102 octaves.

use std::mem;

use super::{ExactSum, LAST_FINITE, exponent_field};

/// Number of values in a group, which are added or rejected together. It is large enough to spread
/// the cost of checking whether all values fit.
const GROUP: usize = 64;
/// Number of groups after which the totals are moved to the sum. A total of 1,024 integers of 52
/// bits fits in 62 bits.
const MOST_GROUPS: u32 = 16;
/// Number of octaves that are left free above the largest value for which the grids are chosen.
const FREE: u32 = 2;
/// The largest number of consecutive groups that are added value by value because earlier groups
/// did not fit.
const MOST_PASSED_OVER: u32 = 64;

/// Number of bits by which the units of the coarse grid and the fine grid differ.
const GRID_BITS: u32 = 51;

impl ExactSum {
    /// Adds all of these values. The result is the same as that of calling [`add`](ExactSum::add)
    /// for each value, but this is about three times as fast.
    ///
    /// ```
    /// use manyhands::aggregation::exact::ExactSum;
    ///
    /// let mut sum = ExactSum::new();
    /// sum.add_slice(&[0.1; 1_000]);
    /// assert_eq!(sum.value(), 100.0);
    /// ```
    pub fn add_slice(&mut self, values: &[f64]) {
        let mut grids: Option<SumGrids> = None;
        let (mut passing_over, mut penalty) = (0, 1);
        for group in values.chunks(GROUP) {
            if passing_over > 0 {
                passing_over -= 1;
                self.add_each(group);
                continue;
            }
            if grids.as_mut().is_none_or(|grids| !grids.add(group)) {
                // There are no grids yet, or this group needs other grids.
                if let Some(mut grids) = grids.take() {
                    grids.empty_into(self);
                }
                grids = SumGrids::over(group);
            }
            if let Some(grids) = &mut grids {
                penalty = 1;
                if grids.is_full() {
                    grids.empty_into(self);
                }
            } else {
                self.add_each(group);
                passing_over = penalty;
                penalty = MOST_PASSED_OVER.min(2 * penalty);
            }
        }
        if let Some(mut grids) = grids {
            grids.empty_into(self);
        }
    }

    fn add_each(&mut self, values: &[f64]) {
        // The sum is in a local variable so that it stays in registers.
        let mut sum = mem::take(self);
        for &value in values {
            sum.add(value);
        }
        *self = sum;
    }
}

/// Sums of integers on a coarse and a fine grid.
struct SumGrids {
    /// Adding this magic number rounds a value to a multiple of the unit of the coarse grid; adding
    /// `fine` rounds it to a multiple of the unit of the fine grid.
    coarse: f64,
    fine: f64,
    /// The sum of the multiples on the coarse grid; `fine_total` is that of the multiples on the
    /// fine grid.
    coarse_total: i64,
    fine_total: i64,
    groups: u32,
}

impl SumGrids {
    /// Returns grids for the largest of these values, with all of the values added. Returns `None`
    /// if the values fit no grids, or if all of them are zeros, because the sum must observe the
    /// signs of the zeros.
    fn over(group: &[f64]) -> Option<SumGrids> {
        let largest = group.iter().map(|value| value.to_bits() << 1).max();
        let largest = largest.filter(|&bits| bits != 0)?;
        let exponent = exponent_field(largest >> 1);
        // The exponent is clamped so that both magic numbers are normal floats. Larger values are
        // rejected.
        let top = (exponent + FREE).clamp(GRID_BITS, LAST_FINITE - 2);
        let magic = |exponent: u32| f64::from_bits(u64::from(exponent) << 52 | 1 << 51);
        let mut grids = SumGrids {
            coarse: magic(top + 2),
            fine: magic(top + 2 - GRID_BITS),
            coarse_total: 0,
            fine_total: 0,
            groups: 0,
        };
        grids.add(group).then_some(grids)
    }

    /// Adds a group, or returns false and changes nothing if a value does not fit.
    #[inline]
    fn add(&mut self, group: &[f64]) -> bool {
        let (coarse, fine) = (self.coarse, self.fine);
        let (mut coarse_bits, mut fine_bits) = (0_u64, 0_u64);
        let (mut too_large, mut too_small) = (0_u64, 0_u64);
        // The loop contains only reductions of integers, which the compiler vectorizes.
        for &value in group {
            let rounded = value + coarse;
            let rest = value - (rounded - coarse);
            let rest_rounded = rest + fine;
            coarse_bits = coarse_bits.wrapping_add(rounded.to_bits());
            fine_bits = fine_bits.wrapping_add(rest_rounded.to_bits());
            // `too_large` becomes non-zero if a sum leaves the octave of the magic number, and
            // `too_small` if a rounding error is left.
            too_large |= rounded.to_bits() ^ coarse.to_bits();
            too_small |= (rest_rounded - fine - rest).to_bits();
        }
        let fits = too_large >> 52 == 0 && too_small == 0;
        if fits {
            let count = group.len() as u64;
            let less = |bits: u64, magic: f64| {
                bits.wrapping_sub(count.wrapping_mul(magic.to_bits())) as i64
            };
            self.coarse_total += less(coarse_bits, coarse);
            self.fine_total += less(fine_bits, fine);
            self.groups += 1;
        }
        fits
    }

    fn is_full(&self) -> bool {
        self.groups == MOST_GROUPS
    }

    /// Moves the totals to `sum`.
    fn empty_into(&mut self, sum: &mut ExactSum) {
        let (coarse, fine) = (self.coarse_total, self.fine_total);
        let total = (i128::from(coarse) << GRID_BITS) + i128::from(fine);
        let exponent = exponent_field(self.fine.to_bits());
        sum.add_total(total, exponent, GRID_BITS - 2);
        (self.coarse_total, self.fine_total, self.groups) = (0, 0, 0);
    }
}
