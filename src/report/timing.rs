//! Where the time of a run went.

use std::time::{Duration, Instant};

/// The time of one run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Timing {
    /// From the call to the answer.
    pub wall: Duration,
    /// Processor time of the whole process meanwhile, all threads together, where the system
    /// tells.
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
    /// How long it read, scored and aggregated.
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

/// A running clock for wall and processor time.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Option<Duration>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Stopwatch {
            wall: Instant::now(),
            cpu: processor_time(),
        }
    }

    pub(crate) fn stop(&self) -> (Duration, Option<Duration>) {
        let cpu = processor_time()
            .zip(self.cpu)
            .map(|(now, then)| now.saturating_sub(then));
        (self.wall.elapsed(), cpu)
    }
}

/// Processor time of this process since its start, user and system.
#[cfg(unix)]
fn processor_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(
        time.tv_sec.try_into().ok()?,
        time.tv_nsec.try_into().ok()?,
    ))
}

#[cfg(not(unix))]
fn processor_time() -> Option<Duration> {
    None
}
