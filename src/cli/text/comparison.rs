//! A comparison as text.

use manyhands::measure::Comparison;

/// The whole report.
pub(in crate::cli) fn report(comparison: &Comparison) -> String {
    let mut text = String::new();
    for cell in &comparison.cells {
        text += &format!(
            "{} {} {:.3} ms {:.2}\n",
            cell.executor,
            cell.threads,
            cell.wall.median * 1e3,
            cell.speed_up.value
        );
    }
    text
}
