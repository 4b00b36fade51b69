//! Formats numbers for a page, with few digits, SI units, and groups of thousands.

use crate::report::four_decimals;

/// Formats a whole number with commas between groups of thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a whole number with the word for what it counts, in the plural if needed.
pub(super) fn counted(number: u64, word: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {word}{s}", count(number))
}

/// Formats a number with this number of significant digits. The result is `–` if the number is not finite.
pub(super) fn significant(number: f64, digits: i32) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    // The number is rounded first, since rounding may add a digit before the point, as for 9.996, which becomes 10.0.
    let rounded = format!("{:.*e}", digits.max(1) as usize - 1, number);
    let number = rounded.parse().unwrap_or(number);
    let whole = number.abs().log10().floor() as i32 + 1;
    if !(-2..=15).contains(&whole) {
        return rounded.replace('-', "−");
    }
    let decimals = (digits - whole).max(0) as usize;
    let text = format!("{:.decimals$}", number.abs());
    let (before, behind) = text.split_once('.').unwrap_or((&text, ""));
    let before = before.parse().map_or_else(|_| before.to_owned(), count);
    let sign = if number < 0.0 { "−" } else { "" };
    if behind.is_empty() {
        format!("{sign}{before}")
    } else {
        format!("{sign}{before}.{behind}")
    }
}

/// Returns the unit of time that suits a number of seconds, and the number of these units in a second.
pub(super) fn unit_of_time(seconds: f64) -> (&'static str, f64) {
    match seconds.abs() {
        seconds if seconds < 1e-6 => ("ns", 1e9),
        seconds if seconds < 1e-3 => ("µs", 1e6),
        seconds if seconds < 1.0 => ("ms", 1e3),
        seconds if seconds < 300.0 => ("s", 1.0),
        _ => ("min", 1.0 / 60.0),
    }
}

/// Formats a time, given in seconds, with three significant digits.
pub(super) fn time(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "–".to_owned();
    }
    // The time is rounded first, so that a time that rounds up to a thousand units is shown in the next larger unit.
    let rounded = format!("{seconds:.2e}").parse().unwrap_or(seconds);
    let (unit, per_second) = unit_of_time(rounded);
    format!("{} {unit}", significant(seconds * per_second, 3))
}

/// Formats a round time, given in seconds, without zeros at the end of its digits after the point.
pub(super) fn round_time(seconds: f64) -> String {
    let text = time(seconds);
    let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    };
    format!("{number} {unit}")
}

/// Formats a round share, such as the share of a quantile, in per cent and without zeros at the end of its digits
/// after the point.
pub(super) fn round_percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Formats a number of bytes with three significant digits, in a unit that is a power of a thousand bytes.
pub(super) fn bytes(bytes: f64) -> String {
    let mut number = bytes;
    for unit in ["B", "kB", "MB", "GB"] {
        if number < 999.5 {
            return format!("{} {unit}", significant(number, 3));
        }
        number /= 1000.0;
    }
    format!("{} TB", significant(number, 3))
}

/// Formats a large number with three significant digits, such as `1.25 million`.
pub(super) fn about(number: f64) -> String {
    match number {
        number if number < 99_950.0 => significant(number.round(), 3),
        number if number < 999_500.0 => format!("{} thousand", significant(number / 1e3, 3)),
        number if number < 999.5e6 => format!("{} million", significant(number / 1e6, 3)),
        number => format!("{} billion", significant(number / 1e9, 3)),
    }
}

/// Formats a share in per cent.
pub(super) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    let percent = share * 100.0;
    match percent.abs() {
        0.0 => "0 %".to_owned(),
        small if small < 0.05 => format!("{} %", significant(percent, 1)),
        small if small < 9.95 => format!("{percent:.1} %").replace('-', "−"),
        _ => format!("{percent:.0} %").replace('-', "−"),
    }
}

/// Formats a factor, such as `5.31×`.
pub(super) fn times(ratio: f64) -> String {
    format!("{}×", significant(ratio, 3))
}

/// Formats a score or a statistic of scores in the same way as the text report: with four decimals, or with a power of
/// ten if the number is too small or too large for four decimals. The result is `–` if there is no value.
pub(super) fn score(score: impl Into<Option<f64>>) -> String {
    match score.into() {
        Some(score) if score.is_finite() => four_decimals(score).replace('-', "−"),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_few_digits_and_a_unit() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(significant(0.012_345, 3), "0.0123");
        assert_eq!(significant(12_345.6, 3), "12,300");
        assert_eq!(significant(-1.5, 2), "−1.5");
        assert_eq!(significant(0.000_04, 2), "4.0e−5");
        assert_eq!(significant(f64::NAN, 3), "–");
        assert_eq!(time(0.048_869), "48.9 ms");
        assert_eq!(time(0.999_999), "1.00 s");
        assert_eq!(time(600.0), "10.0 min");
        assert_eq!(round_time(1e-6), "1 µs");
        assert_eq!(round_time(0.1), "100 ms");
        assert_eq!(round_percent(0.05), "5 %");
        assert_eq!(significant(0.9996, 3), "1.00");
        assert_eq!(bytes(2_961_675.0), "2.96 MB");
        assert_eq!(about(1_250_000.0), "1.25 million");
        assert_eq!(about(99_999.0), "100 thousand");
        assert_eq!(percent(0.0123), "1.2 %");
        assert_eq!(percent(0.5), "50 %");
        assert_eq!(times(5.3124), "5.31×");
        assert_eq!(score(-0.05), "−0.0500");
        assert_eq!(score(-0.0), "0.0000");
        assert_eq!(score(0.000_012_5), "1.2500e−5");
        assert_eq!(score(-1e300), "−1.0000e300");
        assert_eq!(score(f64::NAN), "–");
    }
}
