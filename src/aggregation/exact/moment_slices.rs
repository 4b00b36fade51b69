//! The exact sums of many values and of their squares at once, for values on which
//! [`ExactMoments::add`] would branch unpredictably.
//!
//! Rounding to grids, as in `slices.rs`, splits a value into three digits of 25 bits. The product
//! of two digits has at most 50 bits, so a float holds it exactly, and its unit is known in
//! advance; adding another constant (a magic number) turns the product into an integer. Six
//! products and nine integer sums give the square of a value and the value itself, without a branch
//! or a shift. Several values are processed at once in vector registers. The digits cover every
//! value whose bits lie within 75 octaves, that is, values within 23 octaves of the largest.

use std::mem;

use super::{ExactMoments, exponent_field};

/// Number of values in a group, which are processed together. It is large enough to spread the
/// fixed cost of a group.
const GROUP: usize = 128;
/// Number of groups after which the totals are moved to the exact sums. A total of 1,024 integers
/// of 51 bits fits in 62 bits.
const MOST_GROUPS: u32 = 8;
/// Number of octaves that are left free above the largest value for which the grids are chosen.
const FREE: u32 = 2;
/// Number of bits by which the units of two neighbouring grids differ.
const DIGIT_BITS: u32 = 25;
/// Number of octaves in which values fit. The octaves end below the smallest value that is too
/// large.
const OCTAVES: u32 = 3 * DIGIT_BITS - 52;
/// Exponent fields that the largest value of a group may have. For these, neither the squares of
/// the smallest digits nor the magic numbers leave the range of floats.
const LARGEST: std::ops::RangeInclusive<u32> = 700..=1_500;
/// Number of groups that skip an attempt (the middle or the grids) after a group for which this
/// attempt failed.
const PASSED_OVER: u32 = 8;

impl ExactMoments {
    /// Adds values and their squares.
    pub(in crate::aggregation) fn add_slice(&mut self, values: &[f64]) {
        let mut grids: Option<MomentGrids> = None;
        let (mut past_middle, mut past_grids) = (0, 0);
        for group in values.chunks(GROUP) {
            // While values are in the middle, adding them there is fastest.
            let mut rest = group;
            if past_middle > 0 {
                past_middle -= 1;
            } else {
                let within = self.add_middle(group);
                rest = &group[within..];
                if 2 * within < group.len() {
                    past_middle = PASSED_OVER;
                }
            }
            if past_grids > 0 {
                past_grids -= 1;
                self.add_each(rest);
            } else if !rest.is_empty() && !self.add_on_grids(rest, &mut grids) {
                past_grids = PASSED_OVER;
                self.add_each(rest);
            }
        }
        if let Some(mut grids) = grids {
            grids.empty_into(self);
        }
    }

    /// Adds a group on the grids, and chooses new grids if necessary. Returns false and changes
    /// nothing if no grids suit the group.
    fn add_on_grids(&mut self, group: &[f64], grids: &mut Option<MomentGrids>) -> bool {
        if grids.as_mut().is_some_and(|grids| grids.take(group, self)) {
            return true;
        }
        if let Some(mut grids) = grids.take() {
            grids.empty_into(self);
        }
        *grids = MomentGrids::over(group);
        grids.as_mut().is_some_and(|grids| grids.take(group, self))
    }

    fn add_each(&mut self, values: &[f64]) {
        // The state is in a local variable so that it stays in registers.
        let mut moments = mem::take(self);
        for &value in values {
            moments.add(value);
        }
        *self = moments;
    }
}

/// Sums of integers on three grids.
struct MomentGrids {
    /// Values of this magnitude or more are too large: rounding could give their first digit one
    /// bit more.
    end: f64,
    /// Values below this magnitude may be too small.
    begin: f64,
    /// Adding one of these magic numbers rounds a value to a multiple of the unit of its grid.
    digits: [f64; 3],
    /// Adding one of these magic numbers turns a product of two digits into an integer. They are
    /// meant for the products 0·0, 0·1, 0·2 or 1·1, 1·2, and 2·2, in this order.
    products: [f64; 5],
    /// Sums of integers.
    totals: Totals,
    groups: u32,
}

/// Sums of digits and of products.
#[derive(Clone, Copy, Default)]
struct Totals {
    digits: [u64; 3],
    /// The sums of the products of digits 0·0, 0·1, 0·2, 1·1, 1·2 and 2·2, in this order.
    products: [u64; 6],
}

impl MomentGrids {
    /// Returns grids for the largest of these values, or `None` if no grids suit.
    fn over(group: &[f64]) -> Option<MomentGrids> {
        let largest = group.iter().map(|value| value.to_bits() << 1).max()?;
        let exponent = exponent_field(largest >> 1);
        if !LARGEST.contains(&exponent) {
            return None;
        }
        // The exponent field of a power of two that is greater than all values.
        let end = exponent + FREE + 1;
        let power = |field: u32| f64::from_bits(u64::from(field) << 52);
        let grid = |place: u32| power(end - DIGIT_BITS * (place + 1));
        let magic = |unit: f64| 1.5 * power(1023 + 52) * unit;
        let (first, second, third) = (grid(0), grid(1), grid(2));
        Some(MomentGrids {
            end: power(end) - first / 2.0,
            begin: power(end - OCTAVES),
            // The first magic number is shifted from the middle of its octave. The first digits of
            // values that are not too large therefore change only its lowest bits, whatever their
            // sign.
            digits: [magic(first) + power(end), magic(second), magic(third)],
            products: [
                magic(first * first),
                magic(first * second),
                magic(second * second),
                magic(second * third),
                magic(third * third),
            ],
            totals: Totals::default(),
            groups: 0,
        })
    }

    /// Adds a group. Values that do not fit are added to `moments`. Returns false and changes
    /// nothing if too many values do not fit.
    fn take(&mut self, group: &[f64], moments: &mut ExactMoments) -> bool {
        let taken = self.add(group) || self.add_those_that_fit(group, moments);
        if self.groups == MOST_GROUPS {
            self.empty_into(moments);
        }
        taken
    }

    /// Adds a group, or returns false and changes nothing if a value does not fit.
    fn add(&mut self, group: &[f64]) -> bool {
        let (added, fits) = self.sums::<false>(group);
        if fits {
            self.total(added, group.len());
        }
        fits
    }

    /// Adds the values of a group that fit. Values that are too small are added to `moments`, one
    /// by one. Returns false and changes nothing if a value is too large, or if too many are too
    /// small.
    #[cold]
    #[inline(never)]
    fn add_those_that_fit(&mut self, group: &[f64], moments: &mut ExactMoments) -> bool {
        let (begin, end) = (self.begin, self.end);
        let mut small = [0.0; GROUP];
        let (mut count, mut too_large) = (0, false);
        for &value in group {
            let size = value.abs();
            small[count] = value;
            count += usize::from(size < begin && size != 0.0);
            too_large |= size >= end || size.is_nan();
        }
        if too_large || 2 * count > group.len() {
            return false;
        }
        let (added, fits) = self.sums::<true>(group);
        debug_assert!(fits, "all values that fit were selected");
        self.total(added, group.len());
        moments.add_each(&small[..count]);
        true
    }

    fn total(&mut self, added: Totals, count: usize) {
        let count = count as u64;
        let less = |bits: u64, magic: f64| bits.wrapping_sub(count.wrapping_mul(magic.to_bits()));
        for (place, total) in self.totals.digits.iter_mut().enumerate() {
            *total = total.wrapping_add(less(added.digits[place], self.digits[place]));
        }
        let [aa, ab, bb, bc, cc] = self.products;
        let magics = [aa, ab, bb, bb, bc, cc];
        for (place, total) in self.totals.products.iter_mut().enumerate() {
            *total = total.wrapping_add(less(added.products[place], magics[place]));
        }
        self.groups += 1;
    }

    /// Returns the sums of the bits of the digits and products, each including its magic number,
    /// and whether all values fit. With `LEFT_OUT`, values that may be too small count as 0.
    #[inline(always)]
    fn sums<const LEFT_OUT: bool>(&self, group: &[f64]) -> (Totals, bool) {
        let [first, second, third] = self.digits;
        let [magic_aa, magic_ab, magic_bb, magic_bc, magic_cc] = self.products;
        let (mut too_large, mut too_small) = (0_u64, 0_u64);
        let (mut all_a, mut all_b, mut all_c) = (0_u64, 0_u64, 0_u64);
        let (mut aa, mut ab, mut ac) = (0_u64, 0_u64, 0_u64);
        let (mut bb, mut bc, mut cc) = (0_u64, 0_u64, 0_u64);
        // The loop contains only reductions of integers, which the compiler vectorizes.
        for &value in group {
            let value = if LEFT_OUT && value.abs() < self.begin {
                0.0
            } else {
                value
            };
            let rounded = value + first;
            let a = rounded - first;
            let rest = value - a;
            let rest_rounded = rest + second;
            let b = rest_rounded - second;
            let c = rest - b;
            let last_rounded = c + third;
            // `too_large` becomes non-zero if the first digit has too many bits, and `too_small` if
            // a rounding error is left.
            too_large |= rounded.to_bits() ^ first.to_bits();
            too_small |= (last_rounded - third).to_bits() ^ c.to_bits();
            all_a = all_a.wrapping_add(rounded.to_bits());
            all_b = all_b.wrapping_add(rest_rounded.to_bits());
            all_c = all_c.wrapping_add(last_rounded.to_bits());
            aa = aa.wrapping_add((a * a + magic_aa).to_bits());
            ab = ab.wrapping_add((a * b + magic_ab).to_bits());
            ac = ac.wrapping_add((a * c + magic_bb).to_bits());
            bb = bb.wrapping_add((b * b + magic_bb).to_bits());
            bc = bc.wrapping_add((b * c + magic_bc).to_bits());
            cc = cc.wrapping_add((c * c + magic_cc).to_bits());
        }
        let totals = Totals {
            digits: [all_a, all_b, all_c],
            products: [aa, ab, ac, bb, bc, cc],
        };
        (totals, too_large >> (DIGIT_BITS + 1) == 0 && too_small == 0)
    }

    /// Moves the totals to `moments`.
    fn empty_into(&mut self, moments: &mut ExactMoments) {
        if self.groups == 0 {
            return;
        }
        let Totals { digits, products } = mem::take(&mut self.totals);
        self.groups = 0;
        let signed = |total: u64| i128::from(total as i64);
        let sum = digits
            .iter()
            .fold(0, |sum, &digit| (sum << DIGIT_BITS) + signed(digit));
        // Products of two different digits count twice.
        let [aa, ab, ac, bb, bc, cc] = products.map(signed);
        let high = (aa << DIGIT_BITS) + 2 * ab;
        let low = ((((2 * ac + bb) << DIGIT_BITS) + 2 * bc) << DIGIT_BITS) + cc;
        let end = exponent_field(self.end.to_bits()) + 1;
        moments.add_totals(sum, (high, 3 * DIGIT_BITS, low), end - OCTAVES, end);
    }
}
