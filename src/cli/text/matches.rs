//! Formats the number of records with a match, how good the matches are, and how many pairs were compared.

use std::time::Duration;

use indicatif::HumanCount;
use manyhands::plan::{Answer, Matches};
use manyhands::task::matching::Pairs;

use super::cells::{finish, table};
use super::plain;

/// Formats the number of records with a match, and the numbers of records with a match of at least each of several
/// scores.
pub(super) fn at_least(records: u64, matches: &Matches) -> String {
    let share_of_all =
        |count: u64| format!("{:.1} %", count as f64 / records.max(1) as f64 * 100.0);
    let mut table = table(["match of at least", "records", "of all"]);
    for at_least in &matches.at_least {
        table.add_row([
            format!("{:.2}", at_least.score),
            HumanCount(at_least.records).to_string(),
            share_of_all(at_least.records),
        ]);
    }
    let lead = match matches.has_cutoff {
        true => format!(
            "{} have a match, {} of all",
            HumanCount(matches.matched),
            share_of_all(matches.matched)
        ),
        false => "without --cutoff, every scored record has a match, however bad".to_owned(),
    };
    format!("\n{lead}\n{}", finish(table))
}

/// Says how many records of the reference were left out, and where the first one is. The result is empty if there are
/// none.
pub(super) fn left_out(answer: &Answer) -> String {
    let reference = answer.reference.as_ref();
    let Some(left_out) = reference.and_then(|reference| reference.left_out.as_ref()) else {
        return String::new();
    };
    let (records, were) = match left_out.records {
        1 => ("1 record of the reference".to_owned(), "was"),
        several => (
            format!("{} records of the reference", HumanCount(several)),
            "were",
        ),
    };
    format!(
        "{records} {were} left out; line {}: {}",
        left_out.first_line,
        plain(&left_out.reason)
    )
}

/// Formats the number of pairs, the number of pairs per second, and the share of the pairs that each bound ruled out.
pub(super) fn pairs(pairs: Pairs, wall: Duration) -> String {
    let all = pairs.all();
    let share = |count: u64| format!("{:.1} %", count as f64 / all.max(1) as f64 * 100.0);
    let skipped = share(pairs.skipped.all());
    let mut text = format!("{} pairs, {skipped} of them skipped", HumanCount(all));
    if wall > Duration::from_millis(1) {
        let rate = HumanCount((all as f64 / wall.as_secs_f64()) as u64);
        text += &format!("; {rate} pairs a second");
    }
    let bounds = pairs.skipped.by_bound().into_iter();
    let bounds = bounds.filter(|(_, count)| *count > 0);
    let bounds: Vec<String> = bounds
        .map(|(bound, count)| format!("{} by {bound}", share(count)))
        .collect();
    if !bounds.is_empty() {
        text += &format!("\nskipped: {}", bounds.join(", "));
    }
    text + "\n"
}
