//! Tests the times that the stopwatch computes from measured times. The tests pass the times themselves.

use super::*;

const MICRO: Duration = Duration::from_micros(1);
const MILLI: Duration = Duration::from_millis(1);

fn at(index: u64) -> Position {
    Position {
        index,
        ..Position::default()
    }
}

/// A stopwatch that has timed a stretch of `records` records, each of which took `usual`.
fn after(records: u32, usual: Duration) -> Stopwatch {
    let mut watch = Stopwatch::new(Instant::now());
    watch.add(usual * records, Duration::ZERO, records);
    watch
}

/// The slowest records, as pairs of the first index and the time.
fn slowest(watch: &Stopwatch) -> Vec<(u64, Duration)> {
    let pair = |slow: &SlowStretch| (slow.first.index, slow.time);
    watch.slowest.iter().map(pair).collect()
}

#[test]
fn a_stretch_takes_about_ten_microseconds_and_at_most_doubles() {
    assert_eq!(stretch_after(STRETCH, 1), 1);
    assert_eq!(stretch_after(STRETCH / 2, 1), 2);
    assert_eq!(stretch_after(Duration::ZERO, 1), 2);
    assert_eq!(stretch_after(4 * MICRO, 4), 8);
    assert_eq!(stretch_after(8 * MICRO, 8), 10);
    assert_eq!(stretch_after(25 * MICRO, 10), 4);
    assert_eq!(stretch_after(40 * MILLI, 10), 1);
    assert_eq!(stretch_after(Duration::ZERO, 128), 256);
    assert_eq!(stretch_after(Duration::ZERO, 256), 256);
}

#[test]
fn the_times_of_all_stretches_are_added() {
    let mut watch = after(4, 3 * MICRO);
    assert_eq!((watch.work, watch.usual), (12 * MICRO, 3 * MICRO));
    watch.add(30 * MICRO, Duration::ZERO, 2);
    assert_eq!((watch.work, watch.usual), (42 * MICRO, 15 * MICRO));
}

#[test]
fn a_short_record_is_assumed_to_begin_when_the_previous_one_ended() {
    assert!(after(1, BOTH_ENDS - Duration::from_nanos(1)).follows);
    assert!(!after(1, BOTH_ENDS).follows);
}

#[test]
fn the_slowest_record_of_a_stretch_is_estimated_from_the_usual_time() {
    let mut watch = after(4, 2 * MICRO);
    watch.first = at(4);
    // Three of these four records are assumed to have taken 2 µs each, as those before them.
    watch.add(46 * MICRO, Duration::ZERO, 4);
    assert_eq!(slowest(&watch), [(4, 40 * MICRO), (0, 8 * MICRO)]);
    // These records were faster than those before them, so each of them is assumed to have taken the same time.
    watch.first = at(8);
    watch.add(40 * MICRO, Duration::ZERO, 4);
    assert_eq!(slowest(&watch)[1], (8, 10 * MICRO));
    assert_eq!(watch.slowest[1].records, 4);
}

#[test]
fn lost_time_is_not_counted_as_time_of_the_record() {
    let mut watch = after(1, 10 * MICRO);
    watch.add(100 * MICRO, 70 * MICRO, 1);
    assert_eq!(watch.work, 40 * MICRO);
    assert_eq!(slowest(&watch)[0].1, 30 * MICRO);
    // Time that was lost before the record began is not subtracted from what the record takes at least.
    watch.add(100 * MICRO, 90 * MICRO, 1);
    assert_eq!(watch.work, 70 * MICRO);
    watch.add(20 * MICRO, 90 * MICRO, 1);
    assert_eq!(watch.work, 90 * MICRO);
    watch.add(100 * MICRO, 95 * MICRO, 2);
    assert_eq!(watch.work, 130 * MICRO);
}

#[test]
fn records_of_an_open_stretch_are_estimated_when_input_is_fetched() {
    let mut watch = after(2, 5 * MICRO);
    watch.stretch = 100;
    for index in 2..5 {
        watch.start(at(index));
        watch.end();
    }
    assert_eq!((watch.work, watch.first.index), (10 * MICRO, 2));
    let fetched = Position {
        fetched: true,
        ..at(5)
    };
    watch.start(fetched);
    assert_eq!((watch.work, watch.done), (25 * MICRO, 0));
    assert_eq!(watch.first.index, 5, "a new stretch begins");
    assert!(!watch.follows);
    watch.end();
    assert_eq!(watch.done, 1);
    watch.pause();
    assert_eq!(watch.done, 0, "the stretch is closed");
    let work = watch.work;
    watch.pause();
    assert_eq!(watch.work, work, "no record is open");
}

#[test]
fn a_stretch_that_follows_another_begins_when_that_one_ended() {
    let now = Instant::now();
    let mut watch = Stopwatch::new(now - MILLI);
    // The time without a core is not read, because the run seems to have begun only now.
    watch.since = now + Duration::from_secs(3_600);
    watch.start(at(0));
    watch.began = now - MILLI;
    watch.end();
    assert!(
        watch.began >= now,
        "the time of the first record would count twice"
    );
    assert!(watch.work >= MILLI);
    assert!(watch.last_reading.is_none());
}

#[test]
fn a_record_that_another_process_has_scored_counts_with_its_own_time() {
    let mut watch = Stopwatch::new(Instant::now());
    watch.end_after(at(7), 3 * MILLI);
    watch.end_after(at(8), 5 * MILLI);
    assert_eq!(watch.work, 8 * MILLI);
    assert_eq!(watch.take_elsewhere(), 8 * MILLI);
    assert_eq!(watch.take_elsewhere(), Duration::ZERO);
    assert_eq!(slowest(&watch), [(8, 5 * MILLI), (7, 3 * MILLI)]);
    assert_eq!(watch.slowest[0].records, 1);
}

#[test]
fn the_slowest_records_are_kept_longest_first_and_the_earlier_one_of_two() {
    let mut watch = Stopwatch::new(Instant::now());
    for (index, time) in [3, 1, 4, 1, 5, 2, 2, 4].into_iter().enumerate() {
        watch.end_after(at(index as u64), time * MILLI);
    }
    let expected = [(4, 5), (2, 4), (7, 4), (0, 3), (5, 2)];
    assert_eq!(
        slowest(&watch),
        expected.map(|(index, time)| (index, time * MILLI))
    );
    assert!(!watch.is_among_the_slowest(2 * MILLI));
    assert!(watch.is_among_the_slowest(2 * MILLI + MICRO));
}

#[test]
fn the_lost_time_is_first_read_after_half_a_millisecond() {
    let watch = Stopwatch::new(Instant::now());
    let is_read = |after: Duration| watch.is_worth_reading(watch.since + after, MICRO, 1);
    assert!(!is_read(WORTH_READING - MICRO));
    assert!(is_read(WORTH_READING));
}

#[test]
fn the_lost_time_is_read_for_slow_records_and_at_intervals() {
    let mut watch = after(1, 20 * MICRO);
    let now = watch.since + MILLI;
    let _ = watch.read_lost_time(now);
    let is_read =
        |watch: &Stopwatch, elapsed, records| watch.is_worth_reading(now, elapsed, records);
    // A record is suspicious if it takes at least 50 µs and four times as long as other records.
    assert!(!is_read(&watch, 79 * MICRO, 1));
    assert!(is_read(&watch, 80 * MICRO, 1));
    assert!(!is_read(&watch, 159 * MICRO, 2));
    assert!(is_read(&watch, 160 * MICRO, 2));
    watch.usual = MICRO;
    assert!(!is_read(&watch, 49 * MICRO, 1));
    assert!(is_read(&watch, 50 * MICRO, 1));
    // A record that takes at least 500 µs is always suspicious, if it is among the slowest.
    watch.usual = MILLI;
    assert!(!is_read(&watch, WORTH_READING - MICRO, 1));
    assert!(is_read(&watch, WORTH_READING, 1));
    for index in 0..5 {
        watch.end_after(at(index), WORTH_READING);
    }
    assert!(!is_read(&watch, WORTH_READING, 1));
    // The time is also read at intervals, regardless of the record.
    let later = now + READ_INTERVAL;
    assert!(!watch.is_worth_reading(later - MICRO, MICRO, 1));
    assert!(watch.is_worth_reading(later, MICRO, 1));
}

#[test]
fn a_reading_of_another_thread_is_replaced_when_a_worker_resumes() {
    let mut watch = Stopwatch::new(Instant::now());
    watch.resume(watch.since + WORTH_READING - MICRO);
    assert!(watch.last_reading.is_none(), "it is too early");
    let first = watch.since + WORTH_READING;
    watch.resume(first);
    let read_at = |watch: &Stopwatch| watch.last_reading.as_ref().map(|reading| reading.at);
    assert_eq!(read_at(&watch), Some(first));
    watch.resume(first + MILLI);
    assert_eq!(
        read_at(&watch),
        Some(first),
        "the reading is of this thread"
    );
    let other = thread::scope(|scope| {
        let resumed = scope.spawn(|| watch.resume(first + 2 * MILLI));
        resumed.join()
    });
    other.expect("no panic");
    assert_eq!(read_at(&watch), Some(first + 2 * MILLI));
    assert_eq!(
        watch.preempted,
        Duration::ZERO,
        "the readings of two threads are not compared"
    );
}

#[test]
fn scores_are_passed_on_once_in_a_millisecond() {
    let mut watch = Stopwatch::new(Instant::now());
    assert!(!watch.is_time_to_pass_on());
    watch.began = watch.since + PASS_ON - MICRO;
    assert!(!watch.is_time_to_pass_on());
    watch.began = watch.since + PASS_ON;
    assert!(watch.is_time_to_pass_on());
    assert!(!watch.is_time_to_pass_on(), "they have just been passed on");
    watch.began += PASS_ON;
    assert!(watch.is_time_to_pass_on());
}
