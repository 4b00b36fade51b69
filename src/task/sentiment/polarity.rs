//! Computes a polarity from valences: summation, emphasis, proportions, and rounding.

use super::but_check::WordValence;
use super::tokenize::TextStats;
use super::{Polarity, Summation};

/// Emphasis of an exclamation mark, in units of valence.
const EXCLAMATION: f64 = 0.292;
/// Largest number of exclamation marks that count.
const MAX_EXCLAMATIONS: usize = 4;
/// Emphasis of each question mark if there are two or three, in units of valence.
const QUESTION: f64 = 0.18;
/// Emphasis of four or more question marks together, in units of valence.
const MANY_QUESTIONS: f64 = 0.96;
/// Normalisation constant of Hutto and Gilbert, which approximates the largest sum of valences to expect.
const ALPHA: f64 = 15.0;

/// The polarity of a text with these valences; all other tokens are neutral.
// Inlining this function into its only caller would take registers from the loop there and cost a tenth of the
// speed.
#[inline(never)]
pub(super) fn polarity(
    valences: &[WordValence],
    stats: &TextStats,
    summation: Summation,
) -> Polarity {
    if stats.tokens == 0 {
        return Polarity::default();
    }
    let emphasis = emphasis(stats);
    let mut sum = match summation {
        Summation::Plain => valences
            .iter()
            .fold(0.0, |sum, word| sum + word.valence.value),
        Summation::Compensated => compensated_sum(valences),
    };
    if sum > 0.0 {
        sum += emphasis;
    } else if sum < 0.0 {
        sum -= emphasis;
    }
    let compound = (sum / (sum * sum + ALPHA).sqrt()).clamp(-1.0, 1.0);

    let (mut positive, mut negative, mut rated) = (0.0, 0.0, 0);
    for &WordValence { valence, .. } in valences {
        // The magnitude of each valence counts one more, because a neutral token counts one.
        if valence.value > 0.0 {
            positive += valence.value + 1.0;
            rated += 1;
        } else if valence.value < 0.0 {
            negative -= valence.value - 1.0;
            rated += 1;
        }
    }
    let neutral = (stats.tokens - rated) as f64;
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

/// The emphasis that exclamation marks and question marks add, in units of valence.
fn emphasis(stats: &TextStats) -> f64 {
    let exclamations = stats.exclamations.min(MAX_EXCLAMATIONS) as f64 * EXCLAMATION;
    let questions = match stats.questions {
        0 | 1 => 0.0,
        few @ (2 | 3) => few as f64 * QUESTION,
        _ => MANY_QUESTIONS,
    };
    exclamations + questions
}

/// The result of `sum` in Python 3.12 and later for a list of integers and floats: integers are added exactly
/// up to the first float, which is added without compensation; the rest is added with Neumaier's compensation.
///
/// A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54,
/// 1974.
fn compensated_sum(valences: &[WordValence]) -> f64 {
    let mut values = valences.iter().map(|word| word.valence);
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

/// The result of Python's `round` to a multiple of 1 / `SCALE`, for magnitudes of at most one: the exact binary
/// value is rounded, not its product with the scale, and ties go to the even multiple.
fn round<const SCALE: u32>(value: f64) -> f64 {
    let scale = f64::from(SCALE);
    let scaled = value.abs() * scale;
    let below = scaled as u32;
    let above_middle = scaled - f64::from(below) - 0.5;
    // The rounding error of the product is far smaller.
    let is_up = if above_middle.abs() > 1e-9 {
        above_middle > 0.0
    } else {
        is_nearer_above(value.abs(), below, SCALE)
    };
    let nearest = below + u32::from(is_up);
    (f64::from(nearest) / scale).copysign(value)
}

/// Whether a value within 1e-9 of (`below` + 1/2) / `scale` rounds up, computed in exact integer arithmetic.
fn is_nearer_above(value: f64, below: u32, scale: u32) -> bool {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    // The value is mantissa / 2^shift. It is between 1 / 20 000 and one, so it is a normal number, and the
    // shift is between 52 and 67.
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

    /// Formatting in the standard library rounds the exact binary value, ties to even.
    #[test]
    fn round_agrees_with_decimal_formatting() {
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
        // Odd multiples of 1/16 and 1/32 are exact ties.
        for sixteenth in 0..=32_u32 {
            assert_rounds(f64::from(sixteenth) / 32.0);
        }
        assert_eq!(round::<1_000>(0.0625), 0.062);
        assert_eq!(round::<1_000>(0.1875), 0.188);
        assert_eq!(round::<10_000>(-0.000_04).to_bits(), (-0.0_f64).to_bits());
        assert_rounds(f64::MIN_POSITIVE);
    }
}
