//! The report of a run as text that is 80 columns wide, with or without colour.

pub(super) mod baseline;
mod calls;
mod cells;
pub(super) mod comparison;
mod groups;
mod histogram;
mod labels;
pub(super) mod machine;
mod matches;
mod run;

use std::path::Path;

use anstyle::{AnsiColor, Style};
use comfy_table::ColumnConstraint;
use comfy_table::Row;
use indicatif::{HumanBytes, HumanCount};
use manyhands::dataset::Shard;
use manyhands::output::visible;
use manyhands::plan::{Answer, Example, Plan, Sampling, Summary};
use manyhands::report::End;

use cells::{bare_table, finish, number, readable, set_numbers, table, wrapped};

/// The style in which failures are printed.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The style in which headings are printed.
const HEADING: Style = Style::new().bold();
/// The style in which remarks are printed.
const ASIDE: Style = Style::new().dimmed();

/// Wraps text in a style. The style is removed when the text is printed, if the output has no colour.
pub(super) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Formats the whole report.
pub(super) fn report(plan: &Plan, answer: &Answer, bytes: u64) -> String {
    let summary = &answer.report.value;
    let mut text = headline(plan, answer, bytes);
    for sentence in answer.found_formats() {
        text += &wrapped(&plain(sentence), ASIDE);
    }
    if answer.report.scored > 0 {
        text += &columns(summary);
        if let Some((main, numbers)) = summary.main()
            && let Some(histogram) = &numbers.histogram
        {
            text += &heading(&format!("number of records by {main}"));
            text += &histogram::draw(histogram);
        }
        text += &labels::tables(summary);
        if let Some(matches) = answer.matches() {
            text += &matches::at_least(answer.report.records, &matches);
            text += &wrapped(&matches::left_out(answer), ASIDE);
        }
        if let (Some(groups), Some((main, all))) = (&summary.groups, summary.main()) {
            text += &groups::tables(&plan.by.join(", "), main, groups, &all.moments);
        }
        text += &examples("best", &summary.top);
        text += &examples("worst", &summary.bottom);
    }
    text += &footer(answer);
    text
}

fn heading(text: &str) -> String {
    format!("\n{}\n", paint(HEADING, text))
}

/// Returns a description of the scored records: all records of the input, the first ones, or a sample.
pub(super) fn selection(plan: &Plan, input: &str) -> String {
    let mut text = input.to_owned();
    if let Some(records) = plan.head {
        text = format!("the first {} records of {text}", HumanCount(records));
    }
    if let Some(shard) = plan.shard.filter(|shard| *shard != Shard::WHOLE) {
        text = format!("shard {shard} of {text}");
    }
    if let Some(Sampling { records, seed, .. }) = plan.sample {
        let records = HumanCount(records);
        text = format!("a sample of {records} records (seed {seed}) of {text}");
    }
    text
}

fn headline(plan: &Plan, answer: &Answer, bytes: u64) -> String {
    let report = &answer.report;
    let files = match plan.files.as_slice() {
        [file] if file == Path::new("-") => "<stdin>".to_owned(),
        [file] => plain(file.display()),
        files => format!("{} files", files.len()),
    };
    let scored = match report.scored {
        1 => "1 record scored".to_owned(),
        several => format!("{} records scored", HumanCount(several)),
    };
    let failed = match report.failed {
        0 => String::new(),
        failed => paint(ERROR, format!(", {} failed", HumanCount(failed))),
    };
    let skipped = match report.skipped {
        0 => String::new(),
        skipped => format!(", {} skipped", HumanCount(skipped)),
    };
    let early = match report.end {
        End::Finished => String::new(),
        End::Halted(_) | End::AllFailed(_) => paint(ERROR, ", then halted"),
        _ => paint(ERROR, ", then stopped"),
    };
    let subtitle = plan
        .scorer
        .subtitle()
        .map_or(String::new(), |subtitle| format!(" {}", plain(subtitle)));
    let fields: Vec<String> = plan
        .fields
        .iter()
        .map(|field| format!("{field:?}"))
        .collect();
    let fields = match plan.scorer.reads_fields() {
        true => format!("of {} in", fields.join(", ")),
        false => "of".to_owned(),
    };
    let of = format!(
        "{} {fields} {}, {}{subtitle}",
        plan.scorer.name(),
        selection(plan, &files),
        HumanBytes(bytes)
    );
    format!(
        "{}{failed}{skipped}{early}  {}\n{}",
        paint(HEADING, scored),
        paint(ASIDE, of),
        resumed(answer)
    )
}

/// A line about the answers that were taken over from earlier runs, if there were any.
fn resumed(answer: &Answer) -> String {
    let Some(resumed) = answer.resumed else {
        return String::new();
    };
    let taken = match resumed.taken_over {
        0 if resumed.left == 0 => return String::new(),
        1 => "1 answer was taken over from earlier runs".to_owned(),
        several => format!(
            "{} answers were taken over from earlier runs",
            HumanCount(several)
        ),
    };
    // The records of the others may come after the end of a run that was stopped.
    let left = match (resumed.left, answer.report.end.is_finished()) {
        (0, _) => String::new(),
        (1, true) => "; 1 other answer fits no record".to_owned(),
        (1, false) => "; 1 other answer was not needed so far".to_owned(),
        (several, true) => format!("; {} other answers fit no record", HumanCount(several)),
        (several, false) => {
            let several = HumanCount(several);
            format!("; {several} other answers were not needed so far")
        }
    };
    paint(ASIDE, format!("{taken}{left}")) + "\n"
}

/// Formats a table with one line of statistics for each column of numbers.
fn columns(summary: &Summary) -> String {
    if summary.scores.is_empty() {
        return String::new();
    }
    let mut table = table(["", "mean", "std dev", "min", "5 %", "median", "95 %", "max"]);
    for (name, numbers) in summary.numbers() {
        let quantile = |wanted: f64| {
            let mut quantiles = numbers.quantiles.quantiles.iter();
            let found = quantiles.find(|(q, _)| *q == wanted);
            number(found.map(|(_, score)| *score))
        };
        table.add_row([
            readable(name),
            number(numbers.moments.mean),
            number(numbers.moments.stddev),
            number(numbers.quantiles.min),
            quantile(0.05),
            quantile(0.5),
            quantile(0.95),
            number(numbers.quantiles.max),
        ]);
    }
    let mut all = summary.numbers();
    let exact = all.all(|(_, numbers)| numbers.quantiles.is_exact);
    let aside = match exact {
        true => "all figures are exact",
        false => "5 %, median and 95 % are within 0.4 % of the score; the others are exact",
    };
    format!("\n{} {}\n", finish(table), paint(ASIDE, aside))
}

/// Formats a table of records, each with its score, its number, the beginning of its text, and the beginning of the
/// text that it matches best, if there is one.
fn examples(name: &str, examples: &[Example]) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let mut table = bare_table();
    for example in examples {
        let mut line = vec![
            number(example.score),
            format!("record {}", example.index + 1),
            readable(&example.text),
        ];
        if let Some(matched) = &example.matched {
            line.push(format!("= line {}", matched.line));
            line.push(readable(&matched.text));
        }
        let mut line = Row::from(line);
        line.max_height(2);
        table.add_row(line);
    }
    set_numbers(&mut table, 0..2);
    if let Some(lines) = table.column_mut(3) {
        lines.set_constraint(ColumnConstraint::ContentWidth);
    }
    heading(name) + &finish(table)
}

/// Formats a message that may quote names from the data. Hidden characters are escaped.
pub(super) fn plain(message: impl std::fmt::Display) -> String {
    visible::escaped(&message.to_string()).into_owned()
}

fn footer(answer: &Answer) -> String {
    let aside = paint(ASIDE, "equal answers have equal digests");
    format!(
        "{}\ndigest {}  {aside}\n",
        run::section(answer),
        answer.digest
    )
}
