//! Tests of how long a service asks to wait.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use crate::remote::service::rate_limit::{allowances, pause};
use crate::remote::service::waiting::{retry_after, time_until};

/// 2026-12-01T00:00:00Z.
const NOW: u64 = 1_796_083_200;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn headers(lines: &str) -> HeaderMap {
    let lines = lines.split('\n').filter(|line| !line.trim().is_empty());
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        let name = HeaderName::from_bytes(name.trim().as_bytes()).unwrap();
        (name, HeaderValue::from_str(value.trim()).unwrap())
    });
    headers.collect()
}

#[test]
fn times_are_read_as_services_write_them() {
    let millis = |text: &str| time_until(text, now()).map(|time| time.as_millis());
    for (text, expected) in [
        // Durations of Go, as OpenAI and Groq write them.
        ("1s", 1_000),
        ("6m0s", 360_000),
        ("12ms", 12),
        ("2m59.56s", 179_560),
        ("7.66s", 7_660),
        ("1h2m3s", 3_723_000),
        ("7h12m0s", 25_920_000),
        ("120us", 0),
        // Seconds, as Azure and the drafts of the standard have them.
        ("0", 0),
        ("55", 55_000),
        ("0.65", 650),
        (" 30 ", 30_000),
        // Times since 1970 as GitHub has them, in milliseconds, and with a fraction as Discord has them.
        ("1796083260", 60_000),
        ("1796083260000", 60_000),
        ("1796083260.5", 60_500),
        ("1372700873", 0),
        // Dates of RFC 3339 as Anthropic writes them, and of HTTP.
        ("2026-12-01T00:01:00Z", 60_000),
        ("2026-12-01T00:01:00.250Z", 60_250),
        ("2026-12-01T00:01:00+00:00", 60_000),
        ("2026-11-30T00:01:00Z", 0),
        ("Tue, 01 Dec 2026 00:02:00 GMT", 120_000),
        ("Tue, 01 Dec 2020 00:02:00 GMT", 0),
    ] {
        assert_eq!(millis(text), Some(expected), "{text:?}");
    }
    for text in [
        "",
        "-1",
        "-5",
        "soon",
        "NaN",
        "inf",
        "1e400",
        "1e300",
        "5x",
        "s",
        "1.2.3s",
        "m5",
        "99999999999999999h",
        "2026-12-01",
    ] {
        assert_eq!(millis(text), None, "{text:?}");
    }
}

#[test]
fn a_service_says_when_to_try_again() {
    for (lines, expected) in [
        ("retry-after: 30", Some(30_000)),
        ("retry-after: Tue, 01 Dec 2026 00:00:05 GMT", Some(5_000)),
        ("retry-after-ms: 250.5\nretry-after: 1", Some(250)),
        ("x-ms-retry-after-ms: 1500", Some(1_500)),
        ("retry-after-ms: soon\nretry-after: 2", Some(2_000)),
        ("retry-after: -1", None),
        ("retry-after: 0", Some(0)),
        ("retry-after: 86400", Some(86_400_000)),
        ("date: Tue, 01 Dec 2026 00:00:05 GMT", None),
    ] {
        let wait = retry_after(&headers(lines), now());
        assert_eq!(wait.map(|wait| wait.as_millis()), expected, "{lines}");
    }
}

/// How long all calls wait, in milliseconds.
fn waits(lines: &str, is_throttled: bool, in_flight: usize) -> u128 {
    let allowances = allowances(&headers(lines), is_throttled, now());
    pause(&allowances, in_flight).map_or(0, |pause| pause.as_millis())
}

#[test]
fn limits_of_real_services_slow_all_calls() {
    let openai = |requests: u32, tokens: u32| {
        format!(
            "x-ratelimit-limit-requests: 60\nx-ratelimit-remaining-requests: {requests}\nx-ratelimit-reset-requests: 30s\n\
             x-ratelimit-limit-tokens: 150000\nx-ratelimit-remaining-tokens: {tokens}\nx-ratelimit-reset-tokens: 1m0s"
        )
    };
    // Half a second for each call that is in flight or comes next, as 60 calls come back in 30 s.
    assert_eq!(waits(&openai(0, 150_000), false, 0), 500);
    assert_eq!(waits(&openai(0, 150_000), false, 15), 8_000);
    assert_eq!(waits(&openai(30, 150_000), false, 15), 0);
    assert_eq!(waits(&openai(59, 0), false, 0), 6_000);
    assert_eq!(waits(&openai(59, 3_750), false, 0), 3_000);
    assert_eq!(waits(&openai(59, 7_500), false, 0), 0);
    // Groq: requests of a day, tokens of a minute.
    let groq = "x-ratelimit-limit-requests: 14400\nx-ratelimit-limit-tokens: 18000\nx-ratelimit-remaining-requests: 14370\n\
                x-ratelimit-remaining-tokens: 17997\nx-ratelimit-reset-requests: 2m59.56s\nx-ratelimit-reset-tokens: 7.66ms";
    assert_eq!(waits(groq, false, 100), 0);
    let anthropic = "anthropic-ratelimit-requests-limit: 50\nanthropic-ratelimit-requests-remaining: 0\n\
                     anthropic-ratelimit-requests-reset: 2026-12-01T00:01:00Z\nanthropic-ratelimit-tokens-limit: 40000\n\
                     anthropic-ratelimit-tokens-remaining: 39000\nanthropic-ratelimit-tokens-reset: 2026-12-01T00:00:02Z";
    assert_eq!(waits(anthropic, false, 0), 1_200);
    // GitHub: a window, which is restored as a whole.
    let github = |remaining: u32, reset: u64| {
        let reset = NOW + reset;
        format!(
            "x-ratelimit-limit: 5000\nx-ratelimit-remaining: {remaining}\nx-ratelimit-reset: {reset}\nx-ratelimit-used: 1"
        )
    };
    assert_eq!(waits(&github(0, 60), false, 3), 60_000);
    assert_eq!(waits(&github(2, 60), false, 3), 30_000);
    assert_eq!(waits(&github(4, 60), false, 3), 0);
    // An hour is too long to wait.
    assert_eq!(waits(&github(0, 3_600), false, 3), 0);
    let discord = "X-RateLimit-Limit: 5\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1470173023.123\nX-RateLimit-Reset-After: 1.25";
    assert_eq!(waits(discord, false, 0), 1_250);
    assert_eq!(
        waits(
            "ratelimit-limit: 100, 100;w=60\nratelimit-remaining: 0\nratelimit-reset: 5",
            false,
            0
        ),
        5_000
    );
    assert_eq!(
        waits("ratelimit: limit=100, remaining=0, reset=5", false, 0),
        5_000
    );
    assert_eq!(
        waits(
            "ratelimit: \"default\";r=0;t=5\nratelimit-policy: \"default\";q=100;w=60",
            false,
            0
        ),
        5_000
    );
    assert_eq!(
        waits(
            "ratelimitbysize-limit: 500000\nratelimitbysize-remaining: 0\nratelimitbysize-reset: 23",
            false,
            0
        ),
        23_000
    );
}

#[test]
fn what_a_service_does_not_know_slows_no_call() {
    for lines in [
        "x-ratelimit-limit-tokens: -1\nx-ratelimit-remaining-tokens: -1\nx-ratelimit-reset-tokens: 0",
        "x-ratelimit-limit-requests: 0\nx-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 0",
        "x-ratelimit-limit-requests: 0\nx-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 60",
        "x-ratelimit-limit-requests: -1\nx-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 60",
        "x-ratelimit-remaining: -1\nx-ratelimit-reset: 60",
        "x-ratelimit-remaining: 0\nx-ratelimit-reset: -1",
        "x-ratelimit-remaining: 0\nx-ratelimit-reset: 1372700873",
        "x-ratelimit-remaining: 0",
        "x-ratelimit-remaining: nan\nx-ratelimit-reset: 60",
        "x-ratelimit-remaining: many\nx-ratelimit-reset: 60",
        // Azure and Mistral, which do not say when the limit resets.
        "x-ratelimit-remaining-requests: 0\nx-ratelimit-remaining-tokens: 0",
        "x-ratelimit-limit-req-minute: 720\nx-ratelimit-remaining-req-minute: 0",
        "ratelimit: limit=100",
        "ratelimit: ;;,=,r=,t",
    ] {
        assert_eq!(waits(lines, false, 16), 0, "{lines}");
    }
    // A service that refuses a call and says only when the limit resets.
    let azure = "x-rate-limit-reset-tokens: 55\nx-ratelimit-remaining-requests: 17";
    assert_eq!(waits(azure, true, 0), 5_500);
    assert_eq!(waits(azure, false, 0), 0);
}

proptest! {
    #[test]
    fn no_header_panics(
        remaining in "[-0-9.eE]{0,8}|[ -~]{0,12}",
        limit in "[-0-9.eE]{0,8}|[ -~]{0,12}",
        reset in "[0-9hmsun.µ:TZ+-]{0,24}|[ -~]{0,12}",
        in_flight in any::<usize>(),
    ) {
        let _ = time_until(&reset, now());
        let reset = reset.replace('µ', "u");
        let lines = format!("x-ratelimit-remaining: {remaining}\nx-ratelimit-limit: {limit}\nx-ratelimit-reset: {reset}\n\
            x-ratelimit-remaining-tokens: {remaining}\nx-ratelimit-limit-tokens: {limit}\nx-ratelimit-reset-tokens: {reset}\n\
            ratelimit: {remaining};{limit}={reset}\nretry-after: {reset}");
        let _ = retry_after(&headers(&lines), now());
        prop_assert!(waits(&lines, true, in_flight) <= 300_000);
    }
}
