//! How long each cell takes.

use maud::html;

use super::super::figure::{Figure, described, threads};
use super::super::ladder::{Ladder, MOST};
use super::super::marks::{Frame, P, axis_x, marker, whisker_across};
use super::super::numbers::{about, bytes, percent, significant, time};
use super::super::quoted::quoted;
use super::super::scale::times;
use super::super::table::Table;
use super::{Cast, interval};
use crate::measure::{Cell, Comparison};

pub(super) fn plot(comparison: &Comparison, cast: &Cast<'_>) -> Figure<'static> {
    let cells = &comparison.cells[..comparison.cells.len().min(MOST)];
    let ladder = Ladder::new(
        8.0,
        cells.iter().map(|cell| (&*cell.executor, cell.threads)),
    );
    let height = ladder.bottom() + 50.0;
    let frame = Frame {
        left: Ladder::LEFT,
        right: Ladder::right(76.0),
        top: ladder.top(),
        bottom: ladder.bottom() + 4.0,
    };
    let far = |one: fn(&Cell) -> f64, far: fn(f64, f64) -> f64| cells.iter().map(one).reduce(far);
    let least = far(|cell| cell.wall.minimum, f64::min).unwrap_or(0.0);
    let most = far(|cell| cell.wall.high.max(cell.wall.median), f64::max);
    let across = (frame.left, frame.right);
    let (scale, ticks, unit) = times((least, most.unwrap_or(0.0)), across, 4);
    let name = match unit {
        "" => "time of a run".to_owned(),
        unit => format!("time of a run, {unit}"),
    };
    let marks = html! {
        @for (value, _) in &ticks {
            path.grid d={ "M" (P(scale.at(*value))) " " (P(frame.top)) "V" (P(frame.bottom)) } {}
        }
        (ladder.draw())
        @for (cell, y) in cells.iter().zip(ladder.places()) {
            @let (wall, class) = (&cell.wall, cast.class(&cell.executor));
            @let at = |seconds: f64| scale.at(seconds);
            (whisker_across(&class, y, (at(wall.low), at(wall.high))))
            path.least d={ "M" (P(at(wall.minimum))) " " (P(y - 5.0)) "v10" } {}
            @match cast.series(&cell.executor) {
                Some(series) => (marker(series, (at(wall.median), y), &told(cell))),
                None => circle.mark.base cx=(P(at(wall.median))) cy=(P(y)) r="4.5" { title { (told(cell)) } },
            }
            text.value x=(P(frame.right + 8.0)) y=(P(y + 4.5)) { (time(wall.median)) }
        }
        (axis_x(frame, scale, &ticks, &name))
    };
    let mut table = Table::new(
        1,
        [
            "executor", "threads", "median", "from", "to", "least", "most",
        ],
    );
    for cell in &comparison.cells {
        let wall = &cell.wall;
        let figures = [wall.median, wall.low, wall.high, wall.minimum, wall.maximum].map(time);
        let name = [quoted(&cell.executor), html! { (cell.threads) }];
        table.line(
            name.into_iter()
                .chain(figures.map(|figure| html! { (figure) })),
        );
    }
    table.keep(cast.most(48));
    Figure {
        id: "times",
        title: "Time of a run",
        caption: html! { "Median with its interval; the short stroke is the least time seen. Left is better." },
        description: described(
            "The median time of a run for each executor and number of threads.",
            cells.iter().map(told),
        ),
        height,
        marks,
        table,
        open: false,
    }
}

fn told(cell: &Cell) -> String {
    format!(
        "{} on {}: {} ({} to {}), least {}",
        super::plain(&cell.executor),
        threads(cell.threads),
        time(cell.wall.median),
        time(cell.wall.low),
        time(cell.wall.high),
        time(cell.wall.minimum)
    )
}

/// All that is known of each cell.
pub(super) fn table(comparison: &Comparison, cast: &Cast<'_>) -> Table {
    let mut table = Table::new(
        1,
        [
            "executor",
            "threads",
            "median",
            "least",
            "CPU",
            "cold start",
            "speed-up",
            "interval",
            "efficiency",
            "records/s",
            "bytes/s",
            "",
        ],
    );
    for (place, cell) in comparison.cells.iter().enumerate() {
        let base = place == 0;
        let remark = match cell.speed_up {
            _ if base => "the base",
            speed_up if !speed_up.differs_from(1.0) => "no detectable difference",
            speed_up if speed_up.value < 1.0 => "slower",
            _ => "",
        };
        let cold = cell.cold.start + cell.cold.first_run;
        table.line([
            quoted(&cell.executor),
            html! { (cell.threads) },
            html! { b { (time(cell.wall.median)) } },
            html! { (time(cell.wall.minimum)) },
            html! { (cell.cpu.map_or("–".to_owned(), |cpu| time(cpu.median))) },
            html! { (time(cold)) },
            html! { b { (significant(cell.speed_up.value, 3)) } },
            html! { @if !base { (interval(cell.speed_up)) } },
            html! { (percent(cell.efficiency.value)) },
            html! { (about(cell.records_per_second)) },
            html! { (cell.bytes_per_second.map_or("–".to_owned(), bytes)) },
            html! { span.aside { (remark) } },
        ]);
    }
    table.keep(64.min(cast.most(512)));
    table.note("CPU: processor time of a run, all threads together. Cold start: making the executor, and the first run on it.");
    table
}
