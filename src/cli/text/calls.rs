//! Formats the calls to a service: their number, their times, what they waited for, and the budget.

use anstyle::Style;
use indicatif::HumanCount;
use manyhands::plan::{BudgetReport, CallsReport};

use super::cells::{counted, seconds, wrapped};
use super::{ASIDE, ERROR, paint, plain};

/// Formats the lines about the calls.
pub(super) fn lines(calls: &CallsReport) -> String {
    let mut text = wrapped(&format!("{}.", calls.explanation()), Style::new());
    text += &wrapped(&numbers(calls), ASIDE);
    text += &wrapped(&latency(calls), ASIDE);
    let waits = calls.waits();
    if !waits.is_empty() {
        text += &wrapped(&format!("the next call waited: {waits}"), ASIDE);
    }
    if let Some(budget) = &calls.budget {
        text += &self::budget(budget);
    }
    text
}

/// Formats how many calls there were, and the budget.
pub(super) fn counts(calls: &CallsReport) -> String {
    let budget = calls.budget.as_ref().map(budget);
    wrapped(&numbers(calls), ASIDE) + &budget.unwrap_or_default()
}

fn numbers(calls: &CallsReport) -> String {
    let mut text = counted(calls.calls, "call");
    if calls.per_second > 0.0 {
        text += &format!(", {} a second", significant(calls.per_second));
    }
    let retries: u64 = calls.retries.values().sum();
    if retries > 0 {
        let by_reason: Vec<String> = calls
            .retries
            .iter()
            .map(|(reason, times)| format!("{} {reason}", HumanCount(*times)))
            .collect();
        text += &format!(
            ", of which {} tried a record again ({})",
            HumanCount(retries),
            by_reason.join(", ")
        );
    }
    text
}

fn latency(calls: &CallsReport) -> String {
    let Some(latency) = calls.latency else {
        return String::new();
    };
    let limit = match calls.adaptive {
        true => format!("adapted to {}", calls.limit),
        false => calls.limit.to_string(),
    };
    format!(
        "a call took {} (median; 90 %: {}, 99 %: {}, longest: {}); {:.1} in flight on average, at most {} (limit {limit})",
        seconds(latency.median),
        seconds(latency.p90),
        seconds(latency.p99),
        seconds(latency.max),
        calls.mean_in_flight,
        calls.most_in_flight,
    )
}

fn budget(budget: &BudgetReport) -> String {
    let mut text = format!(
        "budget: {} of {} spent ({})",
        HumanCount(budget.spent),
        HumanCount(budget.limit),
        plain(&budget.of)
    );
    if budget.overshoot > 0 {
        let over = format!(
            ", {} more than allowed, by calls that were in flight when it was reached",
            HumanCount(budget.overshoot)
        );
        text += &over;
        return paint(ERROR, text) + "\n";
    }
    wrapped(&text, ASIDE)
}

/// A rate with about three digits.
fn significant(rate: f64) -> String {
    match rate {
        rate if rate < 10.0 => format!("{rate:.2}"),
        rate if rate < 100.0 => format!("{rate:.1}"),
        rate => HumanCount(rate as u64).to_string(),
    }
}
