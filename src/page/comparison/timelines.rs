//! When each worker was at work, in one run of each executor with the most threads.

use maud::{Markup, html};

use super::super::figure::{Figure, threads};
use super::super::lanes::Lanes;
use super::super::numbers::{percent, time};
use super::super::quoted::{plain, quoted};
use super::super::table::Table;
use super::Cast;
use crate::measure::{Comparison, Timeline};

/// So many executors are drawn at most, those first named.
const EXECUTORS: usize = 4;

pub(super) fn timelines(comparison: &Comparison, cast: &Cast<'_>) -> Markup {
    let shown = cast.names.iter().take(EXECUTORS).filter_map(|name| {
        let all = comparison.why.timelines.iter();
        let these = all.filter(|one| one.executor == *name && one.wall > 0.0);
        these.max_by_key(|one| one.threads)
    });
    html! { @for (place, one) in shown.enumerate() { (timeline(one, place, cast)) } }
}

fn timeline(one: &Timeline, place: usize, cast: &Cast<'_>) -> Markup {
    let class = cast.class(&one.executor);
    let lanes = Lanes::new(&one.workers, one.wall, class, cast.less);
    let name = format!("Workers of {}", plain(&one.executor));
    let mut table = Table::new(0, ["worker", "began", "ended", "at work"]);
    let step = lanes.shown.len().div_ceil(cast.most(32));
    for &worker in lanes.shown.iter().step_by(step.max(1)) {
        let spans = &one.workers[worker];
        let began = spans.first().map_or("–".to_owned(), |span| time(span.0));
        let ended = spans.last().map_or("–".to_owned(), |span| time(span.1));
        let work: f64 = spans.iter().map(|(from, to)| to - from).sum();
        table.line([worker.to_string(), began, ended, percent(work / one.wall)]);
    }
    if step > 1 || lanes.shown.len() < one.workers.len() {
        table.note("Workers in between are left out.");
    }
    let figure = Figure {
        id: &format!("timeline-{place}"),
        title: &name,
        caption: html! {
            "One run of " (quoted(&one.executor)) " on " (threads(one.threads)) " in " (time(one.wall))
            ": at work " (percent(lanes.busy())) " of the time. Gaps under " (time(lanes.gap)) " are not drawn."
        },
        description: format!(
            "A lane for each of {} workers, with the spans of time it was at work in; {} in all.",
            lanes.shown.len(),
            percent(lanes.busy())
        ),
        height: lanes.height(),
        marks: lanes.draw(),
        table,
        open: false,
    };
    html! { (figure) }
}
