//! Shows how the speed-up grows with the number of threads, and which speed-up the machine and the records allow.

use maud::{Markup, html};

use super::super::axis::Axis;
use super::super::figure::{Figure, described, threads};
use super::super::marks::{Coord, PlotArea, band, class, line};
use super::super::numbers::{significant, times};
use super::super::plot::Plot;
use super::super::quoted::plain;
use super::super::scale::{Scale, round_up};
use super::super::table::DataTable;
use super::layout::{PageLayout, interval};
use super::threads::{
    below, ceiling_lines, ceilings, executor_lines, is_logarithmic, levels, thread_axis,
};
use crate::measure::{Comparison, Estimate, FitPoint, Measurement};

/// Height of the drawing, in SVG units.
const HEIGHT: f64 = 340.0;
/// A fitted law is drawn up to this multiple of the largest measured number of threads. This is enough to show how
/// the curve bends, and keeps the rest of the plot legible.
const EXTRAPOLATION: f64 = 2.0;

pub(super) fn speed_up(comparison: &Comparison, layout: &PageLayout<'_>) -> Figure<'static> {
    let mut levels = levels(comparison);
    let measured_to = levels.last().copied().unwrap_or(1.0);
    let curves = curves(comparison, layout, measured_to);
    let most = curves.iter().flatten().map(|point| point.threads as f64);
    let most = most.fold(measured_to, f64::max);
    if most > measured_to {
        levels.push(most);
    }
    let area = PlotArea::new(HEIGHT, 40.0, 112.0);
    let y = gain_scale(comparison, &curves, most, area);
    let y = Axis::with_ticks(y, 5, "times as fast as sequential");
    let plot = &mut Plot::new(area, thread_axis(most, &levels, area), y);
    let marks = html! {
        @if most > measured_to { (not_measured(area, plot.x.at(measured_to))) }
        (plot.axes())
        (plot.level("parity", 1.0))
        (limits(plot, comparison, most))
        @for (series, points) in curves.iter().enumerate() { (law(series, points, plot)) }
        (executor_lines(plot, comparison, layout, |measurement| measurement.speed_up, tooltip))
        (plot.labels())
    };
    Figure {
        id: "speed-up",
        title: "Speed-up",
        caption: caption(comparison, &curves),
        description: description(comparison, is_logarithmic(most)),
        height: HEIGHT,
        marks,
        table: table(comparison, layout),
        open: false,
    }
}

fn caption(comparison: &Comparison, curves: &[Vec<&FitPoint>]) -> Markup {
    html! {
        "How many times as fast as sequential. Broken lines: the ideal, and ceilings that independent copies of a "
        "kernel reach on this machine"
        @if comparison.analysis.bounds.len() > 1 { "; bound: what the work and the span of the records allow" }
        "."
        @if curves.iter().any(|points| !points.is_empty()) {
            " Bands: the fitted Universal Scalability Law."
        }
    }
}

fn description(comparison: &Comparison, logarithmic: bool) -> String {
    let kernels: Vec<String> = ceilings(comparison)
        .iter()
        .map(|ceiling| plain(ceiling.kernel))
        .collect();
    let lead = format!(
        "Speed-up by number of threads, on {} axes, with lines for the ideal and the ceilings {}.",
        if logarithmic { "logarithmic" } else { "linear" },
        kernels.join(", ")
    );
    described(&lead, comparison.measurements.iter().skip(1).map(tooltip))
}

/// Returns the points that are drawn of the law that was fitted to each executor.
fn curves<'c>(
    comparison: &'c Comparison,
    layout: &PageLayout<'_>,
    measured_to: f64,
) -> Vec<Vec<&'c FitPoint>> {
    let curve = |name: &&str| {
        let mut fits = comparison.analysis.fits.iter();
        let fit = fits.find(|fit| fit.executor == *name);
        let points = fit.map_or(&[][..], |fit| &fit.curve).iter();
        let near = |point: &&FitPoint| point.threads as f64 <= measured_to * EXTRAPOLATION;
        points.filter(near).collect()
    };
    layout.executors.iter().map(curve).collect()
}

/// Makes the scale of the speed-ups. It extends to the highest measured value, and up to the ideal speed-up only if
/// the ideal is not much higher.
fn gain_scale(
    comparison: &Comparison,
    curves: &[Vec<&FitPoint>],
    threads: f64,
    area: PlotArea,
) -> Scale {
    let measurements = comparison
        .measurements
        .iter()
        .map(|measurement| measurement.speed_up);
    let ceilings = comparison.analysis.ceilings.iter();
    let gains = measurements.chain(ceilings.map(|ceiling| ceiling.speed_up));
    let laws = curves.iter().flatten().map(|point| point.speed_up.value);
    // Very wide intervals are cut off, so that the rest of the plot stays legible.
    let highs = gains.clone().map(|gain| gain.high.min(gain.value * 1.4));
    let highest = highs.chain(laws).fold(1.0, f64::max) * 1.1;
    let lows = gains.map(|gain| gain.low.max(gain.value / 1.4));
    let lowest = lows.fold(1.0, f64::min).max(0.01);
    if is_logarithmic(threads) {
        let top = if highest * 2.0 > threads {
            threads.max(highest)
        } else {
            highest
        };
        Scale::logarithmic((lowest * 0.9, top), area.up())
    } else {
        Scale::even((0.0, round_up(highest, 5)), area.up())
    }
}

/// Draws a background behind the numbers of threads that were not measured.
fn not_measured(area: PlotArea, from: f64) -> Markup {
    let x = Coord((from + area.right) / 2.0 + 4.0);
    let y = Coord(area.bottom - 8.0);
    html! {
        rect.beyond x=(Coord(from)) y=(Coord(area.top)) width=(Coord(area.right - from))
            height=(Coord(area.bottom - area.top)) {}
        text.note x=(x) y=(y) transform={ "rotate(-90 " (x) " " (y) ")" } { "not measured" }
    }
}

/// Draws the limits of the speed-up, which are the ideal, the bound that follows from the records, and the ceilings
/// of the machine.
fn limits(plot: &mut Plot, comparison: &Comparison, threads: f64) -> Markup {
    let top = plot.y.scale.to();
    let ideal = (0..=64).map(|step| 1.0 + (threads - 1.0) * f64::from(step) / 64.0);
    let ideal = below(ideal.map(|threads| (threads, threads)), top);
    let bounds = comparison.analysis.bounds.iter();
    let bounds = below(
        bounds.map(|bound| (bound.threads as f64, bound.speed_up)),
        top,
    );
    let (ideal, bounds) = (plot.points(ideal), plot.points(bounds));
    html! {
        (plot.line("ideal", "ideal", &ideal))
        @if bounds.len() > 1 { (plot.line("bound", "bound", &bounds)) }
        (ceiling_lines(plot, &ceilings(comparison), |curve| {
            let points = curve.points.iter();
            below(points.map(|(threads, gain)| (*threads, gain.value)), top)
        }))
    }
}

/// Draws the law that was fitted to an executor, with its interval.
fn law(series: usize, points: &[&FitPoint], plot: &Plot) -> Markup {
    if points.len() < 2 {
        return html! {};
    }
    let edge = |of: fn(&Estimate) -> f64| -> Vec<(f64, f64)> {
        let points = points.iter();
        points
            .map(|point| plot.at(point.threads as f64, of(&point.speed_up)))
            .collect()
    };
    html! {
        (band(&class(series), &edge(|gain| gain.high), &edge(|gain| gain.low)))
        (line(&format!("law {}", class(series)), &edge(|gain| gain.value)))
    }
}

fn tooltip(measurement: &Measurement) -> String {
    format!(
        "{} on {}: {} ({})",
        plain(&measurement.executor),
        threads(measurement.threads),
        times(measurement.speed_up.value),
        interval(measurement.speed_up)
    )
}

fn table(comparison: &Comparison, layout: &PageLayout<'_>) -> DataTable {
    let mut table = DataTable::new(1, ["series", "threads", "speed-up", "from", "to"]);
    let mut add = |name: &str, threads: usize, gain: Estimate| {
        let figures = [gain.value, gain.low, gain.high].map(|figure| significant(figure, 3));
        table.named_line(name, threads, figures);
    };
    for measurement in comparison.measurements.iter().skip(1) {
        add(
            &measurement.executor,
            measurement.threads,
            measurement.speed_up,
        );
    }
    for ceiling in &comparison.analysis.ceilings {
        let name = format!("ceiling: {}", ceiling.kernel);
        add(&name, ceiling.threads, ceiling.speed_up);
    }
    for bound in &comparison.analysis.bounds {
        let value = bound.speed_up;
        let (low, high) = (value, value);
        add("bound", bound.threads, Estimate { value, low, high });
    }
    for fit in &comparison.analysis.fits {
        for point in fit.curve.iter().take(24) {
            let beyond = if point.extrapolated {
                ", not measured"
            } else {
                ""
            };
            let name = format!("law: {}{beyond}", fit.executor);
            add(&name, point.threads, point.speed_up);
        }
    }
    table.keep(layout.most(90));
    table
}
