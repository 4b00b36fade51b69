//! Runs whose records are scored outside this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Opened;
use crate::dataset::{Dataset, TextRecord};
use crate::error::Error;
use crate::execution::Executor;
use crate::plan::Answer;
use crate::plan::coordinator::PlanCoordinator;
use crate::plan::remembered::{RememberedScores, RememberedTask};
use crate::plan::replies::{AskForEach, TakeScore};
use crate::plan::run_journal::JournalledAnswers;
use crate::plan::thresholds::Thresholds;
use crate::plan::{RunOptions, Scored};
use crate::remote::{Elsewhere, ProcessPool, ScoredElsewhere};
use crate::stop::Cancel;

impl Opened {
    /// Runs the plan in worker processes. For each process, a thread of `executor` waits for its answers.
    pub(super) fn run_in_processes<D>(
        &self,
        pool: &ProcessPool,
        executor: &dyn Executor,
        dataset: &D,
        memory: Option<&JournalledAnswers<'_>>,
        deadline: Option<Duration>,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
    {
        let plan = &self.plan;
        plan.check_timeout(true)?;
        // The supervisor must know about the deadline too, and the deadline may pass while processes start. So the
        // token contains the deadline, and the pipeline has no deadline.
        let (token, _deadline) = options.token_until(Instant::now(), deadline)?;
        let token = &token;
        let thresholds = Arc::new(Thresholds::new(plan.top));
        let main = plan.columns().main_cell();
        let scorer = Arc::clone(&self.scorer);
        let coordinator = PlanCoordinator::new(Arc::clone(&thresholds), main, scorer);
        let run = pool.begin_run(&coordinator, token, plan.timeout)?;
        run.start()?;
        let before = pool.processor_time();
        let memory = memory.map(|answers| self.remembered(answers, &thresholds));
        let memory = memory.as_ref();
        let options = options.cancel(token);
        let mut answer =
            self.run_elsewhere(&run, executor, dataset, memory, thresholds, options)?;
        answer.pairs = coordinator.pairs().or(answer.pairs);
        let cpu = &mut answer.report.timing.cpu;
        *cpu = cpu.map(|own| own + (pool.processor_time() - before));
        Ok(answer)
    }

    /// Runs the plan with records that are scored outside this process. The token of the options stops the run, and contains
    /// its deadline.
    pub(super) fn run_elsewhere<D, E>(
        &self,
        elsewhere: &E,
        executor: &dyn Executor,
        dataset: &D,
        memory: Option<&RememberedScores<'_>>,
        thresholds: Arc<Thresholds>,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
        E: Elsewhere<Score = Scored>,
    {
        if !self.plan.limit.waits() {
            let keeps_records = options.scores.is_some_and(|sink| sink.wants_records());
            let scored = ScoredElsewhere::new(dataset, elsewhere).keeping_records(keeps_records);
            let scored = match memory {
                Some(memory) => scored.with_memory(memory),
                None => scored,
            };
            return self.run_pipeline(executor, &scored, TakeScore, thresholds, None, options);
        }
        let unstoppable = Cancel::new();
        let token = options.cancel.unwrap_or(&unstoppable);
        let task = AskForEach::new(elsewhere, token);
        let answer = match memory {
            None => self.run_pipeline(executor, dataset, &task, thresholds, None, options),
            Some(memory) => {
                let task = RememberedTask::new(&task, memory);
                self.run_pipeline(executor, dataset, task, thresholds, None, options)
            }
        };
        match task.into_error() {
            Some(error) => Err(error),
            None => answer,
        }
    }
}
