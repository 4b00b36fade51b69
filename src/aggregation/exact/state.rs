//! Exact sums as plain data: the number itself, independent of the limbs that hold it.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::out_of_reach::{FiniteValues, OutOfReach};
use super::{
    ExactMoments, ExactProducts, ExactSum, LIMB_BITS, Superaccumulator, UNIT_EXPONENT, Wide,
    digits, words,
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
    digits: Digits,
}

/// The digits of a number. Those of most sums need no memory of their own, since there may be millions of groups, each with
/// two sums.
type Digits = SmallVec<[u32; 6]>;

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
        plain.check()?;
        let (zero, negative_zero) = plain.zeros();
        Ok(match ExactSum::near_from(&plain.sum) {
            Some(mut near) if plain.specials == [0; 3] => {
                (near.zero, near.negative_zero) = (zero, negative_zero);
                near
            }
            _ => ExactSum::far_from(plain.out_of_reach(), zero, negative_zero),
        })
    }
}

impl PlainSum {
    /// Returns an error if this cannot be the sum of values.
    fn check(&self) -> Result<(), StateError> {
        counted(self.specials)?;
        if self.finite != FiniteValues::Others && !self.sum.digits.is_empty() {
            return Err(StateError::Impossible("a sum other than 0 without values"));
        }
        self.sum.check(1)
    }

    /// Whether the sum contains a finite value other than −0, and whether it contains no others.
    fn zeros(&self) -> (bool, bool) {
        let zero = self.finite == FiniteValues::Others;
        (zero, self.finite == FiniteValues::NegativeZeros)
    }

    /// The values, all of which are treated as out of reach.
    fn out_of_reach(&self) -> OutOfReach {
        let [nan, infinite, negative_infinite] = self.specials;
        OutOfReach {
            finite: self.sum.superaccumulator(1),
            nan,
            infinite,
            negative_infinite,
        }
    }

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
        plain.check(2)?;
        Ok(ExactProducts::far_from(plain.superaccumulator(2)))
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
        sum.check()?;
        squares.check(2)?;
        let (zero, negative_zero) = sum.zeros();
        Ok(match ExactMoments::near_from(&sum.sum, &squares) {
            Some(mut near) if sum.specials == [0; 3] => {
                (near.zero, near.negative_zero) = (zero, negative_zero);
                near
            }
            _ => {
                let squares = squares.superaccumulator(2);
                ExactMoments::far_from(sum.out_of_reach(), squares, zero, negative_zero)
            }
        })
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
        let mut digits: Digits = odd.collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Number {
            negative,
            exponent: exponent + zeros as i32 * LIMB_BITS as i32 + shift as i32,
            digits,
        }
    }

    /// Checks that this is in canonical form, and can be a sum of values (`power` 1) or of their squares or products
    /// (`power` 2).
    fn check(&self, power: i32) -> Result<(), StateError> {
        let ([lowest, ..], [.., highest]) = (&self.digits[..], &self.digits[..]) else {
            let zero = !self.negative && self.exponent == 0;
            return zero.then_some(()).ok_or(NOT_CANONICAL);
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
        Ok(())
    }

    /// Whether this is 0.
    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The positions of the lowest bit, and of the first bit above the highest one, in units of
    /// `2^(power · UNIT_EXPONENT)`. The number must have passed its [`check`](Number::check).
    pub(super) fn ends(&self, power: i32) -> (u32, u32) {
        let from = (self.exponent - power * UNIT_EXPONENT) as u32;
        (from, from + digits::bits(&self.digits))
    }

    /// Returns the number times `2^by`, without its exponent, as a signed integer of `WORDS` words, in which it must fit.
    pub(super) fn words<const WORDS: usize>(&self, by: u32) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        for (digit, position) in self.digits.iter().zip((by..).step_by(LIMB_BITS as usize)) {
            let (place, shift) = ((position / u64::BITS) as usize, position % u64::BITS);
            let [low, high] = words::extended(i128::from(*digit) << shift);
            for (place, part) in [(place, low), (place + 1, high)] {
                if let Some(word) = words.get_mut(place) {
                    *word |= part;
                }
            }
        }
        match self.negative {
            true => words::negated(words),
            false => words,
        }
    }

    /// Returns the number as a superaccumulator, for sums of values (`power` 1) or of their squares or products
    /// (`power` 2). The number must have passed its [`check`](Number::check).
    fn superaccumulator(&self, power: i32) -> Superaccumulator {
        let mut window = Superaccumulator::default();
        let positions = ((self.exponent - power * UNIT_EXPONENT) as u32..).step_by(32);
        for (position, &digit) in positions.zip(&self.digits) {
            let magnitude = i64::from(digit);
            window.add(if self.negative { -magnitude } else { magnitude }, position);
        }
        window
    }
}

/// The exponent of the unit of all finite values: each of them is an integer times 2 to this power.
const SMALLEST_EXPONENT: i32 = UNIT_EXPONENT + 1;
const NOT_CANONICAL: StateError = StateError::Impossible("a sum that is not in canonical form");
