//! Records the time of each record, in separate runs that score the records in order on the calling thread.
//!
//! The clock is read once per stretch of units. (A unit is what an executor hands out: a record or a part of
//! the dataset.) Short units are timed in groups, which are long enough to make the time for reading the clock
//! and calling the pipeline negligible. Each long unit has a stretch of its own. A first run finds out which
//! units are long, and a second run splits the stretches that turned out to be long. Three more runs measure
//! the stretches. The shortest time of each stretch counts, so that a unit does not look slow because its
//! thread had no core for a while.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::analysis::RecordTimes;
use super::runnable::Runnable;
use super::statistics::median;
use crate::error::Error;
use crate::execution::{Executor, Flow, Work};
use crate::sync::{Mutex, into_inner, lock};

/// Target duration of a stretch of short units, in seconds.
const STRETCH: f64 = 50e-6;
/// A stretch longer than this multiple of [`STRETCH`] is split into single units.
const LONG: f64 = 2.0;
/// Largest number of units in a stretch, so that a long unit among short ones is found.
const MOST_UNITS: usize = 1024;
/// Largest number of stretches to keep. If there are more, neighbours are merged.
const MOST_STRETCHES: usize = 1 << 18;
/// Number of runs that measure the stretches.
const PASSES: usize = 3;
/// Number of workers that the first run claims to have, to find out how many of them the limit allows to work
/// at once.
pub(super) const WORKERS: usize = 1024;

/// A clock, which returns the time since some fixed moment.
type MonotonicClock<'c> = &'c (dyn Fn() -> Duration + Sync);

/// Consecutive units that were timed together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) units: usize,
    pub(super) seconds: f64,
}

/// The times of a run on the calling thread, in seconds: those of its units and those of everything else.
#[derive(Clone, Debug, Default)]
pub(super) struct Recording {
    /// The units in order, in groups that were timed together.
    pub(super) stretches: Vec<Stretch>,
    /// The time before the first unit and after the last one, in which only one thread works.
    pub(super) serial: f64,
    /// The time that a call takes in addition to the time of its units. It does not depend on the number of units.
    pub(super) step: f64,
    /// The number of workers that the limit allows to work at the same time, at most [`WORKERS`].
    pub(super) most_workers: usize,
    /// True if a call may wait, for example for a permit. The times then include waiting, so they are not
    /// processor times.
    pub(super) waits: bool,
}

/// Records the times of the units.
pub(super) fn record(runnable: &dyn Runnable) -> Result<Recording, Error> {
    let began = Instant::now();
    record_by(&|| began.elapsed(), runnable)
}

/// Like [`record`], but with a clock that the caller provides.
fn record_by(clock: MonotonicClock<'_>, runnable: &dyn Runnable) -> Result<Recording, Error> {
    let run = |workers: usize, lengths: &[usize]| run(clock, runnable, workers, lengths);
    let first = run(WORKERS, &[])?;
    let split = run(1, &lengths(&split_long(first.stretches)))?;
    let planned = lengths(&condense(split.stretches, STRETCH));
    let mut recording = Recording {
        most_workers: first.most_workers,
        ..run(1, &planned)?
    };
    for pass in 1..PASSES {
        let again = run(1, &planned)?;
        if pass == 1 {
            recording.step = call_cost(&again.stretches, run)?;
        }
        recording.serial = recording.serial.min(again.serial);
        for (least, now) in recording.stretches.iter_mut().zip(again.stretches) {
            least.seconds = least.seconds.min(now.seconds);
        }
    }
    Ok(recording)
}

/// The fixed cost of a call in seconds: each stretch is run in several calls, and the median of the additional
/// time for each additional call counts.
fn call_cost(
    stretches: &[Stretch],
    run: impl Fn(usize, &[usize]) -> Result<Recording, Error>,
) -> Result<f64, Error> {
    /// Number of calls for a stretch.
    const CALLS: usize = 8;
    let calls = |stretch: &Stretch| stretch.units.min(CALLS);
    let split = stretches.iter().flat_map(|stretch| {
        let (units, calls) = (stretch.units, calls(stretch));
        (0..calls).map(move |call| units * (call + 1) / calls - units * call / calls)
    });
    let split = run(1, &split.collect::<Vec<_>>())?;
    let mut split = split.stretches.iter();
    let mut costs = Vec::new();
    for stretch in stretches {
        let own = split.by_ref().take(calls(stretch));
        let seconds: f64 = own.map(|call| call.seconds).sum();
        // Stretches with fewer units are ignored, because the times of long units scatter by more than a call
        // costs.
        if stretch.units >= CALLS {
            costs.push((seconds - stretch.seconds) / (CALLS - 1) as f64);
        }
    }
    Ok(median(&costs).max(0.0))
}

/// Makes one run with stretches of these lengths, in units. The clock determines the length of any further
/// stretches.
fn run(
    clock: MonotonicClock<'_>,
    runnable: &dyn Runnable,
    workers: usize,
    lengths: &[usize],
) -> Result<Recording, Error> {
    let recorder = Recorder {
        clock,
        workers,
        lengths,
        recording: Mutex::default(),
    };
    let outcome = runnable.run_on(&recorder)?;
    let mut recording = into_inner(recorder.recording);
    let wall = outcome.timing.wall.as_secs_f64();
    // So far, `serial` is the time that was spent inside the executor, which the recorder has stored there.
    recording.serial = (wall - recording.serial).max(0.0);
    Ok(recording)
}

fn lengths(stretches: &[Stretch]) -> Vec<usize> {
    stretches.iter().map(|stretch| stretch.units).collect()
}

/// Splits long stretches into single units.
fn split_long(stretches: Vec<Stretch>) -> Vec<Stretch> {
    let split = |stretch: Stretch| {
        let is_long = stretch.seconds > LONG * STRETCH;
        let count = if is_long { stretch.units } else { 1 };
        let short = Stretch {
            units: stretch.units / count,
            seconds: stretch.seconds / count as f64,
        };
        std::iter::repeat_n(short, count)
    };
    stretches.into_iter().flat_map(split).collect()
}

/// Merges neighbours that together take at most `least` seconds, and longer ones if there are still too
/// many stretches.
fn condense(stretches: Vec<Stretch>, mut least: f64) -> Vec<Stretch> {
    let mut condensed = merge_short(&stretches, least);
    while condensed.len() > MOST_STRETCHES {
        least *= 2.0;
        condensed = merge_short(&condensed, least);
    }
    condensed
}

/// Merges neighbours that together take at most `least` seconds.
fn merge_short(stretches: &[Stretch], least: f64) -> Vec<Stretch> {
    let mut merged: Vec<Stretch> = Vec::new();
    for stretch in stretches {
        match merged.last_mut() {
            Some(last) if last.seconds + stretch.seconds <= least => {
                last.units += stretch.units;
                last.seconds += stretch.seconds;
            }
            _ => merged.push(*stretch),
        }
    }
    merged
}

/// An executor that runs everything on the calling thread and times it.
struct Recorder<'l> {
    clock: MonotonicClock<'l>,
    /// Number of workers that this executor claims to have.
    workers: usize,
    /// The number of units in each stretch. The clock determines the length of any further stretches.
    lengths: &'l [usize],
    recording: Mutex<Recording>,
}

impl Executor for Recorder<'_> {
    fn workers(&self) -> usize {
        self.workers
    }

    fn execute(&self, work: &Work<'_>) {
        let mut stretches = Vec::with_capacity(self.lengths.len());
        let (mut lengths, mut length, mut least) = (self.lengths.iter(), 1, STRETCH);
        let began = (self.clock)();
        let (mut next, mut from) = (0, began);
        while next < work.units() {
            let planned = lengths.next().copied();
            let end = work.units().min(next + planned.unwrap_or(length));
            let flow = work.run(0, next..end);
            let now = (self.clock)();
            let (units, seconds) = (end - next, (now - from).as_secs_f64());
            stretches.push(Stretch { units, seconds });
            if flow == Flow::Stop {
                break;
            }
            (next, from) = (end, now);
            if planned.is_none() {
                let fitting = least / (seconds / units as f64).max(1e-9);
                length = (fitting as usize).clamp(1, MOST_UNITS.min(length * 2));
                if stretches.len() > 2 * MOST_STRETCHES {
                    least *= 2.0;
                    stretches = merge_short(&stretches, least);
                }
            }
        }
        *lock(&self.recording) = Recording {
            stretches,
            serial: ((self.clock)() - began).as_secs_f64(),
            step: 0.0,
            most_workers: work.workers(WORKERS),
            waits: work.waits(),
        };
    }
}

impl Stretch {
    /// Mean time of a unit, in seconds.
    pub(super) fn seconds_per_unit(&self) -> f64 {
        self.seconds / self.units.max(1) as f64
    }
}

impl Recording {
    /// Time of all units, in seconds.
    pub(super) fn work(&self) -> f64 {
        self.stretches.iter().map(|stretch| stretch.seconds).sum()
    }

    /// Number of units.
    pub(super) fn units(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.units).sum()
    }

    /// Scales all times so that they add up to `seconds`.
    ///
    /// The recorded minimums are shorter than the times of any single run, and they are reported next to
    /// measured times. The cost of a call is scaled too, because it was measured with the same short
    /// times.
    pub(super) fn scale_to(&mut self, seconds: f64) {
        let all = self.work() + self.serial;
        let factor = seconds / all;
        if factor.is_finite() && factor > 0.0 {
            self.serial *= factor;
            self.step *= factor;
            for stretch in &mut self.stretches {
                stretch.seconds *= factor;
            }
        }
    }

    /// Summarises the times for the report.
    pub(super) fn summary(&self) -> RecordTimes {
        let mut span = 0.0;
        let (mut longest, mut first) = (0, 0);
        let mut bins: BTreeMap<i32, u64> = BTreeMap::new();
        for stretch in &self.stretches {
            if stretch.seconds_per_unit() > span {
                (span, longest) = (stretch.seconds_per_unit(), first);
            }
            first += stretch.units as u64;
            // No clock is finer than a nanosecond.
            let nanoseconds_or_more = stretch.seconds_per_unit().max(1e-9);
            let halves = (2.0 * nanoseconds_or_more.log2()).floor() as i32;
            *bins.entry(halves).or_default() += stretch.units as u64;
        }
        let edge = |(halves, records)| ((f64::from(halves) / 2.0).exp2(), records);
        RecordTimes {
            work: self.work(),
            span,
            longest,
            serial: self.serial,
            measured: self.stretches.len(),
            histogram: bins.into_iter().map(edge).collect(),
            slowest_hundredth: self.slowest_hundredth(),
        }
    }

    /// The time of the slowest 1 % of the units, as a share of the work.
    fn slowest_hundredth(&self) -> f64 {
        let mut slowest = self.stretches.clone();
        slowest.sort_by(|one, other| other.seconds_per_unit().total_cmp(&one.seconds_per_unit()));
        let (mut left, mut seconds) = (self.units() as f64 / 100.0, 0.0);
        for stretch in slowest {
            let taken = left.min(stretch.units as f64);
            seconds += taken * stretch.seconds_per_unit();
            left -= taken;
        }
        let work = self.work();
        if work > 0.0 { seconds / work } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::{Sequential, assert_laws};
    use crate::measure::runnable::MeasuredRun;
    use crate::report::{Digest, Timing};
    use crate::sync::atomic::{AtomicU64, Ordering::SeqCst};
    use proptest::prelude::*;

    fn recording(stretches: &[(usize, f64)]) -> Recording {
        let stretch = |&(units, seconds)| Stretch { units, seconds };
        Recording {
            stretches: stretches.iter().map(stretch).collect(),
            ..Recording::default()
        }
    }

    #[test]
    fn the_recorder_keeps_the_laws_of_executors() {
        for lengths in [&[][..], &[1, 3, 2]] {
            assert_laws(&Recorder {
                clock: &|| Duration::ZERO,
                workers: 1,
                lengths,
                recording: Mutex::default(),
            });
        }
    }

    /// Units with made-up times, and a clock that the units advance themselves. All times are in nanoseconds.
    struct MadeUp {
        now: AtomicU64,
        units: Vec<u64>,
        call: u64,
        serial: u64,
    }

    impl MadeUp {
        fn clock(&self) -> Duration {
            Duration::from_nanos(self.now.load(SeqCst))
        }
    }

    impl Runnable for MadeUp {
        fn executor(&self) -> &dyn Executor {
            &Sequential
        }

        fn run_on(&self, executor: &dyn Executor) -> Result<MeasuredRun, Error> {
            let began = self.clock();
            let run = |_worker: usize, units: std::ops::Range<usize>| {
                let time: u64 = self.units[units].iter().sum();
                self.now.fetch_add(time + self.call, SeqCst);
                Flow::Go
            };
            executor.execute(&Work::new(self.units.len(), &run));
            self.now.fetch_add(self.serial, SeqCst);
            Ok(MeasuredRun {
                digest: Digest::of(&0),
                records: self.units.len() as u64,
                failed: 0,
                skipped: 0,
                timing: Timing {
                    wall: self.clock() - began,
                    ..Timing::default()
                },
            })
        }
    }

    #[test]
    fn one_long_unit_the_cost_of_a_call_and_the_serial_time_are_found() {
        let mut units = vec![1000; 3000];
        units[1234] = 2_000_000;
        let made_up = MadeUp {
            now: AtomicU64::new(0),
            units,
            call: 200,
            serial: 7000,
        };
        let mut recording = record_by(&|| made_up.clock(), &made_up).unwrap();
        let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-12, "{one} {other}");
        close(recording.step, 200e-9);
        close(recording.serial, 7e-6);
        recording.scale_to(0.1);
        let summary = recording.summary();
        close(summary.work + summary.serial, 0.1);
        assert_eq!((recording.units(), summary.longest), (3000, 1234));
        // The longest unit takes 2 ms of about 5 ms in total.
        assert!(
            (0.38..0.42).contains(&(summary.span / summary.work)),
            "{summary:?}"
        );
        assert!(summary.slowest_hundredth > 0.38, "{summary:?}");
        let histogram: u64 = summary.histogram.iter().map(|(_, records)| records).sum();
        assert_eq!(histogram, 3000);
    }

    #[test]
    fn known_times_are_summarised() {
        let summary = recording(&[(98, 98.0), (1, 2.0), (1, 50.0)]).summary();
        assert_eq!(
            (summary.work, summary.span, summary.longest),
            (150.0, 50.0, 99)
        );
        assert_eq!(summary.slowest_hundredth, 50.0 / 150.0);
        let root = std::f64::consts::SQRT_2;
        assert_eq!(summary.histogram[..2], [(1.0, 98), (2.0, 1)]);
        let (edge, records) = summary.histogram[2];
        assert!(records == 1 && (edge / (32.0 * root) - 1.0).abs() < 1e-12);
        assert_eq!(recording(&[]).summary().slowest_hundredth, 0.0);
    }

    proptest! {
        #[test]
        fn merging_stretches_loses_no_units_and_no_time(
            stretches in prop::collection::vec((1_usize..100, 0.0..1.0), 0..200),
            least in 0.0..2.0,
        ) {
            let before = recording(&stretches);
            let after = Recording { stretches: merge_short(&before.stretches, least), ..before.clone() };
            prop_assert_eq!(before.units(), after.units());
            prop_assert!((before.work() - after.work()).abs() < 1e-9);
            let longest = |all: &[Stretch]| all.iter().map(|one| one.seconds).fold(0.0, f64::max);
            prop_assert!(longest(&after.stretches) <= least.max(longest(&before.stretches)) + 1e-9);
        }

        #[test]
        fn scaled_times_add_up(stretches in prop::collection::vec((1_usize..100, 0.001..1.0), 1..50)) {
            let mut scaled = recording(&stretches);
            scaled.serial = 0.5;
            scaled.scale_to(7.0);
            prop_assert!((scaled.work() + scaled.serial - 7.0).abs() < 1e-9);
        }
    }
}
