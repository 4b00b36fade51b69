//! The started executor of a plan, which can serve several runs.

use std::sync::Arc;

use super::{ExecutorName, Plan};
use crate::error::Error;
use crate::execution::{Executor, Sequential, TaskQueue, WorkStealing};
use crate::machine::Pinning;
use crate::remote::ProcessPool;

/// The executor that a plan names, with its threads and worker processes. One executor can serve several
/// runs.
///
/// ```
/// use manyhands::plan::{Plan, RunOptions};
///
/// let plan = Plan::new(["data/reviews.jsonl"]);
/// let (opened, executor) = (plan.open()?, plan.start_executor()?);
/// let first = opened.run_with(&executor, RunOptions::default())?;
/// let second = opened.run_with(&executor, RunOptions::default())?;
/// assert_eq!(first.digest, second.digest);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Debug)]
pub struct PlannedExecutor {
    started: Started,
    pinning: Option<Arc<Pinning>>,
}

#[derive(Debug)]
enum Started {
    Sequential,
    WorkStealing(WorkStealing),
    TaskQueue(TaskQueue),
    /// Worker processes, and for each process a thread that waits for its answers.
    ProcessPool(Box<ProcessPool>, TaskQueue),
}

/// Where a run scores its records.
#[derive(Clone, Copy, Debug)]
pub(super) enum ScoredBy<'a> {
    /// The threads of the executor. If one record is enough work for several cores, the threads of the pool share it.
    Threads { pool: Option<&'a WorkStealing> },
    /// Worker processes, while the threads of the executor wait for their answers.
    Processes(&'a ProcessPool),
}

impl PlannedExecutor {
    /// Starts the executor, with its worker processes.
    pub(super) fn start(plan: &Plan) -> Result<Self, Error> {
        let executor = Self::without_processes(plan)?;
        if let Started::ProcessPool(processes, _) = &executor.started {
            processes.start()?;
        }
        Ok(executor)
    }

    /// Starts the executor, but no worker processes. The run starts the processes, since it can be cancelled while
    /// they start.
    pub(super) fn without_processes(plan: &Plan) -> Result<Self, Error> {
        let pinning = plan.pin.then(|| Arc::new(Pinning::look()));
        let number = plan.workers();
        let started = match plan.executor {
            // Its threads wait for the processes of the program.
            _ if plan.scorer.outside().is_some() => {
                Started::TaskQueue(TaskQueue::new(plan.limit.workers(number)))
            }
            ExecutorName::Sequential => Started::Sequential,
            ExecutorName::TaskQueue => {
                let executor = TaskQueue::new(number);
                Started::TaskQueue(match &pinning {
                    Some(pinning) => executor.pinned_by(Arc::clone(pinning)),
                    None => executor,
                })
            }
            ExecutorName::ProcessPool => {
                let pool = plan.process_pool()?;
                let waiting = TaskQueue::new(pool.workers());
                Started::ProcessPool(Box::new(pool), waiting)
            }
            ExecutorName::WorkStealing => {
                let mut executor = WorkStealing::new(number);
                if let Some(pinning) = &pinning {
                    executor = executor.pinned_by(Arc::clone(pinning));
                }
                if plan.threads.is_some() {
                    // The user asked for this number of threads, so a missing thread is an error and not a
                    // slower run.
                    executor.start()?;
                }
                Started::WorkStealing(executor)
            }
        };
        Ok(PlannedExecutor { started, pinning })
    }

    /// The threads of the executor. With a process pool, they only wait for the worker processes.
    pub fn threads(&self) -> &dyn Executor {
        match &self.started {
            Started::Sequential => &Sequential,
            Started::WorkStealing(executor) => executor,
            Started::TaskQueue(executor) | Started::ProcessPool(_, executor) => executor,
        }
    }

    /// Where a run on this executor scores its records.
    pub(super) fn scored_by(&self) -> ScoredBy<'_> {
        match &self.started {
            Started::ProcessPool(processes, _) => ScoredBy::Processes(processes),
            Started::WorkStealing(pool) if pool.workers() > 1 => {
                ScoredBy::Threads { pool: Some(pool) }
            }
            _ => ScoredBy::Threads { pool: None },
        }
    }

    /// Whether each worker is kept on its hardware thread. `None` if the plan does not ask for that.
    pub(super) fn is_pinned(&self) -> Option<bool> {
        let works = |pinning: &Arc<Pinning>| match &self.started {
            Started::Sequential => false,
            Started::WorkStealing(_) | Started::TaskQueue(_) => pinning.works(),
            Started::ProcessPool(processes, _) => processes.is_in_place(),
        };
        self.pinning.as_ref().map(works)
    }
}
