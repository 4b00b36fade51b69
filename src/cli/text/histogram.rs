//! Draws a histogram with horizontal bars.

use indicatif::HumanCount;
use manyhands::aggregation::Bins;

use super::{ASIDE, paint};

/// Largest number of bars. If there are more bins, each bar shows several bins.
const BARS: usize = 10;
/// Length of the longest bar, in characters.
const LENGTH: usize = 40;
/// Smallest width of the number that shows an edge of a bin, in characters.
const WIDTH: usize = 5;
/// Characters that are filled from the left. The index is the number of eighths that are filled.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Draws one line for each bar: the range of its scores, the bar, and the number and the share of the scores in this
/// range.
pub(super) fn draw(bins: &Bins) -> String {
    let bins_per_bar = bins.counts.len().div_ceil(BARS).max(1);
    let counts: Vec<u64> = bins
        .counts
        .chunks(bins_per_bar)
        .map(|bins| bins.iter().sum())
        .collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let total = counts.iter().sum::<u64>().max(1);
    // Adding zero turns -0 into 0, so that no edge is shown as -0.
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

/// Returns a bar of this length, given in eighths of a character. A bar with any scores is at least one eighth long.
fn bar(eighths: usize, count: u64) -> String {
    let eighths = eighths.max(usize::from(count > 0));
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}
