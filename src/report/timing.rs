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
    /// The part of the busy time spent in the task; where records take less than ten microseconds,
    /// with what is done between them.
    pub task: Duration,
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
    /// How long it took; of several, the slowest about so long.
    pub time: Duration,
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

    /// Busy time of all workers as a share of what they could have worked, from 0 to 1.
    pub fn utilisation(&self) -> f64 {
        let busy: f64 = self
            .workers
            .iter()
            .map(|worker| worker.busy.as_secs_f64())
            .sum();
        let whole = self.wall.as_secs_f64() * self.workers.len() as f64;
        if whole > 0.0 {
            (busy / whole).min(1.0)
        } else {
            0.0
        }
    }
}

/// Processor time of this process since its start, user and system.
#[cfg(unix)]
pub(crate) fn processor_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(
        time.tv_sec.try_into().ok()?,
        time.tv_nsec.try_into().ok()?,
    ))
}

#[cfg(not(unix))]
pub(crate) fn processor_time() -> Option<Duration> {
    None
}
