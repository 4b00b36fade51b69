//! Measures how well a task scales on this machine, and explains why it does not scale better.
//!
//! [`compare`] measures a function of your own, and [`compare_plan`] measures an opened plan. Both score the
//! same records repeatedly with several executors and return a [`Comparison`]: plain data with every measured
//! turn, speed-ups with confidence intervals, and an [`Analysis`] of where the time goes.
//!
//! How a comparison measures, and why:
//!
//! - **The same answer, or no times.** The digest of every run is compared with that of [`Sequential`]. If a
//!   digest differs, the comparison reports the disagreement and no times.
//! - **Interleaved rounds.** In each round every configuration (an executor with a number of threads) has one
//!   turn, in a new random order. Slow changes on the machine then affect all configurations equally, and
//!   ratios within a round stay valid.
//! - **The fastest run of a turn counts**, because other programs make a run longer, never shorter. Every turn
//!   has the same number of runs.
//! - **The base is a plain loop.** Speed-ups are relative to it, because a speed-up over the parallel code on
//!   one thread would hide the cost of that code.
//! - **Confidence intervals.** Every ratio has an interval from a bootstrap over whole rounds. If the interval
//!   contains 1, no difference was detected.
//! - **Ceilings.** The same rounds measure the throughput of several copies of a kernel on this machine, as a
//!   multiple of the throughput of one copy. This multiple can be less than the number of threads.

mod analysis;
mod baseline;
mod bounds;
mod ceilings;
mod checksum;
mod comparison;
mod copies;
mod experiment;
mod explain;
mod figures;
mod kernels;
mod losses;
mod options;
mod record_times;
mod replay;
mod round_results;
mod rounds;
mod runnable;
mod scaling;
pub(crate) mod statistics;
mod summary;
mod timeline;
mod traced_executor;
mod verdict;
mod warnings;

use serde::Serialize;

use crate::dataset::Dataset;
use crate::error::Error;
use crate::execution::{Executor, Sequential, Threads};
use crate::machine::Machine;
use crate::plan::{ExecutorName, Opened, Plan};
use crate::task::Task;

pub use analysis::{
    Analysis, Bound, Ceiling, Fit, FitPoint, Losses, Prediction, RecordTimes, Timeline,
};
pub use comparison::{
    BaselineComparison, BaselineRatio, ColdStart, Comparison, Cost, Disagreement, Measurement,
    SCHEMA, Workload,
};
pub use figures::{Estimate, Settings, Spread, Turn};
pub use options::Options;

use round_results::Contender;
use runnable::{PlannedRun, UserTask};

/// Compares executors: scores `dataset` with `task` repeatedly on [`Sequential`] and on each of
/// `executors`.
///
/// Two answers are the same if every record has the same score in its serialised form, and the same
/// records fail.
///
/// ```
/// use manyhands::measure::{Options, compare};
/// use manyhands::prelude::*;
/// use std::time::Duration;
///
/// let numbers: Vec<u64> = (0..2000).collect();
/// let collatz = |start: &u64| {
///     std::iter::successors(Some(*start), |n| (*n > 1).then(|| if n % 2 == 0 { n / 2 } else { 3 * n + 1 })).count()
/// };
/// let executors: [&dyn Executor; 2] = [&WorkStealing::new(2), &TaskQueue::new(2)];
/// let options = Options::default().rounds(3).least_turn(Duration::ZERO);
/// let comparison = compare(&numbers, collatz, &executors, &options)?;
/// assert!(comparison.agrees());
/// assert_eq!(comparison.measurements.len(), 3);
/// println!("{} times as fast", comparison.measurements[1].speed_up.value);
/// # Ok::<(), manyhands::Error>(())
/// ```
///
/// # Errors
///
/// Returns an error if the dataset is a stream or cannot be read, if an executor leaves records out, or if
/// the confidence in `options` is not between 0 and 1.
pub fn compare<D, T, S>(
    dataset: &D,
    task: T,
    executors: &[&dyn Executor],
    options: &Options<'_>,
) -> Result<Comparison, Error>
where
    D: Dataset + ?Sized,
    T: for<'r> Task<D::Record<'r>, Score = S>,
    S: Serialize + Send,
{
    let user = UserTask::new(dataset, &task)?;
    let all = std::iter::once(&Sequential as &dyn Executor).chain(executors.iter().copied());
    let contenders = all.map(|executor| Contender {
        executor: executor.name().to_owned(),
        threads: executor.workers(),
        make: Box::new(move || Ok(Box::new(user.on(executor)))),
    });
    let machine = Machine::look();
    experiment::run(contenders.collect(), None, machine, options)
}

/// Returns an error if [`compare_plan`] cannot compare executors with this plan. To call this function first saves the
/// time for opening and loading the records.
///
/// # Errors
///
/// Returns [`Error::Measure`] if the records of the plan are scored [outside](crate::plan::AnyScorer::outside) this process.
pub fn check_plan(plan: &Plan) -> Result<(), Error> {
    let Some(outside) = plan.scorer.outside() else {
        return Ok(());
    };
    Err(Error::Measure(format!(
        "a comparison runs the scorer on different executors, but the scorer {} {}; measure whole runs instead",
        plan.scorer,
        outside.instead_of_executor()
    )))
}

/// Compares executors: runs an opened plan repeatedly on `sequential` and on each of `executors`, which
/// are pairs of an executor and its number of threads.
///
/// [Load](Opened::load) the records first; otherwise every run reads the files again.
///
/// # Errors
///
/// Returns an error if the plan [cannot be compared](check_plan), if the records come from a stream that is not loaded
/// or cannot be read, if workers cannot be started, or if the confidence in `options` is not between 0 and 1.
pub fn compare_plan(
    opened: &Opened,
    executors: &[(ExecutorName, Threads)],
    options: &Options<'_>,
) -> Result<Comparison, Error> {
    check_plan(opened.plan())?;
    runnable::refuse_stream(opened.is_stream())?;
    let machine = &Machine::look();
    let sequential = (ExecutorName::Sequential, Threads::ONE);
    let others = executors.iter().copied();
    let others = others.filter(|(executor, _)| *executor != ExecutorName::Sequential);
    let contenders = std::iter::once(sequential).chain(others);
    let contenders = contenders.map(|(executor, threads)| Contender {
        executor: executor.name().to_owned(),
        threads: threads.here(),
        make: Box::new(move || {
            let plan = Plan {
                executor,
                threads: Some(threads),
                ..opened.plan().clone()
            };
            Ok(Box::new(PlannedRun::new(
                opened,
                plan.start_executor()?,
                machine,
            )))
        }),
    });
    let bytes = Some(opened.bytes());
    experiment::run(contenders.collect(), bytes, machine.clone(), options)
}
