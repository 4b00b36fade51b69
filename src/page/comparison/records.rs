//! Shows how long the records take, and which share of the time the slow records take.

use maud::{Markup, Render as _, html};

use super::super::axis::Axis;
use super::super::figure::{Figure, described, legend};
use super::super::marks::{Coord, PlotArea};
use super::super::numbers::{count, counted, percent, round_time, time};
use super::super::plot::Plot;
use super::super::scale::{Scale, round_up};
use super::super::table::DataTable;
use super::layout::PageLayout;
use crate::measure::{Analysis, RecordTimes};

/// Largest number of bins that are drawn. If there are more bins, neighbouring bins are merged.
const BINS: usize = 40;
/// Height of the drawing, in SVG units.
const HEIGHT: f64 = 300.0;

/// A bin with the records whose times lie in one range.
struct TimeBin {
    /// The lower end of the range, in seconds; `to` is the upper end.
    from: f64,
    to: f64,
    records: u64,
    share_of_records: f64,
    share_of_time: f64,
}

impl TimeBin {
    fn tooltip(&self) -> String {
        format!(
            "{} to {}: {}, {} of all and {} of the time",
            time(self.from),
            time(self.to),
            counted(self.records, "record"),
            percent(self.share_of_records),
            percent(self.share_of_time)
        )
    }
}

fn bins(times: &RecordTimes) -> Vec<TimeBin> {
    // The edges of the bins are powers of the square root of two. The time of each record is taken to be the middle
    // of its bin.
    let width = std::f64::consts::SQRT_2;
    let merged = times.histogram.len().div_ceil(BINS).max(1);
    let cost = |(from, records): &(f64, u64)| from * width.sqrt() * *records as f64;
    let all: u64 = times.histogram.iter().map(|(_, records)| records).sum();
    let work: f64 = times.histogram.iter().map(cost).sum();
    let bin = |bins: &[(f64, u64)]| {
        let records: u64 = bins.iter().map(|(_, records)| records).sum();
        TimeBin {
            from: bins[0].0,
            to: bins[bins.len() - 1].0 * width,
            records,
            share_of_records: records as f64 / all.max(1) as f64,
            share_of_time: bins.iter().map(cost).sum::<f64>() / work.max(f64::MIN_POSITIVE),
        }
    };
    times.histogram.chunks(merged).map(bin).collect()
}

pub(super) fn records(analysis: &Analysis, layout: &PageLayout<'_>) -> Markup {
    let times = analysis.records.as_ref();
    let Some(times) = times.filter(|times| !times.histogram.is_empty()) else {
        return html! {};
    };
    let bins = bins(times);
    let figure = Figure {
        id: "records",
        title: "Time of the records",
        caption: html! {
            "All records take " (time(times.work)) " together, and the longest takes " (time(times.span))
            " (record " (count(times.longest + 1)) "). The slowest 1 % of the records take "
            (percent(times.slowest_hundredth)) " of the time."
            (legend([("c0".to_owned(), "share of the records"), ("c1".to_owned(), "share of the time")]))
        },
        description: described(
            "Number of records by their time.",
            bins.iter().map(TimeBin::tooltip),
        ),
        height: HEIGHT,
        marks: draw(&bins),
        table: table(&bins, layout),
        open: false,
    };
    figure.render()
}

fn draw(bins: &[TimeBin]) -> Markup {
    let plot = plot(bins);
    let bottom = plot.area.bottom;
    html! {
        (plot.axes())
        @for bin in bins {
            @let (left, right) = (plot.x.at(bin.from), plot.x.at(bin.to));
            @let half = (right - left) / 2.0;
            g {
                title { (bin.tooltip()) }
                @for (class, share, left) in [
                    ("c0", bin.share_of_records, left), ("c1", bin.share_of_time, left + half),
                ] {
                    @if share > 0.0 {
                        @let top = plot.y.at(share * 100.0).min(bottom - 1.0);
                        path.bar.(class) d={
                            "M" (Coord(left + 0.5)) " " (Coord(bottom)) "V" (Coord(top)) "h" (Coord(half - 0.8))
                            "V" (Coord(bottom)) "z"
                        } {}
                    }
                }
            }
        }
    }
}

fn plot(bins: &[TimeBin]) -> Plot {
    let area = PlotArea::new(HEIGHT, 48.0, 12.0);
    let x = Scale::logarithmic((bins[0].from, bins[bins.len() - 1].to), area.across());
    let x_ticks = x.ticks(5).into_iter();
    let x_ticks = x_ticks.map(|tick| (tick, round_time(tick))).collect();
    let most = bins
        .iter()
        .map(|bin| bin.share_of_records.max(bin.share_of_time));
    let most = most.fold(0.0, f64::max);
    let y = Scale::even((0.0, round_up(most * 100.0, 4)), area.up());
    let y_ticks = y.labelled_ticks(4).into_iter();
    let y_ticks = y_ticks.map(|(tick, label)| (tick, label + " %")).collect();
    Plot::new(
        area,
        Axis::new(x, x_ticks, "time of a record"),
        Axis::new(y, y_ticks, "share"),
    )
}

fn table(bins: &[TimeBin], layout: &PageLayout<'_>) -> DataTable {
    let mut table = DataTable::new(
        0,
        ["from", "to", "records", "share of records", "share of time"],
    );
    for bin in bins {
        table.line([
            time(bin.from),
            time(bin.to),
            count(bin.records),
            percent(bin.share_of_records),
            percent(bin.share_of_time),
        ]);
    }
    table.keep(layout.most(48));
    table.note("Each record counts with the middle of its bin.");
    table
}
