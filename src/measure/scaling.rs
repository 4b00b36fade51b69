//! Laws of scaling: Amdahl's and the Universal Scalability Law, fitted to speed-ups.

use super::comparison::{Cell, Comparison, Estimate};
use super::statistics::median;
use super::why::{Fit, FitPoint};

/// Fewer numbers of threads than this say too little about two coefficients.
const LEVELS: usize = 6;
/// How many times the rounds are drawn again.
const RESAMPLES: usize = 1000;
/// A law is told up to so many times the threads that were measured.
const BEYOND: usize = 4;
/// For so many numbers of threads at most.
const POINTS: usize = 64;

/// The Universal Scalability Law (Gunther, *A simple capacity model of massively parallel transaction
/// systems*, CMG 1993; *Guerrilla Capacity Planning*, Springer 2007): with N threads the speed-up is
/// N / (1 + σ (N − 1) + κ N (N − 1)). Where κ is 0 it is Amdahl's law (1967), and σ the serial share.
///
/// ```
/// use manyhands::measure::scaling::Law;
///
/// let law = Law { contention: 0.05, coherency: 0.0 };
/// assert_eq!(law.speed_up(1.0), 1.0);
/// assert_eq!(law.peak(), None); // ever faster, up to 20
/// let speed_ups = [1.0, 2.0, 4.0, 8.0].map(|threads| (threads, law.speed_up(threads)));
/// let fitted = Law::universal(&speed_ups);
/// assert!((fitted.contention - 0.05).abs() < 1e-9 && fitted.coherency < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Law {
    /// σ, the share that only one thread can work at, from 0 to 1.
    pub contention: f64,
    /// κ, what each thread costs each other one, at least 0.
    pub coherency: f64,
}

impl Law {
    /// Amdahl's law that fits (threads, speed-up) best.
    pub fn amdahl(speed_ups: &[(f64, f64)]) -> Law {
        Fitting::of(speed_ups, relative).contention_alone().0
    }

    /// The Universal Scalability Law that fits (threads, speed-up) best, of those with coefficients that
    /// mean something: a negative one would say that threads work better for being in each other's way.
    ///
    /// Speed-ups that were measured scatter by a share of themselves, so that is how far each counts.
    pub fn universal(speed_ups: &[(f64, f64)]) -> Law {
        Fitting::of(speed_ups, relative).least()
    }

    /// As [`universal`](Law::universal), with each speed-up's deviation from the straight line counted as
    /// it is. So the book has it, and published coefficients are most often these.
    pub fn universal_by_the_book(speed_ups: &[(f64, f64)]) -> Law {
        Fitting::of(speed_ups, |_| 1.0).least()
    }

    /// The speed-up with so many threads.
    pub fn speed_up(&self, threads: f64) -> f64 {
        let others = threads - 1.0;
        threads / (1.0 + self.contention * others + self.coherency * threads * others)
    }

    /// The number of threads with which it is fastest: √((1 − σ) / κ), at least 1. `None` where more are
    /// always faster.
    pub fn peak(&self) -> Option<f64> {
        let peak = ((1.0 - self.contention) / self.coherency).sqrt();
        (self.coherency > 0.0).then_some(peak.max(1.0))
    }
}

/// The weight of an equation whose left side is so large, for times that scatter by a share of
/// themselves: it scatters by the same share.
fn relative(inverse_efficiency: f64) -> f64 {
    inverse_efficiency.powi(-2)
}

/// The law as linear equations, in sums of squares.
///
/// With speed-up C at N threads, N / C − 1 = σ (N − 1) + κ N (N − 1): linear in both coefficients. So the
/// sum of squares is a convex quadratic of the two. Over σ from 0 to 1 and κ ≥ 0 its least is either the
/// least of all, where that lies within, or lies on an edge, and there it is the least of a quadratic of
/// one coefficient, clipped: three edges, each solved outright. No search, nothing that may not converge.
struct Fitting {
    /// Σ w u², Σ w u v, Σ w v², with u = N − 1 and v = N (N − 1).
    uu: f64,
    uv: f64,
    vv: f64,
    /// Σ w u y, Σ w v y, with y = N / C − 1.
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

    /// The sum of squares, less what no law changes.
    fn misses(&self, law: Law) -> f64 {
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
        // One number of threads alone leaves no determinant but what was rounded.
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
        self.told(clipped(self.uy / self.uu, 1.0), 0.0)
    }

    fn coherency_beside(&self, contention: f64) -> (Law, f64) {
        let free = (self.vy - contention * self.uv) / self.vv;
        self.told(contention, clipped(free, f64::INFINITY))
    }

    fn told(&self, contention: f64, coherency: f64) -> (Law, f64) {
        let law = Law {
            contention,
            coherency,
        };
        (law, self.misses(law))
    }
}

/// A coefficient within what means something; 0 where the data says nothing about it.
fn clipped(coefficient: f64, most: f64) -> f64 {
    if coefficient.is_finite() {
        coefficient.clamp(0.0, most)
    } else {
        0.0
    }
}

/// Fits the laws to each executor of a comparison.
pub(super) fn fits(comparison: &Comparison) -> Vec<Fit> {
    let mut names: Vec<&str> = Vec::new();
    for cell in comparison.cells.iter().skip(1) {
        if !names.contains(&cell.executor.as_str()) {
            names.push(&cell.executor);
        }
    }
    names.iter().map(|name| fit(name, comparison)).collect()
}

fn fit(name: &str, comparison: &Comparison) -> Fit {
    let cells = comparison.cells.iter().skip(1);
    let mut cells: Vec<&Cell> = cells.filter(|cell| cell.executor == name).collect();
    cells.sort_by_key(|cell| cell.threads);
    cells.dedup_by_key(|cell| cell.threads);
    let mut fit = Fit {
        executor: name.to_owned(),
        measured_to: cells.last().map_or(0, |cell| cell.threads),
        ..Fit::default()
    };
    let levels = cells.len();
    let Some(base) = comparison.sequential().filter(|_| levels >= LEVELS) else {
        fit.refused = Some(format!(
            "{levels} {} of threads: a law with two coefficients needs {LEVELS} at least",
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
    let ratio = |cell: &Cell, round: usize| base.turns[round].wall / cell.turns[round].wall;
    let speed_ups = |drawn: &[usize]| -> Vec<(f64, f64)> {
        let of = |cell: &&Cell| {
            let ratios: Vec<f64> = drawn.iter().map(|&round| ratio(cell, round)).collect();
            (cell.threads as f64, median(&ratios))
        };
        cells.iter().map(of).collect()
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
    let estimate = |value: f64, of: &dyn Fn(&(Law, Law)) -> f64| {
        let (low, high) = interval(drawn.iter().map(of).collect(), confidence);
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
    fit.curve = spaced(fit.measured_to * BEYOND).map(point).collect();
    fit
}

/// The interval that holds the middle of values.
fn interval(mut values: Vec<f64>, confidence: f64) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    let tail = (1.0 - confidence) / 2.0;
    let at = |share: f64| values.get((share * last).round() as usize).copied();
    let at = |share| at(share).unwrap_or(f64::NAN);
    (at(tail), at(1.0 - tail))
}

/// Numbers from 1 to `most`, evenly spaced, few enough to draw a line through.
fn spaced(most: usize) -> impl Iterator<Item = usize> {
    let points = most.min(POINTS);
    let place = move |point: usize| 1 + point * (most - 1) / (points - 1).max(1);
    (0..points).map(place)
}

#[cfg(test)]
mod tests;
