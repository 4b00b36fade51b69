//! Shows how long each configuration takes.

use maud::html;

use super::super::axis::Axis;
use super::super::configuration_axis::MAX_CONFIGURATIONS;
use super::super::figure::{Figure, described, threads};
use super::super::numbers::{about, bytes, percent, significant, time};
use super::super::quoted::{plain, quoted};
use super::super::table::DataTable;
use super::intervals::{ConfigurationInterval, intervals};
use super::layout::{PageLayout, interval};
use crate::measure::{Comparison, Measurement};

pub(super) fn plot(comparison: &Comparison, layout: &PageLayout<'_>) -> Figure<'static> {
    let shown = &comparison.measurements[..comparison.measurements.len().min(MAX_CONFIGURATIONS)];
    let configurations: Vec<ConfigurationInterval<'_>> = shown
        .iter()
        .map(|measurement| ConfigurationInterval {
            executor: &measurement.executor,
            threads: measurement.threads,
            value: measurement.wall.median,
            low: measurement.wall.low,
            high: measurement.wall.high,
            least: Some(measurement.wall.minimum),
            shown: time(measurement.wall.median),
            tooltip: tooltip(measurement),
        })
        .collect();
    let least = shown.iter().map(|measurement| measurement.wall.minimum);
    let least = least.reduce(f64::min).unwrap_or(0.0);
    let most = shown
        .iter()
        .map(|measurement| measurement.wall.high.max(measurement.wall.median));
    let most = most.reduce(f64::max).unwrap_or(0.0);
    let (marks, height) = intervals(&configurations, layout, 76.0, None, |area| {
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

fn plot_table(comparison: &Comparison, layout: &PageLayout<'_>) -> DataTable {
    let mut table = DataTable::new(
        1,
        ["executor", "threads", "median", "from", "to", "min", "max"],
    );
    for measurement in &comparison.measurements {
        let wall = &measurement.wall;
        let figures = [wall.median, wall.low, wall.high, wall.minimum, wall.maximum];
        table.named_line(
            &measurement.executor,
            measurement.threads,
            figures.map(time),
        );
    }
    table.keep(layout.most(48));
    table
}

fn tooltip(measurement: &Measurement) -> String {
    format!(
        "{} on {}: {} ({} to {}), min {}",
        plain(&measurement.executor),
        threads(measurement.threads),
        time(measurement.wall.median),
        time(measurement.wall.low),
        time(measurement.wall.high),
        time(measurement.wall.minimum)
    )
}

/// Makes a table with the figures of each configuration.
pub(super) fn table(comparison: &Comparison, layout: &PageLayout<'_>) -> DataTable {
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
    for (index, measurement) in comparison.measurements.iter().enumerate() {
        let base = index == 0;
        let remark = match measurement.speed_up {
            _ if base => "the base",
            speed_up if !speed_up.differs_from(1.0) => "no detectable difference",
            speed_up if speed_up.value < 1.0 => "slower",
            _ => "",
        };
        let cold = measurement.cold.start + measurement.cold.first_run;
        table.line([
            quoted(&measurement.executor),
            html! { (measurement.threads) },
            html! { b { (time(measurement.wall.median)) } },
            html! { (time(measurement.wall.minimum)) },
            html! { (measurement.cpu.map_or("–".to_owned(), |cpu| time(cpu.median))) },
            html! { (time(cold.as_secs_f64())) },
            html! { b { (significant(measurement.speed_up.value, 3)) } },
            html! { @if !base { (interval(measurement.speed_up)) } },
            html! { (percent(measurement.efficiency.value)) },
            html! { (about(measurement.records_per_second)) },
            html! { (measurement.bytes_per_second.map_or("–".to_owned(), bytes)) },
            html! { span.aside { (remark) } },
        ]);
    }
    table.keep(64.min(layout.most(512)));
    table.note("CPU: processor time of a run, summed over all threads. Cold start: starting the executor, and its first run.");
    table
}
