//! Numbers of threads as an axis, and the ceilings measured at them.

use super::super::marks::{Frame, Ticks};
use super::super::scale::Scale;
use crate::measure::{Comparison, Estimate};

/// From so many threads on, axes are logarithmic.
const WIDE: f64 = 12.0;
/// How many ceilings have a dash of their own.
const DASHES: usize = 3;

/// The numbers of threads measured, ascending.
pub(super) fn levels(comparison: &Comparison) -> Vec<f64> {
    let mut levels: Vec<usize> = comparison.cells.iter().map(|cell| cell.threads).collect();
    levels.extend(comparison.why.ceilings.iter().map(|one| one.threads));
    levels.sort_unstable();
    levels.dedup();
    levels.into_iter().map(|level| level as f64).collect()
}

/// Whether threads up to so many want a logarithmic axis.
pub(super) fn is_wide(threads: f64) -> bool {
    threads > WIDE
}

/// Threads from one to so many, from left to right.
pub(super) fn across(threads: f64, frame: Frame) -> Scale {
    if is_wide(threads) {
        Scale::logarithmic((1.0, threads), frame.across())
    } else {
        Scale::even((1.0, threads), frame.across())
    }
}

/// A tick at each level that has room for its label.
pub(super) fn ticks(scale: Scale, levels: &[f64]) -> Ticks {
    let apart = scale.apart(levels, 30.0).into_iter();
    apart.map(|level| (level, level.to_string())).collect()
}

/// What a kernel shows to be possible, by threads.
pub(super) struct Reached<'a> {
    pub(super) kernel: &'a str,
    pub(super) class: String,
    pub(super) points: Vec<(f64, Estimate)>,
}

/// The ceilings of each kernel, in the order they were measured.
pub(super) fn ceilings(comparison: &Comparison) -> Vec<Reached<'_>> {
    let mut all: Vec<Reached<'_>> = Vec::new();
    for ceiling in &comparison.why.ceilings {
        let place = all.iter().position(|one| one.kernel == ceiling.kernel);
        let place = place.unwrap_or_else(|| {
            all.push(Reached {
                kernel: &ceiling.kernel,
                class: format!("ceiling d{}", all.len() % DASHES),
                points: Vec::new(),
            });
            all.len() - 1
        });
        all[place]
            .points
            .push((ceiling.threads as f64, ceiling.speed_up));
    }
    for one in &mut all {
        one.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    all
}

/// Points of a line as far as they lie below the upper end of a scale, and up to where it crosses it.
pub(super) fn below(points: impl IntoIterator<Item = (f64, f64)>, top: f64) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (x, y) in points {
        if y <= top {
            kept.push((x, y));
            continue;
        }
        if let Some(&(last_x, last_y)) = kept.last()
            && y.is_finite()
        {
            let part = (top - last_y) / (y - last_y);
            kept.push((last_x + part * (x - last_x), top));
        }
        break;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn a_line_ends_where_it_leaves_the_plot() {
        let ideal = (1..=8).map(|n| (f64::from(n), f64::from(n)));
        assert_eq!(below(ideal, 2.5), [(1.0, 1.0), (2.0, 2.0), (2.5, 2.5)]);
        assert_eq!(below([(1.0, f64::NAN), (2.0, 1.0)], 2.0), []);
    }
}
