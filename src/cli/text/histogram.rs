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
/// Largest number of decimals of an edge. Narrower bars have edges with powers of ten.
const MOST_DECIMALS: f64 = 6.0;
/// Edges of this magnitude or more are shown with powers of ten.
const LARGE: f64 = 1e9;
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
    let bars = bins.edges.iter().step_by(bins_per_bar);
    let last = bins
        .edges
        .last()
        .filter(|_| !bins.counts.len().is_multiple_of(bins_per_bar));
    let edges: Vec<f64> = bars.chain(last).map(|edge| edge + 0.0).collect();
    let show = edge_format(&edges);
    let ranges = edges.iter().zip(edges.iter().skip(1));
    let widest = edges.iter().map(|edge| show(*edge).len());
    let width = widest.max().unwrap_or(0).max(WIDTH);
    let line = |((from, to), count): ((&f64, &f64), &u64)| {
        let (from, to) = (show(*from), show(*to));
        let bar = bar(
            (*count as f64 / most as f64 * (LENGTH * 8) as f64).round() as usize,
            *count,
        );
        let share = format!("{:.1} %", *count as f64 / total as f64 * 100.0);
        let count = HumanCount(*count).to_string();
        format!(
            "{from:>width$} to {to:>width$} {bar:<LENGTH$} {count:>11} {}\n",
            paint(ASIDE, format!("{share:>7}"))
        )
    };
    ranges.zip(&counts).map(line).collect()
}

/// Returns a function that formats edges so that no two of them look the same: with two decimals, or with more if the
/// bars are narrow, or as powers of ten if this would take too many digits.
fn edge_format(edges: &[f64]) -> impl Fn(f64) -> String {
    let narrowest = edges
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .fold(f64::INFINITY, f64::min);
    let greatest = edges
        .iter()
        .fold(0.0_f64, |most, edge| most.max(edge.abs()));
    let decimals = (1.0 - narrowest.log10().floor()).max(2.0);
    let powers = decimals > MOST_DECIMALS || greatest >= LARGE;
    // This many digits distinguish two edges whose difference is at least 2⁻⁷ of the larger one.
    let digits = if powers { 3 } else { decimals as usize };
    move |edge| {
        if powers {
            format!("{edge:.digits$e}")
        } else {
            format!("{edge:.digits$}")
        }
    }
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
