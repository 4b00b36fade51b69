//! Shows the best and the worst records with their texts, and the records that could not be scored.

use maud::{Markup, html};

use super::super::document::section;
use super::super::numbers::{count, score};
use super::super::quoted::{TextBudget, quoted};
use super::super::table::DataTable;
use crate::plan::{Answer, Example};

/// Largest number of best records that are shown, and of worst records.
const SHOWN: usize = 50;
/// Largest number of failures that are shown.
const FAILURES: usize = 50;

pub(super) fn examples(answer: &Answer, budget: &mut TextBudget) -> Markup {
    let (top, bottom) = (&answer.report.value.top, &answer.report.value.bottom);
    if top.is_empty() && bottom.is_empty() {
        return html! {};
    }
    let content = html! {
        h3 { "best" }
        (table(top, budget))
        h3 { "worst" }
        (table(bottom, budget))
    };
    section("The best and the worst", &html! {}, &content)
}

fn table(examples: &[Example], budget: &mut TextBudget) -> Markup {
    let matches = examples.iter().any(|example| example.matched.is_some());
    html! {
        div.scroll tabindex="0" {
            table.texts {
                thead { tr {
                    th.n scope="col" { "score" } th scope="col" { "where" } th scope="col" { "text" }
                    @if matches { th scope="col" { "match" } }
                } }
                tbody { @for example in examples.iter().take(SHOWN) { tr {
                    td.n { (score(example.score)) }
                    td.place { "record " (count(example.index + 1)) @if let Some(place) = &example.place { br; span.aside { (quoted(place)) } } }
                    td.text { (budget.text(&example.text)) }
                    @if let Some(matched) = &example.matched {
                        td.text { (budget.text(&matched.text)) br; span.aside { "line " (count(matched.line)) " of the reference" } }
                    }
                } } }
            }
        }
        @if examples.len() > SHOWN { p.aside { (examples.len() - SHOWN) " more records are not shown." } }
    }
}

/// Shows the first records that could not be scored. The result is empty if every record could be scored.
pub(super) fn failures(answer: &Answer) -> Markup {
    let report = &answer.report;
    if report.failed == 0 {
        return html! {};
    }
    let mut table = DataTable::new(2, ["record", "problem"]);
    for failure in report.failures.iter().take(FAILURES) {
        table.line([html! { (count(failure.index + 1)) }, quoted(failure)]);
    }
    let shown = report.failures.len().min(FAILURES) as u64;
    if report.failed > shown {
        table.note(format!(
            "{} more failures are not shown.",
            count(report.failed - shown)
        ));
    }
    let (failed, records) = (count(report.failed), count(report.records));
    let lead = html! { (failed) " of " (records) " records could not be scored." };
    section("Failures", &lead, &html! { (table) })
}
