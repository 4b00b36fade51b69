//! A score or a statistic as text, in the same way in every report.

/// Formats a finite number with four digits after the point, or as a power of ten if these digits would show little of
/// it.
///
/// ```
/// use manyhands::report::four_decimals;
///
/// assert_eq!(four_decimals(0.440_44), "0.4404");
/// assert_eq!(four_decimals(0.000_012_5), "1.2500e-5");
/// ```
pub fn four_decimals(number: f64) -> String {
    match number.abs() {
        0.0 => "0.0000".to_owned(),
        size if (1e-3..1e9).contains(&size) => format!("{number:.4}"),
        _ => format!("{number:.4e}"),
    }
}
