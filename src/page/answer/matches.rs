//! Shows how many records have a match, how good the matches are, and how many pairs were compared.

use maud::{Markup, html};

use super::super::document::section;
use super::super::numbers::{about, count, counted, percent, significant};
use super::super::quoted::quoted;
use super::super::table::DataTable;
use crate::plan::{Answer, Matches};

pub(super) fn matches(answer: &Answer, matches: &Matches) -> Markup {
    let records = answer.report.records;
    let of_all = |count: u64| percent(count as f64 / records.max(1) as f64);
    let mut table = DataTable::new(0, ["score of at least", "records", "share"]);
    for at_least in &matches.at_least {
        table.line([
            significant(at_least.score, 3),
            count(at_least.records),
            of_all(at_least.records),
        ]);
    }
    let lead = html! {
        @if matches.has_cutoff {
            (count(matches.matched)) " records have a match, " (of_all(matches.matched)) " of all."
        } @else {
            "Without a cutoff, every scored record has a match, however bad."
        }
    };
    section(
        "Matches",
        &lead,
        &html! {
            (table)
            @if let Some(left_out) = answer.reference.as_ref().and_then(|one| one.left_out.as_ref()) {
                p {
                    (counted(left_out.records, "record")) " of the reference " @if left_out.records == 1 { "was" } @else { "were" }
                    " left out. Line " (count(left_out.first_line)) ": " (quoted(&left_out.reason)) "."
                }
            }
            @if let Some(pairs) = answer.pairs {
                @let wall = answer.report.timing.wall.as_secs_f64();
                @let all = pairs.all().max(1) as f64;
                p {
                    (about(pairs.all() as f64)) " pairs of a record and a text of the reference, "
                    (percent(pairs.skipped.all() as f64 / all)) " of them ruled out without a comparison"
                    @if wall > 1e-3 { "; " (about(pairs.all() as f64 / wall)) " pairs per second" }
                    "."
                }
                ul { @for (bound, skipped) in pairs.skipped.by_bound() {
                    @if skipped > 0 { li { (percent(skipped as f64 / all)) " by " (bound) } }
                } }
            }
        },
    )
}
