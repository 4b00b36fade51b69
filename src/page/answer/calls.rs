//! Shows the calls to a service: their times, what they waited for, and the budget.

use maud::{Markup, html};

use super::super::numbers::{count, time};
use super::super::quoted::quoted;
use crate::plan::{BudgetReport, CallLatency, CallsReport};

/// A table of figures about the calls.
pub(super) fn calls(calls: &CallsReport) -> Markup {
    let retries: u64 = calls.retries.values().sum();
    let waits = calls.waits();
    html! {
        table {
            tbody {
                (line("calls", &count(calls.calls)))
                (line("calls a second", &format!("{:.1}", calls.per_second)))
                @if retries > 0 {
                    (line("records tried again", &count(retries)))
                    @for (reason, times) in &calls.retries {
                        (line(&format!("after: {reason}"), &count(*times)))
                    }
                }
                @for (status, times) in &calls.statuses {
                    (line(&format!("answers with status {status}"), &count(*times)))
                }
                @if let Some(latency) = &calls.latency { (latency_lines(latency)) }
                (line("in flight on average", &format!("{:.1}", calls.mean_in_flight)))
                (line("in flight at most", &calls.most_in_flight.to_string()))
                (line(if calls.adaptive { "limit in flight at the end" } else { "limit in flight" }, &calls.limit.to_string()))
                @if !waits.is_empty() { (line("the next call waited", &waits)) }
                @if let Some(budget) = &calls.budget { (budget_lines(budget)) }
            }
        }
    }
}

fn line(name: &str, value: &str) -> Markup {
    html! { tr { th scope="row" { (name) } td { (value) } } }
}

fn latency_lines(latency: &CallLatency) -> Markup {
    let lines = [
        ("time of a call, median", latency.median),
        ("90 % of the calls", latency.p90),
        ("99 % of the calls", latency.p99),
        ("longest call", latency.max),
    ];
    html! { @for (name, seconds) in lines { (line(name, &time(seconds))) } }
}

fn budget_lines(budget: &BudgetReport) -> Markup {
    html! {
        tr { th scope="row" { "budget" } td { (count(budget.spent)) " of " (count(budget.limit)) " spent, of " (quoted(&budget.of)) } }
        @if budget.overshoot > 0 {
            (line("spent beyond the budget, by calls in flight", &count(budget.overshoot)))
        }
    }
}
