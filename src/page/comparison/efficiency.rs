//! Shows the efficiency, which is the speed-up divided by the number of threads.

use maud::html;

use super::super::axis::Axis;
use super::super::figure::{Figure, described, threads};
use super::super::marks::PlotArea;
use super::super::numbers::percent;
use super::super::plot::Plot;
use super::super::quoted::plain;
use super::super::scale::{Scale, round_up};
use super::super::table::DataTable;
use super::layout::PageLayout;
use super::threads::{ceiling_lines, ceilings, executor_lines, levels, thread_axis};
use crate::measure::{Comparison, Estimate, Measurement};

/// Height of the drawing, in SVG units.
const HEIGHT: f64 = 340.0;

pub(super) fn efficiency(comparison: &Comparison, layout: &PageLayout<'_>) -> Figure<'static> {
    let levels = levels(comparison);
    let area = PlotArea::new(HEIGHT, 48.0, 112.0);
    let x = thread_axis(levels.last().copied().unwrap_or(1.0), &levels, area);
    let plot = &mut Plot::new(area, x, percent_axis(comparison, area));
    let marks = html! {
        (plot.axes())
        (plot.level("ideal", 100.0))
        (ceiling_lines(plot, &ceilings(comparison), |curve| {
            let points = curve.points.iter();
            points.map(|(threads, gain)| (*threads, gain.value / threads * 100.0)).collect()
        }))
        (executor_lines(plot, comparison, layout, percents, tooltip))
        (plot.labels())
    };
    Figure {
        id: "efficiency",
        title: "Efficiency",
        caption: html! {
            "Speed-up divided by the number of threads. Hardware threads share the cores, so the ceilings fall, too, if "
            "there are more threads than cores."
        },
        description: described(
            "Efficiency by number of threads.",
            comparison.measurements.iter().skip(1).map(tooltip),
        ),
        height: HEIGHT,
        marks,
        table: table(comparison, layout),
        open: false,
    }
}

/// Returns the efficiency of a configuration in per cent.
fn percents(measurement: &Measurement) -> Estimate {
    let Estimate { value, low, high } = measurement.efficiency;
    Estimate {
        value: value * 100.0,
        low: low * 100.0,
        high: high * 100.0,
    }
}

/// Makes the axis of the efficiencies in per cent. Very wide intervals extend beyond the axis and are cut off.
fn percent_axis(comparison: &Comparison, area: PlotArea) -> Axis {
    let shares = comparison
        .measurements
        .iter()
        .map(|measurement| measurement.efficiency);
    let highest = shares.map(|share| share.high.min(share.value * 1.2));
    let highest = highest.fold(1.0, f64::max) * 100.0;
    let scale = Scale::even((0.0, round_up(highest, 10)), area.up());
    let ticks = scale.ticks(6).into_iter();
    let ticks = ticks.map(|value| (value, format!("{value:.0} %")));
    Axis::new(scale, ticks.collect(), "speed-up per thread")
}

fn table(comparison: &Comparison, layout: &PageLayout<'_>) -> DataTable {
    let mut table = DataTable::new(1, ["executor", "threads", "efficiency", "from", "to"]);
    for measurement in comparison.measurements.iter().skip(1) {
        let Estimate { value, low, high } = measurement.efficiency;
        let figures = [value, low, high].map(percent);
        table.named_line(&measurement.executor, measurement.threads, figures);
    }
    table.keep(layout.most(64));
    table
}

fn tooltip(measurement: &Measurement) -> String {
    let Estimate { value, low, high } = measurement.efficiency;
    format!(
        "{} on {}: {} ({} to {})",
        plain(&measurement.executor),
        threads(measurement.threads),
        percent(value),
        percent(low),
        percent(high)
    )
}
