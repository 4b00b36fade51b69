//! How long a service asks to wait, in the many ways in which services write times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

/// The longest time that is waited because a service asks for it.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Numbers from here on are times since 1970 in seconds. As a time to wait, this number would be 31 years.
const FIRST_EPOCH: f64 = 1e9;

/// Numbers from here on are times since 1970 in milliseconds.
const FIRST_EPOCH_MILLIS: f64 = 1e12;

/// The headers that say after which time the call can be tried again, in milliseconds.
const IN_MILLIS: [&str; 2] = ["retry-after-ms", "x-ms-retry-after-ms"];

/// After which time the service wants the call to be tried again, if it says so.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let millis = IN_MILLIS.iter().find_map(|name| {
        let millis: f64 = text(name)?.trim().parse().ok()?;
        duration(millis / 1e3)
    });
    millis.or_else(|| time_until(text("retry-after")?, now))
}

/// Reads a time from now on: seconds, a duration of Go such as `6m0s`, seconds or milliseconds since 1970, or a date as in
/// RFC 3339 or in HTTP. A time in the past is 0.
pub(super) fn time_until(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim().trim_matches('"');
    if let Ok(number) = text.parse::<f64>() {
        let seconds = match number {
            FIRST_EPOCH_MILLIS.. => number / 1e3,
            _ => number,
        };
        return match seconds {
            FIRST_EPOCH.. => Some(until(UNIX_EPOCH.checked_add(duration(seconds)?)?, now)),
            _ => duration(seconds),
        };
    }
    let date = || {
        let utc = text
            .strip_suffix("+00:00")
            .or_else(|| text.strip_suffix("-00:00"));
        let date = humantime::parse_rfc3339_weak(utc.unwrap_or(text)).ok();
        date.or_else(|| httpdate::parse_http_date(text).ok())
    };
    go_duration(text).or_else(|| date().map(|date| until(date, now)))
}

fn until(time: SystemTime, now: SystemTime) -> Duration {
    time.duration_since(now).unwrap_or_default()
}

/// A duration of this number of seconds, if there is one.
fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// Reads a duration as Go writes them, such as `1h2m3.5s`, `6m0s` or `12ms`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let is_number = |letter: char| letter.is_ascii_digit() || letter == '.';
        let (number, after) = rest.split_at(rest.find(|c| !is_number(c))?);
        let (unit, after) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        let number: f64 = number.parse().ok()?;
        seconds += number
            * match unit {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" | "μs" => 1e-6,
                "ns" => 1e-9,
                "d" => 86_400.0,
                _ => return None,
            };
        rest = after;
    }
    (!text.is_empty()).then(|| duration(seconds))?
}
