//! Made-up timings, and their explanations.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{End, Explanation, Finding, Floor, SlowRecord, Timing, WorkerTiming};
use crate::error::Place;
use crate::stop::StopReason;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A worker that did nothing but score from one time to another, in milliseconds.
fn worker(from: u64, until: u64) -> WorkerTiming {
    WorkerTiming::scoring(100, from, until)
}

fn timing(wall: u64, workers: Vec<WorkerTiming>, longest: u64) -> Timing {
    let place = Place {
        path: Arc::from(Path::new("reviews.jsonl")),
        line: 812,
        column: None,
    };
    Timing {
        wall: ms(wall),
        workers,
        slowest: vec![SlowRecord {
            index: 811,
            records: 1,
            place: Some(place),
            time: ms(longest),
        }],
        ..Timing::default()
    }
}

fn explain(timing: &Timing) -> Explanation {
    Explanation::of(timing, &End::Finished, 8)
}

fn said(timing: &Timing) -> String {
    explain(timing).to_string()
}

#[track_caller]
fn assert_close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
}

#[test]
fn every_share_is_counted_once() {
    let mut first = worker(10, 910);
    first.task = ms(500);
    first.input = ms(200);
    first.preempted = ms(50);
    let mut second = worker(110, 710);
    second.busy = ms(400);
    second.task = ms(400);
    let shares = timing(1000, vec![first, second], 5).shares();
    for (name, wanted) in [
        ("scoring", 900.0),
        ("input", 200.0),
        ("preempted", 50.0),
        ("handling", 150.0),
        ("paused", 200.0),
        ("beginning", 120.0),
        ("imbalance", 200.0),
        ("ending", 180.0),
    ] {
        let found = shares.named().into_iter().find(|(other, _)| *other == name);
        assert_close(found.unwrap().1, wanted / 2000.0);
    }
    assert_close(shares.busy(), 1300.0 / 2000.0);
}

#[test]
fn shares_add_up_even_if_clocks_disagree() {
    let mut odd = worker(5, 900);
    odd.task = ms(2000);
    odd.input = ms(2000);
    odd.busy = ms(3000);
    let idle = WorkerTiming::default();
    for workers in [vec![odd], vec![odd, worker(0, 2000)], vec![idle, odd, idle]] {
        let shares = timing(1000, workers, 5).shares();
        let named = shares.named();
        assert_close(named.iter().map(|(_, share)| share).sum(), 1.0);
        assert!(named.iter().all(|(_, share)| *share >= 0.0), "{shares:?}");
    }
    let none = Timing::default().shares();
    assert_close(none.named().iter().map(|(_, share)| share).sum(), 0.0);
}

#[test]
fn the_bound_is_the_work_or_the_longest_record() {
    let timing = timing(1000, vec![worker(0, 900), worker(0, 700)], 300);
    assert_eq!(timing.work(), ms(1600));
    assert_eq!(timing.lower_bound(2), ms(800));
    assert_eq!(timing.lower_bound(100), ms(300));
    assert_close(timing.closeness(), 0.8);
    assert_close(timing.utilisation(), 0.8);
}

#[test]
fn a_worker_waits_while_it_is_not_busy() {
    let mut one = worker(100, 900);
    one.task = ms(720);
    one.input = ms(50);
    one.preempted = ms(30);
    assert_eq!(one.waiting(ms(1000)), ms(280));
    assert_close(one.share(ms(1000)), 0.8);
    assert!(one.began());
    assert!(!WorkerTiming::default().began());
    assert_eq!(WorkerTiming::default().waiting(ms(7)), ms(7));
}

#[test]
fn more_workers_help_until_the_longest_record_decides() {
    let timing = timing(3100, vec![worker(0, 3050), worker(50, 3050)], 150);
    assert_eq!(explain(&timing).finding, Finding::Busy);
    assert_eq!(
        said(&timing),
        "2 workers were busy 98 % of 3.1 s; more would help up to about 40, then the longest record \
         (150 ms, reviews.jsonl:812) decides"
    );
}

#[test]
fn more_workers_help_until_the_serial_part_decides() {
    let timing = timing(1000, vec![worker(0, 900), worker(50, 900)], 1);
    assert_eq!(timing.serial(), ms(150));
    let limit = timing.scaling_limit();
    assert_eq!((limit.workers, limit.floor), (11, Floor::OneThread));
    assert!(
        said(&timing).ends_with(
            "more would help up to about 11, then what one thread does alone (150 ms) decides"
        ),
        "{}",
        said(&timing)
    );
}

#[test]
fn more_workers_help_until_waking_them_costs_more() {
    let mut timing = timing(1, vec![worker(0, 1)], 0);
    timing.slowest[0].time = Duration::from_nanos(10);
    assert_eq!(
        said(&timing),
        "1 worker was busy 100 % of 1.0 ms; more would help up to about 20, then waking one costs \
         more than it saves"
    );
    timing = self::timing(100_000, vec![worker(0, 100_000)], 1);
    assert_eq!(
        said(&timing),
        "1 worker was busy 100 % of 100 s; more would help"
    );
}

#[test]
fn more_workers_do_not_help_beyond_the_longest_record() {
    let workers = (0..8).map(|_| worker(0, 1000)).collect();
    assert_eq!(
        said(&timing(1000, workers, 0)),
        "8 workers were busy 100 % of 1.0 s; more would help"
    );
    let workers = (0..8).map(|number| worker(0, 850 + 20 * number)).collect();
    assert!(
        said(&timing(1000, workers, 450))
            .starts_with("8 workers were busy 92 % of 1.0 s; more would")
    );
    let mut one = timing(1000, vec![worker(0, 1000)], 900);
    one.slowest[0].place = None;
    assert_eq!(
        said(&one),
        "1 worker was busy 100 % of 1.0 s; more would not help: the longest record (900 ms, record \
         812) decides"
    );
}

#[test]
fn one_long_record_is_named() {
    let timing = timing(1000, vec![worker(0, 1000), worker(0, 400)], 600);
    assert_eq!(
        said(&timing),
        "the longest record (600 ms, reviews.jsonl:812) took 60 % of 1.0 s: more workers would not \
         help"
    );
}

#[test]
fn waiting_for_input_is_explained() {
    let mut worker = worker(0, 1000);
    worker.task = ms(200);
    worker.input = ms(800);
    assert_eq!(
        said(&timing(1000, vec![worker], 1)),
        "1 worker was waiting for input 80 % of 1.0 s: more would not help"
    );
    assert_eq!(
        said(&timing(1000, vec![worker; 3], 1)),
        "3 workers were waiting for input 80 % of 1.0 s: more would not help"
    );
}

#[test]
fn other_load_is_explained_first() {
    let mut worker = worker(0, 1000);
    worker.task = ms(500);
    worker.preempted = ms(500);
    let timing = timing(1000, vec![worker, worker], 900);
    assert_eq!(
        said(&timing),
        "2 workers were kept waiting for cores 50 % of 1.0 s: other threads use them too, and more \
         workers would not help"
    );
}

#[test]
fn more_workers_than_cores_are_explained() {
    let mut worker = worker(0, 1000);
    worker.task = ms(100);
    worker.preempted = ms(600);
    // Time in which a worker waited for input and had no core is counted as both.
    worker.input = ms(900);
    assert_eq!(worker.waiting(ms(1000)), ms(900));
    assert_eq!(
        said(&timing(1000, vec![worker; 9], 1)),
        "9 workers were without a core 60 % of 1.0 s, because there are only 8: as many workers as \
         cores would do"
    );
}

#[test]
fn imbalance_pauses_and_a_serial_part_are_explained() {
    let uneven = timing(1000, vec![worker(0, 1000), worker(0, 400)], 20);
    assert_eq!(
        said(&uneven),
        "2 workers were without work 30 % of 1.0 s, at the end, while others still had some; more \
         would help up to about 70, then the longest record (20 ms, reviews.jsonl:812) decides"
    );
    let mut idle_between = worker(0, 1000);
    idle_between.busy = ms(500);
    idle_between.task = ms(500);
    let paused = timing(1000, vec![worker(0, 1000), idle_between], 20);
    assert_eq!(explain(&paused).finding, Finding::Paused);
    assert!(said(&paused).starts_with("2 workers were paused 25 % of 1.0 s"));
    let merging = timing(1000, vec![worker(0, 500), worker(0, 500)], 20);
    assert_eq!(explain(&merging).finding, Finding::OneThread);
    assert_eq!(
        said(&merging),
        "2 workers were idle 50 % of 1.0 s, while one thread began or computed the answer; more \
         would not help: what one thread does alone (500 ms) decides"
    );
}

#[test]
fn runs_that_are_not_shared_say_so() {
    assert_eq!(said(&timing(1, Vec::new(), 0)), "there were no records");
    let mut alone = worker(0, 1);
    let idle = WorkerTiming::default();
    let mut short = timing(1, vec![alone, idle], 0);
    short.wall = Duration::from_micros(40);
    assert_eq!(
        said(&short),
        "the calling thread did it alone in 40 µs: there was not enough to share"
    );
    alone.records = 1;
    assert_eq!(
        said(&timing(1, vec![alone, idle], 1)),
        "one record in 1.0 ms: there was nothing to share"
    );
}

#[test]
fn a_run_that_was_ended_early_says_so() {
    let timing = timing(100_000, vec![worker(0, 100_000)], 1);
    let explanation = Explanation::of(&timing, &End::Stopped(StopReason::Cancelled), 8);
    assert_eq!(
        explanation.to_string(),
        "1 worker was busy 100 % of 100 s; more would help; these figures are for the time until the run \
         was ended early"
    );
}

#[test]
fn cheap_records_are_named_with_their_neighbours() {
    let mut timing = timing(1000, vec![worker(0, 1000)], 500);
    timing.slowest[0].records = 12;
    assert!(
        said(&timing).contains("the longest record, one of 12 (500 ms, reviews.jsonl:812) decides")
    );
}
