//! Exact sums as plain data: the number itself, independent of the limbs that hold it.

use serde::{Deserialize, Serialize};

use super::out_of_reach::{FiniteValues, OutOfReach};
use super::{
    ExactMoments, ExactProducts, ExactSum, LIMB_BITS, Superaccumulator, UNIT_EXPONENT, Wide,
};
use crate::aggregation::StateError;
use crate::aggregation::state::{MOST_RECORDS, counted};

/// The number `±digits · 2^exponent`. The exponent is chosen so that the digits form an odd number.
/// The position of limbs therefore has no effect. 0 has no digits, no sign and exponent 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    negative: bool,
    exponent: i32,
    /// The magnitude in base 2³², lowest digit first.
    digits: Vec<u32>,
}

/// An [`ExactSum`] as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlainSum {
    finite: FiniteValues,
    sum: Number,
    /// The numbers of values that are NaN, ∞ and −∞, in this order.
    specials: [u64; 3],
}

impl ExactSum {
    /// Returns the sum as plain data.
    pub(in crate::aggregation) fn into_plain(self) -> PlainSum {
        PlainSum {
            finite: self.seen(),
            sum: Number::of(&self.wide()),
            specials: self
                .far
                .map_or([0; 3], |far| [far.nan, far.infinite, far.negative_infinite]),
        }
    }

    /// Returns the sum with this plain data, or an error if the data cannot be that of a sum.
    pub(in crate::aggregation) fn restore(plain: PlainSum) -> Result<ExactSum, StateError> {
        counted(plain.specials)?;
        if plain.finite != FiniteValues::Others && !plain.sum.digits.is_empty() {
            return Err(StateError::Impossible("a sum other than 0 without values"));
        }
        let [nan, infinite, negative_infinite] = plain.specials;
        let values = OutOfReach {
            finite: plain.sum.superaccumulator(1)?,
            nan,
            infinite,
            negative_infinite,
        };
        let zero = plain.finite == FiniteValues::Others;
        let negative_zero = plain.finite == FiniteValues::NegativeZeros;
        Ok(ExactSum::far_from(values, zero, negative_zero))
    }
}

impl PlainSum {
    /// Checks that this can be the sum of `count` values.
    pub(in crate::aggregation) fn of_count(self, count: u64) -> Result<PlainSum, StateError> {
        let specials = counted(self.specials)?;
        let possible = match self.finite {
            FiniteValues::Nothing => specials == count,
            _ => specials < count,
        };
        if possible && count <= MOST_RECORDS {
            Ok(self)
        } else {
            Err(StateError::Impossible(
                "a count that does not match the sum",
            ))
        }
    }
}

impl ExactProducts {
    /// Returns the sum as plain data.
    pub(in crate::aggregation) fn into_plain(self) -> Number {
        Number::of(&self.wide())
    }

    /// Returns the sum with this plain data, or an error if the data cannot be that of a sum.
    pub(in crate::aggregation) fn restore(plain: Number) -> Result<ExactProducts, StateError> {
        let window = plain.superaccumulator(2)?;
        Ok(ExactProducts::far_from(window))
    }
}

impl ExactMoments {
    /// Returns the two sums as plain data.
    pub(in crate::aggregation) fn into_plain(self) -> (PlainSum, Number) {
        (self.sum().into_plain(), Number::of(&self.wide_squares()))
    }

    /// Returns the sums with this plain data, or an error if the data cannot be that of sums.
    pub(in crate::aggregation) fn restore(
        sum: PlainSum,
        squares: Number,
    ) -> Result<ExactMoments, StateError> {
        if squares.negative {
            return Err(StateError::Impossible("a sum of squares below 0"));
        }
        let squares = squares.superaccumulator(2)?;
        Ok(ExactMoments::far_from(ExactSum::restore(sum)?, squares))
    }
}

impl Number {
    fn of(wide: &Wide) -> Number {
        let (negative, digits, exponent) = wide.parts();
        let Some(zeros) = digits.iter().position(|&digit| digit != 0) else {
            return Number::default();
        };
        let digits = &digits[zeros..];
        let shift = digits[0].trailing_zeros();
        let above = digits[1..].iter().chain([&0]);
        let odd = digits.iter().zip(above).map(|(&digit, &above)| {
            ((u64::from(above) << LIMB_BITS | u64::from(digit)) >> shift) as u32
        });
        let mut digits: Vec<u32> = odd.collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Number {
            negative,
            exponent: exponent + zeros as i32 * LIMB_BITS as i32 + shift as i32,
            digits,
        }
    }

    /// Returns the number as a superaccumulator, for sums of values (`power` 1) or of their squares
    /// or products (`power` 2).
    fn superaccumulator(&self, power: i32) -> Result<Superaccumulator, StateError> {
        let mut window = Superaccumulator::default();
        let ([lowest, ..], [.., highest]) = (&self.digits[..], &self.digits[..]) else {
            let zero = !self.negative && self.exponent == 0;
            return zero.then_some(window).ok_or(NOT_CANONICAL);
        };
        if lowest % 2 == 0 || *highest == 0 {
            return Err(NOT_CANONICAL);
        }
        let bits = self.digits.len() as i64 * i64::from(LIMB_BITS);
        let end = i64::from(self.exponent) + bits - i64::from(highest.leading_zeros());
        let most = power * f64::MAX_EXP + MOST_RECORDS.ilog2() as i32;
        if self.exponent < power * SMALLEST_EXPONENT || end > i64::from(most) {
            return Err(StateError::Impossible(
                "a sum outside the range of sums of scores",
            ));
        }
        let positions = ((self.exponent - power * UNIT_EXPONENT) as u32..).step_by(32);
        for (position, &digit) in positions.zip(&self.digits) {
            let magnitude = i64::from(digit);
            window.add(if self.negative { -magnitude } else { magnitude }, position);
        }
        Ok(window)
    }
}

/// The exponent of the unit of all finite values: each of them is an integer times 2 to this power.
const SMALLEST_EXPONENT: i32 = UNIT_EXPONENT + 1;
const NOT_CANONICAL: StateError = StateError::Impossible("a sum that is not in canonical form");
