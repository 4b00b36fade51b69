//! The probability distributions behind the intervals.

use std::f64::consts::{FRAC_2_PI, TAU};

/// Smallest number of degrees of freedom at which Student's t distribution is replaced by the normal
/// distribution.
const NEARLY_NORMAL: usize = 1000;

/// The share of the standard normal distribution below `x`, accurate to 1e-14. It is computed with the series
/// of Marsaglia, *Evaluating the normal distribution*, Journal of Statistical Software 11, 2004.
pub(super) fn normal_below(x: f64) -> f64 {
    if x.abs() > 8.0 {
        return if x < 0.0 { 0.0 } else { 1.0 };
    }
    let (mut term, mut sum, mut odd) = (x, x, 3.0);
    while term.abs() > 1e-17 {
        term *= x * x / odd;
        sum += term;
        odd += 2.0;
    }
    0.5 + sum * (-0.5 * x * x).exp() / TAU.sqrt()
}

/// The value below which this share of the standard normal distribution lies.
pub(super) fn normal_quantile(share: f64) -> f64 {
    invert(share, normal_below)
}

/// The share of Student's t distribution below `x`. It is computed with the closed forms for whole degrees of
/// freedom (Abramowitz and Stegun, *Handbook of mathematical functions*, 26.7.3 and 26.7.4).
fn student_below(x: f64, freedom: usize) -> f64 {
    let angle = (x / (freedom as f64).sqrt()).atan();
    let square = angle.cos().powi(2);
    let series = |first: f64, from: usize| {
        let mut term = first;
        let mut sum = 0.0;
        for at in (from..freedom).step_by(2) {
            sum += term;
            term *= square * at as f64 / (at + 1) as f64;
        }
        sum
    };
    let within = if freedom % 2 == 1 {
        FRAC_2_PI * (angle + angle.sin() * series(angle.cos(), 2))
    } else {
        angle.sin() * series(1.0, 1)
    };
    0.5 + within / 2.0
}

/// The value below which this share of Student's t distribution lies, with `freedom` degrees of freedom.
pub(super) fn student_quantile(share: f64, freedom: usize) -> f64 {
    if freedom >= NEARLY_NORMAL {
        return normal_quantile(share);
    }
    invert(share, |x| student_below(x, freedom))
}

/// The smallest number of heads for which a fair coin shows that many heads or fewer with a probability above
/// `tail`.
pub(super) fn binomial_half(tosses: usize, tail: f64) -> usize {
    // The probability is computed on a logarithmic scale, because the probability of no heads underflows for
    // many tosses.
    let mut logarithm = -(tosses as f64) * std::f64::consts::LN_2;
    let mut below = 0.0;
    for heads in 0..tosses {
        below += logarithm.exp();
        if below > tail {
            return heads;
        }
        logarithm += ((tosses - heads) as f64 / (heads + 1) as f64).ln();
    }
    tosses
}

/// Inverts, by bisection, a function that rises from 0 to 1.
fn invert(share: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (-1e6, 1e6);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if function(middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f64, other: f64) {
        assert!(
            (one - other).abs() < 1e-9 * other.abs().max(1.0),
            "{one} is not {other}"
        );
    }

    /// The expected values are those of SciPy 1.17: `norm.cdf`, `norm.ppf`, `t.ppf`, `binom.ppf`.
    #[test]
    fn distributions_equal_those_of_scipy() {
        close(normal_below(-2.147), 0.015896640807691476);
        close(normal_below(0.0), 0.5);
        close(normal_quantile(0.975), 1.959963984540054);
        close(normal_quantile(0.9), 1.2815515655446004);
        for (freedom, expected) in [
            (1, 12.706204736174694),
            (2, 4.302652729749462),
            (3, 3.182446305283708),
            (4, 2.7764451051977934),
            (19, 2.093024054408309),
            (100, 1.9839715185235523),
            (999, 1.9623414611334487),
        ] {
            close(student_quantile(0.975, freedom), expected);
            close(student_quantile(0.025, freedom), -expected);
        }
    }

    #[test]
    fn the_quantiles_of_tossed_coins() {
        // The probability of no heads is 3.1 % in 5 tosses and 1.6 % in 6 tosses; the probability of at most 5
        // heads in 20 tosses is 2.07 %.
        assert_eq!(binomial_half(5, 0.025), 0);
        assert_eq!(binomial_half(6, 0.025), 1);
        assert_eq!(binomial_half(20, 0.025), 6);
        assert_eq!(binomial_half(100, 0.025), 40);
        assert_eq!(binomial_half(10_000, 0.025), 4902);
    }
}
