//! How long each cell takes.

use maud::html;

use super::super::axis::Axis;
use super::super::cell_axis::MAX_CELLS;
use super::super::figure::{Figure, described, threads};
use super::super::numbers::{about, bytes, percent, significant, time};
use super::super::quoted::{plain, quoted};
use super::super::table::DataTable;
use super::intervals::{CellInterval, intervals};
use super::layout::{Layout, interval};
use crate::measure::{Comparison, Measurement};

pub(super) fn plot(comparison: &Comparison, layout: &Layout<'_>) -> Figure<'static> {
    let shown = &comparison.measurements[..comparison.measurements.len().min(MAX_CELLS)];
    let cells: Vec<CellInterval<'_>> = shown
        .iter()
        .map(|cell| CellInterval {
            executor: &cell.executor,
            threads: cell.threads,
            value: cell.wall.median,
            low: cell.wall.low,
            high: cell.wall.high,
            least: Some(cell.wall.minimum),
            shown: time(cell.wall.median),
            tooltip: tooltip(cell),
        })
        .collect();
    let least = shown.iter().map(|cell| cell.wall.minimum);
    let least = least.reduce(f64::min).unwrap_or(0.0);
    let most = shown
        .iter()
        .map(|cell| cell.wall.high.max(cell.wall.median));
    let most = most.reduce(f64::max).unwrap_or(0.0);
    let (marks, height) = intervals(&cells, layout, 76.0, None, |area| {
        Axis::times((least, most), (area.left, area.right), 4, "time of a run")
    });
    Figure {
        id: "times",
        title: "Time of a run",
        caption: html! { "Median with its interval; the short stroke marks the shortest time. Further left is faster." },
        description: described(
            "The median time of a run for each executor and number of threads.",
            shown.iter().map(tooltip),
        ),
        height,
        marks,
        table: plot_table(comparison, layout),
        open: false,
    }
}

fn plot_table(comparison: &Comparison, layout: &Layout<'_>) -> DataTable {
    let mut table = DataTable::new(
        1,
        ["executor", "threads", "median", "from", "to", "min", "max"],
    );
    for cell in &comparison.measurements {
        let wall = &cell.wall;
        let figures = [wall.median, wall.low, wall.high, wall.minimum, wall.maximum];
        table.named_line(&cell.executor, cell.threads, figures.map(time));
    }
    table.keep(layout.most(48));
    table
}

fn tooltip(cell: &Measurement) -> String {
    format!(
        "{} on {}: {} ({} to {}), min {}",
        plain(&cell.executor),
        threads(cell.threads),
        time(cell.wall.median),
        time(cell.wall.low),
        time(cell.wall.high),
        time(cell.wall.minimum)
    )
}

/// The figures of each cell.
pub(super) fn table(comparison: &Comparison, layout: &Layout<'_>) -> DataTable {
    let mut table = DataTable::new(
        1,
        [
            "executor",
            "threads",
            "median",
            "min",
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
    for (index, cell) in comparison.measurements.iter().enumerate() {
        let base = index == 0;
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
    table.keep(64.min(layout.most(512)));
    table.note("CPU: processor time of a run, summed over all threads. Cold start: starting the executor, and its first run.");
    table
}
