//! Describes how the times were measured, in words and in figures.

use maud::{Markup, html};

use super::super::numbers::{count, counted, percent, time};
use super::super::quoted::quoted;
use super::super::table::facts;
use crate::measure::Comparison;

pub(super) fn method(comparison: &Comparison) -> Markup {
    let (settings, workload) = (&comparison.settings, &comparison.workload);
    let loading = workload.loading.map(|loading| time(loading.as_secs_f64()));
    let loading = loading.unwrap_or("not measured".to_owned());
    html! {
        ul.method {
            li { b { "Equal answers only. " } "The digest of every run is compared with that of sequential; if one differs, no times are reported." }
            li { b { "Interleaved. " } "In each round, every configuration has one turn, in a new random order. Changes of the machine over minutes affect all configurations alike." }
            li { b { "Honest base. " } "Sequential is a plain loop, not the parallel code on one thread." }
            li { b { "Intervals. " } "Ratios are computed within a round. The result is the mean of their middle half, with the " (percent(settings.confidence)) " interval of a bootstrap over whole rounds. If the interval includes 1, no difference was detected." }
            li { b { "Ceilings. " } "Independent copies of a kernel, one for each thread, have turns in the same rounds. " i { "arithmetic" } " stays in registers, " i { "memory" } " reads more than the caches hold, and " i { "copies" } " is the sequential program itself." }
            li { b { "Not included. " } "Loading, warm-up turns, and the first run of each configuration with the start of its executor are not part of the times." }
        }
        (facts(&[
            ("rounds", html! { (settings.rounds) }),
            ("warm-up", html! { (counted(settings.warm_ups as u64, "turn")) " of each configuration" }),
            ("shortest turn", html! {
                @if !settings.least_turn.is_zero() { (time(settings.least_turn.as_secs_f64())) "; shorter runs are repeated" }
                @else { "none" }
            }),
            ("seed", html! { (settings.seed) }),
            ("began", quoted(&comparison.began)),
            ("duration", html! { (time(comparison.took.as_secs_f64())) }),
            ("records", html! { (count(workload.records)) }),
            ("loading", html! { (loading) }),
        ]))
    }
}
