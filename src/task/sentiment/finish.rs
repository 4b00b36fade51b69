//! From valences to a polarity: sums, emphasis, proportions, rounding.

use super::contrast::Weighted;
use super::scan::Census;
use super::{Polarity, Summation};

/// What an exclamation mark adds, and how many count.
const EXCLAMATION: f64 = 0.292;
const EXCLAMATIONS: usize = 4;
/// What a question mark adds if there are two or three, and what more of them add together.
const QUESTION: f64 = 0.18;
const QUESTIONS: f64 = 0.96;
/// Hutto and Gilbert's normalisation constant: about the largest square sum to expect.
const ALPHA: f64 = 15.0;

/// The polarity of a text whose tokens have these valences; those not listed have none.
// Inlined into its one caller, it takes registers from the loop there: a tenth of the whole.
#[inline(never)]
pub(super) fn finish(valences: &[Weighted], census: &Census, summation: Summation) -> Polarity {
    if census.tokens == 0 {
        return Polarity::default();
    }
    let emphasis = emphasis(census);
    let mut sum = match summation {
        Summation::Plain => valences
            .iter()
            .fold(0.0, |sum, weighted| sum + weighted.valence.value),
        Summation::Compensated => compensated_sum(valences),
    };
    if sum > 0.0 {
        sum += emphasis;
    } else if sum < 0.0 {
        sum -= emphasis;
    }
    let compound = (sum / (sum * sum + ALPHA).sqrt()).clamp(-1.0, 1.0);

    let (mut positive, mut negative, mut weighty) = (0.0, 0.0, 0);
    for &Weighted { valence, .. } in valences {
        // One more, as the neutral tokens count as one each.
        if valence.value > 0.0 {
            positive += valence.value + 1.0;
            weighty += 1;
        } else if valence.value < 0.0 {
            negative -= valence.value - 1.0;
            weighty += 1;
        }
    }
    let neutral = (census.tokens - weighty) as f64;
    if positive > negative {
        positive += emphasis;
    } else if positive < negative {
        negative += emphasis;
    }
    let total = positive + negative + neutral;
    Polarity {
        neg: round::<1_000>(negative / total),
        neu: round::<1_000>(neutral / total),
        pos: round::<1_000>(positive / total),
        compound: round::<10_000>(compound),
    }
}

fn emphasis(census: &Census) -> f64 {
    let exclamations = census.exclamations.min(EXCLAMATIONS) as f64 * EXCLAMATION;
    let questions = match census.questions {
        0 | 1 => 0.0,
        few @ (2 | 3) => few as f64 * QUESTION,
        _ => QUESTIONS,
    };
    exclamations + questions
}

/// Python's `sum` of a list of integers and floats, since 3.12: integers exactly until the first
/// float, which is added plainly, then everything with Neumaier's compensation.
///
/// A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54,
/// 1974.
fn compensated_sum(valences: &[Weighted]) -> f64 {
    let mut values = valences.iter().map(|weighted| weighted.valence);
    let mut sum = 0.0;
    for valence in values.by_ref() {
        sum += valence.value;
        if !valence.is_integer {
            break;
        }
    }
    let mut lost = 0.0;
    for valence in values {
        let value = valence.value;
        let next = sum + value;
        lost += if sum.abs() >= value.abs() {
            (sum - next) + value
        } else {
            (value - next) + sum
        };
        sum = next;
    }
    sum + lost
}

/// Python's `round` to the multiples of 1 / `SCALE`: the binary value is rounded as it is, not its
/// product with the scale, and ties go to the even multiple. For magnitudes of at most one.
fn round<const SCALE: u32>(value: f64) -> f64 {
    let scale = f64::from(SCALE);
    let scaled = value.abs() * scale;
    let below = scaled as u32;
    let above_middle = scaled - f64::from(below) - 0.5;
    // The product is off by far less than this.
    let is_up = if above_middle.abs() > 1e-9 {
        above_middle > 0.0
    } else {
        is_nearer_above(value.abs(), below, SCALE)
    };
    let nearest = below + u32::from(is_up);
    (f64::from(nearest) / scale).copysign(value)
}

/// Compares a value within 1e-9 of (`below` + 1/2) / `scale` with it, in integers.
fn is_nearer_above(value: f64, below: u32, scale: u32) -> bool {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    // The value is mantissa / 2^shift. It is at least half of 1 / 10 000 and at most one, so it is a
    // normal number and the shift is from 52 to 67.
    let shift = 1075 - (bits >> 52);
    let twice = u128::from(mantissa) * u128::from(2 * scale);
    let middle = u128::from(2 * below + 1) << shift;
    twice > middle || twice == middle && below % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_rounds(value: f64) {
        let three: f64 = format!("{value:.3}").parse().unwrap();
        let four: f64 = format!("{value:.4}").parse().unwrap();
        assert_eq!(
            round::<1_000>(value).to_bits(),
            three.to_bits(),
            "{value:e}"
        );
        assert_eq!(
            round::<10_000>(value).to_bits(),
            four.to_bits(),
            "{value:e}"
        );
    }

    /// Formatting in the standard library rounds the binary value, ties to even.
    #[test]
    fn rounding_is_that_of_decimal_formatting() {
        for twice in 0..=20_000_u32 {
            let middle = f64::from(twice) / 20_000.0;
            let (mut up, mut down) = (middle, middle);
            for _ in 0..4 {
                assert_rounds(up);
                assert_rounds(-up);
                assert_rounds(down);
                up = if up < 1.0 { up.next_up() } else { up };
                down = if down > 0.0 { down.next_down() } else { down };
            }
        }
        // The exact ties are odd multiples of 1/16 and 1/32.
        for sixteenth in 0..=32_u32 {
            assert_rounds(f64::from(sixteenth) / 32.0);
        }
        assert_eq!(round::<1_000>(0.0625), 0.062);
        assert_eq!(round::<1_000>(0.1875), 0.188);
        assert_eq!(round::<10_000>(-0.000_04).to_bits(), (-0.0_f64).to_bits());
        assert_rounds(f64::MIN_POSITIVE);
    }
}
