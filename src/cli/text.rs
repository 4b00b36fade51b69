//! The report as text, for 80 columns, in colour or without.

pub(super) mod baseline;
mod cells;
pub(super) mod comparison;
mod groups;
mod histogram;
mod labels;
pub(super) mod machine;
mod matches;
mod run;

use std::ops::Range;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, Width};
use indicatif::{HumanBytes, HumanCount};
use manyhands::output::visible;
use manyhands::plan::{Answer, Example, Plan, Summary};
use manyhands::report::End;

/// For what went wrong.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// For headings.
const HEADING: Style = Style::new().bold();
/// For what is said in passing.
const ASIDE: Style = Style::new().dimmed();

/// How wide the report is, in columns of a terminal.
const WIDTH: u16 = 80;

/// Text in a style. Where there is no colour, it is stripped when it is printed.
pub(super) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The whole report.
pub(super) fn report(plan: &Plan, answer: &Answer, bytes: u64) -> String {
    let summary = &answer.report.value;
    let mut text = headline(plan, answer, bytes);
    if answer.report.scored > 0 {
        text += &columns(summary);
        if let Some((main, numbers)) = summary.main()
            && let Some(histogram) = &numbers.histogram
        {
            text += &heading(&format!("how many records have which {main}"));
            text += &histogram::draw(histogram);
        }
        text += &labels::tables(summary);
        if let Some(matches) = answer.matches() {
            text += &matches::at_least(answer.report.records, &matches);
        }
        if let (Some(by), Some(groups), Some((main, all))) =
            (&plan.by, &summary.groups, summary.main())
        {
            text += &groups::tables(by, main, groups, &all.moments);
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
    let early = match report.end {
        End::Finished => String::new(),
        End::Halted(_) => paint(ERROR, ", then halted"),
        _ => paint(ERROR, ", then stopped"),
    };
    let subtitle = plan
        .scorer
        .subtitle()
        .map_or(String::new(), |subtitle| format!(" {}", plain(subtitle)));
    let of = format!(
        "{} of {:?} in {files}, {}{subtitle}",
        plan.scorer.name(),
        plan.field,
        HumanBytes(bytes)
    );
    format!(
        "{}{failed}{early}  {}\n",
        paint(HEADING, scored),
        paint(ASIDE, of)
    )
}

/// Every column of numbers in a line.
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
    let aside = "5 %, median and 95 %: within 0.4 % of the score; the others are exact";
    format!("\n{} {}\n", finish(table), paint(ASIDE, aside))
}

/// Records with their place and the beginning of their text.
fn examples(name: &str, examples: &[Example]) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let mut table = bare_table();
    for example in examples {
        let mut line = Row::from([
            number(example.score),
            format!("record {}", example.index + 1),
            readable(&example.text),
        ]);
        line.max_height(2);
        table.add_row(line);
    }
    set_numbers(&mut table, 0..2);
    heading(name) + &finish(table)
}

/// How much of a text from the data is shown at most, in characters.
const SHOWN_CHARACTERS: usize = WIDTH as usize * 2;

/// The beginning of a text on one line, with hidden characters written out. Line breaks and other
/// controls are blanks here: they are ordinary in texts.
fn readable(text: &str) -> String {
    let mut line = String::new();
    for (place, (c, hidden)) in visible::characters(text).enumerate() {
        // Counted on the text, not on the line: a text of nothing but blanks ends too.
        if place > SHOWN_CHARACTERS {
            line.truncate(line.trim_end().len());
            line.push('…');
            return line;
        }
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if hidden {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// A message that may quote names from the data, with hidden characters written out.
pub(super) fn plain(message: impl std::fmt::Display) -> String {
    visible::escaped(&message.to_string()).into_owned()
}

fn footer(answer: &Answer) -> String {
    let aside = paint(ASIDE, "the same for the same answer");
    format!(
        "{}\ndigest {}  {aside}\n",
        run::section(answer),
        answer.digest
    )
}

/// A score or a statistic of scores to four digits; a dash where there is none.
fn number(value: impl Into<Option<f64>>) -> String {
    match value.into() {
        Some(value) if value.is_finite() => format!("{value:.4}"),
        _ => "-".to_owned(),
    }
}

/// A table without lines.
fn bare_table() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_width(WIDTH);
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_truncation_indicator("…");
    table
}

/// Columns of numbers: on the right, and never cut.
fn set_numbers(table: &mut Table, places: Range<usize>) {
    for place in places {
        if let Some(column) = table.column_mut(place) {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// A table without lines: names on the left, numbers on the right.
fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = bare_table();
    table.set_header(header);
    set_numbers(&mut table, 1..N);
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(WIDTH / 2)));
    }
    table
}

/// The text of a table, without the blanks that it puts at the ends of lines.
fn finish(table: Table) -> String {
    table
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}
