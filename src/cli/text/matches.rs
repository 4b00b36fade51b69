//! What there is to tell about matches: how many are how good, and what finding them took.

use std::time::Duration;

use indicatif::HumanCount;
use manyhands::aggregation::Bins;
use manyhands::task::matching::Pairs;

use super::{finish, table};

/// How many records have a match, and one of at least so much, from the top of the scale to where
/// all that have one are counted.
pub(super) fn at_least(records: u64, bins: &Bins) -> String {
    let matched = bins.over + bins.counts.iter().sum::<u64>();
    let of_all = |count: u64| format!("{:.1} %", count as f64 / records.max(1) as f64 * 100.0);
    let mut table = table(["a match of at least", "records", "of all"]);
    let mut count = bins.over;
    for (edge, bin) in bins.edges.iter().zip(&bins.counts).rev() {
        count += bin;
        if count == 0 {
            continue;
        }
        table.add_row([
            format!("{edge:.2}"),
            HumanCount(count).to_string(),
            of_all(count),
        ]);
        if count == matched {
            break;
        }
    }
    format!(
        "\n{} have a match, {} of all\n{}",
        HumanCount(matched),
        of_all(matched),
        finish(table)
    )
}

/// How many pairs were looked at, and how fast; and which bounds ruled out how many.
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
