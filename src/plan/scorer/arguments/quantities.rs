//! Counts, sizes, durations and rates on a command line.

use std::time::Duration;

const COUNT: &str = "expected a whole number, such as 1000, 10k, 2M or 1e6";
const COUNT_FROM_ONE: &str = "expected a whole number from 1, such as 1000, 10k, 2M or 1e6";
const IN_FLIGHT: &str =
    "expected a whole number from 1, such as 64, or auto, which adapts the number to the service";
const BYTES: &str =
    "expected a whole number of bytes from 1, such as 1000000, 1e6, 64kB, 1MB or 16MiB";
const DURATION: &str =
    "expected a duration, such as 90s, 5m, 1h30m or 500ms, or a number of seconds";
const RATE: &str =
    "expected a rate above 0, such as 100/s, 0.5/s or 600/m; a number without a unit is per second";

/// The units of a count. An `m` is not among them, since it could mean a thousandth or a million.
const COUNT_UNITS: [(&str, u64); 5] = [
    ("k", 1_000),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("", 1),
];

/// The units of a size. A unit comes before the units that it ends with.
const BYTE_UNITS: [(&str, u64); 12] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("k", 1_000),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("", 1),
];

/// Parses a count: a whole number such as `1000`, `10k`, `2M`, `1.5G` or `1e6`. The units are powers of 1,000.
///
/// # Errors
///
/// Returns a message if the text is not such a number, or if the number does not fit into `T`.
///
/// ```
/// use manyhands::plan::arguments::count;
///
/// assert_eq!(count("2.5k"), Ok(2_500_u64));
/// assert_eq!(count("1e6"), Ok(1_000_000_usize));
/// assert!(count::<u64>("2.5").is_err());
/// ```
pub fn count<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let number = Decimal::with_unit(text, &COUNT_UNITS).and_then(|number| number.whole());
    fitting(number, COUNT)
}

/// Parses a count, as [`count`] does, that must be at least 1.
///
/// # Errors
///
/// Returns a message if the text is not such a number.
pub fn from_one(text: &str) -> Result<usize, String> {
    let number = Decimal::with_unit(text, &COUNT_UNITS).and_then(|number| number.whole());
    fitting(number.filter(|&number| number > 0), COUNT_FROM_ONE)
}

/// How many records may be in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MostInFlight {
    /// At most this many.
    AtMost(usize),
    /// As many as the service that scores the records allows.
    Auto,
}

/// Parses the number of records in flight: a count from 1, or `auto`.
///
/// # Errors
///
/// Returns a message if the text is neither.
///
/// ```
/// use manyhands::plan::arguments::{MostInFlight, in_flight};
///
/// assert_eq!(in_flight("1k"), Ok(MostInFlight::AtMost(1_000)));
/// assert_eq!(in_flight("auto"), Ok(MostInFlight::Auto));
/// assert!(in_flight("0").is_err());
/// ```
pub fn in_flight(text: &str) -> Result<MostInFlight, String> {
    match text {
        "auto" => Ok(MostInFlight::Auto),
        _ => from_one(text)
            .map(MostInFlight::AtMost)
            .map_err(|_| IN_FLIGHT.to_owned()),
    }
}

/// Parses a size in bytes, which must be at least 1: a whole number such as `1000000` or `1e6`, or a number with a
/// unit. `k`, `M`, `G` and `kB`, `MB`, `GB` are powers of 1,000; `KiB`, `MiB`, `GiB` are powers of 1,024.
///
/// # Errors
///
/// Returns a message if the text is not such a size.
///
/// ```
/// use manyhands::plan::arguments::bytes;
///
/// assert_eq!(bytes("16MiB"), Ok(16 << 20));
/// assert_eq!(bytes("1.5kB"), Ok(1_500));
/// ```
pub fn bytes(text: &str) -> Result<u64, String> {
    let number = Decimal::with_unit(text, &BYTE_UNITS).and_then(|number| number.whole());
    fitting(number.filter(|&number| number > 0), BYTES)
}

/// Parses a duration: a number of seconds such as `90` or `0.5`, or numbers with units such as `90s`, `5m`, `1h30m`
/// or `500ms`.
///
/// # Errors
///
/// Returns a message if the text is not such a duration. The unit `M` is refused: the crate `humantime` reads it as
/// months, but it is more likely to be a mistake for `m`, minutes.
///
/// ```
/// use manyhands::plan::arguments::duration;
/// use std::time::Duration;
///
/// assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
/// assert_eq!(duration("0.5"), Ok(Duration::from_millis(500)));
/// ```
pub fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse().ok();
    if let Some(seconds) = seconds {
        return Duration::try_from_secs_f64(seconds).map_err(|_| DURATION.to_owned());
    }
    if text.contains('M') {
        return Err(format!("{DURATION}; minutes are m, not M"));
    }
    humantime::parse_duration(text).map_err(|_| DURATION.to_owned())
}

/// Parses a rate, and returns it as a number per second: `100/s`, `0.5/s`, `10k/s` or `600/m` (per minute). A number
/// without a unit is per second.
///
/// # Errors
///
/// Returns a message if the text is not a rate above 0.
///
/// ```
/// use manyhands::plan::arguments::rate;
///
/// assert_eq!(rate("600/m"), Ok(10.0));
/// assert_eq!(rate("0.5"), Ok(0.5));
/// ```
pub fn rate(text: &str) -> Result<f64, String> {
    let (number, seconds) = match text.split_once('/') {
        None => (text, 1.0),
        Some((number, "s")) => (number, 1.0),
        Some((number, "m")) => (number, 60.0),
        Some(_) => return Err(RATE.to_owned()),
    };
    let number = Decimal::with_unit(number, &COUNT_UNITS).and_then(|number| number.float());
    number
        .map(|number| number / seconds)
        .filter(|rate| *rate > 0.0 && rate.is_finite())
        .ok_or_else(|| RATE.to_owned())
}

fn fitting<T: TryFrom<u64>>(number: Option<u64>, expected: &str) -> Result<T, String> {
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| expected.to_owned())
}

/// A decimal number without a sign: `digits` × 10^`exponent` × `unit`.
struct Decimal {
    digits: u128,
    exponent: i32,
    unit: u64,
}

impl Decimal {
    /// Parses a number that is followed by one of the units. Returns `None` if the text is something else, or if the
    /// number has more digits than the type has room for.
    fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<Decimal> {
        let in_unit = |&(name, unit): &(&str, u64)| Some((text.strip_suffix(name)?, unit));
        let (number, unit) = units.iter().find_map(in_unit)?;
        let (mantissa, exponent) = match number.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (number, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let digits = format!("{whole}{fraction}");
        let plain = !whole.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        Some(Decimal {
            digits: plain.then(|| digits.parse().ok())??,
            exponent: exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?,
            unit,
        })
    }

    /// Returns the number if it is whole and fits.
    fn whole(&self) -> Option<u64> {
        let number = self.digits.checked_mul(u128::from(self.unit))?;
        let power = 10_u128.checked_pow(self.exponent.unsigned_abs());
        let number = match self.exponent {
            _ if number == 0 => 0,
            0.. => number.checked_mul(power?)?,
            _ => number / power.filter(|power| number.is_multiple_of(*power))?,
        };
        u64::try_from(number).ok()
    }

    /// Returns the number, rounded to the nearest float.
    fn float(&self) -> Option<f64> {
        let Decimal {
            digits,
            exponent,
            unit,
        } = self;
        let digits = digits.checked_mul(u128::from(*unit))?;
        format!("{digits}e{exponent}").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_whole_numbers() {
        for (text, number) in [
            ("0", 0),
            ("007", 7),
            ("10k", 10_000),
            ("10K", 10_000),
            ("2M", 2_000_000),
            ("1.5G", 1_500_000_000),
            ("1e6", 1_000_000),
            ("1E+6", 1_000_000),
            ("2.50e1", 25),
            ("100e-2", 1),
            ("0e999", 0),
            ("0.000001M", 1),
            ("18446744073709551615", u64::MAX),
            ("18446744073709551.615k", u64::MAX),
        ] {
            assert_eq!(count(text), Ok(number), "{text}");
        }
        for text in [
            "",
            "k",
            "x",
            "+1",
            "-1",
            "1.5",
            "1e-1",
            "1.",
            ".5",
            "1 k",
            "1m",
            "1kk",
            "1e",
            "1e1.5",
            "0x10",
            "1_000",
            "1,000",
            "٣",
            "18446744073709551616",
            "1e20",
            "1e999999999999",
            "1e99",
            "1e-99",
            "inf",
            "NaN",
            "1KiB",
            "5%",
        ] {
            assert_eq!(count::<u64>(text), Err(COUNT.to_owned()), "{text}");
        }
        assert_eq!(count::<u8>("256"), Err(COUNT.to_owned()));
        assert_eq!(from_one("1k"), Ok(1000));
        assert_eq!(from_one("0"), Err(COUNT_FROM_ONE.to_owned()));
        assert_eq!(from_one("0.5"), Err(COUNT_FROM_ONE.to_owned()));
    }

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        for (text, number) in [
            ("1", 1),
            ("1e6", 1_000_000),
            ("64k", 64_000),
            ("64kB", 64_000),
            ("64KB", 64_000),
            ("64KiB", 65_536),
            ("1.5MiB", 3 << 19),
            ("1M", 1_000_000),
            ("2GB", 2_000_000_000),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(bytes(text), Ok(number), "{text}");
        }
        for text in [
            "0",
            "0KiB",
            "",
            "B",
            "KiB",
            "1 KiB",
            "1.3KiB",
            "1mb",
            "99999999999999GiB",
        ] {
            assert_eq!(bytes(text), Err(BYTES.to_owned()), "{text}");
        }
    }

    #[test]
    fn durations_have_units_or_are_in_seconds() {
        for (text, milliseconds) in [
            ("0", 0),
            ("90", 90_000),
            ("0.5", 500),
            ("1e2", 100_000),
            ("90s", 90_000),
            ("1.5s", 1_500),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1h30m", 5_400_000),
            ("1h 30m", 5_400_000),
            ("2d", 172_800_000),
            ("500ms", 500),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "-1",
            "-1s",
            "x",
            "5 parsecs",
            "inf",
            "NaN",
            "1e30",
            "1:30",
            "5%",
        ] {
            assert_eq!(duration(text), Err(DURATION.to_owned()), "{text}");
        }
        let months = duration("5M").unwrap_err();
        assert!(months.ends_with("minutes are m, not M"), "{months}");
    }

    #[test]
    fn rates_are_per_second_or_per_minute() {
        for (text, per_second) in [
            ("100", 100.0),
            ("100/s", 100.0),
            ("0.5/s", 0.5),
            ("10k/s", 10_000.0),
            ("1e3", 1_000.0),
            ("600/m", 10.0),
            ("1/m", 1.0 / 60.0),
        ] {
            assert_eq!(rate(text), Ok(per_second), "{text}");
        }
        for text in [
            "", "/s", "0", "0/s", "-1", "1e-999/s", "NaN", "inf", "1/h", "1/", "1 /s", "1/s/s",
            "1e400",
        ] {
            assert_eq!(rate(text), Err(RATE.to_owned()), "{text}");
        }
    }
}
