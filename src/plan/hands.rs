//! The executor that a plan names, made ready: it may serve several runs.

use std::sync::Arc;

use super::{Beside, ExecutorName, Plan};
use crate::error::Error;
use crate::execution::{Executor, Sequential, TaskQueue, WorkStealing};
use crate::machine::Pinning;
use crate::remote::ProcessPool;

/// The executor that a plan names, made ready: what is started once may serve several runs.
///
/// ```
/// use manyhands::plan::{Beside, Plan};
///
/// let plan = Plan::new(["data/reviews.jsonl"]);
/// let (opened, hands) = (plan.open()?, plan.hands()?);
/// let once = opened.run_by(&hands, Beside::default())?;
/// let again = opened.run_by(&hands, Beside::default())?;
/// assert_eq!(once.digest, again.digest);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Debug)]
pub struct Hands {
    ready: Ready,
    pinning: Option<Arc<Pinning>>,
}

#[derive(Debug)]
enum Ready {
    Sequential,
    WorkStealing(WorkStealing),
    TaskQueue(TaskQueue),
    /// Processes, and threads that wait for them.
    ProcessPool(Box<ProcessPool>, TaskQueue),
}

impl Hands {
    pub(super) fn new(plan: &Plan) -> Result<Self, Error> {
        let hands = Self::without_processes(plan)?;
        if let Ready::ProcessPool(processes, _) = &hands.ready {
            processes.start()?;
        }
        Ok(hands)
    }

    /// The same, but worker processes are left for the run to start, which can be stopped meanwhile.
    pub(super) fn without_processes(plan: &Plan) -> Result<Self, Error> {
        let pinning = plan.pin.then(|| Arc::new(Pinning::look()));
        let workers = plan.workers();
        let ready = match plan.executor {
            ExecutorName::Sequential => Ready::Sequential,
            ExecutorName::TaskQueue => {
                let executor = TaskQueue::new(workers);
                Ready::TaskQueue(match &pinning {
                    Some(pinning) => executor.pinned_by(Arc::clone(pinning)),
                    None => executor,
                })
            }
            ExecutorName::ProcessPool => {
                let pool = plan.process_pool()?;
                let waiting = TaskQueue::new(pool.workers());
                Ready::ProcessPool(Box::new(pool), waiting)
            }
            ExecutorName::WorkStealing => {
                let mut executor = WorkStealing::new(workers);
                if let Some(pinning) = &pinning {
                    executor = executor.pinned_by(Arc::clone(pinning));
                }
                if plan.threads.is_some() {
                    // Asked for by number, so the report must be able to say that they were there.
                    executor.start()?;
                }
                Ready::WorkStealing(executor)
            }
        };
        Ok(Hands { ready, pinning })
    }

    /// The executor.
    pub fn executor(&self) -> &dyn Executor {
        match &self.ready {
            Ready::Sequential => &Sequential,
            Ready::WorkStealing(executor) => executor,
            Ready::TaskQueue(executor) | Ready::ProcessPool(_, executor) => executor,
        }
    }

    /// What a run on them has beside it, together with these.
    pub(crate) fn beside<'a>(&'a self, beside: Beside<'a>) -> Beside<'a> {
        match &self.ready {
            Ready::WorkStealing(pool) if pool.workers() > 1 => Beside {
                pool: Some(pool),
                ..beside
            },
            Ready::ProcessPool(processes, _) => Beside {
                processes: Some(processes),
                ..beside
            },
            _ => beside,
        }
    }

    /// Whether the workers are kept in their places, if the plan asks for that.
    pub(super) fn pinned(&self) -> Option<bool> {
        let works = |pinning: &Arc<Pinning>| match &self.ready {
            Ready::Sequential => false,
            Ready::WorkStealing(_) | Ready::TaskQueue(_) => pinning.works(),
            Ready::ProcessPool(processes, _) => processes.is_in_place(),
        };
        self.pinning.as_ref().map(works)
    }
}
