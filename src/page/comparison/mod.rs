//! The page of a comparison. It shows the verdict, the times, how they scale, what limits the speed-up, what speed-up
//! more cores would bring, and every turn.

mod against;
mod drift;
mod efficiency;
mod intervals;
mod layout;
mod losses;
mod method;
mod prospects;
mod records;
mod scaling;
mod threads;
mod timelines;
mod times;
mod turns;

use maud::{Markup, html};

use super::document::{document, section, tile};
use super::machine::{machine, warnings};
use super::numbers::{bytes, count, counted, percent, time, times as multiple};
use super::quoted::{plain, quoted, sentence};
use crate::measure::{Comparison, Measurement};
use layout::{PageLayout, interval};

/// Largest size of a page, in bytes.
const MAX_BYTES: usize = 149_000;

pub(super) fn page(comparison: &Comparison) -> String {
    // While the page is larger than `MAX_BYTES`, it is made again with fewer lines, points and figures.
    let mut page = String::new();
    for shrink in [1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0, 32.0, 64.0] {
        page = page_with(comparison, shrink).into_string();
        if page.len() <= MAX_BYTES {
            break;
        }
    }
    page
}

fn page_with(comparison: &Comparison, shrink: f64) -> Markup {
    let layout = &PageLayout::new(comparison, shrink);
    let name = &comparison.workload.name;
    let title = format!("{} – manyhands bench", plain(name));
    let sections = html! {
        (warnings(&comparison.warnings))
        @if comparison.agrees() && !comparison.measurements.is_empty() { (measured(comparison, layout)) }
        @else { (disagreements(comparison)) }
        (section("How it was measured", &html! {}, &method::method(comparison)))
        (section("Machine", &html! { (quoted(&comparison.machine)) }, &machine(&comparison.machine, Some(&comparison.meanwhile))))
        @if !comparison.measurements.is_empty() {
            (section("Every turn", &html! {}, &turns::turns(comparison, layout)))
        }
    };
    let foot = html! {
        p { "Digest of the answer: " code { (quoted(&comparison.workload.digest)) } }
        p { "Written by manyhands " (quoted(&comparison.machine.version))
            ", layout " (comparison.schema) " of " code { "bench --json" } "." }
    };
    document(&title, &headline(comparison), &sections, &foot)
}

fn headline(comparison: &Comparison) -> Markup {
    let workload = &comparison.workload;
    let failed = match workload.failed {
        0 => String::new(),
        failed => format!(", {} of them failed", count(failed)),
    };
    let skipped = match workload.skipped {
        0 => String::new(),
        skipped => format!(", {} of them skipped", count(skipped)),
    };
    let size = workload
        .bytes
        .map_or(String::new(), |size| format!(", {}", bytes(size as f64)));
    html! {
        p.eyebrow { "manyhands bench · " (quoted(&comparison.began)) }
        h1 { (quoted(&workload.name)) }
        p.of { (counted(workload.records, "record")) (failed) (skipped) (size) }
        p.verdict.wrong[!comparison.agrees()] { (sentence(comparison.verdict())) }
        @if comparison.agrees() && let Some(fastest) = comparison.fastest() {
            dl.tiles { (tiles(comparison, fastest)) }
        }
    }
}

/// Shows the most important numbers in large type.
fn tiles(comparison: &Comparison, fastest: &Measurement) -> Markup {
    let name = format!("{} on {}", plain(&fastest.executor), threads_of(fastest));
    let at_best = comparison.highest_ceiling(fastest.threads);
    let configurations = comparison.measurements.len();
    html! {
        (tile(&html! { (multiple(fastest.speed_up.value)) }, "speed-up of the fastest",
            &format!("{}, {name}", interval(fastest.speed_up))))
        @if let Some(best) = at_best.filter(|_| fastest.threads > 1) {
            (tile(&html! { (multiple(best.value)) }, "ceiling of this machine",
                &format!("{} with {}", interval(best), threads_of(fastest))))
        }
        (tile(&html! { (time(fastest.wall.median)) }, "time of the fastest", &match comparison.sequential() {
            Some(base) => format!("sequential takes {}", time(base.wall.median)),
            None => String::new(),
        }))
        (tile(&html! { (percent(fastest.efficiency.value)) }, "efficiency of the fastest", "speed-up per thread"))
        (tile(&html! { (comparison.settings.rounds) }, "rounds",
            &format!("of {} each, in {}", counted(configurations as u64, "configuration"), time(comparison.took.as_secs_f64()))))
    }
}

/// Makes the sections that are shown only if all executors gave the same answer.
fn measured(comparison: &Comparison, layout: &PageLayout<'_>) -> Markup {
    let analysis = &comparison.analysis;
    html! {
        (section("Times", &html! {
            "How long a run takes in each configuration (an executor with a number of threads), and how much that varies. "
            "Intervals have "
            (percent(comparison.settings.confidence)) " confidence."
        }, &html! {
            div.plots { (times::plot(comparison, layout)) (drift::drift(comparison, layout)) }
            (times::table(comparison, layout))
        }))
        @if comparison.measurements.len() > 1 {
            (section("How it scales", &costs(comparison), &html! {
                div.plots { (scaling::speed_up(comparison, layout)) (efficiency::efficiency(comparison, layout)) }
            }))
        }
        @if !analysis.losses.is_empty() || !analysis.timelines.is_empty() || analysis.records.is_some() {
            (section("What limits the speed-up", &html! {
                "Where the time of the threads went, when each worker was at work, and how long the records take."
            }, &html! { div.plots {
                (losses::losses(&analysis.losses, layout))
                (records::records(analysis, layout))
                (timelines::timelines(comparison, layout))
            } }))
        }
        (prospects::prospects(comparison, layout))
        @if let Some(against) = &comparison.baseline { (against::against(against, layout)) }
    }
}

/// Shows for each executor the smallest number of threads with which it is faster than `sequential`.
fn costs(comparison: &Comparison) -> Markup {
    html! {
        "COST is the least number of threads that is faster than " b { "sequential" } ", a plain loop. "
        @for cost in &comparison.costs {
            (quoted(&cost.executor))
            @match cost.threads {
                Some(threads) => { " is faster from " (super::figure::threads(threads)) " on. " }
                None => { " is never faster. " }
            }
        }
    }
}

fn disagreements(comparison: &Comparison) -> Markup {
    html! {
        @if !comparison.disagreements.is_empty() {
            (section("Answers that differ", &html! {
                "No times are reported, because they would be times of wrong answers. Sequential answered "
                code { (quoted(&comparison.workload.digest)) } "."
            }, &html! { ul {
                @for answer in comparison.disagreements.iter().take(50) { li {
                    (quoted(&answer.executor)) " on " (super::figure::threads(answer.threads)) " answered "
                    code { (quoted(&answer.digest)) }
                    @match answer.round {
                        Some(round) => { " in round " (round + 1) }
                        None => { " before the first round" }
                    }
                } }
            } }))
        }
    }
}

fn threads_of(measurement: &Measurement) -> String {
    super::figure::threads(measurement.threads)
}
