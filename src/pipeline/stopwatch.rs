//! How long the records of a worker take.
//!
//! Reading the clock takes 25 to 75 ns. Where records take twenty microseconds each is timed from its
//! beginning to its end. Of cheaper ones each begins where the last one ended, and where they take
//! less than ten they are timed in stretches, so that the clock stays below one part in a hundred.
//!
//! On a machine that others use too, what seems a slow record is most often a thread that had no
//! core. Where the system tells, that time is taken out.

use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::dataset::Position;
use crate::machine::thread_time_without_core;

/// A stretch of records should last at least this long …
const STRETCH: Duration = Duration::from_micros(10);
/// … and has at most so many records, since a dear one among them is known only together with them.
const LONGEST: u32 = 256;
/// Records that take at least this long are worth a clock of their own at both ends.
const BOTH_ENDS: Duration = Duration::from_micros(20);
/// How many of the slowest records are kept.
pub(super) const SLOWEST: usize = 5;
/// Asking how long the thread had no core takes some five microseconds. A run is worth it after so
/// long, and so is each of the slowest records that takes so long; they are few.
const WORTH_ASKING: Duration = Duration::from_micros(500);
/// It is asked for shorter ones that take at least so long, …
const SUSPICIOUS: Duration = Duration::from_micros(50);
/// … which is so many times what the others take.
const UNUSUAL: u32 = 4;
/// Scores are passed on after this time at the latest, even in the middle of a step.
const PASS_ON: Duration = Duration::from_millis(1);
/// And it is asked so often anyway: what was lost elsewhere must not be taken out of a record.
const TICK: Duration = Duration::from_millis(20);

/// Times the records of one worker.
pub struct Stopwatch {
    /// How many records are timed together.
    stretch: u32,
    /// How many of the present stretch are done.
    done: u32,
    /// Whether the present stretch began when the last one ended.
    follows: bool,
    began: Instant,
    first: Position,
    /// What a record took in the last stretch.
    usual: Duration,
    /// The time of all records.
    pub(super) work: Duration,
    /// How long the thread had no core.
    pub(super) preempted: Duration,
    pub(super) slowest: Vec<Slow>,
    /// `None` at first: a short run is not worth asking.
    asked: Option<Asked>,
    /// When the run began.
    since: Instant,
    /// When scores were last passed on in the middle of a step.
    passed_on: Instant,
}

/// When the system was last asked how long the thread had no core.
struct Asked {
    thread: ThreadId,
    at: Instant,
    /// What it said.
    preempted: Duration,
}

/// One of the slowest records, or a stretch of cheap ones that holds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slow {
    pub(super) first: Position,
    /// How many were timed together.
    pub(super) records: u32,
    /// The time of the one record, or about that.
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
            preempted: Duration::ZERO,
            slowest: Vec::new(),
            asked: None,
            since: now,
            passed_on: now,
        }
    }

    /// Before the first of some records that one thread scores.
    pub fn resume(&mut self, now: Instant) {
        let mine = |asked: &Asked| asked.thread == thread::current().id();
        if now - self.since >= WORTH_ASKING && !self.asked.as_ref().is_some_and(mine) {
            self.ask(now);
        }
    }

    /// Whether a millisecond has passed since this was last true, as far as the clock has been read: it is
    /// not read for this.
    #[inline]
    pub(super) fn is_time_to_pass_on(&mut self) -> bool {
        let is_time = self.began.saturating_duration_since(self.passed_on) >= PASS_ON;
        if is_time {
            self.passed_on = self.began;
        }
        is_time
    }

    /// Before a record is scored.
    #[inline]
    pub fn start(&mut self, at: Position) {
        if at.fetched {
            // Nobody knows when the record before was done: it took what they usually take.
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

    /// After it was.
    #[inline]
    pub fn end(&mut self) {
        self.done += 1;
        if self.done == self.stretch {
            self.close();
        }
    }

    /// For a record that took so long elsewhere, beside which what is done here is nothing.
    pub(super) fn end_after(&mut self, at: Position, time: Duration) {
        self.pause();
        self.work += time;
        if self.is_among_the_slowest(time) {
            let slow = Slow {
                first: at,
                records: 1,
                time,
            };
            keep(&mut self.slowest, slow);
        }
    }

    /// How many records are timed together: as many as take some ten microseconds, if not more than
    /// the most.
    pub(super) fn stretch(&self) -> usize {
        self.stretch as usize
    }

    /// Something else than scoring comes next.
    pub fn pause(&mut self) {
        if self.done > 0 {
            self.close();
        }
        self.follows = false;
    }

    fn close(&mut self) {
        let now = Instant::now();
        let (elapsed, records) = (now - self.began, self.done);
        // By the clock, without taking out what was lost: after a record that took long by the clock the
        // next one is timed alone, and its score is not kept back.
        let fitting = STRETCH.as_nanos() / (elapsed / records).as_nanos().max(1);
        self.stretch = (fitting.min(u128::from(LONGEST)) as u32).clamp(1, records * 2);
        self.done = 0;
        self.began = now;
        let lost = if self.is_worth_asking(now, elapsed, records) {
            let lost = self.ask(now);
            // What was lost while asking has been counted.
            self.began = Instant::now();
            lost
        } else {
            Duration::ZERO
        };
        // No less than others take: not all that was lost need have been lost here.
        let elapsed = elapsed
            .saturating_sub(lost)
            .max(elapsed.min(self.usual * records));
        self.work += elapsed;
        let usual = elapsed / records;
        let time = elapsed - self.usual.min(usual) * (records - 1);
        self.usual = usual;
        self.follows = usual < BOTH_ENDS;
        if self.is_among_the_slowest(time) {
            let first = self.first;
            keep(
                &mut self.slowest,
                Slow {
                    first,
                    records,
                    time,
                },
            );
        }
    }

    fn is_worth_asking(&self, now: Instant, elapsed: Duration, records: u32) -> bool {
        let Some(asked) = &self.asked else {
            return now - self.since >= WORTH_ASKING;
        };
        let suspicious = elapsed >= SUSPICIOUS
            && (elapsed >= WORTH_ASKING || elapsed / records >= self.usual * UNUSUAL)
            && self.is_among_the_slowest(elapsed);
        suspicious || now - asked.at >= TICK
    }

    fn is_among_the_slowest(&self, time: Duration) -> bool {
        let last = self.slowest.get(SLOWEST - 1);
        last.is_none_or(|last| last.time < time)
    }

    /// How long this thread had no core since it was asked last; nothing at the first time.
    #[cold]
    fn ask(&mut self, now: Instant) -> Duration {
        // A system that does not tell is not asked at every record for that.
        let preempted = thread_time_without_core().unwrap_or_default();
        let thread = thread::current().id();
        let lost = match &self.asked {
            Some(asked) if asked.thread == thread => preempted.saturating_sub(asked.preempted),
            _ => Duration::ZERO,
        };
        self.preempted += lost;
        self.asked = Some(Asked {
            thread,
            at: now,
            preempted,
        });
        lost
    }
}

/// Takes a record into the slowest ones, longest first.
#[cold]
pub(super) fn keep(slowest: &mut Vec<Slow>, slow: Slow) {
    let place = slowest.partition_point(|other| other.time >= slow.time);
    slowest.insert(place, slow);
    slowest.truncate(SLOWEST);
}
