//! Shows how the run went: what its time depended on, what the workers did, and which records were slowest.

use maud::{Markup, Render as _, html};

use super::super::axis::Axis;
use super::super::document::section;
use super::super::figure::{Figure, legend};
use super::super::gantt::Gantt;
use super::super::marks::{Coord, PlotArea, bar};
use super::super::numbers::{count, percent, time};
use super::super::quoted::{quoted, sentence};
use super::super::table::DataTable;
use super::calls::calls;
use crate::plan::Answer;
use crate::report::{Shares, Timing};

/// Largest number of workers that the table lists.
const WORKERS: usize = 64;

pub(super) fn run(answer: &Answer) -> Markup {
    let timing = &answer.report.timing;
    let lead = html! {
        (sentence(answer.explanation())) "."
        @if let Some(cpu) = timing.cpu { " It took " (time(cpu.as_secs_f64())) " of processor time." }
    };
    section(
        "The run",
        &lead,
        &html! {
            @if !answer.shards.is_empty() {
                (shards(answer))
            }
            @if let Some(of_service) = &answer.calls {
                (calls(of_service))
            } @else if answer.shards.is_empty() && !timing.wall.is_zero() && !timing.workers.is_empty() {
                div.plots { (shares(&timing.shares())) (workers(timing)) }
            }
            (slowest(timing))
        },
    )
}

/// Lists the shards of a merged answer.
fn shards(answer: &Answer) -> Markup {
    let mut table = DataTable::new(1, ["shard", "records", "time", "processor time"]);
    for one in answer.shards.iter().take(WORKERS) {
        let cpu = one
            .cpu
            .map_or("–".to_owned(), |cpu| time(cpu.as_secs_f64()));
        table.line([
            one.shard.to_string(),
            count(one.records),
            time(one.wall.as_secs_f64()),
            cpu,
        ]);
    }
    if answer.shards.len() > WORKERS {
        let more = answer.shards.len() - WORKERS;
        table.note(format!("{more} more shards are not shown."));
    }
    html! { h3 { "The shards" } (table) }
}

/// Combines the nine kinds of time into five groups. Returns for each group the class of its colour, its name, and
/// its share of the time.
fn kinds(shares: &Shares) -> [(&'static str, &'static str, f64); 5] {
    [
        ("p0", "scoring", shares.scoring),
        ("p1", "input", shares.input),
        (
            "p2",
            "waiting for others",
            shares.paused + shares.imbalance + shares.beginning + shares.ending,
        ),
        (
            "p3",
            "handling scores and limits",
            shares.handling + shares.limited,
        ),
        ("p4", "waiting for a core", shares.preempted),
    ]
}

fn shares(shares: &Shares) -> Markup {
    let kinds = kinds(shares);
    let area = PlotArea {
        left: 8.0,
        right: 468.0,
        top: 8.0,
        bottom: 52.0,
    };
    let x = Axis::shares((area.left, area.right), "share of worker time");
    let mut from = 0.0;
    let placed = kinds.map(|(class, name, share)| {
        let left = x.at(from);
        from += share * 100.0;
        (class, name, share, left, x.at(from))
    });
    let marks = html! {
        @for (class, name, share, left, right) in placed {
            @if right - left > 0.2 {
                (bar(class, (left, 12.0), (right - left, 34.0), &format!("{name}: {}", percent(share))))
                @if share > 0.1 {
                    text.in.mid x=(Coord((left + right) / 2.0)) y="34" { (percent(share)) }
                }
            }
        }
        (x.draw_below(area))
    };
    let mut table = DataTable::new(1, ["kind of time", "share"]);
    for (name, share) in shares.named() {
        table.line([name.to_owned(), percent(share)]);
    }
    let parts = kinds.map(|(_, name, share)| format!("{name} {}", percent(share)));
    let figure = Figure {
        id: "shares",
        title: "Where the workers’ time went",
        caption: legend(kinds.map(|(class, name, _)| (class.to_owned(), name))),
        description: parts.join(", "),
        height: 98.0,
        marks,
        table,
        open: false,
    };
    figure.render()
}

fn workers(timing: &Timing) -> Markup {
    let spans: Vec<Vec<(f64, f64)>> = timing
        .workers
        .iter()
        .map(|worker| {
            let span = (worker.from.as_secs_f64(), worker.until.as_secs_f64());
            worker.began().then_some(span).into_iter().collect()
        })
        .collect();
    let gantt = Gantt::new(&spans, timing.wall.as_secs_f64(), "c0", 1.0);
    let mut table = DataTable::new(0, ["worker", "records", "began", "ended", "busy", "share"]);
    for (number, worker) in timing.workers.iter().enumerate().take(WORKERS) {
        let [from, until, busy] =
            [worker.from, worker.until, worker.busy].map(|at| time(at.as_secs_f64()));
        let share = percent(worker.share(timing.wall));
        table.line([
            number.to_string(),
            count(worker.records),
            from,
            until,
            busy,
            share,
        ]);
    }
    if timing.workers.len() > WORKERS {
        table.note(format!(
            "{} more workers are not shown.",
            timing.workers.len() - WORKERS
        ));
    }
    let figure = Figure {
        id: "workers",
        title: "When each worker was active",
        caption: html! { "Each lane spans from the first to the last record of a worker. On average, the workers were busy for " (percent(timing.utilisation())) " of the run." },
        description: format!("One lane for each of {} workers.", gantt.shown.len()),
        height: gantt.height(),
        marks: gantt.draw(),
        table,
        open: false,
    };
    figure.render()
}

fn slowest(timing: &Timing) -> Markup {
    if timing.slowest.is_empty() {
        return html! {};
    }
    let mut table = DataTable::new(1, ["where", "record", "time", ""]);
    for slow in &timing.slowest {
        // Records that were timed as a group have one common time, so the slow record may be any record of the group.
        let group = match slow.records {
            0 | 1 => String::new(),
            2 => "or the next".to_owned(),
            several => format!("or one of the next {}", several - 1),
        };
        table.line([
            slow.place.as_ref().map_or(html! { "–" }, quoted),
            html! { (count(slow.index + 1)) },
            html! { (time(slow.time.as_secs_f64())) },
            html! { (group) },
        ]);
    }
    html! { h3 { "The slowest records" } (table) }
}
