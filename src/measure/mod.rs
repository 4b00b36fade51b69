//! How well does it scale here, and why not better: the same records scored by several executors, in
//! interleaved rounds, each answer checked, each ratio with its interval.
//!
//! [`compare`] measures a function of one's own, [`compare_plan`] what a plan names; both come to a
//! [`Comparison`], plain data with every turn of every round in it.
//!
//! What is done, and why:
//!
//! - **The same answer, or none.** Every run's digest is held against that of
//!   [`Sequential`]; where one differs there are no times.
//! - **Interleaved.** In each round every cell (an executor with a number of threads) has its turn, in an
//!   order drawn anew. What changes on the machine over minutes then touches all of them, and
//!   ratios within a round stay what they are.
//! - **The fastest run of a turn counts**, of as many runs in every turn: others on the machine make runs
//!   longer, never shorter.
//! - **The honest base** is the plain loop. A speed-up over the parallel code on one thread hides what
//!   that code costs.
//! - **Intervals.** A ratio is told with the interval of a bootstrap over whole rounds; where that
//!   holds 1, no difference was detected.
//! - **Ceilings** are measured in the same rounds: what as many copies of a kernel as there are threads
//!   get done on this machine, which need not be as many times as much.

mod baseline;
mod bounds;
mod ceiling;
mod cell;
mod checksum;
mod comparison;
mod contest;
mod copies;
mod doubts;
mod explain;
mod kernels;
mod losses;
mod options;
mod record_times;
mod replay;
mod rounds;
pub mod scaling;
pub mod statistics;
mod timeline;
mod verdict;
mod watched;
mod why;
mod workload;

use serde::Serialize;

use crate::dataset::Dataset;
use crate::error::Error;
use crate::execution::{Executor, Sequential, Threads};
use crate::machine::Machine;
use crate::plan::{ExecutorName, Opened, Plan};
use crate::task::Task;

pub use baseline::{Against, Ratio};
pub use comparison::{
    Cell, Cold, Comparison, Cost, Disagreement, Estimate, SCHEMA, Settings, Spread, Turn, Workload,
};
pub use options::Options;
pub use why::{Bound, Ceiling, Fit, FitPoint, Losses, Prediction, RecordTimes, Timeline, Why};

use contest::Contestant;
use workload::{Own, Planned};

/// Scores `dataset` with `task` on [`Sequential`] and on each of the executors, again and again, and
/// compares.
///
/// Two answers are the same where each record has the same score, as it is serialised, and the same
/// records fail.
///
/// ```
/// use manyhands::measure::{Options, compare};
/// use manyhands::prelude::*;
///
/// let numbers: Vec<u64> = (0..2000).collect();
/// let collatz = |start: &u64| {
///     std::iter::successors(Some(*start), |n| (*n > 1).then(|| if n % 2 == 0 { n / 2 } else { 3 * n + 1 })).count()
/// };
/// let executors: [&dyn Executor; 2] = [&WorkStealing::new(2), &TaskQueue::new(2)];
/// let options = Options::default().rounds(3).least_turn(0.0);
/// let comparison = compare(&numbers, collatz, &executors, &options)?;
/// assert!(comparison.agrees());
/// assert_eq!(comparison.cells.len(), 3);
/// println!("{} times as fast", comparison.cells[1].speed_up.value);
/// # Ok::<(), manyhands::Error>(())
/// ```
///
/// # Errors
///
/// Where the dataset is a stream, which can be read once only, or cannot be read, where an executor
/// leaves something out, and where the confidence asked for is none.
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
    let own = Own::new(dataset, &task)?;
    let all = std::iter::once(&Sequential as &dyn Executor).chain(executors.iter().copied());
    let contestants = all.map(|executor| Contestant {
        executor: executor.name().to_owned(),
        threads: executor.workers(),
        make: Box::new(move || Ok(Box::new(own.on(executor)))),
    });
    let machine = Machine::look();
    contest::hold(contestants.collect(), None, machine, options)
}

/// Scores what a plan has opened on `sequential` and on each of these executors with so many threads.
///
/// Best with the records [loaded](Opened::load) before; else reading is part of every run.
///
/// # Errors
///
/// Where the records come from a stream that is not loaded, or cannot be read, or workers cannot be
/// started.
pub fn compare_plan(
    opened: &Opened,
    executors: &[(ExecutorName, Threads)],
    options: &Options<'_>,
) -> Result<Comparison, Error> {
    workload::refuse_stream(opened.is_stream())?;
    let machine = &Machine::look();
    let sequential = (ExecutorName::Sequential, Threads::ONE);
    let others = executors.iter().copied();
    let others = others.filter(|(executor, _)| *executor != ExecutorName::Sequential);
    let contestants = std::iter::once(sequential).chain(others);
    let contestants = contestants.map(|(executor, threads)| Contestant {
        executor: executor.name().to_owned(),
        threads: threads.here(),
        make: Box::new(move || {
            let plan = Plan {
                executor,
                threads: Some(threads),
                ..opened.plan().clone()
            };
            Ok(Box::new(Planned::new(
                opened,
                plan.start_executor()?,
                machine,
            )))
        }),
    });
    let bytes = Some(opened.bytes());
    contest::hold(contestants.collect(), bytes, machine.clone(), options)
}
