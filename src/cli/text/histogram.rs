//! A histogram with horizontal bars.

use indicatif::HumanCount;
use manyhands::aggregation::Bins;

use super::{ASIDE, paint};

/// Number of bars at most. If there are more bins, a bar shows several of them.
const BARS: usize = 10;
/// Length of the longest bar, in characters.
const LENGTH: usize = 40;
/// Smallest width of an edge, in characters.
const WIDTH: usize = 5;
/// Characters that are filled from the left, by a number of eighths.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Draws one line per bar: its range, the bar, and the number and share of the scores in it.
pub(super) fn draw(bins: &Bins) -> String {
    let bins_per_bar = bins.counts.len().div_ceil(BARS).max(1);
    let counts: Vec<u64> = bins
        .counts
        .chunks(bins_per_bar)
        .map(|bins| bins.iter().sum())
        .collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let total = counts.iter().sum::<u64>().max(1);
    // Adding zero turns -0 into 0.
    let edges = bins
        .edges
        .iter()
        .step_by(bins_per_bar)
        .map(|edge| edge + 0.0);
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

/// A bar whose length is in eighths of a character. It is at least one eighth long if it has any scores.
fn bar(eighths: usize, count: u64) -> String {
    let eighths = eighths.max(usize::from(count > 0));
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}
