//! How the times were measured, in words and in figures.

use maud::{Markup, html};

use super::super::numbers::{count, counted, percent, time};
use super::super::quoted::quoted;
use super::super::table::facts;
use crate::measure::Comparison;

pub(super) fn method(comparison: &Comparison) -> Markup {
    let (settings, workload) = (&comparison.settings, &comparison.workload);
    let loading = workload.loading.map_or("not measured".to_owned(), time);
    html! {
        ul.method {
            li { b { "The same answer, or none. " } "The digest of every run is held against that of sequential; where one differs there are no times." }
            li { b { "Interleaved. " } "In each round every cell, which is an executor with a number of threads, has its turn, in an order drawn anew. What changes on the machine over minutes touches all of them alike." }
            li { b { "The honest base. " } "Sequential is a plain loop, not the parallel code on one thread." }
            li { b { "Intervals. " } "Ratios are taken within a round; the mean of their middle half is told with the interval of a bootstrap over whole rounds, " (percent(settings.confidence)) ". Where it holds 1, no difference was detected." }
            li { b { "Ceilings " } "have turns in the same rounds: as many copies of a kernel as there are threads, with nothing shared. " i { "arithmetic" } " stays in registers, " i { "memory" } " reads more than the caches hold, " i { "copies" } " is the sequential program itself." }
            li { b { "Apart: " } "loading, warming up, and each cell’s first run with everything that had to be started for it are no part of the times." }
        }
        (facts(&[
            ("rounds", html! { (settings.rounds) }),
            ("warming up", html! { (counted(settings.warm_ups as u64, "turn")) " of each cell" }),
            ("least turn", html! {
                @if settings.least_turn > 0.0 { (time(settings.least_turn)) ", shorter runs repeated" }
                @else { "none" }
            }),
            ("seed", html! { (settings.seed) }),
            ("began", quoted(&comparison.began)),
            ("took", html! { (time(comparison.took)) }),
            ("records", html! { (count(workload.records)) }),
            ("loading", html! { (loading) }),
        ]))
    }
}
