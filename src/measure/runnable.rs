//! What is run repeatedly: a task of the caller or a plan, with an executor.

use std::path::{Path, PathBuf};

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

/// Something to run repeatedly, with the executor that it was prepared for.
pub(super) trait Runnable: Sync {
    /// The executor that this runnable was prepared for.
    fn executor(&self) -> &dyn Executor;

    /// Runs once on another executor, such as an executor that records what the runnable's own executor does.
    fn run_on(&self, executor: &dyn Executor) -> Result<MeasuredRun, Error>;

    /// Runs once on the executor that this runnable was prepared for.
    fn run(&self) -> Result<MeasuredRun, Error> {
        self.run_on(self.executor())
    }
}

/// The outcome of one run.
pub(super) struct MeasuredRun {
    pub(super) digest: Digest,
    pub(super) records: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    pub(super) timing: Timing,
}

/// Returns an error if the dataset is a stream, because a stream can be read only once, and a comparison reads
/// its dataset many times.
pub(super) fn refuse_stream(is_stream: bool) -> Result<(), Error> {
    if is_stream {
        return Err(Error::Measure(
            "a stream can be read only once; load it into memory first".to_owned(),
        ));
    }
    Ok(())
}

/// A dataset and a task of the caller.
pub(super) struct UserTask<'a, D: ?Sized, T> {
    dataset: &'a D,
    task: &'a T,
}

impl<D: ?Sized, T> Clone for UserTask<'_, D, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: ?Sized, T> Copy for UserTask<'_, D, T> {}

impl<'a, D: Dataset + ?Sized, T> UserTask<'a, D, T> {
    pub(super) fn new(dataset: &'a D, task: &'a T) -> Result<Self, Error> {
        refuse_stream(dataset.is_stream())?;
        Ok(UserTask { dataset, task })
    }

    pub(super) fn on(self, executor: &'a dyn Executor) -> UserTaskOn<'a, D, T> {
        UserTaskOn {
            user: self,
            executor,
        }
    }
}

/// A task of the caller with an executor.
pub(super) struct UserTaskOn<'a, D: ?Sized, T> {
    user: UserTask<'a, D, T>,
    executor: &'a dyn Executor,
}

impl<D, T, S> Runnable for UserTaskOn<'_, D, T>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    S: Serialize + Send,
{
    fn executor(&self) -> &dyn Executor {
        self.executor
    }

    fn run_on(&self, executor: &dyn Executor) -> Result<MeasuredRun, Error> {
        let before = processor_time();
        let report = Pipeline::new(self.user.dataset, BorrowedTask(self.user.task))
            .executor(executor)
            .aggregate(Checksum::default())?;
        let mut timing = report.timing;
        timing.cpu = processor_time().zip(before).map(|(now, then)| now - then);
        let failed: Vec<u64> = report
            .failures
            .iter()
            .map(|failure| failure.index)
            .collect();
        Ok(MeasuredRun {
            digest: Digest::of(&(
                report.value,
                report.records,
                report.failed,
                report.skipped,
                failed,
            )),
            records: report.records,
            failed: report.failed,
            skipped: report.skipped,
            timing,
        })
    }
}

/// A task that is borrowed from the caller.
struct BorrowedTask<'a, T>(&'a T);

impl<R: ?Sized, T: Task<R>> Task<R> for BorrowedTask<'_, T> {
    type Score = T::Score;
    type Error = T::Error;

    #[inline]
    fn score(&self, record: &R) -> Result<T::Score, T::Error> {
        self.0.score(record)
    }
}

/// An opened plan with the executor that was started for it.
pub(super) struct PlannedRun<'a> {
    opened: &'a Opened,
    executor: PlannedExecutor,
    machine: &'a Machine,
}

impl<'a> PlannedRun<'a> {
    /// Takes the facts about the machine as an argument, because reading them takes longer than a short run.
    pub(super) fn new(opened: &'a Opened, executor: PlannedExecutor, machine: &'a Machine) -> Self {
        PlannedRun {
            opened,
            executor,
            machine,
        }
    }
}

impl Runnable for PlannedRun<'_> {
    fn executor(&self) -> &dyn Executor {
        self.executor.threads()
    }

    fn run_on(&self, executor: &dyn Executor) -> Result<MeasuredRun, Error> {
        let options = RunOptions::default().machine(self.machine);
        let answer = self.opened.run_through(executor, &self.executor, options)?;
        let digest = answer.digest;
        let report = answer.report.finished()?;
        if let Some(failure) = report.failures.first() {
            let (failure, why) = (
                failure.clone(),
                "only records that can be scored are timed; remove or mend \
                the records that fail"
                    .to_owned(),
            );
            return Err(Error::Unusable { failure, why });
        }
        if report.scored == 0 && report.skipped > 0 {
            let file = answer
                .plan
                .files
                .first()
                .map_or(Path::new("-"), PathBuf::as_path);
            let message = "every record is skipped, so there is nothing to time";
            return Err(Error::input(file, message));
        }
        Ok(MeasuredRun {
            digest,
            records: report.records,
            failed: report.failed,
            skipped: report.skipped,
            timing: report.timing,
        })
    }
}
