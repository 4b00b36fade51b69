//! How the run went: what decided its time, what the workers did, the slowest records.

use maud::{Markup, Render as _, html};

use super::super::document::section;
use super::super::figure::{Figure, legend};
use super::super::lanes::Lanes;
use super::super::marks::{Frame, P, Ticks, axis_x, bar};
use super::super::numbers::{count, percent, time};
use super::super::quoted::{quoted, sentence};
use super::super::scale::Scale;
use super::super::table::Table;
use crate::plan::Answer;
use crate::report::{Shares, Timing};

/// More workers than this are left out of the table.
const WORKERS: usize = 64;

pub(super) fn run(answer: &Answer) -> Markup {
    let timing = &answer.report.timing;
    let lead = html! {
        (sentence(answer.report.explanation())) "."
        @if let Some(cpu) = timing.cpu { " It took " (time(cpu.as_secs_f64())) " of processor time." }
    };
    section(
        "The run",
        &lead,
        &html! {
            @if !timing.wall.is_zero() && !timing.workers.is_empty() {
                div.plots { (shares(&timing.shares())) (workers(timing)) }
            }
            (slowest(timing))
        },
    )
}

/// What the workers' time went into: of nine kinds, those alike together.
fn kinds(shares: &Shares) -> [(&'static str, &'static str, f64); 5] {
    [
        ("p0", "scoring", shares.scoring),
        ("p1", "input", shares.input),
        (
            "p2",
            "waiting for others",
            shares.resting + shares.imbalance + shares.beginning + shares.ending,
        ),
        (
            "p3",
            "handling scores, limits",
            shares.handling + shares.limited,
        ),
        ("p4", "without a core", shares.preempted),
    ]
}

fn shares(shares: &Shares) -> Markup {
    let kinds = kinds(shares);
    let frame = Frame {
        left: 8.0,
        right: 468.0,
        top: 8.0,
        bottom: 52.0,
    };
    let scale = Scale::even((0.0, 100.0), (frame.left, frame.right));
    let ticks: Ticks = [0.0, 25.0, 50.0, 75.0, 100.0]
        .map(|value| (value, format!("{value:.0} %")))
        .into();
    let mut from = 0.0;
    let placed = kinds.map(|(class, name, share)| {
        let left = scale.at(from);
        from += share * 100.0;
        (class, name, share, left, scale.at(from))
    });
    let marks = html! {
        @for (class, name, share, left, right) in placed {
            @if right - left > 0.2 {
                (bar(class, (left, 12.0), (right - left, 34.0), &format!("{name}: {}", percent(share))))
                @if share > 0.1 {
                    text.in.mid x=(P((left + right) / 2.0)) y="34" { (percent(share)) }
                }
            }
        }
        (axis_x(frame, scale, &ticks, "share of workers × time"))
    };
    let mut table = Table::new(1, ["the workers’ time", "share"]);
    for (name, share) in shares.named() {
        table.line([name.to_owned(), percent(share)]);
    }
    let told = kinds.map(|(_, name, share)| format!("{name} {}", percent(share)));
    let figure = Figure {
        id: "shares",
        title: "Where the workers’ time went",
        caption: legend(kinds.map(|(class, name, _)| (class.to_owned(), name))),
        description: told.join(", "),
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
        .map(|one| {
            let span = (one.from.as_secs_f64(), one.until.as_secs_f64());
            one.began().then_some(span).into_iter().collect()
        })
        .collect();
    let lanes = Lanes::new(&spans, timing.wall.as_secs_f64(), "c0", 1.0);
    let mut table = Table::new(0, ["worker", "records", "began", "ended", "busy", "share"]);
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
            "{} more are left out.",
            timing.workers.len() - WORKERS
        ));
    }
    let figure = Figure {
        id: "workers",
        title: "When each worker was there",
        caption: html! { "From its first record to its last. Busy on average: " (percent(timing.utilisation())) " of the run." },
        description: format!("A lane for each of {} workers.", lanes.shown.len()),
        height: lanes.height(),
        marks: lanes.draw(),
        table,
        open: false,
    };
    figure.render()
}

fn slowest(timing: &Timing) -> Markup {
    if timing.slowest.is_empty() {
        return html! {};
    }
    let mut table = Table::new(1, ["where", "record", "time", ""]);
    for slow in &timing.slowest {
        let together = match slow.records {
            0 | 1 => String::new(),
            2 => "or the next".to_owned(),
            several => format!("or one of the next {}", several - 1),
        };
        table.line([
            slow.place.as_ref().map_or(html! { "–" }, quoted),
            html! { (count(slow.index + 1)) },
            html! { (time(slow.time.as_secs_f64())) },
            html! { (together) },
        ]);
    }
    html! { h3 { "The slowest records" } (table) }
}
