//! What each thread contributes of what one does alone.

use maud::html;

use super::super::figure::{Figure, described, threads};
use super::super::marks::{Frame, Labels, Ticks, axis_x, axis_y, class, line, marker, whisker_up};
use super::super::numbers::percent;
use super::super::quoted::{plain, quoted};
use super::super::scale::{Scale, round_up};
use super::super::table::Table;
use super::Cast;
use super::levels::{across, ceilings, levels, ticks};
use crate::measure::{Cell, Comparison, Estimate};

pub(super) fn efficiency<'a>(comparison: &Comparison, cast: &Cast<'_>) -> Figure<'a> {
    let levels = levels(comparison);
    let frame = Frame::new(340.0, 48.0, 112.0);
    let x = across(levels.last().copied().unwrap_or(1.0), frame);
    let shares = comparison.cells.iter().map(|cell| cell.efficiency);
    let highest = shares.map(|share| share.high.min(share.value * 1.2));
    let highest = highest.fold(1.0, f64::max) * 100.0;
    let y = Scale::even((0.0, round_up(highest, 10)), frame.up());
    let percents = y.ticks(6).into_iter();
    let y_ticks: Ticks = percents
        .map(|value| (value, format!("{value:.0} %")))
        .collect();
    let mut labels = Labels::default();
    let ceilings: Vec<_> = ceilings(comparison)
        .into_iter()
        .map(|one| {
            let points = one.points.iter();
            let points = points.filter(|(_, gain)| gain.value.is_finite());
            let points: Vec<_> = points
                .map(|(threads, gain)| (x.at(*threads), y.at(gain.value / threads * 100.0)))
                .collect();
            if let Some(end) = points.last() {
                labels.add(*end, &*one.class, one.kernel);
            }
            (one.class, points)
        })
        .collect();
    let lines: Vec<_> = cast
        .each(comparison)
        .map(|(series, name, cells)| {
            let point = |cell: &&Cell| {
                let share = cell.efficiency.value * 100.0;
                (x.at(cell.threads as f64), y.at(share))
            };
            let points: Vec<_> = cells.iter().map(point).collect();
            if let Some(end) = points.last() {
                labels.add(*end, class(series), name);
            }
            (series, cells, points)
        })
        .collect();
    let marks = html! {
        (axis_y(frame, y, &y_ticks, "speed-up for each thread"))
        (axis_x(frame, x, &ticks(x, &levels), "threads"))
        (line("ideal", &[(frame.left, y.at(100.0)), (frame.right, y.at(100.0))]))
        @for (class, points) in &ceilings { (line(class, points)) }
        @for (series, cells, points) in &lines {
            (line(&class(*series), points))
            @for place in cast.marked(cells.len()) {
                @let (cell, at) = (cells[place], points[place]);
                @let ends = (y.at(cell.efficiency.low * 100.0), y.at(cell.efficiency.high * 100.0));
                (whisker_up(&class(*series), at.0, ends))
                (marker(*series, at, &told(cell)))
            }
        }
        (labels.draw(frame))
    };
    let mut table = Table::new(1, ["executor", "threads", "efficiency", "from", "to"]);
    for cell in comparison.cells.iter().skip(1) {
        let Estimate { value, low, high } = cell.efficiency;
        let figures = [value, low, high].map(|share| html! { (percent(share)) });
        let name = [quoted(&cell.executor), html! { (cell.threads) }];
        table.line(name.into_iter().chain(figures));
    }
    table.keep(cast.most(64));
    Figure {
        id: "efficiency",
        title: "Efficiency",
        caption: html! {
            "What each thread contributes, of what one does alone. Hardware threads of one core share it:
            then the ceilings fall too."
        },
        description: described(
            "Efficiency over threads.",
            comparison.cells.iter().skip(1).map(told),
        ),
        height: 340.0,
        marks,
        table,
        open: false,
    }
}

fn told(cell: &Cell) -> String {
    let Estimate { value, low, high } = cell.efficiency;
    format!(
        "{} on {}: {} ({} to {})",
        plain(&cell.executor),
        threads(cell.threads),
        percent(value),
        percent(low),
        percent(high)
    )
}
