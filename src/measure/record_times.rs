//! What the records take, recorded in runs of their own: in order, on the calling thread.
//!
//! The clock is read once for each stretch of units. Cheap neighbours make up a stretch that lasts long
//! enough that the clock, and what the pipeline does at each call, cost nothing beside it; dear units
//! have one of their own. A first run finds out which are which, a second looks into the stretches that
//! turned out long; the others measure, and of each stretch the least time counts: a thread that had no
//! core for a while must not pass for a dear record.

use std::collections::BTreeMap;
use std::time::Instant;

use super::statistics::median;
use super::why::RecordTimes;
use super::workload::Workload;
use crate::error::Error;
use crate::execution::{Executor, Flow, Work};
use crate::sync::{Mutex, into_inner, lock};

/// A stretch of cheap units lasts about so many seconds.
const STRETCH: f64 = 50e-6;
/// One that lasts so many times longer is looked into, unit by unit.
const LONG: f64 = 2.0;
/// A stretch has at most so many units, since a dear one among them is to be found.
const UNITS: usize = 1024;
/// So many stretches are kept at most; where there are more, neighbours become one.
const MOST: usize = 1 << 18;
/// How many runs measure.
const PASSES: usize = 3;
/// The first run is made as if there were so many workers, to see how many the limit lets take part.
pub(super) const WORKERS: usize = 1024;

/// Consecutive units timed together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) units: usize,
    pub(super) seconds: f64,
}

/// What the units take, in their order, and what is done besides.
#[derive(Clone, Debug, Default)]
pub(super) struct Recorded {
    pub(super) stretches: Vec<Stretch>,
    /// Before the first unit and after the last.
    pub(super) serial: f64,
    /// What a call with more units would not have cost: that of one call.
    pub(super) step: f64,
    /// How many of [`WORKERS`] may take part.
    pub(super) most_workers: usize,
    /// Whether calls wait, so that their times say nothing of the processor.
    pub(super) waits: bool,
}

/// Records what the units of a workload take.
pub(super) fn record(workload: &dyn Workload) -> Result<Recorded, Error> {
    let scouted = run(workload, WORKERS, &[])?;
    let looked_into = run(workload, 1, &lengths(&look_into(scouted.stretches)))?;
    let planned = lengths(&condense(looked_into.stretches, STRETCH));
    let mut recorded = Recorded {
        most_workers: scouted.most_workers,
        ..run(workload, 1, &planned)?
    };
    for pass in 1..PASSES {
        let again = run(workload, 1, &planned)?;
        if pass == 1 {
            recorded.step = step(workload, &again.stretches)?;
        }
        recorded.serial = recorded.serial.min(again.serial);
        for (least, now) in recorded.stretches.iter_mut().zip(again.stretches) {
            least.seconds = least.seconds.min(now.seconds);
        }
    }
    Ok(recorded)
}

/// What a call costs: how much longer stretches take when they are run in several calls each, at the
/// median.
fn step(workload: &dyn Workload, stretches: &[Stretch]) -> Result<f64, Error> {
    /// Into so many calls.
    const CALLS: usize = 8;
    let parts = |stretch: &Stretch| stretch.units.min(CALLS);
    let in_parts = stretches.iter().flat_map(|stretch| {
        let (units, parts) = (stretch.units, parts(stretch));
        (0..parts).map(move |part| units * (part + 1) / parts - units * part / parts)
    });
    let ran = run(workload, 1, &in_parts.collect::<Vec<_>>())?;
    let mut ran = ran.stretches.iter();
    let mut steps = Vec::new();
    for stretch in stretches {
        let ran = ran.by_ref().take(parts(stretch));
        let seconds: f64 = ran.map(|part| part.seconds).sum();
        // Of dear units the times scatter by more than a call costs.
        if stretch.units >= CALLS {
            steps.push((seconds - stretch.seconds) / (CALLS - 1) as f64);
        }
    }
    Ok(median(&steps).max(0.0))
}

/// One run with stretches of these lengths; with none, of lengths that follow the clock.
fn run(workload: &dyn Workload, workers: usize, lengths: &[usize]) -> Result<Recorded, Error> {
    let recorder = Recorder {
        workers,
        lengths,
        recorded: Mutex::default(),
    };
    let answered = workload.run_on(&recorder)?;
    let mut recorded = into_inner(recorder.recorded);
    let wall = answered.timing.wall.as_secs_f64();
    // Up to here it was the time in the executor.
    recorded.serial = (wall - recorded.serial).max(0.0);
    Ok(recorded)
}

fn lengths(stretches: &[Stretch]) -> Vec<usize> {
    stretches.iter().map(|stretch| stretch.units).collect()
}

/// Takes long stretches apart.
fn look_into(stretches: Vec<Stretch>) -> Vec<Stretch> {
    let apart = |stretch: Stretch| {
        let is_long = stretch.seconds > LONG * STRETCH;
        let parts = if is_long { stretch.units } else { 1 };
        let one = Stretch {
            units: stretch.units / parts,
            seconds: stretch.seconds / parts as f64,
        };
        std::iter::repeat_n(one, parts)
    };
    stretches.into_iter().flat_map(apart).collect()
}

/// Makes one of neighbours that do not take longer together, so that few enough are left.
fn condense(stretches: Vec<Stretch>, mut least: f64) -> Vec<Stretch> {
    let mut condensed = together(&stretches, least);
    while condensed.len() > MOST {
        least *= 2.0;
        condensed = together(&condensed, least);
    }
    condensed
}

fn together(stretches: &[Stretch], least: f64) -> Vec<Stretch> {
    let mut together: Vec<Stretch> = Vec::new();
    for stretch in stretches {
        match together.last_mut() {
            Some(last) if last.seconds + stretch.seconds <= least => {
                last.units += stretch.units;
                last.seconds += stretch.seconds;
            }
            _ => together.push(*stretch),
        }
    }
    together
}

/// An executor that times what it runs.
struct Recorder<'l> {
    /// As how many it passes; it works alone.
    workers: usize,
    lengths: &'l [usize],
    recorded: Mutex<Recorded>,
}

impl Executor for Recorder<'_> {
    fn workers(&self) -> usize {
        self.workers
    }

    fn execute(&self, work: &Work<'_>) {
        let mut stretches = Vec::with_capacity(self.lengths.len());
        let (mut lengths, mut length, mut least) = (self.lengths.iter(), 1, STRETCH);
        let began = Instant::now();
        let (mut next, mut from) = (0, began);
        while next < work.units() {
            let planned = lengths.next().copied();
            let end = work.units().min(next + planned.unwrap_or(length));
            let flow = work.run(0, next..end);
            let now = Instant::now();
            let (units, seconds) = (end - next, (now - from).as_secs_f64());
            stretches.push(Stretch { units, seconds });
            if flow == Flow::Stop {
                break;
            }
            (next, from) = (end, now);
            if planned.is_none() {
                let fitting = least / (seconds / units as f64).max(1e-9);
                length = (fitting as usize).clamp(1, UNITS.min(length * 2));
                if stretches.len() > 2 * MOST {
                    least *= 2.0;
                    stretches = together(&stretches, least);
                }
            }
        }
        *lock(&self.recorded) = Recorded {
            stretches,
            serial: began.elapsed().as_secs_f64(),
            step: 0.0,
            most_workers: work.workers(WORKERS),
            waits: work.waits(),
        };
    }
}

impl Stretch {
    /// What one unit takes, on average.
    pub(super) fn each(&self) -> f64 {
        self.seconds / self.units.max(1) as f64
    }
}

impl Recorded {
    /// What all units take.
    pub(super) fn work(&self) -> f64 {
        self.stretches.iter().map(|stretch| stretch.seconds).sum()
    }

    /// How many units there are.
    pub(super) fn units(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.units).sum()
    }

    /// Makes all of it take so long together: least times are less than those of any one run, and what
    /// is told beside measured times has to add up to them. The step goes with it, since it is told by
    /// times too short for others to take the core away in between.
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

    /// The figures of it.
    pub(super) fn figures(&self) -> RecordTimes {
        let mut span = 0.0;
        let (mut longest, mut first) = (0, 0);
        let mut bins: BTreeMap<i32, u64> = BTreeMap::new();
        for stretch in &self.stretches {
            if stretch.each() > span {
                (span, longest) = (stretch.each(), first);
            }
            first += stretch.units as u64;
            // Nothing is measured finer than a nanosecond.
            let halves = (2.0 * stretch.each().max(1e-9).log2()).floor() as i32;
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
            dearest_hundredth: self.dearest_hundredth(),
        }
    }

    fn dearest_hundredth(&self) -> f64 {
        let mut dearest = self.stretches.clone();
        dearest.sort_by(|one, other| other.each().total_cmp(&one.each()));
        let (mut left, mut seconds) = (self.units() as f64 / 100.0, 0.0);
        for stretch in dearest {
            let taken = left.min(stretch.units as f64);
            seconds += taken * stretch.each();
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
    use crate::measure::workload::Own;
    use proptest::prelude::*;

    fn recorded(stretches: &[(usize, f64)]) -> Recorded {
        let stretch = |&(units, seconds)| Stretch { units, seconds };
        Recorded {
            stretches: stretches.iter().map(stretch).collect(),
            ..Recorded::default()
        }
    }

    #[test]
    fn the_recorder_is_an_executor_like_any_other() {
        for lengths in [&[][..], &[1, 3, 2]] {
            assert_laws(&Recorder {
                workers: 1,
                lengths,
                recorded: Mutex::default(),
            });
        }
    }

    #[test]
    fn the_dear_record_is_found() {
        let task = |n: &usize| {
            let turns = if *n == 1234 { 3_000_000 } else { 20 };
            (0..turns).fold(*n, |sum, one| std::hint::black_box(sum ^ one))
        };
        let own = Own::new(&(0..3000), &task).unwrap();
        let recorded = record(&own.on(&Sequential)).unwrap();
        let figures = recorded.figures();
        assert_eq!((recorded.units(), figures.longest), (3000, 1234));
        let histogram: u64 = figures.histogram.iter().map(|(_, records)| records).sum();
        assert_eq!(histogram, 3000);
        assert!(figures.dearest_hundredth > 0.5 && figures.span > 0.5 * figures.work);
        assert!(figures.span < figures.work && figures.serial > 0.0);
    }

    #[test]
    fn figures_of_known_times() {
        let figures = recorded(&[(98, 98.0), (1, 2.0), (1, 50.0)]).figures();
        assert_eq!(
            (figures.work, figures.span, figures.longest),
            (150.0, 50.0, 99)
        );
        assert_eq!(figures.dearest_hundredth, 50.0 / 150.0);
        let root = std::f64::consts::SQRT_2;
        assert_eq!(figures.histogram[..2], [(1.0, 98), (2.0, 1)]);
        let (edge, records) = figures.histogram[2];
        assert!(records == 1 && (edge / (32.0 * root) - 1.0).abs() < 1e-12);
        assert_eq!(recorded(&[]).figures().dearest_hundredth, 0.0);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_when_stretches_become_one(
            stretches in prop::collection::vec((1_usize..100, 0.0..1.0), 0..200),
            least in 0.0..2.0,
        ) {
            let before = recorded(&stretches);
            let after = Recorded { stretches: together(&before.stretches, least), ..before.clone() };
            prop_assert_eq!(before.units(), after.units());
            prop_assert!((before.work() - after.work()).abs() < 1e-9);
            let longest = |all: &[Stretch]| all.iter().map(|one| one.seconds).fold(0.0, f64::max);
            prop_assert!(longest(&after.stretches) <= least.max(longest(&before.stretches)) + 1e-9);
        }

        #[test]
        fn scaled_times_add_up(stretches in prop::collection::vec((1_usize..100, 0.001..1.0), 1..50)) {
            let mut scaled = recorded(&stretches);
            scaled.serial = 0.5;
            scaled.scale_to(7.0);
            prop_assert!((scaled.work() + scaled.serial - 7.0).abs() < 1e-9);
        }
    }
}
