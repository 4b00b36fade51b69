//! Shows each column of the scores, with its statistics in a table and its distribution as a histogram.

use maud::{Markup, Render as _, html};

use super::super::axis::Axis;
use super::super::document::section;
use super::super::figure::{Figure, described};
use super::super::marks::{Coord, PlotArea, bar};
use super::super::numbers::{count, counted, percent, round_percent, score, significant};
use super::super::plot::Plot;
use super::super::scale::{Scale, labelled, round_up};
use super::super::table::DataTable;
use crate::aggregation::Bins;
use crate::plan::{NumberSummary, Summary};

/// Height of a histogram, in SVG units.
const HEIGHT: f64 = 280.0;

pub(super) fn columns(summary: &Summary) -> Markup {
    // The main column, by which records are ranked and grouped, comes first.
    let main = summary.columns.main();
    let mut shown: Vec<(&str, &NumberSummary)> = summary.numbers().collect();
    shown.sort_by_key(|(name, _)| Some(*name) != main);
    if shown.is_empty() {
        return html! {};
    }
    let exact = shown.iter().all(|(_, column)| column.quantiles.is_exact);
    let accuracy = match exact {
        true => "All figures are exact.",
        false => "Quantiles are accurate to 0.4 % of the score; all other figures are exact.",
    };
    section(
        "Scores",
        &html! { (accuracy) },
        &html! {
            (table(&shown))
            div.plots { @for (name, described) in &shown { (histogram(name, described)) } }
        },
    )
}

fn table(shown: &[(&str, &NumberSummary)]) -> DataTable {
    let quantiles = shown
        .first()
        .map_or(&[][..], |(_, described)| &described.quantiles.quantiles);
    let names = quantiles.iter().map(|(share, _)| match *share {
        0.5 => "median".to_owned(),
        share => round_percent(share),
    });
    let head = ["score", "records", "mean", "std dev", "min"]
        .map(str::to_owned)
        .into_iter();
    let head = head.chain(names).chain(["max".to_owned()]);
    let mut table = DataTable::new(1, head);
    for (name, described) in shown {
        let (moments, quantiles) = (&described.moments, &described.quantiles);
        let mut line = vec![(*name).to_owned(), count(moments.count)];
        line.extend([Some(moments.mean), Some(moments.stddev), quantiles.min].map(score));
        line.extend(quantiles.quantiles.iter().map(|(_, value)| score(*value)));
        line.push(score(quantiles.max));
        table.line(line);
    }
    table
}

/// A bin of a histogram, with its edges and the number of records in it.
struct HistogramBin {
    from: f64,
    to: f64,
    records: u64,
    /// Share of all records that are in this bin.
    share: f64,
    /// Number of significant digits that distinguish the edges.
    digits: i32,
}

impl HistogramBin {
    fn tooltip(&self) -> String {
        format!(
            "{} to {}: {}, {}",
            significant(self.from, self.digits),
            significant(self.to, self.digits),
            counted(self.records, "record"),
            percent(self.share)
        )
    }
}

fn histogram(name: &str, column: &NumberSummary) -> Markup {
    let Some(histogram) = &column.histogram else {
        return html! {};
    };
    let bins = bins(histogram, column.moments.count);
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else {
        return html! {};
    };
    let area = PlotArea::new(HEIGHT, 56.0, 12.0);
    let most = bins.iter().map(|bin| bin.records).max().unwrap_or(0);
    let x = Scale::even((first.from, last.to), area.across());
    let y = Scale::even((0.0, round_up(most.max(1) as f64, 4)), area.up());
    let mut whole = y.ticks(4);
    whole.retain(|tick| tick.fract() == 0.0);
    let plot = Plot::new(
        area,
        Axis::with_ticks(x, 5, name),
        Axis::new(y, labelled(&whole), "records"),
    );
    let figure = Figure {
        id: &format!("histogram-{name}"),
        title: &format!("Distribution of {name}"),
        caption: html! { "Number of records in each bin." },
        description: described(
            "Number of records by score.",
            bins.iter().map(HistogramBin::tooltip),
        ),
        height: HEIGHT,
        marks: bars(&plot, &bins, column),
        table: bin_table(&bins, histogram),
        open: false,
    };
    figure.render()
}

fn bars(plot: &Plot, bins: &[HistogramBin], column: &NumberSummary) -> Markup {
    let area = plot.area;
    let mean = plot.x.at(column.moments.mean);
    html! {
        (plot.axes())
        @for bin in bins {
            @if bin.records > 0 {
                @let (left, right) = (plot.x.at(bin.from), plot.x.at(bin.to));
                @let top = plot.y.at(bin.records as f64).min(area.bottom - 1.0);
                (bar("c0", (left + 0.7, top), (right - left - 1.4, area.bottom - top), &bin.tooltip()))
            }
        }
        @if column.moments.count > 0 {
            path.mean d={ "M" (Coord(mean)) " " (Coord(area.top - 4.0)) "V" (Coord(area.bottom)) } {}
            @let side = if mean > (area.left + area.right) / 2.0 { "note end" } else { "note" };
            @let x = if side == "note" { mean + 5.0 } else { mean - 5.0 };
            text class=(side) x=(Coord(x)) y=(Coord(area.top + 6.0)) { "mean " (score(column.moments.mean)) }
        }
    }
}

fn bin_table(bins: &[HistogramBin], all: &Bins) -> DataTable {
    let mut table = DataTable::new(0, ["from", "to", "records", "share"]);
    for bin in bins {
        table.line([
            significant(bin.from, bin.digits),
            significant(bin.to, bin.digits),
            count(bin.records),
            percent(bin.share),
        ]);
    }
    if all.under + all.over > 0 {
        table.note(format!(
            "{} below the first bin, and {} above the last.",
            counted(all.under, "record"),
            count(all.over)
        ));
    }
    table
}

fn bins(bins: &Bins, records: u64) -> Vec<HistogramBin> {
    let edges = bins.edges.iter().zip(bins.edges.iter().skip(1));
    let narrow = |(from, to): (&f64, &f64)| to - from < from.abs().max(to.abs()) / 50.0;
    let digits = if edges.clone().any(narrow) { 4 } else { 3 };
    let bins = edges.zip(&bins.counts);
    bins.map(|((from, to), count)| HistogramBin {
        from: *from,
        to: *to,
        records: *count,
        share: *count as f64 / records.max(1) as f64,
        digits,
    })
    .collect()
}
