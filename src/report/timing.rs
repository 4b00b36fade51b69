//! Where the time of a run went.

use std::time::Duration;

use crate::error::Place;

/// The time of one run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Timing {
    /// From the call to the answer.
    pub wall: Duration,
    /// Processor time of the whole process meanwhile, all threads together. A plan measures it,
    /// where the system tells; a pipeline does not, since asking costs as much as a small run.
    pub cpu: Option<Duration>,
    /// What comes after the last worker: merging what they have, working out the answer.
    pub finish: Duration,
    /// One entry for each worker that could have worked.
    pub workers: Vec<WorkerTiming>,
    /// The slowest records, longest first, at most five.
    pub slowest: Vec<SlowRecord>,
}

/// The share of one worker.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct WorkerTiming {
    /// How many records it met, failed ones counted.
    pub records: u64,
    /// How long it read, scored, aggregated, and handed scores on.
    pub busy: Duration,
    /// The part of the busy time spent in the task; where records take less than twenty microseconds,
    /// with what is done between them. Without the time its thread had no core, as far as that is
    /// known.
    pub task: Duration,
    /// How long its thread could have run and had no core, because other threads had them all. Only
    /// Linux tells, and it is asked only where a run lasts longer than half a millisecond.
    pub preempted: Duration,
    /// The part of the busy time spent fetching bytes and waiting for records.
    pub input: Duration,
    /// The part of the busy time spent waiting for permits, where there is a limit.
    pub limited: Duration,
    /// When it began, since the run began.
    pub from: Duration,
    /// When it was last busy, since the run began.
    pub until: Duration,
}

/// One of the slowest records.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlowRecord {
    /// Its index, from 0; where several were timed together, that of the first.
    pub index: u64,
    /// How many were timed together: cheap records are timed in stretches.
    pub records: u32,
    /// Where it stands, if it comes from a file.
    pub place: Option<Place>,
    /// How long it took; of several, the slowest about so long. Without the time its thread had no
    /// core, as far as that is known.
    pub time: Duration,
}

/// What the busy time of a worker went into.
pub(super) struct Busy {
    pub(super) scoring: Duration,
    pub(super) preempted: Duration,
    pub(super) input: Duration,
    pub(super) limited: Duration,
    pub(super) handling: Duration,
}

impl WorkerTiming {
    /// Whether it ever began: a run that is not worth sharing wakes nobody.
    pub fn began(&self) -> bool {
        self.until > Duration::ZERO
    }

    /// How long it waited in a run of such a `wall` time, for whatever there was to wait for: for its
    /// turn to begin, for input, for a core, for others to finish.
    pub fn waiting(&self, wall: Duration) -> Duration {
        let busy = self.split(self.busy);
        wall.saturating_sub(busy.scoring + busy.handling)
    }

    /// What so much busy time went into. Each in turn takes no more than is left, so that clocks read
    /// at slightly different times cannot make more than the whole; and input comes after the time
    /// without a core, since input that was waited for then has been counted as both.
    pub(super) fn split(&self, busy: Duration) -> Busy {
        let mut left = busy;
        let mut take = |time: Duration| {
            let taken = time.min(left);
            left -= taken;
            taken
        };
        Busy {
            scoring: take(self.task),
            preempted: take(self.preempted),
            input: take(self.input),
            limited: take(self.limited),
            handling: take(Duration::MAX),
        }
    }

    /// Its busy time as a share of the `wall` time, from 0 to 1.
    pub fn share(&self, wall: Duration) -> f64 {
        share(self.busy, wall)
    }
}

impl Timing {
    /// Fetching bytes and waiting for records, summed over the workers; part of their busy time.
    pub fn input(&self) -> Duration {
        self.workers.iter().map(|worker| worker.input).sum()
    }

    /// The time of all records in the task, summed over the workers.
    pub fn work(&self) -> Duration {
        self.workers.iter().map(|worker| worker.task).sum()
    }

    /// The time of the longest record.
    pub fn span(&self) -> Duration {
        self.slowest
            .first()
            .map_or(Duration::ZERO, |slow| slow.time)
    }

    /// The shortest time these records can take so many workers: `max(work / workers, span)`, the
    /// work law and the span law (Cormen, Leiserson, Rivest and Stein, *Introduction to Algorithms*,
    /// third edition, 27.1).
    pub fn bound(&self, workers: usize) -> Duration {
        let workers = u32::try_from(workers.max(1)).unwrap_or(u32::MAX);
        (self.work() / workers).max(self.span())
    }

    /// How close the run came to the [bound](Timing::bound) of its workers: 1 where it took no
    /// longer, 0.5 where it took twice as long.
    pub fn closeness(&self) -> f64 {
        share(self.bound(self.workers.len()), self.wall)
    }

    /// Busy time of all workers as a share of what they could have worked, from 0 to 1.
    pub fn utilisation(&self) -> f64 {
        let busy: f64 = self.workers.iter().map(|one| one.share(self.wall)).sum();
        busy / self.workers.len().max(1) as f64
    }

    /// How many records the workers met, failed ones counted.
    pub fn records(&self) -> u64 {
        self.workers.iter().map(|worker| worker.records).sum()
    }
}

/// One time as a share of another, at most 1; 0 of nothing.
pub(super) fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() {
        0.0
    } else {
        part.div_duration_f64(whole).min(1.0)
    }
}
