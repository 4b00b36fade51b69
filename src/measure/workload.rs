//! What is run again and again.

use serde::Serialize;

use super::checksum::Checksum;
use crate::dataset::Dataset;
use crate::error::Error;
use crate::execution::Executor;
use crate::machine::{Machine, processor_time};
use crate::pipeline::Pipeline;
use crate::plan::{Opened, PlannedExecutor, RunOptions};
use crate::report::{Digest, Timing};
use crate::task::Task;

/// What is run, with the executor it was made ready for.
pub(super) trait Workload: Sync {
    /// Its executor.
    fn executor(&self) -> &dyn Executor;

    /// Runs once, on that executor or on one that stands before it.
    fn run_on(&self, executor: &dyn Executor) -> Result<Answered, Error>;

    /// Runs once.
    fn run(&self) -> Result<Answered, Error> {
        self.run_on(self.executor())
    }
}

/// What one run came to.
pub(super) struct Answered {
    pub(super) digest: Digest,
    pub(super) records: u64,
    pub(super) failed: u64,
    pub(super) timing: Timing,
}

/// Streams can be read once only.
pub(super) fn refuse_stream(is_stream: bool) -> Result<(), Error> {
    if is_stream {
        return Err(Error::Measure(
            "a stream can be read once only; load it into memory first".to_owned(),
        ));
    }
    Ok(())
}

/// A dataset and a task of somebody's own.
pub(super) struct Own<'a, D: ?Sized, T> {
    dataset: &'a D,
    task: &'a T,
}

impl<D: ?Sized, T> Clone for Own<'_, D, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: ?Sized, T> Copy for Own<'_, D, T> {}

impl<'a, D: Dataset + ?Sized, T> Own<'a, D, T> {
    pub(super) fn new(dataset: &'a D, task: &'a T) -> Result<Self, Error> {
        refuse_stream(dataset.is_stream())?;
        Ok(Own { dataset, task })
    }

    pub(super) fn on(self, executor: &'a dyn Executor) -> OwnOn<'a, D, T> {
        OwnOn {
            own: self,
            executor,
        }
    }
}

/// The same, on an executor.
pub(super) struct OwnOn<'a, D: ?Sized, T> {
    own: Own<'a, D, T>,
    executor: &'a dyn Executor,
}

impl<D, T, S> Workload for OwnOn<'_, D, T>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    S: Serialize + Send,
{
    fn executor(&self) -> &dyn Executor {
        self.executor
    }

    fn run_on(&self, executor: &dyn Executor) -> Result<Answered, Error> {
        let before = processor_time();
        let report = Pipeline::new(self.own.dataset, Lent(self.own.task))
            .executor(executor)
            .aggregate(Checksum::default())?;
        let mut timing = report.timing;
        timing.cpu = processor_time().zip(before).map(|(now, then)| now - then);
        let failed: Vec<u64> = report
            .failures
            .iter()
            .map(|failure| failure.index)
            .collect();
        Ok(Answered {
            digest: Digest::of(&(report.value, report.records, report.failed, failed)),
            records: report.records,
            failed: report.failed,
            timing,
        })
    }
}

/// A task that is somebody else's.
struct Lent<'a, T>(&'a T);

impl<R: ?Sized, T: Task<R>> Task<R> for Lent<'_, T> {
    type Score = T::Score;
    type Error = T::Error;

    #[inline]
    fn score(&self, record: &R) -> Result<T::Score, T::Error> {
        self.0.score(record)
    }
}

/// An opened plan, and an executor that was started for it.
pub(super) struct Planned<'a> {
    opened: &'a Opened,
    executor: PlannedExecutor,
    machine: &'a Machine,
}

impl<'a> Planned<'a> {
    /// On a machine that has been looked at: to look takes longer than a short run.
    pub(super) fn new(opened: &'a Opened, executor: PlannedExecutor, machine: &'a Machine) -> Self {
        Planned {
            opened,
            executor,
            machine,
        }
    }
}

impl Workload for Planned<'_> {
    fn executor(&self) -> &dyn Executor {
        self.executor.threads()
    }

    fn run_on(&self, executor: &dyn Executor) -> Result<Answered, Error> {
        let options = RunOptions::default().machine(self.machine);
        let answer = self.opened.run_through(executor, &self.executor, options)?;
        let digest = answer.digest;
        let report = answer.report.finished()?;
        Ok(Answered {
            digest,
            records: report.records,
            failed: report.failed,
            timing: report.timing,
        })
    }
}
