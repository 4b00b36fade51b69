//! Runs whose records are scored by a program of the user.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Opened;
use crate::dataset::{Dataset, TextRecord};
use crate::error::{Cause, Error};
use crate::execution::Executor;
use crate::limit::{Limit, Permits};
use crate::machine::processor_time_of_children;
use crate::plan::Answer;
use crate::plan::scored::ScoredAssembly;
use crate::plan::scorer::Cells;
use crate::plan::thresholds::Thresholds;
use crate::plan::{ExecOptions, Plan, RunOptions, Scored};
use crate::remote::{Program, ProgramAnswer, RecordReply, Surroundings};
use crate::stop::{Cancel, DeadlineGuard};
use crate::task::Task;

/// A task that makes scores from the answer of a program and from the record.
struct AssembleScore<'a>(&'a ScoredAssembly);

impl Task<RecordReply<ProgramAnswer>> for AssembleScore<'_> {
    type Score = Scored;
    type Error = Cause;

    fn score(&self, reply: &RecordReply<ProgramAnswer>) -> Result<Scored, Cause> {
        let cells = Cells::from(reply.take()?);
        let record = reply.record().ok_or("the record was not kept")?;
        Ok(self.0.with_cells(&record, cells)?)
    }
}

impl ExecOptions {
    /// The program, with the limits of the plan.
    fn with_limits(&self, plan: &Plan) -> Program {
        let mut words = self.program.iter();
        let mut program = Program::new(words.next().cloned().unwrap_or_default())
            .arguments(words)
            .send(self.send)
            .clean_env(self.clean_env)
            .retries(plan.retries);
        if let Some(guard) = &plan.program {
            program = program.guarded_by(guard);
        }
        if let Some(time) = plan.timeout {
            program = program.timeout(time);
        }
        if let Some(time) = self.start_timeout {
            program = program.start_timeout(time);
        }
        if let Some(records) = self.restart_after {
            program = program.restart_after(records);
        }
        if let Some(bytes) = self.max_memory {
            program = program.max_memory(bytes);
        }
        program
    }
}

impl Opened {
    /// Runs the plan in processes of its program. Each thread of `executor` has a process of its own.
    pub(super) fn run_in_program<D>(
        &self,
        exec: &ExecOptions,
        executor: &dyn Executor,
        dataset: &D,
        deadline: Option<Duration>,
        options: RunOptions<'_>,
    ) -> Result<Answer, Error>
    where
        D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
    {
        let plan = &self.plan;
        let token = &options.cancel.map_or_else(Cancel::new, Cancel::child);
        // The processes must know about the deadline too, so the token contains it, and the pipeline has no deadline.
        let began = Instant::now();
        let deadline = deadline.map(|after| DeadlineGuard::start_after(began, after, token));
        let _deadline = deadline.transpose().map_err(Error::no_thread)?;
        let thresholds = Arc::new(Thresholds::new(plan.top));
        let assembly = ScoredAssembly::new(plan, &self.fields, Arc::clone(&thresholds));
        let encode = |record: &TextRecord<'_>, line: &mut Vec<u8>| {
            line.extend_from_slice(assembly.line(record, exec.send)?.as_bytes());
            Ok(())
        };
        let rate = plan.limit.rate();
        let surroundings = Surroundings {
            encode: &encode,
            permits: rate
                .map(|rate| Permits::new(&Limit::none().per_second(rate)))
                .transpose()?,
            progress: options.progress.unwrap_or(&|_| {}),
        };
        let options = RunOptions {
            progress: None,
            ..options.cancel(token)
        };
        let before = processor_time_of_children();
        let program = exec.with_limits(plan);
        let task = AssembleScore(&assembly);
        let run = program.answer_in(surroundings, dataset, token, |answered| {
            self.run_pipeline(executor, answered, task, thresholds, None, options)
        });
        let mut answer = run??;
        // All processes have ended, and their processor time is known.
        let spent = processor_time_of_children().zip(before);
        let spent = spent.map(|(now, before)| now.saturating_sub(before));
        let cpu = &mut answer.report.timing.cpu;
        *cpu = cpu.zip(spent).map(|(own, spent)| own + spent);
        Ok(answer)
    }
}
