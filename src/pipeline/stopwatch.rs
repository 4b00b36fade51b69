//! Times the records of a worker.
//!
//! Reading the clock takes 25 to 75 ns. A record that takes 20 µs or more is timed from its beginning to its
//! end. A shorter record is assumed to begin when the previous one ended, and records that take less than
//! 10 µs are timed in stretches of several records, so that reading the clock costs less than 1 %.
//!
//! If other programs use the machine too, most records that seem slow are records whose thread had no core
//! for a while. On Linux, which reports the time without a core, that time is not counted as time of the
//! record.

#[cfg(all(test, not(shuttle)))]
mod tests;

use std::mem;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::dataset::Position;
use crate::machine::thread_time_without_core;

/// The target duration of a stretch, which is one record or several records that are timed together.
const STRETCH: Duration = Duration::from_micros(10);
/// The maximum number of records in a stretch. It is limited because a slow record is timed only together
/// with the other records of its stretch.
const LONGEST_STRETCH: u32 = 256;
/// Records that take at least this long are timed with two reads of the clock each.
const BOTH_ENDS: Duration = Duration::from_micros(20);
/// The number of slowest records that are kept.
pub(super) const SLOWEST: usize = 5;
/// Reading how long the thread had no core takes about 5 µs. This time is first read when the run has lasted
/// this long. It is also read for each of the slowest records that takes at least this long.
const WORTH_READING: Duration = Duration::from_micros(500);
/// The time without a core is also read for a record that takes at least this long, and at least [`UNUSUAL`]
/// times as long as other records.
const SUSPICIOUS: Duration = Duration::from_micros(50);
/// How many times as long as other records a record must take to be suspicious, see [`SUSPICIOUS`].
const UNUSUAL: u32 = 4;
/// The time without a core is read at least this often, so that time which was lost long before a record is
/// not subtracted from the record's time.
const READ_INTERVAL: Duration = Duration::from_millis(20);
/// Scores are passed to the sink at least this often, even in the middle of a step.
const PASS_ON: Duration = Duration::from_millis(1);

/// Times the records of one worker.
pub struct Stopwatch {
    /// The number of records in a stretch.
    stretch: u32,
    /// The number of records of the current stretch that are done.
    done: u32,
    /// Whether the current stretch began when the previous stretch ended.
    follows: bool,
    began: Instant,
    first: Position,
    /// The average time of a record in the last stretch.
    usual: Duration,
    /// The total time of all records.
    pub(super) work: Duration,
    /// The time of the records that other processes have scored since the last call of
    /// [`take_elsewhere`](Stopwatch::take_elsewhere).
    elsewhere: Duration,
    /// For how long in total the thread had no core.
    pub(super) preempted: Duration,
    pub(super) slowest: Vec<SlowStretch>,
    /// The last reading of the time without a core; `None` until [`WORTH_READING`] has passed.
    last_reading: Option<CoreReading>,
    /// When the run began.
    since: Instant,
    /// When scores were last passed on in the middle of a step.
    passed_on: Instant,
}

/// How long a thread had no core, as the system reported it.
struct CoreReading {
    thread: ThreadId,
    at: Instant,
    /// For how long in total the thread had no core since it started.
    preempted: Duration,
}

/// One of the slowest records, or a stretch of cheap records that contains it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlowStretch {
    pub(super) first: Position,
    /// The number of records timed together.
    pub(super) records: u32,
    /// The time of the slowest record, which is estimated if there are several.
    pub(super) time: Duration,
}

impl Stopwatch {
    /// A stopwatch for a run that begins at `now`.
    pub fn new(now: Instant) -> Self {
        Stopwatch {
            stretch: 1,
            done: 0,
            follows: false,
            began: now,
            first: Position::default(),
            usual: Duration::ZERO,
            work: Duration::ZERO,
            elsewhere: Duration::ZERO,
            preempted: Duration::ZERO,
            slowest: Vec::new(),
            last_reading: None,
            since: now,
            passed_on: now,
        }
    }

    /// Called before the calling thread starts to score some records.
    pub fn resume(&mut self, now: Instant) {
        let is_own = |reading: &CoreReading| reading.thread == thread::current().id();
        if now - self.since >= WORTH_READING && !self.last_reading.as_ref().is_some_and(is_own) {
            self.read_lost_time(now);
        }
    }

    /// Whether [`PASS_ON`] has passed since this method last returned true. The method does not read the
    /// clock, so it may return true late.
    #[inline]
    pub(super) fn is_time_to_pass_on(&mut self) -> bool {
        let is_time = self.began.saturating_duration_since(self.passed_on) >= PASS_ON;
        if is_time {
            self.passed_on = self.began;
        }
        is_time
    }

    /// Called before a record is scored.
    #[inline]
    pub fn start(&mut self, at: Position) {
        if at.fetched {
            // Input was fetched after the last record ended, so the time of its end is unknown. The records
            // of the open stretch are assumed to have taken as long as the records before them.
            self.work += self.usual * self.done;
            self.done = 0;
            self.follows = false;
        }
        if self.done == 0 {
            self.first = at;
            if !self.follows {
                self.began = Instant::now();
            }
        }
    }

    /// Called after a record was scored.
    #[inline]
    pub fn end(&mut self) {
        self.done += 1;
        if self.done == self.stretch {
            self.close();
        }
    }

    /// Called instead of [`start`](Stopwatch::start) and [`end`](Stopwatch::end) for a record that another
    /// process has scored in this time.
    pub(super) fn end_after(&mut self, at: Position, time: Duration) {
        self.pause();
        self.work += time;
        self.elsewhere += time;
        self.keep_if_slow(at, 1, time);
    }

    /// Returns the time of the records that other processes have scored since the last call.
    pub(super) fn take_elsewhere(&mut self) -> Duration {
        mem::take(&mut self.elsewhere)
    }

    /// The number of records in a stretch. It is chosen so that a stretch takes about [`STRETCH`], within
    /// bounds.
    pub(super) fn stretch(&self) -> usize {
        self.stretch as usize
    }

    /// Called before the worker does something other than scoring.
    pub fn pause(&mut self) {
        if self.done > 0 {
            self.close();
        }
        self.follows = false;
    }

    fn close(&mut self) {
        let now = Instant::now();
        let (elapsed, records) = (now - self.began, self.done);
        // The next stretch is computed from the elapsed time, including lost time. So after a record that
        // took long by the clock, the next record is timed alone, and its score is passed on soon.
        self.stretch = stretch_after(elapsed, records);
        self.done = 0;
        self.began = now;
        let lost = if self.is_worth_reading(now, elapsed, records) {
            let lost = self.read_lost_time(now);
            // The time that the reading took is not counted for any record.
            self.began = Instant::now();
            lost
        } else {
            Duration::ZERO
        };
        self.add(elapsed, lost, records);
    }

    /// Adds a stretch of `records` records that took `elapsed`. The thread had no core for `lost`, in this
    /// stretch or before it.
    fn add(&mut self, elapsed: Duration, lost: Duration, records: u32) {
        // The time is at least as long as other records take, because some of the lost time may have been
        // lost before these records began.
        let elapsed = elapsed
            .saturating_sub(lost)
            .max(elapsed.min(self.usual * records));
        self.work += elapsed;
        let usual = elapsed / records;
        let time = elapsed - self.usual.min(usual) * (records - 1);
        self.usual = usual;
        self.follows = usual < BOTH_ENDS;
        self.keep_if_slow(self.first, records, time);
    }

    fn keep_if_slow(&mut self, first: Position, records: u32, time: Duration) {
        if self.is_among_the_slowest(time) {
            let slow = SlowStretch {
                first,
                records,
                time,
            };
            keep_slowest(&mut self.slowest, slow);
        }
    }

    fn is_worth_reading(&self, now: Instant, elapsed: Duration, records: u32) -> bool {
        let Some(reading) = &self.last_reading else {
            return now - self.since >= WORTH_READING;
        };
        let suspicious = elapsed >= SUSPICIOUS
            && (elapsed >= WORTH_READING || elapsed / records >= self.usual * UNUSUAL)
            && self.is_among_the_slowest(elapsed);
        suspicious || now - reading.at >= READ_INTERVAL
    }

    fn is_among_the_slowest(&self, time: Duration) -> bool {
        let last = self.slowest.get(SLOWEST - 1);
        last.is_none_or(|last| last.time < time)
    }

    /// Returns for how long this thread had no core since the last reading; zero at the first reading.
    #[cold]
    fn read_lost_time(&mut self, now: Instant) -> Duration {
        // If the system does not report this time, it is taken as zero, so that it is not read again for
        // every later record.
        let preempted = thread_time_without_core().unwrap_or_default();
        let thread = thread::current().id();
        let lost = match &self.last_reading {
            Some(last) if last.thread == thread => preempted.saturating_sub(last.preempted),
            _ => Duration::ZERO,
        };
        self.preempted += lost;
        self.last_reading = Some(CoreReading {
            thread,
            at: now,
            preempted,
        });
        lost
    }
}

/// The number of records in a stretch after a stretch of `records` records that took `elapsed`. It at most
/// doubles, because later records may be slower.
fn stretch_after(elapsed: Duration, records: u32) -> u32 {
    let fitting = STRETCH.as_nanos() / (elapsed / records).as_nanos().max(1);
    (fitting.min(u128::from(LONGEST_STRETCH)) as u32).clamp(1, records * 2)
}

/// Adds a record to the list of the slowest records, which is sorted by time, longest first.
#[cold]
pub(super) fn keep_slowest(slowest: &mut Vec<SlowStretch>, slow: SlowStretch) {
    let place = slowest.partition_point(|other| other.time >= slow.time);
    slowest.insert(place, slow);
    slowest.truncate(SLOWEST);
}
