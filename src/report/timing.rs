//! Where the time of a run went.

use std::time::Duration;

use crate::error::Place;

/// The time of one run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Timing {
    /// The time from the call that started the run to the answer.
    pub wall: Duration,
    /// Processor time of the whole process during the run, all threads together. A plan measures it if the
    /// system reports it. A pipeline does not measure it, because measuring it takes as long as a small run.
    pub cpu: Option<Duration>,
    /// The time after the last worker has ended: merging states and computing the answer.
    pub finish: Duration,
    /// One entry for each worker, even if it was never woken.
    pub workers: Vec<WorkerTiming>,
    /// The slowest records, at most five, slowest first.
    pub slowest: Vec<SlowRecord>,
}

/// What one worker did in a run.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct WorkerTiming {
    /// The number of records that the worker scored, including failed and skipped ones.
    pub records: u64,
    /// How long the worker was busy: reading, scoring, aggregating, and passing scores on.
    pub busy: Duration,
    /// The part of the busy time spent in the task. If records take less than 20 µs, the time between records
    /// is included. Time in which the thread had no core is not included, as far as that time is known.
    pub task: Duration,
    /// How long the thread of the worker was ready to run but had no core, because other threads used all
    /// cores. This is known only on Linux, and only for runs of more than 0.5 ms.
    pub preempted: Duration,
    /// The part of the busy time spent fetching bytes and waiting for records.
    pub input: Duration,
    /// The part of the busy time spent waiting for permits of a limit.
    pub limited: Duration,
    /// When the worker began, as the time since the run began.
    pub from: Duration,
    /// When the worker was last busy, as the time since the run began.
    pub until: Duration,
}

/// One of the slowest records.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlowRecord {
    /// The index of the record, from 0. If several records were timed together, this is the index of the first
    /// one.
    pub index: u64,
    /// The number of records that were timed together. Records that take little time are timed in groups.
    pub records: u32,
    /// The place of the record, if it comes from a file.
    pub place: Option<Place>,
    /// How long the record took. If several records were timed together, this is an estimate for the slowest
    /// one. Time in which the thread had no core is not included, as far as that time is known.
    pub time: Duration,
}

/// The parts of the busy time of a worker.
pub(super) struct Busy {
    pub(super) scoring: Duration,
    pub(super) preempted: Duration,
    pub(super) input: Duration,
    pub(super) limited: Duration,
    pub(super) handling: Duration,
}

impl WorkerTiming {
    /// For tests: a worker that scored `records` records from one time to another, in milliseconds, and did nothing
    /// else.
    #[cfg(test)]
    pub(crate) fn scoring(records: u64, from: u64, until: u64) -> Self {
        let (from, until) = (Duration::from_millis(from), Duration::from_millis(until));
        WorkerTiming {
            records,
            busy: until - from,
            task: until - from,
            from,
            until,
            ..WorkerTiming::default()
        }
    }

    /// Returns false if the worker was never woken, because the run was too short to share.
    pub fn began(&self) -> bool {
        self.until > Duration::ZERO
    }

    /// How long the worker scored records and handled scores. In the rest of the run, the worker
    /// [waited](Self::waiting).
    pub fn at_work(&self) -> Duration {
        let busy = self.split(self.busy);
        busy.scoring + busy.handling
    }

    /// The time [at work](Self::at_work) as a share of `wall`, from 0 to 1.
    pub fn share_at_work(&self, wall: Duration) -> f64 {
        share(self.at_work(), wall)
    }

    /// How long the worker waited in a run that took `wall`: to be woken, for input, for a permit, for a core,
    /// or for other workers to finish.
    pub fn waiting(&self, wall: Duration) -> Duration {
        wall.saturating_sub(self.at_work())
    }

    /// Splits a busy time into its parts. Each part takes at most what the parts before it have left, because
    /// clocks that are read at slightly different times could otherwise add up to more than the whole. Input is
    /// taken after the time without a core, because time in which a worker waited for input and had no core is
    /// counted as both.
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

    /// The busy time as a share of `wall`, from 0 to 1.
    pub fn share(&self, wall: Duration) -> f64 {
        share(self.busy, wall)
    }
}

impl Timing {
    /// The time spent fetching bytes and waiting for records, summed over the workers.
    pub fn input(&self) -> Duration {
        self.workers.iter().map(|worker| worker.input).sum()
    }

    /// The time that the workers spent in the task, summed over all records.
    pub fn work(&self) -> Duration {
        self.workers.iter().map(|worker| worker.task).sum()
    }

    /// The time of the longest record.
    pub fn span(&self) -> Duration {
        self.slowest
            .first()
            .map_or(Duration::ZERO, |slow| slow.time)
    }

    /// The shortest time that this number of workers could take: `max(work / workers, span)`. It follows from
    /// the work law and the span law (Cormen, Leiserson, Rivest and Stein, *Introduction to Algorithms*, third
    /// edition, 27.1).
    pub fn lower_bound(&self, workers: usize) -> Duration {
        let workers = u32::try_from(workers.max(1)).unwrap_or(u32::MAX);
        (self.work() / workers).max(self.span())
    }

    /// How close the run came to the [lower bound](Timing::lower_bound) for its number of workers: 1 if it took
    /// no longer, 0.5 if it took twice as long.
    pub fn closeness(&self) -> f64 {
        share(self.lower_bound(self.workers.len()), self.wall)
    }

    /// The busy time of all workers as a share of `workers × wall`, from 0 to 1.
    pub fn utilisation(&self) -> f64 {
        let busy: f64 = self.workers.iter().map(|one| one.share(self.wall)).sum();
        busy / self.workers.len().max(1) as f64
    }

    /// The number of records, including failed ones.
    pub fn records(&self) -> u64 {
        self.workers.iter().map(|worker| worker.records).sum()
    }
}

/// One time as a share of another, at most 1; 0 if the other is zero.
pub(super) fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() {
        0.0
    } else {
        part.div_duration_f64(whole).min(1.0)
    }
}
