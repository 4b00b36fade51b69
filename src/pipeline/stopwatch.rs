//! How long the records of a worker take.
//!
//! Reading the clock takes some 25 ns, twice a record. Where records take ten microseconds each is
//! timed by itself; cheaper ones are timed in stretches, so that the clock stays below one part in a
//! hundred.

use std::time::{Duration, Instant};

use crate::dataset::At;

/// A stretch of records should last at least this long …
const STRETCH: Duration = Duration::from_micros(10);
/// … and has at most so many, since a dear one among them is known only together with them.
const LONGEST: u32 = 64;
/// How many of the slowest records are kept.
pub(super) const SLOWEST: usize = 5;

/// Times the records of one worker.
pub(super) struct Stopwatch {
    /// How many records are timed together.
    stretch: u32,
    /// How many of the present stretch are done.
    done: u32,
    began: Instant,
    first: At,
    /// What a record took in the last stretch.
    usual: Duration,
    /// The time of all records.
    pub(super) work: Duration,
    pub(super) slowest: Vec<Slow>,
}

/// One of the slowest records, or a stretch of cheap ones that holds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slow {
    pub(super) first: At,
    /// How many were timed together.
    pub(super) records: u32,
    /// The time of the one record, or about that.
    pub(super) time: Duration,
}

impl Stopwatch {
    pub(super) fn new() -> Self {
        Stopwatch {
            stretch: 1,
            done: 0,
            began: Instant::now(),
            first: At::default(),
            usual: Duration::ZERO,
            work: Duration::ZERO,
            slowest: Vec::new(),
        }
    }

    /// Before a record is scored.
    #[inline]
    pub(super) fn start(&mut self, at: At) {
        if at.fetched {
            // Nobody knows when the record before was done: it took what they usually take.
            self.work += self.usual * self.done;
            self.done = 0;
        }
        if self.done == 0 {
            self.first = at;
            self.began = Instant::now();
        }
    }

    /// After it was.
    #[inline]
    pub(super) fn end(&mut self) {
        self.done += 1;
        if self.done == self.stretch {
            self.close();
        }
    }

    /// Something else than scoring comes next.
    pub(super) fn pause(&mut self) {
        if self.done > 0 {
            self.close();
        }
    }

    fn close(&mut self) {
        let (elapsed, records) = (self.began.elapsed(), self.done);
        self.done = 0;
        self.work += elapsed;
        let usual = elapsed / records;
        let slow = Slow {
            first: self.first,
            records,
            time: elapsed - self.usual.min(usual) * (records - 1),
        };
        self.usual = usual;
        let fitting = STRETCH.as_nanos() / usual.as_nanos().max(1);
        self.stretch = (fitting.min(u128::from(LONGEST)) as u32).clamp(1, records * 2);
        let full = self.slowest.len() == SLOWEST;
        if !full || self.slowest[SLOWEST - 1].time < slow.time {
            keep(&mut self.slowest, slow);
        }
    }
}

/// Takes a record into the slowest ones, longest first.
#[cold]
pub(super) fn keep(slowest: &mut Vec<Slow>, slow: Slow) {
    let place = slowest.partition_point(|other| other.time >= slow.time);
    slowest.insert(place, slow);
    slowest.truncate(SLOWEST);
}
