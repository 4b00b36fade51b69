//! Tests of the sentences about calls.

use super::*;

fn report(held_up: HeldUp) -> CallsReport {
    CallsReport {
        calls: 1_000,
        latency: Some(CallLatency {
            mean: 0.05,
            ..CallLatency::default()
        }),
        mean_in_flight: 7.2,
        most_in_flight: 16,
        limit: 16,
        held_up,
        elapsed: 10.0,
        ..CallsReport::default()
    }
}

#[test]
fn the_longest_wait_decides() {
    let zero = HeldUp::default();
    let cases = [
        (
            HeldUp {
                limit: 9.0,
                input: 0.5,
                ..zero
            },
            "the limit of 16 in flight decided: the next call waited for it 90 %",
        ),
        (
            HeldUp {
                rate: 6.0,
                limit: 3.0,
                ..zero
            },
            "with 50 ms for a call, 8 in flight suffice for this rate",
        ),
        (
            HeldUp {
                service: 6.0,
                limit: 3.0,
                ..zero
            },
            "it asked for pauses, which took 60 % of the time",
        ),
        (
            HeldUp {
                budget: 1.0,
                ..zero
            },
            "the budget decided: 10 %",
        ),
        (HeldUp { room: 1.0, ..zero }, "slow records decided: 10 %"),
        (
            HeldUp {
                input: 10.0,
                ..zero
            },
            "the records decided: 100 %",
        ),
        (
            zero,
            "calls were started as fast as this process could start them, and took 50 ms on average",
        ),
    ];
    for (held_up, expected) in cases {
        let sentence = report(held_up).explanation();
        assert!(sentence.contains(expected), "{sentence}");
    }
    let mut adaptive = report(HeldUp { limit: 9.0, ..zero });
    adaptive.adaptive = true;
    assert!(
        adaptive
            .explanation()
            .starts_with("the service decided: it allowed up to 16")
    );
    assert_eq!(CallsReport::default().explanation(), "no call was made");
}

#[test]
fn waits_are_shares_of_the_run() {
    let held_up = HeldUp {
        limit: 9.0,
        rate: 0.96,
        input: 0.04,
        ..HeldUp::default()
    };
    assert_eq!(
        report(held_up).waits(),
        "90 % for the limit in flight, 10 % for the limit per second"
    );
    assert_eq!(CallsReport::default().waits(), "");
}

#[test]
fn times_have_a_readable_unit() {
    let times = [0.000_25, 0.05, 1.26, 12.4].map(shown);
    assert_eq!(times, ["250 µs", "50 ms", "1.3 s", "12 s"]);
}
