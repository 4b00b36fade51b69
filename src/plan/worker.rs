//! The inside of a plan's worker processes.

use std::io;
use std::sync::Arc;

use super::answer::{Answer, Counts, counts};
use super::podiums::Bars;
use super::prepared::Prepared;
use super::scored::ScoreField;
use super::{Plan, Scorer};
use crate::dataset::{JsonLine, JsonStream};
use crate::error::{BadRecord, Error, Panicked};
use crate::panics;
use crate::remote::{self, Worker};
use crate::task::Task;
use crate::task::matching::Pairs;

/// Works as a worker process of a plan's [process pool](super::ExecutorName::ProcessPool), over standard
/// input and output: what the program a plan [names](Plan::program) does when it is started with the
/// argument `worker`. The process ends when its standard input does.
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
/// Where it was not started by a process pool of the same version, or the pipes break.
pub fn serve() -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::fs::File;
        use std::os::fd::AsFd as _;

        // Not by way of what the standard library puts around them, which cuts messages into pieces: at
        // 8 KiB when they are read, at the end of a line when they are written.
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        remote::serve::<PlanWorker>(input, output)
    }
    #[cfg(not(unix))]
    remote::serve::<PlanWorker>(io::stdin(), io::stdout().lock())
}

/// What a worker process has to know of a plan.
pub(super) fn setup(plan: &Plan) -> Result<Vec<u8>, Error> {
    if let Scorer::Match { against, .. } = &plan.scorer
        && JsonStream::is_needed_for(against)
    {
        let message = "can be read only once, and each worker process reads the reference; \
            save it to a file first";
        return Err(Error::input(against, message));
    }
    let mut plan = plan.clone();
    // They are sent the records, and a path need not be text.
    plan.files.clear();
    serde_json::to_vec(&plan).map_err(|error| Error::Process {
        message: format!("the plan cannot be written down: {error}"),
    })
}

/// A plan's task, ready.
struct PlanWorker {
    scorer: &'static Prepared,
    task: ScoreField<'static>,
    bars: Arc<Bars>,
    told: Option<Pairs>,
}

impl Worker for PlanWorker {
    type Note = (f64, f64);
    type Answer = Answer;
    type Account = Option<Counts>;

    fn begin(setup: &[u8]) -> Result<Self, String> {
        let plan: Plan = serde_json::from_slice(setup).map_err(|error| error.to_string())?;
        let scorer = Prepared::new(&plan).map_err(|error| error.to_string())?;
        // It lasts as long as the process, and the task refers to it.
        let scorer: &'static Prepared = Box::leak(Box::new(scorer));
        let bars = Arc::new(Bars::new(plan.top));
        Ok(PlanWorker {
            scorer,
            task: ScoreField::new(&plan, scorer, None, Arc::clone(&bars)),
            bars,
            told: scorer.pairs(),
        })
    }

    fn note(&mut self, bars: (f64, f64)) {
        self.bars.set(bars);
    }

    fn answer(&mut self, text: &str) -> Answer {
        match panics::caught(|| self.task.score(&JsonLine::new(text))) {
            Ok(Ok(scored)) => Answer::from(scored),
            Ok(Err(BadRecord { message, column })) => Answer::Bad { message, column },
            Err(panicked) => {
                let Panicked { message, place } = *panicked;
                Answer::Panicked { message, place }
            }
        }
    }

    fn account(&mut self) -> Option<Counts> {
        let pairs = self.scorer.pairs();
        let since = pairs.zip(self.told).map(|(now, told)| now.since(told));
        self.told = pairs;
        since.map(counts)
    }
}
