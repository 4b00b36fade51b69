//! The page of a comparison: verdict, times, scaling, why not better, what more cores would bring, how
//! steady it was, and every turn.

mod against;
mod drift;
mod efficiency;
mod levels;
mod losses;
mod method;
mod prospects;
mod records;
mod scaling;
mod timelines;
mod times;
mod turns;

use maud::{Markup, html};

use super::document::{document, section, tile};
use super::machine::{machine, warnings};
use super::numbers::{bytes, count, counted, percent, significant, time, times as multiple};
use super::quoted::{plain, quoted, sentence};
use crate::measure::{Cell, Comparison, Estimate};

/// A page may take so many bytes.
const MOST: usize = 149_000;

pub(super) fn page(comparison: &Comparison) -> String {
    // Where there is too much of everything, less of everything is told until it fits.
    let mut page = String::new();
    for less in [1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0, 32.0, 64.0] {
        page = page_with(comparison, less).into_string();
        if page.len() <= MOST {
            break;
        }
    }
    page
}

fn page_with(comparison: &Comparison, less: f64) -> Markup {
    let cast = &Cast::of(comparison, less);
    let name = &comparison.workload.name;
    let title = format!("{} – manyhands bench", plain(name));
    let sections = html! {
        (warnings(&comparison.warnings))
        @if comparison.agrees() && !comparison.cells.is_empty() { (measured(comparison, cast)) }
        @else { (disagreements(comparison)) }
        (section("How it was measured", &html! {}, &method::method(comparison)))
        (section("Machine", &html! { (quoted(&comparison.machine)) }, &machine(&comparison.machine, Some(&comparison.meanwhile))))
        @if !comparison.cells.is_empty() {
            (section("Every turn", &html! {}, &turns::turns(comparison, cast)))
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
        failed => format!(", {} of which cannot be scored", count(failed)),
    };
    let size = workload
        .bytes
        .map_or(String::new(), |size| format!(", {}", bytes(size as f64)));
    html! {
        p.eyebrow { "manyhands bench · " (quoted(&comparison.began)) }
        h1 { (quoted(&workload.name)) }
        p.of { (counted(workload.records, "record")) (failed) (size) }
        p.verdict.wrong[!comparison.agrees()] { (sentence(comparison.verdict())) }
        @if comparison.agrees() && let Some(fastest) = comparison.fastest() {
            dl.tiles { (tiles(comparison, fastest)) }
        }
    }
}

/// The four numbers that matter most.
fn tiles(comparison: &Comparison, fastest: &Cell) -> Markup {
    let name = format!("{} on {}", plain(&fastest.executor), threads_of(fastest));
    let at_best = comparison.best_here(fastest.threads);
    let cells = comparison.cells.len();
    html! {
        (tile(&html! { (multiple(fastest.speed_up.value)) }, "speed-up of the fastest",
            &format!("{}, {name}", interval(fastest.speed_up))))
        @if let Some(best) = at_best.filter(|_| fastest.threads > 1) {
            (tile(&html! { (multiple(best.value)) }, "this machine at best",
                &format!("{} with {}", interval(best), threads_of(fastest))))
        }
        (tile(&html! { (time(fastest.wall.median)) }, "time of the fastest", &match comparison.sequential() {
            Some(base) => format!("sequential takes {}", time(base.wall.median)),
            None => String::new(),
        }))
        (tile(&html! { (percent(fastest.efficiency.value)) }, "its efficiency", "speed-up for each thread"))
        (tile(&html! { (comparison.settings.rounds) }, "rounds",
            &format!("of {} each, in {}", counted(cells as u64, "cell"), time(comparison.took))))
    }
}

/// What is told where all answers are the same.
fn measured(comparison: &Comparison, cast: &Cast<'_>) -> Markup {
    let why = &comparison.why;
    html! {
        (section("Times", &html! {
            "How long one run takes, and how steady that was; intervals with "
            (percent(comparison.settings.confidence)) " confidence."
        }, &html! {
            div.plots { (times::plot(comparison, cast)) (drift::drift(comparison, cast)) }
            (times::table(comparison, cast))
        }))
        @if comparison.cells.len() > 1 {
            (section("How it scales", &costs(comparison), &html! {
                div.plots { (scaling::speed_up(comparison, cast)) (efficiency::efficiency(comparison, cast)) }
            }))
        }
        @if !why.losses.is_empty() || !why.timelines.is_empty() || why.records.is_some() {
            (section("Why not better", &html! {
                "Where the threads’ time went, when each worker was at work, and what the records take."
            }, &html! { div.plots {
                (losses::losses(&why.losses, cast))
                (records::records(why, cast))
                (timelines::timelines(comparison, cast))
            } }))
        }
        (prospects::prospects(comparison, cast))
        @if let Some(against) = &comparison.against { (against::against(against, cast)) }
    }
}

/// The least number of threads that beats `sequential`, for each executor.
fn costs(comparison: &Comparison) -> Markup {
    html! {
        "Compared with " b { "sequential" } ", a plain loop (COST: the least number of threads that beats it). "
        @for cost in &comparison.costs {
            (quoted(&cost.executor))
            @match cost.threads {
                Some(threads) => { " beats it from " (super::figure::threads(threads)) " on. " }
                None => { " never beats it. " }
            }
        }
    }
}

fn disagreements(comparison: &Comparison) -> Markup {
    html! {
        @if !comparison.disagreements.is_empty() {
            (section("Answers that differ", &html! {
                "Of wrong answers no times are told. Sequential answered "
                code { (quoted(&comparison.workload.digest)) } "."
            }, &html! { ul {
                @for one in comparison.disagreements.iter().take(50) { li {
                    (quoted(&one.executor)) " on " (super::figure::threads(one.threads)) " answered "
                    code { (quoted(&one.digest)) }
                    @match one.round {
                        Some(round) => { " in round " (round + 1) }
                        None => { " before the first round" }
                    }
                } }
            } }))
        }
    }
}

fn threads_of(cell: &Cell) -> String {
    super::figure::threads(cell.threads)
}

fn interval(estimate: Estimate) -> String {
    format!(
        "{} to {}",
        significant(estimate.low, 3),
        significant(estimate.high, 3)
    )
}

/// Which series each executor is: in all plots the same colour and the same marker. And how much of it
/// there is room for.
struct Cast<'a> {
    names: Vec<&'a str>,
    /// So many times less than usual is shown.
    less: f64,
}

impl<'a> Cast<'a> {
    fn of(comparison: &'a Comparison, less: f64) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for cell in comparison.cells.iter().skip(1) {
            if !names.contains(&cell.executor.as_str()) {
                names.push(&cell.executor);
            }
        }
        Cast { names, less }
    }

    /// How many to show where usually so many are.
    fn most(&self, usual: usize) -> usize {
        ((usual as f64 / self.less) as usize).max(1)
    }

    /// Which of the points of a line have a marker: all of a few, evenly chosen ones of many.
    fn marked(&self, points: usize) -> impl Iterator<Item = usize> + use<> {
        let every = points.div_ceil(16).max(1);
        (0..points).filter(move |place| (points - 1 - place).is_multiple_of(every))
    }

    /// The series of an executor; that of the base is none of them.
    fn series(&self, executor: &str) -> Option<usize> {
        self.names.iter().position(|name| *name == executor)
    }

    fn class(&self, executor: &str) -> String {
        let series = self.series(executor);
        series.map_or_else(|| "base".to_owned(), super::marks::class)
    }

    /// Each executor with its series, and its cells.
    fn each<'c>(
        &'c self,
        comparison: &'c Comparison,
    ) -> impl Iterator<Item = (usize, &'a str, Vec<&'c Cell>)> + 'c {
        self.names.iter().enumerate().map(move |(series, name)| {
            let cells = comparison.cells.iter().skip(1);
            let mut cells: Vec<&Cell> = cells.filter(|cell| cell.executor == *name).collect();
            cells.sort_by_key(|cell| cell.threads);
            (series, *name, cells)
        })
    }
}
