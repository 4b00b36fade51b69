//! Puts restored sums into the machine words of a state, where they need no memory of their own and are merged fast.

use super::moments::{COMMON, FREE, MIDDLE};
use super::{ExactMoments, ExactSum, FRACTION_BITS, LAST_FINITE, LIMB_BITS, Number, base_for};

/// Number of bits of the words of an [`ExactSum`] that a restored sum may take. The others are room for further values.
const SUM_BITS: u32 = 120;

/// Number of bits of the words of squares that a restored sum may take.
const SQUARES_BITS: u32 = 240;

/// The binary logarithm of a number of values that no group reaches. The square of the sum of n values is at most n times
/// the sum of their squares, by the Cauchy–Schwarz inequality. Sums for which this does not hold might outgrow their words
/// before their squares do.
const MOST_VALUES_BITS: u32 = 40;

/// The bases of restored moments are multiples of this number.
const ALIGNMENT: u32 = 8;

impl ExactSum {
    /// Returns this sum, or `None` if it does not fit in the machine words.
    pub(super) fn near_from(sum: &Number) -> Option<ExactSum> {
        if sum.is_zero() {
            return None;
        }
        let (from, end) = sum.ends(1);
        let base = base_for(end.saturating_sub(FRACTION_BITS + 1), LAST_FINITE);
        // Smaller values need a lower base. Bases are multiples of the width of a limb.
        let lowest = from / LIMB_BITS * LIMB_BITS;
        let base = base.min(u16::try_from(lowest).ok()?);
        let fits = u32::from(base) >= LIMB_BITS && end - u32::from(base) <= SUM_BITS;
        fits.then(|| {
            let mut near = ExactSum::new();
            near.near = sum.words(from - u32::from(base));
            near.base = base;
            near
        })
    }
}

impl ExactMoments {
    /// Returns moments with these sums, or `None` if the sums do not fit in the machine words.
    pub(super) fn near_from(sum: &Number, squares: &Number) -> Option<ExactMoments> {
        if squares.is_zero() {
            return None;
        }
        let (squares_from, squares_end) = squares.ends(2);
        // The base is that for a value whose square has this many bits.
        let exponent = (squares_end / 2).checked_sub(FRACTION_BITS + 1)?;
        let mut base = (exponent + FREE + 1).checked_sub(MIDDLE)?;
        base = base.min((squares_from + u64::BITS) / 2);
        let (from, end) = match sum.is_zero() {
            true => (base, base),
            false => sum.ends(1),
        };
        base = base.min(from + u64::BITS);
        // Sums that have the same base are merged fast.
        base = base / ALIGNMENT * ALIGNMENT;
        let fits = COMMON.contains(&base)
            && squares_end + u64::BITS - 2 * base <= SQUARES_BITS
            && 2 * end <= squares_end + MOST_VALUES_BITS;
        fits.then(|| {
            let mut near = ExactMoments::default();
            near.sum = sum.words(from + u64::BITS - base);
            near.squares = squares.words(squares_from + u64::BITS - 2 * base);
            near.base = base as u16;
            near
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{ExactMoments, ExactSum};

    /// The sums of ordinary values, of which there may be millions, need no memory of their own.
    #[test]
    fn restored_sums_are_in_the_words() {
        let ordinary = (1..1_000).map(|number| 0.37 * f64::from(number) - 99.0);
        let tiny = [1.0 / 1024.0, -0.33, 1e-4];
        for values in [
            ordinary.collect(),
            tiny.to_vec(),
            vec![-0.5],
            vec![1e9, -1e9],
        ] {
            let (mut sum, mut moments) = (ExactSum::new(), ExactMoments::default());
            for value in &values {
                sum.add(*value);
                moments.add(*value);
            }
            let is_zero = sum.value() == 0.0;
            let restored = ExactSum::restore(sum.into_plain()).expect("a sum");
            assert!(is_zero || restored.near != [0; 2], "{values:?}");
            let (sum, squares) = moments.into_plain();
            let restored = ExactMoments::restore(sum.clone(), squares.clone()).expect("sums");
            assert_ne!(restored.squares, [0; 4], "{values:?}");
            assert_eq!(restored.into_plain(), (sum, squares), "{values:?}");
        }
    }
}
