//! The page of an answer: the scores, the groups, the best and the worst records, the failures, and how the
//! run went.

mod calls;
mod columns;
mod examples;
mod groups;
mod labels;
mod matches;
mod run;

use std::borrow::Cow;
use std::path::Path;

use maud::{Markup, html};

use super::document::{document, section, tile};
use super::machine::{machine, warnings};
use super::numbers::{about, count, counted, percent, score};
use super::quoted::{TextBudget, plain, quoted};
use super::table::facts;
use crate::error::OnFailure;
use crate::limit::Limit;
use crate::plan::{Answer, Outside, Plan, Sampling};
use crate::report::End;

/// Largest size of the markup of all texts on a page together, in bytes.
const TEXTS: usize = 60_000;

pub(super) fn page(answer: &Answer) -> Markup {
    let plan = &answer.plan;
    let title = format!(
        "{} of {} – manyhands score",
        plan.scorer.name(),
        files(plan)
    );
    let report = &answer.report;
    let budget = &mut TextBudget(TEXTS);
    let sections = html! {
        @if report.scored > 0 {
            (columns::columns(&report.value))
            (labels::labels(&report.value))
            @if let Some(matches) = answer.matches() { (matches::matches(answer, &matches)) }
            (groups::groups(plan, &report.value))
            (examples::examples(answer, budget))
        }
        (examples::failures(answer))
        (run::run(answer))
        (section("Machine", &html! { (quoted(&answer.machine)) }, &html! {
            (warnings(&answer.machine.warnings()))
            (machine(&answer.machine, None))
        }))
        (section("Plan", &html! { "What was run. The same plan over the same data gives the same answer." }, &html! {
            (facts_of(answer))
            (origin(answer))
        }))
    };
    let foot = html! {
        p { "Digest of the answer: " code { (answer.digest) } ". Equal answers have equal digests." }
        p { "Written by manyhands " (quoted(&answer.machine.version)) "." }
    };
    document(&title, &headline(plan, answer), &sections, &foot)
}

/// Returns the name of the file of a plan, or the number of files if there are several.
fn files(plan: &Plan) -> String {
    match plan.files.as_slice() {
        [file] if file == Path::new("-") => "standard input".to_owned(),
        [file] => plain(file.display()),
        files => counted(files.len() as u64, "file"),
    }
}

/// Shows what is scored of each record.
fn fields(plan: &Plan) -> Markup {
    match plan.scorer.reads_fields() {
        true => quoted(plan.fields.join(", ")),
        false => html! { "whole records" },
    }
}

/// Shows where the records are scored.
fn executor(plan: &Plan) -> Markup {
    match plan.scorer.outside() {
        Some(Outside::Program(_)) => html! { "processes of the program" },
        #[cfg(feature = "http")]
        Some(Outside::Service(_)) => html! { "calls to the service" },
        None => html! { (plan.executor) },
    }
}

fn headline(plan: &Plan, answer: &Answer) -> Markup {
    let report = &answer.report;
    let wall = report.timing.wall.as_secs_f64();
    let share = |records: u64| percent(records as f64 / report.records.max(1) as f64);
    let failed = match report.failed {
        0 => "none failed".to_owned(),
        failed => format!("{} failed, {} of all", count(failed), share(failed)),
    };
    let skipped = match report.skipped {
        0 => String::new(),
        skipped => format!("; {} skipped, {} of all", count(skipped), share(skipped)),
    };
    let early = match &report.end {
        End::Finished => None,
        End::Halted(failure) => Some(html! { "Halted by too many failures: " (quoted(failure)) }),
        End::AllFailed(failure) => {
            Some(html! { "Halted, because all records failed: " (quoted(failure)) })
        }
        End::Stopped(reason) => Some(html! { "Stopped before the end: " (quoted(reason)) }),
    };
    html! {
        p.eyebrow { "manyhands score" }
        h1 { (plan.scorer.name()) " of " (fields(plan)) " in " (quoted(files(plan))) }
        @if let Some(subtitle) = plan.scorer.subtitle() {
            p.of { (quoted(subtitle)) }
        }
        @if let Some(early) = early {
            p.verdict.wrong { (early) ". The figures cover the records that were scored until then." }
        }
        @for warning in &answer.warnings {
            p.of { "Warning: " (quoted(warning)) "." }
        }
        dl.tiles {
            (tile(&html! { (count(report.scored)) }, "records scored", &(failed + &skipped)))
            @if let Some((main, numbers)) = report.value.main().filter(|main| main.1.moments.count > 0) {
                (tile(&html! { (score(numbers.moments.mean)) }, &format!("mean {main}"),
                    &format!("standard deviation {}", score(numbers.moments.stddev))))
            }
            (tile(&html! { (super::numbers::time(wall)) }, "time",
                &format!("on {}", counted(report.timing.workers.len() as u64, "worker"))))
            @if wall > 1e-3 && report.records > 0 {
                (tile(&html! { (about(report.records as f64 / wall)) }, "records per second", ""))
            }
        }
    }
}

/// Returns a description of the records that a plan scores.
fn selected(plan: &Plan) -> String {
    let first = plan
        .head
        .map(|records| format!("the first {}", count(records)));
    match (plan.sample, first) {
        (None, None) => "all".to_owned(),
        (None, Some(first)) => first,
        (Some(Sampling { records, seed }), first) => {
            let of = first.map_or(String::new(), |first| format!(" of {first}"));
            format!("a sample of {}{of}, drawn with seed {seed}", count(records))
        }
    }
}

/// Shows the options of a plan as a list of facts.
fn facts_of(answer: &Answer) -> Markup {
    const FILES: usize = 50;
    let plan = &answer.plan;
    let threads = plan
        .threads
        .map_or("all cores".to_owned(), |threads| threads.to_string());
    let limit = match plan.limit == Limit::none() {
        true => "none".to_owned(),
        false => plan.limit.to_string(),
    };
    let by = match plan.by.is_empty() {
        true => html! { "–" },
        false => quoted(plan.by.join(", ")),
    };
    let files = html! {
        @for (place, file) in plan.files.iter().take(FILES).enumerate() {
            @if place > 0 { ", " } (quoted(file.display()))
        }
        @if plan.files.len() > FILES { ", and " (plan.files.len() - FILES) " more" }
    };
    let formats = answer.found_formats();
    let formats = match formats.is_empty() {
        true => html! { "shown by names, contents or options" },
        false => quoted(formats.join("; ")),
    };
    facts(&[
        ("files", files),
        ("formats", formats),
        ("records", html! { (selected(plan)) }),
        ("scorer", html! { (plan.scorer.name()) }),
        ("fields", fields(plan)),
        ("groups by", by),
        ("best and worst", html! { (plan.top) }),
        ("executor", executor(plan)),
        ("workers", html! { (threads) }),
        ("on failure", html! { (on_failure(plan.on_failure)) }),
        ("limit", html! { (limit) }),
    ])
}

/// Shows when and how the run was started.
fn origin(answer: &Answer) -> Markup {
    const ARGUMENTS: usize = 100;
    let command = &answer.command;
    let more = command.len().saturating_sub(ARGUMENTS);
    let shown: Vec<_> = command
        .iter()
        .take(ARGUMENTS)
        .map(|argument| as_word(argument))
        .collect();
    let date = humantime::format_rfc3339_seconds(answer.began);
    facts(&[
        ("date", html! { (date) }),
        (
            "command",
            html! {
                @if shown.is_empty() { "–" } @else { code { (quoted(shown.join(" "))) } }
                @if more > 0 { " and " (counted(more as u64, "argument")) " more" }
            },
        ),
    ])
}

/// Quotes an argument of a command as a shell does, if it needs quotes.
fn as_word(argument: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return Cow::Borrowed(argument);
    }
    Cow::Owned(format!("'{}'", argument.replace('\'', r"'\''")))
}

/// Says what the run does if a record cannot be scored.
fn on_failure(policy: OnFailure) -> String {
    match policy {
        OnFailure::SKIP => "skip the record".to_owned(),
        OnFailure::Skip { at_most } => format!("skip up to {} records", count(at_most)),
        OnFailure::SkipShare { at_most } => {
            format!("skip up to {} of all records", percent(at_most))
        }
        OnFailure::Stop => "stop the run".to_owned(),
        OnFailure::SkipUnlessAllFail => {
            format!(
                "skip the record, unless the first {} all fail",
                count(OnFailure::GRACE)
            )
        }
    }
}
