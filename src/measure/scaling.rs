//! Fits laws of scaling to speed-ups: Amdahl's law and the Universal Scalability Law.

use super::analysis::{Fit, FitPoint};
use super::comparison::{Comparison, Measurement};
use super::figures::Estimate;
use super::statistics::median;

/// Smallest number of different thread counts to which a law with two coefficients is fitted.
const LEVELS: usize = 6;
/// Number of bootstrap resamples.
const RESAMPLES: usize = 1000;
/// The curve of a law ends at this multiple of the largest measured number of threads.
const BEYOND: usize = 4;
/// Largest number of points on the curve of a law.
const POINTS: usize = 64;

/// The Universal Scalability Law (Gunther, *A simple capacity model of massively parallel transaction
/// systems*, CMG 1993; *Guerrilla Capacity Planning*, Springer 2007): with N threads the speed-up is
/// N / (1 + σ (N − 1) + κ N (N − 1)). If κ is 0, it is Amdahl's law (1967), and σ is the serial share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Law {
    /// σ: the share of the work that only one thread can do, from 0 to 1.
    pub(super) contention: f64,
    /// κ: the cost that each thread causes for each other thread, at least 0.
    pub(super) coherency: f64,
}

impl Law {
    /// Fits Amdahl's law to pairs of a number of threads and a speed-up.
    pub(super) fn amdahl(speed_ups: &[(f64, f64)]) -> Law {
        Fitting::of(speed_ups, relative).contention_alone().0
    }

    /// Fits the Universal Scalability Law to pairs of a number of threads and a speed-up.
    ///
    /// The coefficients are not negative: a negative one would mean that threads help each other by competing.
    /// Because measured speed-ups scatter in proportion to their size, each speed-up is weighted accordingly.
    pub(super) fn universal(speed_ups: &[(f64, f64)]) -> Law {
        Fitting::of(speed_ups, relative).least()
    }

    /// Like [`universal`](Law::universal), but without weights, as in Gunther's book. Most published
    /// coefficients are fitted this way.
    #[cfg(test)]
    fn universal_by_the_book(speed_ups: &[(f64, f64)]) -> Law {
        Fitting::of(speed_ups, |_| 1.0).least()
    }

    /// The speed-up with this number of threads.
    pub(super) fn speed_up(&self, threads: f64) -> f64 {
        let others = threads - 1.0;
        threads / (1.0 + self.contention * others + self.coherency * threads * others)
    }

    /// The number of threads with the highest speed-up: √((1 − σ) / κ), at least 1. `None` if more threads
    /// are always faster.
    pub(super) fn peak(&self) -> Option<f64> {
        let peak = ((1.0 - self.contention) / self.coherency).sqrt();
        (self.coherency > 0.0).then_some(peak.max(1.0))
    }
}

/// The weight of an equation with this left side. Times scatter in proportion to their size, so the left side
/// does too, and its weight is its inverse square.
fn relative(inverse_efficiency: f64) -> f64 {
    inverse_efficiency.powi(-2)
}

/// Weighted least squares for the law as a linear equation.
///
/// With speed-up C at N threads, N / C − 1 = σ (N − 1) + κ N (N − 1), which is linear in both coefficients.
/// The sum of squares is therefore a convex quadratic function. Its minimum over σ from 0 to 1 and κ ≥ 0 is
/// either the global minimum or lies on one of three edges, where a quadratic function of one coefficient is
/// minimal. Each case has a closed form, so there is no search that might not converge.
struct Fitting {
    /// The sums Σ w u², Σ w u v and Σ w v², with weight w, u = N − 1 and v = N (N − 1).
    uu: f64,
    uv: f64,
    vv: f64,
    /// The sums Σ w u y and Σ w v y, with y = N / C − 1.
    uy: f64,
    vy: f64,
}

impl Fitting {
    fn of(speed_ups: &[(f64, f64)], weight: impl Fn(f64) -> f64) -> Self {
        let mut fitting = Fitting {
            uu: 0.0,
            uv: 0.0,
            vv: 0.0,
            uy: 0.0,
            vy: 0.0,
        };
        for &(threads, speed_up) in speed_ups {
            let inverse = threads / speed_up;
            let (u, v, y) = (threads - 1.0, threads * (threads - 1.0), inverse - 1.0);
            let w = weight(inverse);
            if (w * y).is_finite() {
                fitting.uu += w * u * u;
                fitting.uv += w * u * v;
                fitting.vv += w * v * v;
                fitting.uy += w * u * y;
                fitting.vy += w * v * y;
            }
        }
        fitting
    }

    /// The sum of squares, without the terms that do not depend on the law.
    fn error(&self, law: Law) -> f64 {
        let (s, k) = (law.contention, law.coherency);
        s * s * self.uu + 2.0 * s * k * self.uv + k * k * self.vv
            - 2.0 * (s * self.uy + k * self.vy)
    }

    fn least(&self) -> Law {
        let determinant = self.uu * self.vv - self.uv * self.uv;
        let within = Law {
            contention: (self.uy * self.vv - self.vy * self.uv) / determinant,
            coherency: (self.vy * self.uu - self.uy * self.uv) / determinant,
        };
        // With a single number of threads the determinant is only rounding error.
        let is_one_line = determinant <= 1e-12 * self.uu * self.vv;
        if !is_one_line && (0.0..=1.0).contains(&within.contention) && within.coherency >= 0.0 {
            return within;
        }
        let edges = [
            self.contention_alone(),
            self.coherency_beside(0.0),
            self.coherency_beside(1.0),
        ];
        let better = |one: (Law, f64), other: (Law, f64)| if other.1 < one.1 { other } else { one };
        edges
            .into_iter()
            .reduce(better)
            .map_or_else(Law::default, |(law, _)| law)
    }

    fn contention_alone(&self) -> (Law, f64) {
        self.with_error(clipped(self.uy / self.uu, 1.0), 0.0)
    }

    fn coherency_beside(&self, contention: f64) -> (Law, f64) {
        let free = (self.vy - contention * self.uv) / self.vv;
        self.with_error(contention, clipped(free, f64::INFINITY))
    }

    fn with_error(&self, contention: f64, coherency: f64) -> (Law, f64) {
        let law = Law {
            contention,
            coherency,
        };
        (law, self.error(law))
    }
}

/// A coefficient between 0 and `most`; 0 if the data does not determine it.
fn clipped(coefficient: f64, most: f64) -> f64 {
    if coefficient.is_finite() {
        coefficient.clamp(0.0, most)
    } else {
        0.0
    }
}

/// Fits the laws to each executor of a comparison, except `sequential`.
pub(super) fn fits(comparison: &Comparison) -> Vec<Fit> {
    let mut names: Vec<&str> = Vec::new();
    for one in comparison.measurements.iter().skip(1) {
        if !names.contains(&one.executor.as_str()) {
            names.push(&one.executor);
        }
    }
    names.iter().map(|name| fit(name, comparison)).collect()
}

fn fit(name: &str, comparison: &Comparison) -> Fit {
    let others = comparison.measurements.iter().skip(1);
    let mut measured: Vec<&Measurement> = others.filter(|one| one.executor == name).collect();
    measured.sort_by_key(|one| one.threads);
    measured.dedup_by_key(|one| one.threads);
    let mut fit = Fit {
        executor: name.to_owned(),
        measured_to: measured.last().map_or(0, |one| one.threads),
        ..Fit::default()
    };
    let levels = measured.len();
    let Some(base) = comparison.sequential().filter(|_| levels >= LEVELS) else {
        fit.refused = Some(format!(
            "{levels} {} of threads, and a law with two coefficients needs at least {LEVELS}",
            if levels == 1 { "number" } else { "numbers" },
        ));
        return fit;
    };
    let allowed = comparison.machine.allowed.map(|all| all.hardware_threads);
    fit.doubtful = allowed.filter(|&all| all < fit.measured_to).map(|all| {
        format!(
            "up to {} threads shared {all} hardware threads, which bends the law",
            fit.measured_to
        )
    });
    let rounds = base.turns.len();
    let speed_up = |one: &Measurement, round: usize| {
        let (base, time) = (base.turns[round].wall, one.turns[round].wall);
        base.div_duration_f64(time)
    };
    let speed_ups = |drawn: &[usize]| -> Vec<(f64, f64)> {
        let point = |one: &&Measurement| {
            let ratios: Vec<f64> = drawn.iter().map(|&round| speed_up(one, round)).collect();
            (one.threads as f64, median(&ratios))
        };
        measured.iter().map(point).collect()
    };
    let laws = |drawn: &[usize]| {
        let speed_ups = speed_ups(drawn);
        (Law::amdahl(&speed_ups), Law::universal(&speed_ups))
    };
    let (amdahl, universal) = laws(&(0..rounds).collect::<Vec<_>>());
    let mut random = fastrand::Rng::with_seed(comparison.settings.seed);
    let mut drawn = vec![0; rounds];
    let drawn: Vec<(Law, Law)> = (0..RESAMPLES)
        .map(|_| {
            drawn.fill_with(|| random.usize(..rounds));
            laws(&drawn)
        })
        .collect();
    let confidence = comparison.settings.confidence;
    let estimate = |value: f64, figure: &dyn Fn(&(Law, Law)) -> f64| {
        let (low, high) = interval(drawn.iter().map(figure).collect(), confidence);
        Estimate {
            value,
            low: low.min(value),
            high: high.max(value),
        }
    };
    fit.amdahl = Some(estimate(amdahl.contention, &|laws| laws.0.contention));
    fit.contention = Some(estimate(universal.contention, &|laws| laws.1.contention));
    fit.coherency = Some(estimate(universal.coherency, &|laws| laws.1.coherency));
    fit.peak = universal.peak();
    let point = |threads: usize| {
        let at = threads as f64;
        FitPoint {
            threads,
            speed_up: estimate(universal.speed_up(at), &|laws| laws.1.speed_up(at)),
            extrapolated: threads > fit.measured_to,
        }
    };
    fit.curve = evenly_spaced(fit.measured_to * BEYOND).map(point).collect();
    fit
}

/// The percentile interval of some values.
fn interval(mut values: Vec<f64>, confidence: f64) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    let tail = (1.0 - confidence) / 2.0;
    let at = |share: f64| values.get((share * last).round() as usize).copied();
    let at = |share| at(share).unwrap_or(f64::NAN);
    (at(tail), at(1.0 - tail))
}

/// Evenly spaced numbers from 1 to `most`, at most [`POINTS`] of them.
fn evenly_spaced(most: usize) -> impl Iterator<Item = usize> {
    let points = most.min(POINTS);
    let number = move |point: usize| 1 + point * (most - 1) / (points - 1).max(1);
    (0..points).map(number)
}

#[cfg(test)]
mod tests;
