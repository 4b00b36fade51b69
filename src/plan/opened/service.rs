//! Runs whose records are scored by calls to a service.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Opened;
use super::assemble::AssembleScore;
use crate::calls::{
    AsyncTask, CallError, CallMemory, CallSurroundings, CallTally, Calls, MOST_ADAPTIVE,
};
use crate::dataset::{Dataset, LentRecord, OwnedRecord, TextRecord};
use crate::error::Error;
use crate::execution::Executor;
use crate::journal::{AnswerMemory, KeptAt};
use crate::machine::allow_connections;
use crate::plan::run_journal::JournalledAnswers;
use crate::plan::scored::ScoredAssembly;
use crate::plan::thresholds::Thresholds;
use crate::plan::{
    Answer, BudgetReport, CallLatency, CallsNow, CallsReport, HeldUp, HttpOptions, Plan, RunOptions,
};
use crate::remote::{ColumnKinds, ProgramAnswer, Service, ServiceStatistics};

/// The number of calls in flight if the plan does not say it.
const IN_FLIGHT: usize = 16;

/// The time for a call if the plan does not say it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How often a record is tried again if the plan does not say it.
const RETRIES: u32 = 5;

/// A task that calls the service.
struct CallService<'a>(&'a Service);

impl AsyncTask<OwnedRecord> for CallService<'_> {
    type Score = ProgramAnswer;
    type Error = CallError;

    async fn score(&self, record: &OwnedRecord) -> Result<ProgramAnswer, CallError> {
        let body = self.0.body(&record.record())?;
        self.0.call(body).await
    }
}

impl CallMemory<OwnedRecord, ProgramAnswer> for JournalledAnswers<'_> {
    fn find(&self, record: &OwnedRecord) -> Result<Option<ProgramAnswer>, Error> {
        AnswerMemory::find(self, &record.record())
    }

    fn keep(&self, record: &OwnedRecord, answer: &ProgramAnswer) -> Result<KeptAt, Error> {
        AnswerMemory::keep(self, &record.record(), answer)
    }

    fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        self.wait(at, at_most)
    }
}

impl HttpOptions {
    /// The limits of the calls.
    ///
    /// # Errors
    ///
    /// Returns an error if the system does not allow enough connections. The calls beyond its limit would all fail.
    fn calls(&self, plan: &Plan) -> Result<Calls, Error> {
        let usual = if self.adaptive {
            MOST_ADAPTIVE
        } else {
            IN_FLIGHT
        };
        let in_flight = plan.limit.most_in_flight().unwrap_or(usual);
        let possible = allow_connections(in_flight);
        let mut calls = match self.adaptive {
            true => Calls::adaptive(possible),
            false => Calls::in_flight(in_flight),
        };
        if !self.adaptive && possible < in_flight {
            return Err(Error::Limit {
                what: format!("{in_flight} calls in flight"),
                remedy: "this process may not have as many files and connections open; allow more with ulimit -n, or fewer \
                         calls in flight",
            });
        }
        calls = calls
            .timeout(plan.timeout.unwrap_or(TIMEOUT))
            .retries(plan.retries.unwrap_or(RETRIES));
        if let Some(rate) = plan.limit.rate() {
            calls = calls.per_second(rate);
        }
        if let Some(budget) = &self.service.budget {
            calls = calls.budget(budget.limit());
        }
        Ok(calls)
    }

    /// The report of the calls.
    fn report(&self, tally: CallTally, statistics: ServiceStatistics) -> CallsReport {
        let elapsed = tally.elapsed.as_secs_f64();
        let per_elapsed = |amount: f64| if elapsed > 0.0 { amount / elapsed } else { 0.0 };
        let held = tally.held_up;
        let latency = statistics.latency.map(|latency| CallLatency {
            mean: latency.mean.as_secs_f64(),
            median: latency.median.as_secs_f64(),
            p90: latency.p90.as_secs_f64(),
            p99: latency.p99.as_secs_f64(),
            max: latency.max.as_secs_f64(),
        });
        let retries = tally.retries.iter();
        let budget = self.service.budget.as_ref();
        CallsReport {
            calls: tally.calls,
            retries: retries
                .map(|(reason, times)| (reason.name().into(), *times))
                .collect(),
            statuses: statistics.statuses,
            latency,
            per_second: per_elapsed(tally.calls as f64),
            mean_in_flight: per_elapsed(tally.time_in_flight.as_secs_f64()),
            most_in_flight: tally.most_in_flight,
            limit: tally.limit,
            adaptive: self.adaptive,
            held_up: HeldUp {
                limit: held.limit.as_secs_f64(),
                rate: held.rate.as_secs_f64(),
                service: held.pause.as_secs_f64(),
                budget: held.budget.as_secs_f64(),
                room: held.room.as_secs_f64(),
                input: held.records.as_secs_f64(),
            },
            elapsed,
            budget: budget.map(|budget| BudgetReport {
                of: budget.pointer().to_string(),
                limit: budget.limit(),
                spent: tally.spent,
                overshoot: tally.spent.saturating_sub(budget.limit()),
            }),
        }
    }
}

impl Opened {
    /// Runs the plan by calls to its service. The threads of `executor` visit the answers.
    pub(super) fn run_in_service<D>(
        &self,
        http: &HttpOptions,
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
        // The calls must know about the deadline too, so the token contains it, and the pipeline has no deadline.
        let (token, _deadline) = options.token_until(Instant::now(), deadline)?;
        let token = &token;
        let thresholds = Arc::new(Thresholds::new(plan.top));
        let assembly = ScoredAssembly::new(plan, &self.fields, Arc::clone(&thresholds));
        let calls = http.calls(plan)?;
        let service = Service::new(&http.service, calls.control())?;
        let kinds = ColumnKinds::default();
        let check = |first, outcomes: &mut [_], is_stopped: &dyn Fn() -> bool| {
            kinds.check(first, outcomes, is_stopped);
        };
        let watch = |tally: &CallTally| {
            if let Some(show) = options.calls {
                show(CallsNow {
                    in_flight: tally.in_flight,
                    retries: tally.retries.values().sum(),
                    failures: tally.failures,
                });
            }
        };
        let around = CallSurroundings {
            progress: options.progress.unwrap_or(&|_| {}),
            watch: &watch,
            check: Some(&check),
            lend: Some(&|record: &OwnedRecord| Some(LentRecord::Text(record.record()))),
            bytes: &|record: &OwnedRecord| record.record().as_str().len(),
            memory: memory.map(|memory| memory as _),
        };
        let options = RunOptions {
            progress: None,
            ..options.cancel(token)
        };
        let own = |record: &TextRecord<'_>| OwnedRecord::of(record);
        let task = CallService(&service);
        let run = calls.answer_in(around, dataset, own, &task, token, |awaited| {
            let task = AssembleScore(&assembly);
            self.run_pipeline(executor, awaited, task, thresholds, None, options)
        });
        options.note_kinds(&kinds);
        let (answer, tally) = run?;
        let mut answer = answer?;
        answer.calls = Some(http.report(tally, service.statistics()));
        Ok(answer)
    }
}
