//! How the speed-up grows with the threads, beside what it could be.

use maud::html;

use super::super::figure::{Figure, threads};
use super::super::marks::{
    Frame, Labels, Ticks, axis_x, axis_y, band, class, line, marker, whisker_up,
};
use super::super::numbers::{percent, significant, times};
use super::super::quoted::{plain, quoted};
use super::super::scale::{Scale, round_up, tick_labels};
use super::super::table::Table;
use super::{Cast, interval};
use crate::measure::{Cell, Comparison, Estimate, FitPoint};

/// From so many times as many threads on, axes are logarithmic.
const WIDE: usize = 12;
/// How many figures of ceilings have a dash of their own.
const DASHES: usize = 3;

/// The numbers of threads measured.
fn levels(comparison: &Comparison) -> Vec<f64> {
    let mut levels: Vec<usize> = comparison.cells.iter().map(|cell| cell.threads).collect();
    levels.extend(comparison.why.ceilings.iter().map(|one| one.threads));
    levels.sort_unstable();
    levels.dedup();
    levels.into_iter().map(|level| level as f64).collect()
}

fn thread_ticks(scale: Scale, levels: &[f64]) -> Ticks {
    let apart = scale.apart(levels, 30.0);
    let labels = apart
        .iter()
        .map(|level| level.to_string())
        .collect::<Vec<_>>();
    apart.into_iter().zip(labels).collect()
}

/// Points of a line as far as they lie below the upper end of a scale, and up to where it crosses it.
fn below(points: impl IntoIterator<Item = (f64, f64)>, top: f64) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (x, y) in points {
        if y <= top {
            kept.push((x, y));
            continue;
        }
        if let Some(&(last_x, last_y)) = kept.last() {
            let part = (top - last_y) / (y - last_y);
            kept.push((last_x + part * (x - last_x), top));
        }
        break;
    }
    kept
}

/// The kernels of the ceilings, in the order they were measured.
fn kernels(comparison: &Comparison) -> Vec<&str> {
    let mut kernels: Vec<&str> = Vec::new();
    for ceiling in &comparison.why.ceilings {
        if !kernels.contains(&ceiling.kernel.as_str()) {
            kernels.push(&ceiling.kernel);
        }
    }
    kernels
}

fn ceiling<'c>(comparison: &'c Comparison, kernel: &str) -> Vec<(f64, Estimate, &'c str)> {
    let all = comparison.why.ceilings.iter();
    let mut these: Vec<_> = all
        .filter(|one| one.kernel == kernel)
        .map(|one| (one.threads as f64, one.speed_up, &*one.kernel))
        .collect();
    these.sort_by(|a, b| a.0.total_cmp(&b.0));
    these
}

pub(super) fn speed_up<'a>(comparison: &Comparison, cast: &Cast<'_>) -> Figure<'a> {
    let levels = levels(comparison);
    let measured_to = levels.last().copied().unwrap_or(1.0);
    let why = &comparison.why;
    // A law is drawn up to twice what was measured: how it bends shows there, and the rest of the plot
    // stays legible.
    let curve = |executor: &str| -> Vec<&FitPoint> {
        let fit = why.fits.iter().find(|fit| fit.executor == executor);
        let points = fit.map_or(&[][..], |fit| &fit.curve).iter();
        points
            .filter(|point| point.threads as f64 <= measured_to * 2.0)
            .collect()
    };
    let curves: Vec<_> = cast.names.iter().map(|name| curve(name)).collect();
    let to = curves.iter().flatten().map(|point| point.threads as f64);
    let to = to.fold(measured_to, f64::max);
    let logarithmic = to > WIDE as f64;

    let gains = comparison.cells.iter().map(|cell| cell.speed_up);
    let gains = gains.chain(why.ceilings.iter().map(|one| one.speed_up));
    let highest = gains.clone().map(|gain| gain.high.min(gain.value * 1.4));
    let highest = curves
        .iter()
        .flatten()
        .map(|point| point.speed_up.value)
        .chain(highest);
    let highest = highest.fold(1.0, f64::max) * 1.1;
    let lowest = gains
        .map(|gain| gain.low.max(gain.value / 1.4))
        .fold(1.0, f64::min);

    let frame = Frame::new(340.0, 40.0, 112.0);
    let (x, y) = if logarithmic {
        let top = if highest * 2.0 > to {
            to.max(highest)
        } else {
            highest
        };
        (
            Scale::logarithmic((1.0, to), frame.across()),
            Scale::logarithmic((lowest * 0.9, top), frame.up()),
        )
    } else {
        let top = round_up(highest, 5);
        (
            Scale::even((1.0, to), frame.across()),
            Scale::even((0.0, top), frame.up()),
        )
    };
    let top = y.to();
    let point = |(threads, gain): (f64, f64)| (x.at(threads), y.at(gain));
    let place = |points: &[(f64, f64)]| points.iter().map(|one| point(*one)).collect::<Vec<_>>();
    let ideal = place(&below(
        (0..=64).map(|step| {
            let threads = 1.0 + (to - 1.0) * f64::from(step) / 64.0;
            (threads, threads)
        }),
        top,
    ));
    let bounds = why
        .bounds
        .iter()
        .map(|bound| (bound.threads as f64, bound.speed_up));
    let bounds = place(&below(bounds, top));
    let mut labels = Labels::default();
    let mut label = |points: &[(f64, f64)], class: &str, name: &str| {
        if let Some(end) = points.last() {
            labels.add(*end, class, name);
        }
    };
    label(&ideal, "ideal", "ideal");
    label(&bounds, "bound", "work and span");
    let ceilings: Vec<_> = kernels(comparison)
        .into_iter()
        .enumerate()
        .map(|(dash, kernel)| {
            let points = ceiling(comparison, kernel).into_iter();
            let points = place(&below(
                points.map(|(threads, gain, _)| (threads, gain.value)),
                top,
            ));
            let class = format!("ceiling d{}", dash % DASHES);
            label(&points, &class, kernel);
            (class, points)
        })
        .collect();
    let lines: Vec<_> = cast
        .each(comparison)
        .map(|(series, name, cells)| {
            let points: Vec<_> = cells
                .iter()
                .map(|cell| point((cell.threads as f64, cell.speed_up.value)))
                .collect();
            label(&points, &class(series), name);
            (series, cells, points)
        })
        .collect();
    let y_values = y.ticks(5);
    let y_ticks = y_values
        .iter()
        .copied()
        .zip(tick_labels(&y_values))
        .collect();
    let mut x_levels = levels.clone();
    if to > measured_to {
        x_levels.push(to);
    }
    let marks = html! {
        (axis_y(frame, y, &y_ticks, "times as fast as sequential"))
        @if to > measured_to {
            @let from = x.at(measured_to);
            rect.beyond x=(super::super::marks::P(from)) y=(super::super::marks::P(frame.top))
                width=(super::super::marks::P(frame.right - from))
                height=(super::super::marks::P(frame.bottom - frame.top)) {}
            text.note.mid x=(super::super::marks::P((from + frame.right) / 2.0))
                y=(super::super::marks::P(frame.bottom - 8.0)) { "not measured" }
        }
        (axis_x(frame, x, &thread_ticks(x, &x_levels), "threads"))
        (line("parity", &[(frame.left, y.at(1.0)), (frame.right, y.at(1.0))]))
        (line("ideal", &ideal))
        @if bounds.len() > 1 { (line("bound", &bounds)) }
        @for (class, points) in &ceilings { (line(class, points)) }
        @for (series, points) in curves.iter().enumerate() {
            @let edge = |of: fn(&Estimate) -> f64| points.iter()
                .map(|one| point((one.threads as f64, of(&one.speed_up)))).collect::<Vec<_>>();
            @if points.len() > 1 {
                (band(&class(series), &edge(|gain| gain.high), &edge(|gain| gain.low)))
                (line(&format!("law {}", class(series)), &edge(|gain| gain.value)))
            }
        }
        @for (series, cells, points) in &lines {
            (line(&class(*series), points))
            @for (cell, at) in cells.iter().zip(points) {
                (whisker_up(&class(*series), at.0, (y.at(cell.speed_up.low), y.at(cell.speed_up.high))))
                (marker(*series, *at, &told(cell)))
            }
        }
        (labels.draw(frame))
    };
    let fitted = curves.iter().any(|points| !points.is_empty());
    Figure {
        id: "speed-up",
        title: "Speed-up",
        caption: html! {
            "Times as fast as sequential. Dashed: the ideal, what this machine gives copies of a kernel"
            @if bounds.len() > 1 { ", what the records allow" }
            "."
            @if fitted { " Band: the Universal Scalability Law, fitted." }
        },
        description: format!(
            "Speed-up over threads, {} scale, with lines for the ideal and the ceilings {}. {}",
            if logarithmic { "logarithmic" } else { "linear" },
            kernels(comparison).join(", "),
            comparison
                .cells
                .iter()
                .skip(1)
                .map(told)
                .collect::<Vec<_>>()
                .join("; ")
        ),
        height: 340.0,
        marks,
        table: figures(comparison),
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
    let exact = |value| Estimate {
        value,
        low: value,
        high: value,
    };
    for bound in &comparison.why.bounds {
        tell("work and span", bound.threads, exact(bound.speed_up));
    }
    for fit in &comparison.why.fits {
        for point in fit.curve.iter().take(24) {
            let beyond = if point.extrapolated {
                ", not measured"
            } else {
                ""
            };
            tell(
                &format!("law: {}{beyond}", fit.executor),
                point.threads,
                point.speed_up,
            );
        }
    }
    table
}

pub(super) fn efficiency<'a>(comparison: &Comparison, cast: &Cast<'_>) -> Figure<'a> {
    let levels = levels(comparison);
    let to = levels.last().copied().unwrap_or(1.0);
    let frame = Frame::new(340.0, 48.0, 112.0);
    let x = if to > WIDE as f64 {
        Scale::logarithmic((1.0, to), frame.across())
    } else {
        Scale::even((1.0, to), frame.across())
    };
    let shares = comparison.cells.iter().map(|cell| cell.efficiency);
    let highest = shares
        .map(|share| share.high.min(share.value * 1.4))
        .fold(1.0, f64::max);
    let y = Scale::even((0.0, round_up(highest * 100.0, 5)), frame.up());
    let values = y.ticks(5);
    let ticks: Ticks = values
        .iter()
        .map(|value| (*value, format!("{value:.0} %")))
        .collect();
    let mut labels = Labels::default();
    let ceilings: Vec<_> = kernels(comparison)
        .into_iter()
        .enumerate()
        .map(|(dash, kernel)| {
            let points = ceiling(comparison, kernel).into_iter();
            let points: Vec<_> = points
                .map(|(threads, gain, _)| (x.at(threads), y.at(gain.value / threads * 100.0)))
                .collect();
            let class = format!("ceiling d{}", dash % DASHES);
            if let Some(end) = points.last() {
                labels.add(*end, &*class, kernel);
            }
            (class, points)
        })
        .collect();
    let lines: Vec<_> = cast
        .each(comparison)
        .map(|(series, name, cells)| {
            let points = cells.iter().map(|cell| {
                (
                    x.at(cell.threads as f64),
                    y.at(cell.efficiency.value * 100.0),
                )
            });
            let points: Vec<_> = points.collect();
            if let Some(end) = points.last() {
                labels.add(*end, class(series), name);
            }
            (series, cells, points)
        })
        .collect();
    let told = |cell: &Cell| {
        format!(
            "{} on {}: {} ({} to {})",
            plain(&cell.executor),
            threads(cell.threads),
            percent(cell.efficiency.value),
            percent(cell.efficiency.low),
            percent(cell.efficiency.high)
        )
    };
    let marks = html! {
        (axis_y(frame, y, &ticks, "speed-up for each thread"))
        (axis_x(frame, x, &thread_ticks(x, &levels), "threads"))
        (line("ideal", &[(frame.left, y.at(100.0)), (frame.right, y.at(100.0))]))
        @for (class, points) in &ceilings { (line(class, points)) }
        @for (series, cells, points) in &lines {
            (line(&class(*series), points))
            @for (cell, at) in cells.iter().zip(points) {
                @let ends = (y.at(cell.efficiency.low * 100.0), y.at(cell.efficiency.high * 100.0));
                (whisker_up(&class(*series), at.0, ends))
                (marker(*series, *at, &told(cell)))
            }
        }
        (labels.draw(frame))
    };
    let mut table = Table::new(1, ["executor", "threads", "efficiency", "from", "to"]);
    for cell in comparison.cells.iter().skip(1) {
        let Estimate { value, low, high } = cell.efficiency;
        let figures = [value, low, high].map(|share| html! { (percent(share)) });
        table.line(
            [quoted(&cell.executor), html! { (cell.threads) }]
                .into_iter()
                .chain(figures),
        );
    }
    Figure {
        id: "efficiency",
        title: "Efficiency",
        caption: html! { "What each thread contributes, of what one thread does alone. Hardware threads of one core share it: the ceilings fall too." },
        description: format!(
            "Efficiency over threads. {}",
            comparison
                .cells
                .iter()
                .skip(1)
                .map(told)
                .collect::<Vec<_>>()
                .join("; ")
        ),
        height: 340.0,
        marks,
        table,
    }
}
