//! Each column of the scores: described in a line, and drawn as a histogram.

use maud::{Markup, html};

use super::super::document::section;
use super::super::figure::{Figure, described};
use super::super::marks::{Frame, P, Ticks, axis_x, axis_y, bar};
use super::super::numbers::{count, counted, percent, round_percent, score, significant};
use super::super::scale::{Scale, round_up, tick_labels};
use super::super::table::Table;
use crate::aggregation::Bins;
use crate::plan::{Described, Plan, Summary};

pub(super) fn columns(plan: &Plan, summary: &Summary) -> Markup {
    let main = plan.scorer.columns()[plan.scorer.main()].name;
    // The main column first: it is what ranks and groups the records.
    let mut shown: Vec<(&str, &Described)> = Vec::new();
    for column in plan.scorer.columns() {
        if let Some(described) = summary.scores.get(column.name) {
            let place = if column.name == main { 0 } else { shown.len() };
            shown.insert(place, (column.name, described));
        }
    }
    section(
        "Scores",
        &html! {
            "Quantiles are within 0.4 % of the score; all other figures are exact."
        },
        &html! {
            (table(&shown))
            div.plots { @for (name, described) in &shown { (histogram(name, described)) } }
        },
    )
}

fn table(shown: &[(&str, &Described)]) -> Table {
    let quantiles = shown
        .first()
        .map_or(&[][..], |(_, described)| &described.quantiles.quantiles);
    let names = quantiles.iter().map(|(share, _)| match *share {
        0.5 => "median".to_owned(),
        share => round_percent(share),
    });
    let head = ["score", "records", "mean", "std dev", "least"]
        .map(str::to_owned)
        .into_iter();
    let head = head.chain(names).chain(["most".to_owned()]);
    let mut table = Table::new(1, head);
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

fn histogram(name: &str, column: &Described) -> Markup {
    let bins = &column.histogram;
    let frame = Frame::new(280.0, 56.0, 12.0);
    let most = bins.counts.iter().copied().max().unwrap_or(0);
    let (Some(&first), Some(&last)) = (bins.edges.first(), bins.edges.last()) else {
        return html! {};
    };
    let x = Scale::even((first, last), frame.across());
    let y = Scale::even((0.0, round_up(most.max(1) as f64, 4)), frame.up());
    let values: Vec<f64> = y
        .ticks(4)
        .into_iter()
        .filter(|tick| tick.fract() == 0.0)
        .collect();
    let y_ticks: Ticks = values.iter().copied().zip(tick_labels(&values)).collect();
    let values = x.ticks(5);
    let x_ticks: Ticks = values.iter().copied().zip(tick_labels(&values)).collect();
    let all = column.moments.count.max(1);
    let told = |from: f64, to: f64, records: u64| {
        let share = percent(records as f64 / all as f64);
        format!(
            "{} to {}: {}, {share}",
            significant(from, 3),
            significant(to, 3),
            counted(records, "record")
        )
    };
    let ranges: Vec<(f64, f64, u64)> = ranges(bins).collect();
    let mean = x.at(column.moments.mean);
    let marks = html! {
        (axis_y(frame, y, &y_ticks, "records"))
        (axis_x(frame, x, &x_ticks, name))
        @for (from, to, records) in &ranges {
            @if *records > 0 {
                @let (left, right) = (x.at(*from), x.at(*to));
                @let top = y.at(*records as f64).min(frame.bottom - 1.0);
                (bar("c0", (left + 0.7, top), (right - left - 1.4, frame.bottom - top), &told(*from, *to, *records)))
            }
        }
        @if column.moments.count > 0 {
            path.mean d={ "M" (P(mean)) " " (P(frame.top - 4.0)) "V" (P(frame.bottom)) } {}
            @let side = if mean > (frame.left + frame.right) / 2.0 { "note end" } else { "note" };
            @let x = if side == "note" { mean + 5.0 } else { mean - 5.0 };
            text class=(side) x=(P(x)) y=(P(frame.top + 6.0)) { "mean " (score(column.moments.mean)) }
        }
    };
    let mut table = Table::new(0, ["from", "to", "records", "of all"]);
    for (from, to, records) in &ranges {
        let share = percent(*records as f64 / all as f64);
        table.line([
            significant(*from, 3),
            significant(*to, 3),
            count(*records),
            share,
        ]);
    }
    if bins.under + bins.over > 0 {
        table.note(format!(
            "{} below and {} above.",
            counted(bins.under, "record"),
            count(bins.over)
        ));
    }
    let figure = Figure {
        id: &format!("histogram-{name}"),
        title: &format!("How {name} is distributed"),
        caption: html! { "How many records have a score in each bin." },
        description: described(
            "Records by score.",
            ranges
                .iter()
                .map(|(from, to, records)| told(*from, *to, *records)),
        ),
        height: 280.0,
        marks,
        table,
        open: false,
    };
    html! { (figure) }
}

/// Each bin: from where to where, and how many records.
fn ranges(bins: &Bins) -> impl Iterator<Item = (f64, f64, u64)> {
    let edges = bins.edges.iter().zip(bins.edges.iter().skip(1));
    edges
        .zip(&bins.counts)
        .map(|((from, to), records)| (*from, *to, *records))
}
