//! Runs whose records are scored by a program of the user.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Opened;
use super::assemble::AssembleScore;
use crate::dataset::{Dataset, TextRecord};
use crate::error::Error;
use crate::execution::Executor;
use crate::limit::{Limit, Permits};
use crate::machine::processor_time_of_children;
use crate::plan::Answer;
use crate::plan::run_journal::JournalledAnswers;
use crate::plan::scored::ScoredAssembly;
use crate::plan::thresholds::Thresholds;
use crate::plan::{ExecOptions, Plan, RunOptions};
use crate::remote::{Program, ProgramLimits, Surroundings};

impl ExecOptions {
    /// The program, with the limits of the plan.
    fn with_limits(&self, plan: &Plan) -> Program {
        let mut words = self.program.iter();
        let program = Program::new(words.next().cloned().unwrap_or_default())
            .arguments(words)
            .clean_env(self.clean_env)
            .limited_by(ProgramLimits {
                send: self.send,
                timeout: plan.timeout,
                start_timeout: self.start_timeout,
                retries: plan.retries.unwrap_or(0),
                restart_after: self.restart_after,
                max_memory: self.max_memory,
            });
        match &plan.program {
            Some(guard) => program.guarded_by(guard),
            None => program,
        }
    }
}

impl Opened {
    /// Runs the plan in processes of its program. Each thread of `executor` has a process of its own.
    pub(super) fn run_in_program<D>(
        &self,
        exec: &ExecOptions,
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
        // The processes must know about the deadline too, so the token contains it, and the pipeline has no deadline.
        let (token, _deadline) = options.token_until(Instant::now(), deadline)?;
        let token = &token;
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
            memory: memory.map(|memory| memory as _),
        };
        let options = RunOptions {
            progress: None,
            ..options.cancel(token)
        };
        let before = processor_time_of_children();
        let program = exec.with_limits(plan);
        let task = AssembleScore(&assembly);
        let run = program.answer_in(surroundings, dataset, token, |answered| {
            let answer = self.run_pipeline(executor, answered, task, thresholds, None, options);
            options.note_kinds(answered.kinds());
            answer
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
