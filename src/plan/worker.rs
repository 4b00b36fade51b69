//! The worker processes of a plan.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::Plan;
use super::scored::ScoreField;
use super::scorer::PreparedScorer;
use super::thresholds::Thresholds;
use super::wire::WireOutcome;
use crate::dataset::{TextRecord, TextStream};
use crate::error::{Error, Panicked};
use crate::panics;
use crate::remote::{self, WorkerProcess};
use crate::task::Task;
use crate::task::matching::Pairs;

/// Runs this process as a worker of a plan's [process pool](super::ExecutorName::ProcessPool), over standard input
/// and output. The program that a plan [names](Plan::program) must call this function when it is started with the
/// argument `worker`. The process exits when its standard input ends.
///
/// ```no_run
/// use manyhands::plan::{ExecutorName, Plan, RunOptions, serve};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     if std::env::args().nth(1).as_deref() == Some("worker") {
///         return Ok(serve()?);
///     }
///     let mut plan = Plan::new(["reviews.jsonl"]);
///     plan.executor = ExecutorName::ProcessPool;
///     plan.program = Some(std::env::current_exe()?);
///     println!("{}", plan.open()?.run(RunOptions::default())?.digest);
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// Returns an error if the process was not started by a process pool of the same version, or if a pipe fails while
/// the run goes on.
pub fn serve() -> io::Result<()> {
    match serve_pipes() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        served => served,
    }
}

fn serve_pipes() -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::fs::File;
        use std::os::fd::AsFd as _;

        // The buffers of the standard library would split messages: they split reads after 8 KiB and writes at
        // line ends.
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        remote::serve::<PlanWorker>(input, output)
    }
    #[cfg(not(unix))]
    remote::serve::<PlanWorker>(io::stdin(), io::stdout().lock())
}

/// The setup message for worker processes: the parts of the plan that determine how a record is scored. It is the
/// same for plans that score records in the same way.
pub(super) fn setup(plan: &Plan) -> Result<Vec<u8>, Error> {
    let mut inputs = plan.scorer.inputs().into_iter();
    if let Some(input) = inputs.find(|input| TextStream::is_needed_for(input)) {
        let message =
            "can be read only once, and each worker process reads it; save it to a file first";
        return Err(Error::input(input, message));
    }
    // The processes receive the records, so they need neither the files, whose paths need not be UTF-8, nor
    // the options of the run.
    let default = Plan::new::<PathBuf>([]);
    let setup = Plan {
        scorer: plan.scorer.for_worker(),
        files: default.files,
        head: default.head,
        sample: default.sample,
        encoding: default.encoding,
        lossy: default.lossy,
        format: default.format,
        delimiter: default.delimiter,
        header: default.header,
        executor: default.executor,
        threads: default.threads,
        pin: default.pin,
        on_failure: default.on_failure,
        limit: default.limit,
        deadline: default.deadline,
        timeout: default.timeout,
        retries: default.retries,
        ..plan.clone()
    };
    serde_json::to_vec(&setup).map_err(|error| Error::Process {
        message: format!("the plan cannot be sent to another process: {error}"),
    })
}

/// A plan's prepared task.
struct PlanWorker {
    scorer: &'static dyn PreparedScorer,
    task: ScoreField<'static>,
    thresholds: Arc<Thresholds>,
    /// The counts of pairs that have been reported to the run so far.
    reported: Option<Pairs>,
}

impl WorkerProcess for PlanWorker {
    type Note = (f64, f64);
    type Answer = WireOutcome;
    type Counters = Option<Pairs>;

    fn begin(setup: &[u8]) -> Result<Self, String> {
        let plan: Plan = serde_json::from_slice(setup).map_err(|error| error.to_string())?;
        let scorer = plan.scorer.prepare(&plan);
        let scorer = scorer.map_err(|error| error.to_string())?;
        // The task borrows the scorer, and both live until the process exits.
        let scorer: &'static dyn PreparedScorer = Box::leak(scorer);
        let thresholds = Arc::new(Thresholds::new(plan.top));
        Ok(PlanWorker {
            scorer,
            task: ScoreField::new(
                &plan,
                &plan.selected(),
                scorer,
                None,
                Arc::clone(&thresholds),
            ),
            thresholds,
            reported: scorer.pairs(),
        })
    }

    fn note(&mut self, thresholds: (f64, f64)) {
        self.thresholds.set(thresholds);
    }

    fn answer(&mut self, text: &str) -> WireOutcome {
        match panics::caught(|| self.task.score(&TextRecord::json(text))) {
            Ok(Ok(scored)) => WireOutcome::from(scored),
            Ok(Err(not_scored)) => WireOutcome::from(not_scored),
            Err(panicked) => {
                let Panicked { message, place } = *panicked;
                WireOutcome::Panicked { message, place }
            }
        }
    }

    fn counters(&mut self) -> Option<Pairs> {
        let pairs = self.scorer.pairs();
        let since = pairs.zip(self.reported);
        let since = since.map(|(now, reported)| now.since(reported));
        self.reported = pairs;
        since
    }
}
