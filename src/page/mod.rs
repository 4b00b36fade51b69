//! Reports as pages: one HTML file each, that needs no network and runs no script.
//!
//! [`of_comparison`] is what `bench --html` writes, [`of_answer`] what `score --html` does. Every plot is
//! drawn here as SVG, has a title and a description, and the figures it shows stand in a table under it,
//! so that they can be read without seeing it and copied. Series differ in colour, and in marker or dash
//! too.
//!
//! What comes from the data (texts, names, messages) is escaped, characters that would hide or turn round
//! what stands beside them are written out, and the page forbids itself everything but its own style.

mod answer;
mod axis;
mod cell_axis;
mod comparison;
mod document;
mod figure;
mod gantt;
mod machine;
mod marks;
mod numbers;
mod plot;
mod quoted;
mod scale;
mod table;

use crate::measure::Comparison;
use crate::plan::{Answer, Plan};

/// A comparison as a page: the verdict, the times, how they scale and why not better, and every turn.
///
/// Below 150 kB however much was measured: of very many turns the first are shown, and the page says so.
///
/// ```
/// use manyhands::measure::{Options, compare};
/// use manyhands::page;
/// use manyhands::prelude::*;
///
/// let numbers: Vec<f64> = (0..500).map(f64::from).collect();
/// let options = Options::default().rounds(2).least_turn(0.0).name("roots");
/// let comparison = compare(&numbers, |x: &f64| x.sqrt(), &[&WorkStealing::new(2)], &options)?;
/// let page = page::of_comparison(&comparison);
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("roots"));
/// # Ok::<(), manyhands::Error>(())
/// ```
pub fn of_comparison(comparison: &Comparison) -> String {
    comparison::page(comparison)
}

/// The answer of a plan as a page: the scores described, groups, the best and the worst records, what
/// failed, and where the time went.
///
/// ```
/// use manyhands::page;
/// use manyhands::plan::{Plan, RunOptions};
///
/// let plan = Plan::new(["data/reviews.jsonl"]);
/// let answer = plan.open()?.run(RunOptions::default())?;
/// let page = page::of_answer(&plan, &answer);
/// assert!(page.contains(&answer.digest.to_string()) && !page.contains("<script"));
/// # Ok::<(), manyhands::Error>(())
/// ```
pub fn of_answer(plan: &Plan, answer: &Answer) -> String {
    answer::page(plan, answer).into_string()
}
