//! HTML pages of answers and comparisons. Each page is one file, without scripts, and needs no network.
//!
//! `score --html` writes the page that [`of_answer`] returns, and `bench --html` writes the page that
//! [`of_comparison`] returns. Every plot is an SVG drawing with a title, a description, and a table of its figures,
//! so that readers can copy the figures and read the page without seeing the plots. Series of a plot differ in
//! colour, and also in the shape of the marker or in the dashes of the line.
//!
//! Texts, names and messages from the data are escaped. Characters that are invisible or that change the direction of
//! writing are replaced by their code points, such as `U+202E`. The content security policy of the page allows only
//! the page's own style.

mod answer;
mod axis;
mod comparison;
mod configuration_axis;
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
use crate::plan::Answer;

/// Returns the page of a comparison. It shows the verdict, the times, how they scale, what limits the speed-up, and
/// every turn.
///
/// The page is smaller than 150 kB. If more was measured than fits, the page shows only a part of it and says so.
///
/// ```
/// use std::time::Duration;
///
/// use manyhands::measure::{Options, compare};
/// use manyhands::page;
/// use manyhands::prelude::*;
///
/// let numbers: Vec<f64> = (0..500).map(f64::from).collect();
/// let options = Options::default().rounds(2).least_turn(Duration::ZERO).name("roots");
/// let comparison = compare(&numbers, |x: &f64| x.sqrt(), &[&WorkStealing::new(2)], &options)?;
/// let page = page::of_comparison(&comparison);
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("roots"));
/// # Ok::<(), manyhands::Error>(())
/// ```
pub fn of_comparison(comparison: &Comparison) -> String {
    comparison::page(comparison)
}

/// Returns the page of an answer. It shows the distribution of the scores, the groups, the best and the worst
/// records, the failures, and what the time was spent on.
///
/// ```
/// use manyhands::page;
/// use manyhands::plan::{Plan, RunOptions};
///
/// let plan = Plan::new(["data/reviews.jsonl"]);
/// let answer = plan.open()?.run(RunOptions::default())?;
/// let page = page::of_answer(&answer);
/// assert!(page.contains(&answer.digest.to_string()) && !page.contains("<script"));
/// # Ok::<(), manyhands::Error>(())
/// ```
pub fn of_answer(answer: &Answer) -> String {
    answer::page(answer).into_string()
}
