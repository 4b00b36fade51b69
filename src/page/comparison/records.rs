//! What the records take: how many are how dear, and how much of the time is in them.

use maud::{Markup, html};

use super::super::figure::{Figure, described, legend};
use super::super::marks::{Frame, P, Ticks, axis_x, axis_y};
use super::super::numbers::{counted, percent, round_time, time};
use super::super::scale::{Scale, round_up, tick_labels};
use super::super::table::Table;
use super::Cast;
use crate::measure::{RecordTimes, Why};

/// Bins beyond so many are drawn together.
const BINS: usize = 40;

/// A bin: from where to where, the share of the records in it, and of the time.
struct Bin {
    from: f64,
    to: f64,
    records: u64,
    of_records: f64,
    of_time: f64,
}

fn bins(times: &RecordTimes) -> Vec<Bin> {
    // Edges are powers of the square root of two; a record is taken to cost the middle of its bin.
    let width = std::f64::consts::SQRT_2;
    let together = times.histogram.len().div_ceil(BINS).max(1);
    let cost = |(from, records): &(f64, u64)| from * width.sqrt() * *records as f64;
    let all: u64 = times.histogram.iter().map(|(_, records)| records).sum();
    let work: f64 = times.histogram.iter().map(cost).sum();
    let bin = |bins: &[(f64, u64)]| {
        let records: u64 = bins.iter().map(|(_, records)| records).sum();
        Bin {
            from: bins[0].0,
            to: bins[bins.len() - 1].0 * width,
            records,
            of_records: records as f64 / all.max(1) as f64,
            of_time: bins.iter().map(cost).sum::<f64>() / work.max(f64::MIN_POSITIVE),
        }
    };
    times.histogram.chunks(together).map(bin).collect()
}

pub(super) fn records(why: &Why, cast: &Cast<'_>) -> Markup {
    let Some(times) = why
        .records
        .as_ref()
        .filter(|times| !times.histogram.is_empty())
    else {
        return html! {};
    };
    let bins = bins(times);
    let (first, last) = (bins[0].from, bins[bins.len() - 1].to);
    let frame = Frame::new(300.0, 48.0, 12.0);
    let x = Scale::logarithmic((first, last), frame.across());
    let most = bins.iter().map(|bin| bin.of_records.max(bin.of_time));
    let most = most.fold(0.0, f64::max);
    let y = Scale::even((0.0, round_up(most * 100.0, 4)), frame.up());
    let values = y.ticks(4);
    let y_ticks: Ticks = values
        .iter()
        .copied()
        .zip(tick_labels(&values).into_iter().map(|label| label + " %"))
        .collect();
    let x_ticks = x.ticks(5).into_iter();
    let x_ticks: Ticks = x_ticks.map(|tick| (tick, round_time(tick))).collect();
    let told = |bin: &Bin| {
        let range = format!("{} to {}", time(bin.from), time(bin.to));
        let records = counted(bin.records, "record");
        format!(
            "{range}: {records}, {} of all and {} of the time",
            percent(bin.of_records),
            percent(bin.of_time)
        )
    };
    let marks = html! {
        (axis_y(frame, y, &y_ticks, "share"))
        (axis_x(frame, x, &x_ticks, "time of a record"))
        @for bin in &bins {
            @let (left, right) = (x.at(bin.from), x.at(bin.to));
            @let half = (right - left) / 2.0;
            g {
                title { (told(bin)) }
                @for (class, share, left) in [("c0", bin.of_records, left), ("c1", bin.of_time, left + half)] {
                    @if share > 0.0 {
                        @let top = y.at(share * 100.0).min(frame.bottom - 1.0);
                        path.bar.(class) d={
                            "M" (P(left + 0.5)) " " (P(frame.bottom)) "V" (P(top)) "h" (P(half - 0.8))
                            "V" (P(frame.bottom)) "z"
                        } {}
                    }
                }
            }
        }
    };
    let mut table = Table::new(0, ["from", "to", "records", "of all", "of the time"]);
    for bin in &bins {
        table.line([
            time(bin.from),
            time(bin.to),
            super::count(bin.records),
            percent(bin.of_records),
            percent(bin.of_time),
        ]);
    }
    table.keep(cast.most(48));
    table.note("The time of a bin is taken to be its middle for each record.");
    let figure = Figure {
        id: "records",
        title: "What the records take",
        caption: html! {
            "All together " (time(times.work)) ", the longest " (time(times.span)) " (record "
            (super::count(times.longest + 1)) "). The dearest hundredth hold "
            (percent(times.dearest_hundredth)) " of the time."
            (legend([("c0".to_owned(), "share of the records"), ("c1".to_owned(), "share of the time")]))
        },
        description: described("How many records take how long.", bins.iter().map(told)),
        height: 300.0,
        marks,
        table,
        open: false,
    };
    html! { (figure) }
}
