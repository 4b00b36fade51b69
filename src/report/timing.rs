//! Where the time of a run went.

use std::time::Duration;

/// The time of one run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Timing {
    /// From the call to the answer.
    pub wall: Duration,
    /// Processor time of the whole process meanwhile, all threads together. A plan measures it,
    /// where the system tells; a pipeline does not, since asking costs as much as a small run.
    pub cpu: Option<Duration>,
    /// Fetching bytes from files, summed over the workers; part of their busy time.
    pub read: Duration,
    /// One entry for each worker that could have worked.
    pub workers: Vec<WorkerTiming>,
}

/// The share of one worker.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct WorkerTiming {
    /// How long it read, scored, aggregated, and handed scores on.
    pub busy: Duration,
    /// How many records it met, failed ones counted.
    pub records: u64,
}

impl Timing {
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
