//! How the speed-up grows with the threads, beside what it could be.

use maud::{Markup, html};

use super::super::figure::{Figure, described, threads};
use super::super::marks::{
    Frame, Labels, P, axis_x, axis_y, band, class, line, marker, whisker_up,
};
use super::super::numbers::{significant, times};
use super::super::quoted::{plain, quoted};
use super::super::scale::{Scale, round_up, tick_labels};
use super::super::table::Table;
use super::levels::{across, below, ceilings, is_wide, levels, ticks};
use super::{Cast, interval};
use crate::measure::{Cell, Comparison, Estimate, FitPoint};

/// How far beyond the threads measured a law is drawn: how it bends shows there, and the rest of the plot
/// stays legible.
const BEYOND: f64 = 2.0;

pub(super) fn speed_up<'a>(comparison: &Comparison, cast: &Cast<'_>) -> Figure<'a> {
    let mut levels = levels(comparison);
    let measured_to = levels.last().copied().unwrap_or(1.0);
    let curves = curves(comparison, cast, measured_to);
    let to = curves.iter().flatten().map(|point| point.threads as f64);
    let to = to.fold(measured_to, f64::max);
    if to > measured_to {
        levels.push(to);
    }
    let frame = Frame::new(340.0, 40.0, 112.0);
    let x = across(to, frame);
    let y = upwards(comparison, &curves, to, frame);
    let top = y.to();
    let place = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        let points = points.iter().filter(|(_, gain)| gain.is_finite());
        points
            .map(|(threads, gain)| (x.at(*threads), y.at(*gain)))
            .collect()
    };
    let ideal = (0..=64).map(|step| 1.0 + (to - 1.0) * f64::from(step) / 64.0);
    let ideal = place(&below(ideal.map(|threads| (threads, threads)), top));
    let bounds = comparison.why.bounds.iter();
    let bounds = bounds.map(|bound| (bound.threads as f64, bound.speed_up));
    let bounds = place(&below(bounds, top));

    let mut labels = Labels::default();
    let mut label = |points: &[(f64, f64)], class: &str, name: &str| {
        if let Some(end) = points.last() {
            labels.add(*end, class, name);
        }
    };
    label(&ideal, "ideal", "ideal");
    label(&bounds, "bound", "bound");
    let mut reached = Vec::new();
    for one in ceilings(comparison) {
        let points = one
            .points
            .iter()
            .map(|(threads, gain)| (*threads, gain.value));
        let points = place(&below(points, top));
        label(&points, &one.class, one.kernel);
        reached.push((one.class, points));
    }
    let mut lines = Vec::new();
    for (series, name, cells) in cast.each(comparison) {
        let points = cells
            .iter()
            .map(|cell| (cell.threads as f64, cell.speed_up.value));
        let points: Vec<_> = points
            .map(|(threads, gain)| (x.at(threads), y.at(gain)))
            .collect();
        label(&points, &class(series), name);
        lines.push((series, cells, points));
    }
    let values = y.ticks(5);
    let y_ticks = values.iter().copied().zip(tick_labels(&values)).collect();
    let marks = html! {
        @if to > measured_to { (beyond(frame, x.at(measured_to))) }
        (axis_y(frame, y, &y_ticks, "times as fast as sequential"))
        (axis_x(frame, x, &ticks(x, &levels), "threads"))
        (line("parity", &[(frame.left, y.at(1.0)), (frame.right, y.at(1.0))]))
        (line("ideal", &ideal))
        @if bounds.len() > 1 { (line("bound", &bounds)) }
        @for (class, points) in &reached { (line(class, points)) }
        @for (series, points) in curves.iter().enumerate() { (law(series, points, x, y)) }
        @for (series, cells, points) in &lines {
            (line(&class(*series), points))
            @for place in cast.marked(cells.len()) {
                @let (cell, at) = (cells[place], points[place]);
                @let ends = (y.at(cell.speed_up.low), y.at(cell.speed_up.high));
                (whisker_up(&class(*series), at.0, ends))
                (marker(*series, at, &told(cell)))
            }
        }
        (labels.draw(frame))
    };
    let kernels: Vec<String> = ceilings(comparison)
        .iter()
        .map(|one| plain(one.kernel))
        .collect();
    let lead = format!(
        "Speed-up over threads, on {} axes, with lines for the ideal and the ceilings {}.",
        if is_wide(to) { "logarithmic" } else { "linear" },
        kernels.join(", ")
    );
    let mut table = figures(comparison);
    table.keep(cast.most(90));
    Figure {
        id: "speed-up",
        title: "Speed-up",
        caption: html! {
            "Times as fast as sequential. Broken lines: the ideal, and what this machine gives copies of a kernel"
            @if bounds.len() > 1 { "; bound: what work and span of the records allow" }
            "."
            @if curves.iter().any(|points| !points.is_empty()) {
                " Bands: the Universal Scalability Law, fitted."
            }
        },
        description: described(&lead, comparison.cells.iter().skip(1).map(told)),
        height: 340.0,
        marks,
        table,
        open: false,
    }
}

/// The fitted law of each executor, not much further than was measured.
fn curves<'c>(
    comparison: &'c Comparison,
    cast: &Cast<'_>,
    measured_to: f64,
) -> Vec<Vec<&'c FitPoint>> {
    let curve = |name: &&str| {
        let mut fits = comparison.why.fits.iter();
        let fit = fits.find(|fit| fit.executor == *name);
        let points = fit.map_or(&[][..], |fit| &fit.curve).iter();
        let near = |point: &&FitPoint| point.threads as f64 <= measured_to * BEYOND;
        points.filter(near).collect()
    };
    cast.names.iter().map(curve).collect()
}

/// The axis of the speed-ups: as high as what was measured, not as the ideal, where threads are few.
fn upwards(comparison: &Comparison, curves: &[Vec<&FitPoint>], to: f64, frame: Frame) -> Scale {
    let gains = comparison.cells.iter().map(|cell| cell.speed_up);
    let gains = gains.chain(comparison.why.ceilings.iter().map(|one| one.speed_up));
    let laws = curves.iter().flatten().map(|point| point.speed_up.value);
    // A very wide interval is cut rather than all else made small.
    let highs = gains.clone().map(|gain| gain.high.min(gain.value * 1.4));
    let highest = highs.chain(laws).fold(1.0, f64::max) * 1.1;
    let lows = gains.map(|gain| gain.low.max(gain.value / 1.4));
    let lowest = lows.fold(1.0, f64::min).max(0.01);
    if is_wide(to) {
        let top = if highest * 2.0 > to {
            to.max(highest)
        } else {
            highest
        };
        Scale::logarithmic((lowest * 0.9, top), frame.up())
    } else {
        Scale::even((0.0, round_up(highest, 5)), frame.up())
    }
}

/// What was not measured, on another ground.
fn beyond(frame: Frame, from: f64) -> Markup {
    let (x, y) = (P((from + frame.right) / 2.0 + 4.0), P(frame.bottom - 8.0));
    html! {
        rect.beyond x=(P(from)) y=(P(frame.top)) width=(P(frame.right - from))
            height=(P(frame.bottom - frame.top)) {}
        text.note x=(x) y=(y) transform={ "rotate(-90 " (x) " " (y) ")" } { "not measured" }
    }
}

/// A fitted law and its interval.
fn law(series: usize, points: &[&FitPoint], x: Scale, y: Scale) -> Markup {
    if points.len() < 2 {
        return html! {};
    }
    let edge = |of: fn(&Estimate) -> f64| -> Vec<(f64, f64)> {
        let points = points.iter();
        points
            .map(|one| (x.at(one.threads as f64), y.at(of(&one.speed_up))))
            .collect()
    };
    html! {
        (band(&class(series), &edge(|gain| gain.high), &edge(|gain| gain.low)))
        (line(&format!("law {}", class(series)), &edge(|gain| gain.value)))
    }
}

fn told(cell: &Cell) -> String {
    format!(
        "{} on {}: {} ({})",
        plain(&cell.executor),
        threads(cell.threads),
        times(cell.speed_up.value),
        interval(cell.speed_up)
    )
}

fn figures(comparison: &Comparison) -> Table {
    let mut table = Table::new(1, ["series", "threads", "speed-up", "from", "to"]);
    let mut tell = |name: &str, threads: usize, gain: Estimate| {
        let figures = [gain.value, gain.low, gain.high].map(|figure| significant(figure, 3));
        let name = [quoted(name), html! { (threads) }];
        table.line(
            name.into_iter()
                .chain(figures.map(|figure| html! { (figure) })),
        );
    };
    for cell in comparison.cells.iter().skip(1) {
        tell(&cell.executor, cell.threads, cell.speed_up);
    }
    for one in &comparison.why.ceilings {
        tell(
            &format!("ceiling: {}", one.kernel),
            one.threads,
            one.speed_up,
        );
    }
    for bound in &comparison.why.bounds {
        let value = bound.speed_up;
        let (low, high) = (value, value);
        tell("bound", bound.threads, Estimate { value, low, high });
    }
    for fit in &comparison.why.fits {
        for point in fit.curve.iter().take(24) {
            let beyond = if point.extrapolated {
                ", not measured"
            } else {
                ""
            };
            let name = format!("law: {}{beyond}", fit.executor);
            tell(&name, point.threads, point.speed_up);
        }
    }
    table
}
