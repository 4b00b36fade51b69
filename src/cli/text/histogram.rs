//! A histogram of bars.

use indicatif::HumanCount;
use manyhands::aggregation::Bins;

use super::{ASIDE, paint};

/// How many bars are drawn at most; bins are drawn together in equal numbers to keep to it.
const BARS: usize = 10;
/// How long the longest bar is, in characters.
const LENGTH: usize = 40;
/// How wide an edge is at least, in characters.
const WIDTH: usize = 5;
/// What a character of a bar can be filled by, in eighths.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Draws a line for each bar: where it begins, how long it is, how many scores it stands for.
pub(super) fn draw(bins: &Bins) -> String {
    let together = bins.counts.len().div_ceil(BARS).max(1);
    let counts: Vec<u64> = bins
        .counts
        .chunks(together)
        .map(|bins| bins.iter().sum())
        .collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let total = counts.iter().sum::<u64>().max(1);
    // Adding zero takes the sign from a zero, which is no place of its own on an axis.
    let edges = bins.edges.iter().step_by(together).map(|edge| edge + 0.0);
    let ranges = edges.clone().zip(edges.skip(1));
    let widest = bins.edges.iter().map(|edge| format!("{edge:.2}").len());
    let width = widest.max().unwrap_or(0).max(WIDTH);
    let line = |((from, to), count): ((f64, f64), &u64)| {
        let bar = bar(
            (*count as f64 / most as f64 * (LENGTH * 8) as f64).round() as usize,
            *count,
        );
        let share = format!("{:.1} %", *count as f64 / total as f64 * 100.0);
        let count = HumanCount(*count).to_string();
        format!(
            "{from:>width$.2} to {to:>width$.2} {bar:<LENGTH$} {count:>11} {}\n",
            paint(ASIDE, format!("{share:>7}"))
        )
    };
    ranges.zip(&counts).map(line).collect()
}

/// A bar of so many eighths of a character; whatever has scores has a bar that can be seen.
fn bar(eighths: usize, count: u64) -> String {
    let eighths = eighths.max(usize::from(count > 0));
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}
