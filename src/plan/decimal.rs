//! The exact decimal value of a JSON number, in one form for each value.

use std::borrow::Cow;

/// Largest number of zeros that the form adds to the digits of a number. A number that needs more is written with an
/// exponent.
const ZEROS: i128 = 20;

/// Returns the canonical form of a JSON number: two numbers have the same form if and only if their decimal values
/// are equal. The value is never rounded, so numbers that no `f64` can hold keep their value.
///
/// The forms of `1.0`, `10e-1` and `1` are `1`, those of `-0` and `0.0` are `0`, and `1e400` stays as it is. An
/// exponent of more than 30 digits is not computed with; such a number stays as it is written, unless it is zero.
pub(super) fn canonical(number: &str) -> Cow<'_, str> {
    if number.len() <= ZEROS as usize && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(number);
    }
    let (sign, positive) = match number.strip_prefix('-') {
        Some(positive) => ("-", positive),
        None => ("", number),
    };
    let (mantissa, exponent) = positive.split_once(['e', 'E']).unwrap_or((positive, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    if digits.is_empty() {
        return Cow::Borrowed("0");
    }
    let Some(exponent) = exponent_of(exponent) else {
        return Cow::Borrowed(number);
    };
    let significant = digits.trim_end_matches('0');
    let trimmed = (digits.len() - significant.len()) as i128;
    // The value is `significant` × 10 to the power of `unit`.
    let unit = exponent - fraction.len() as i128 + trimmed;
    Cow::Owned(format!("{sign}{}", written(significant, unit)))
}

/// The value of an exponent. `None` if it has more than 30 digits.
fn exponent_of(text: &str) -> Option<i128> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.trim_start_matches('0');
    if digits.len() > 30 {
        return None;
    }
    let exponent = match digits {
        "" => 0,
        digits => digits.parse().ok()?,
    };
    Some(if is_negative { -exponent } else { exponent })
}

/// Writes `digits` × 10 to the power of `unit`. The digits neither begin nor end with a zero.
fn written(digits: &str, unit: i128) -> String {
    let length = digits.len() as i128;
    let zeros = |count: i128| "0".repeat(count as usize);
    match unit {
        0..=ZEROS => digits.to_owned() + &zeros(unit),
        _ if unit < 0 && -unit < length => {
            let (whole, fraction) = digits.split_at((length + unit) as usize);
            format!("{whole}.{fraction}")
        }
        _ if unit < 0 && -unit - length <= ZEROS => {
            format!("0.{}{digits}", zeros(-unit - length))
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            format!("{first}{point}{rest}e{}", unit + length - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_have_one_form_for_each_value() {
        let hundred = "123456789".repeat(11) + "1";
        for (form, numbers) in [
            (
                "1",
                &["1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000e0000", "0.01e2"][..],
            ),
            (
                "0",
                &[
                    "0",
                    "-0",
                    "0.0",
                    "-0.00e5",
                    "0e999999999999999999999999999999999999",
                ],
            ),
            ("-1.5", &["-1.5", "-15e-1", "-1.50", "-0.15e1"]),
            ("100", &["100", "1e2", "1E+2", "10000e-2"]),
            ("0.001", &["0.001", "1e-3", "0.0010"]),
            ("1e400", &["1e400", "10e399", "0.1e401", "1000E397"]),
            ("1.2e-400", &["1.2e-400", "12e-401"]),
            (
                "1e1000000000000000000000",
                &["1e1000000000000000000000", "10e999999999999999999999"],
            ),
            (&hundred, &[&hundred]),
            ("1e21", &["1e21", "1000000000000000000000"]),
            ("100000000000000000000", &["1e20", "100000000000000000000"]),
        ] {
            for number in numbers {
                assert_eq!(canonical(number), form, "{number}");
            }
        }
        let beyond = format!("1e{}", "9".repeat(31));
        assert_eq!(canonical(&beyond), beyond);
    }

    /// A number as it may be written, and its value: an integer × 10 to the power of −60.
    fn number() -> impl Strategy<Value = (String, BigInt)> {
        let digits = prop_oneof!["0|[1-9][0-9]{0,30}", "[1-3]0{0,25}"];
        let fraction = prop_oneof![Just(String::new()), "[0-3]{1,4}0{0,3}", "0{1,20}[0-9]"];
        (any::<bool>(), digits, fraction, -30_i32..31).prop_map(
            |(is_negative, whole, fraction, exponent)| {
                let sign = if is_negative { "-" } else { "" };
                let point = if fraction.is_empty() { "" } else { "." };
                let unit = 60 + exponent - fraction.len() as i32;
                let value: BigInt = format!("{sign}{whole}{fraction}")
                    .parse()
                    .expect("an integer");
                let value = value * BigInt::from(10).pow(unit as u32);
                let written = match exponent {
                    0 => format!("{sign}{whole}{point}{fraction}"),
                    _ => format!("{sign}{whole}{point}{fraction}e{exponent}"),
                };
                (written, value)
            },
        )
    }

    proptest! {
        #[test]
        fn forms_are_equal_exactly_if_values_are((one, value) in number(), (other, other_value) in number()) {
            let form = canonical(&one);
            prop_assert_eq!(form == canonical(&other), value == other_value);
            prop_assert_eq!(canonical(&form), &*form);
            // The form is a JSON number, and rounds to the same `f64`.
            let (read, written): (f64, f64) = (form.parse().expect("a number"), one.parse().expect("a number"));
            prop_assert_eq!(read, written);
            prop_assert!(serde_json::from_str::<&serde_json::value::RawValue>(&form).is_ok());
        }
    }
}
