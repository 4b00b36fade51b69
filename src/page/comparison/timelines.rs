//! Shows when each worker was busy, in one run of each executor with its largest number of threads.

use std::time::Duration;

use maud::{Markup, Render as _, html};

use super::super::figure::{Figure, threads};
use super::super::gantt::Gantt;
use super::super::numbers::{percent, time};
use super::super::quoted::{plain, quoted};
use super::super::table::DataTable;
use super::layout::PageLayout;
use crate::measure::{Comparison, Timeline};

/// Largest number of executors that are drawn. If there are more, the first executors are drawn.
const EXECUTORS: usize = 4;

pub(super) fn timelines(comparison: &Comparison, layout: &PageLayout<'_>) -> Markup {
    let executors = layout.executors.iter().take(EXECUTORS);
    let shown = executors.filter_map(|name| {
        let all = comparison.analysis.timelines.iter();
        let own = all.filter(|timeline| timeline.executor == *name && !timeline.wall.is_zero());
        own.max_by_key(|timeline| timeline.threads)
    });
    html! { @for (index, one) in shown.enumerate() { (timeline(one, index, layout)) } }
}

fn timeline(timeline: &Timeline, index: usize, layout: &PageLayout<'_>) -> Markup {
    let class = layout.class(&timeline.executor);
    let seconds = |span: &(Duration, Duration)| (span.0.as_secs_f64(), span.1.as_secs_f64());
    let spans = |spans: &Vec<_>| spans.iter().map(seconds).collect();
    let workers: Vec<Vec<_>> = timeline.workers.iter().map(spans).collect();
    let wall = timeline.wall.as_secs_f64();
    let gantt = Gantt::new(&workers, wall, class, layout.shrink);
    let figure = Figure {
        id: &format!("timeline-{index}"),
        title: &format!("Workers of {}", plain(&timeline.executor)),
        caption: html! {
            "One run of " (quoted(&timeline.executor)) " on " (threads(timeline.threads)) ", which took "
            (time(wall)) ". The workers were at work for " (percent(gantt.busy())) " of the time. "
            "Gaps below " (time(gantt.gap)) " are not drawn."
        },
        description: format!(
            "One lane for each of {} workers, with the spans of time in which it was at work: {} in all.",
            gantt.shown.len(),
            percent(gantt.busy())
        ),
        height: gantt.height(),
        marks: gantt.draw(),
        table: table(timeline, &gantt, layout),
        open: false,
    };
    figure.render()
}

fn table(timeline: &Timeline, gantt: &Gantt, layout: &PageLayout<'_>) -> DataTable {
    let mut table = DataTable::new(0, ["worker", "began", "ended", "at work"]);
    let step = gantt.shown.len().div_ceil(layout.most(32));
    for &worker in gantt.shown.iter().step_by(step.max(1)) {
        let spans = &timeline.workers[worker];
        let at = |moment: Option<Duration>| {
            moment.map_or("–".to_owned(), |moment| time(moment.as_secs_f64()))
        };
        let began = at(spans.first().map(|span| span.0));
        let ended = at(spans.last().map(|span| span.1));
        let work: Duration = spans
            .iter()
            .map(|&(from, to)| to.saturating_sub(from))
            .sum();
        let share = percent(work.div_duration_f64(timeline.wall));
        table.line([worker.to_string(), began, ended, share]);
    }
    if step > 1 || gantt.shown.len() < timeline.workers.len() {
        table.note("Only some of the workers are listed.");
    }
    table
}
