//! `manyhands score`: makes a plan from the arguments, runs it, and prints its report.

mod outputs;
mod shard;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args};
use indicatif::HumanBytes;
use manyhands::execution::Threads;
use manyhands::exit::Exit;
use manyhands::output::{RunFiles, ScoresFile, ScoresOptions, leftovers};
use manyhands::page;
use manyhands::plan::arguments::{
    FieldNames, MostInFlight, WITH, count, duration, in_flight, rate,
};
use manyhands::plan::{
    Answer, AnyScorer, ExecutorName, Opened, Outside, Plan, RunOptions, Sampling,
};
use manyhands::report::End;
use manyhands::{Cancel, Error, Limit, OnFailure};

use super::command_error::CommandError;
use super::command_words::arguments;
use super::endings::{
    end_all_failed, end_with, left_out, print_end, print_notes, print_report, print_warnings,
};
use super::failures_arguments::FailuresArguments;
use super::on_failure::parse_on_failure;
use super::page_arguments::PageArguments;
use super::progress::Progress;
use super::scoring_arguments::{ScoringArguments, scorers, standard_input_has_data};
use super::shard_arguments::{EarlierAttempt, ShardArguments};
use super::signals::{GRACE, SignalWatch, WatchedRun};
use super::{note, text};

/// The arguments of `score`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("output").args(["scores", "failures", "html", "partial"]).multiple(true)))]
pub struct Score {
    /// Read the records of these files, as one dataset in this order: JSON, delimited text or plain text, see
    /// --format. Pipes are read while they are written; - is standard input. Without a file, a pipe or a file on
    /// standard input is read.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    #[arg(id = WITH, long = "with", value_name = "SCORER", help = scorers(),
        value_parser = AnyScorer::known_name)]
    scorer: &'static str,

    #[command(flatten)]
    scoring: ScoringArguments,

    /// Draw the sample with this seed. Different seeds draw independent samples.
    #[arg(long, value_name = "S", requires = "sample", default_value_t = Sampling::SEED)]
    seed: u64,

    /// Copy these fields of each record to the scores file, or every field with '*'. A field that has the name of a
    /// column of the scores is prefixed by input_.
    #[arg(long, value_name = "FIELD,...", requires = "scores")]
    keep: Vec<FieldNames>,

    /// Give a file with columns, such as .csv, these columns for the fields of --keep '*' [default: the columns that the
    /// first 1000 records need].
    #[arg(long, value_name = "NAME,...", requires = "keep")]
    columns: Option<Vec<FieldNames>>,

    /// Put an apostrophe before texts of a table that a spreadsheet would run as a formula. Other programs read the
    /// apostrophe as a part of the text.
    #[arg(long, requires = "scores")]
    csv_safe: bool,

    /// Write the score of every record to this file, in the order of the records: .jsonl, .csv or .tsv, each also
    /// compressed as .gz or .zst, .parquet or .arrow (in builds with the feature parquet), or - for JSON lines on
    /// standard output (the report is then printed on standard error). If the run ends early, its scores are kept in
    /// OUT.partial.
    #[arg(long, short = 'o', value_name = "OUT")]
    scores: Option<PathBuf>,

    #[command(flatten)]
    failures: FailuresArguments,

    #[command(flatten)]
    page: PageArguments,

    #[command(flatten)]
    shard: ShardArguments,

    /// Overwrite the scores file, the files of failures, the OUT.partial of a run that ended early, and the page, if they exist.
    /// The new file has the mode and the owner of the old one.
    #[arg(long, requires = "output")]
    force: bool,

    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,

    /// Start this many workers, or a share of the cores that this process may use, such as 50% [default: one
    /// worker for each of these cores].
    #[arg(long, short = 'j', value_name = "N|P%")]
    threads: Option<Threads>,

    /// Keep each worker on its own hardware thread, and on its own core while there are enough cores.
    #[arg(long)]
    pin: bool,

    /// Use this executor: sequential, work-stealing, task-queue, or process-pool (worker processes, so that a
    /// record that crashes its process costs no other record). The answer is the same for all. Not for --with exec,
    /// which has worker processes of its own, and not for --with http [default: work-stealing].
    #[arg(long, value_name = "NAME")]
    executor: Option<ExecutorName>,

    /// Choose what happens if records cannot be scored: skip them (skip), halt the run after more than a
    /// number (skip:100) or a share (skip:1%) of failures, or halt it at the first failure (stop). Until the input
    /// ends, a share is computed as if at least 1,000 records had been read [default: skip
    /// them, but exit with code 3 if the first 1,000 records all fail for the same kind of reason].
    #[arg(long, value_name = "WHAT", value_parser = parse_on_failure)]
    on_failure: Option<OnFailure>,

    /// Score at most this many records at the same time [default: the number of workers; with http, 16 calls]. With
    /// http, auto adapts the number to what the service allows.
    #[arg(long, value_name = "N|auto", value_parser = in_flight)]
    in_flight: Option<MostInFlight>,

    /// Start at most this many records per second (100/s or 100) or per minute (600/m).
    #[arg(long, value_name = "N/s|N/m", value_parser = rate)]
    rate: Option<f64>,

    /// Stop after this time, such as 90s or 5m, and report the records that are done by then.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    deadline: Option<Duration>,

    /// Give up a record that takes longer than this, such as 30s: the record fails, and its worker process is
    /// killed and replaced. Only for --executor process-pool and for --with exec. With http, it is the time for a call
    /// [default: 60s].
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,

    /// Try a record that has failed again, up to N times, each time after a longer pause. Only for --with exec
    /// [default: 0] and for --with http [default: 5].
    #[arg(long, value_name = "N", value_parser = count::<u32>)]
    retries: Option<u32>,
}

impl Score {
    /// The files to score. Without files, standard input is scored, unless it is a terminal or a device.
    fn files(&self) -> Result<Cow<'_, [PathBuf]>, CommandError> {
        if !self.files.is_empty() {
            return Ok(Cow::Borrowed(&self.files));
        }
        if standard_input_has_data() {
            return Ok(Cow::Owned(vec![PathBuf::from("-")]));
        }
        Err(CommandError::Usage(
            "expected a FILE to score, or a pipe or a file on standard input".to_owned(),
        ))
    }

    fn plan(&self) -> Result<Plan, CommandError> {
        let mut plan = self.scoring.plan(&self.files()?, self.scorer, self.seed)?;
        plan.keep = FieldNames::all(&self.keep);
        self.check_workers(&plan.scorer)?;
        plan.executor = self.executor.unwrap_or_default();
        plan.threads = self.threads;
        plan.pin = self.pin;
        plan.on_failure = self.on_failure.unwrap_or(OnFailure::SkipUnlessAllFail);
        plan.limit = match self.in_flight {
            Some(MostInFlight::AtMost(records)) => Limit::in_flight(records),
            Some(MostInFlight::Auto) => {
                plan.scorer.adapt_in_flight()?;
                Limit::none()
            }
            None => Limit::none(),
        };
        if let Some(rate) = self.rate {
            plan.limit = plan.limit.per_second(rate);
        }
        plan.deadline = self.deadline;
        plan.timeout = self.timeout;
        plan.retries = self.retries;
        self.shard.apply(&mut plan)?;
        Ok(plan)
    }

    /// Returns an error if an option about the workers does not suit the scorer.
    fn check_workers(&self, scorer: &AnyScorer) -> Result<(), CommandError> {
        let outside = scorer.outside();
        let message = match self.executor {
            #[cfg(feature = "http")]
            Some(executor) if matches!(outside, Some(Outside::Service(_))) => format!(
                "--executor {executor} is not for --with {scorer}, which calls a service; choose the number of calls with \
                 --in-flight"
            ),
            Some(executor) if matches!(outside, Some(Outside::Program(_))) => format!(
                "--executor {executor} is not for --with {scorer}, which has worker processes of its own; choose their \
                 number with -j"
            ),
            _ if self.retries.is_some_and(|times| times > 0) && outside.is_none() => format!(
                "--retries is not for --with {scorer}, which gives a record the same answer each time"
            ),
            _ => return Ok(()),
        };
        Err(CommandError::Usage(message))
    }

    pub(super) fn run(self, quiet: bool) -> Result<Exit, CommandError> {
        let plan = self.plan()?;
        let format = self.scores_options()?;
        if let Some(format) = &format {
            ScoresFile::check(&plan, format)?;
        }
        let opened = match self.failures.is_wanted() {
            true => plan.open_whole_records()?,
            false => plan.open()?,
        };
        // The opened plan also has the column names that are known only from the files.
        let plan = opened.plan().clone();
        let earlier = self
            .shard
            .earlier(&opened, self.scores.as_deref(), self.failures.paths());
        if !self.force && earlier == EarlierAttempt::Whole {
            self.shard.note_done();
            return Ok(Exit::Success);
        }
        let token = Cancel::new();
        let watch = SignalWatch::start(quiet)?;
        self.failures.check(&opened)?;
        let mut outputs = self.open_outputs(&plan, format, earlier, &token, &watch)?;
        if !quiet {
            self.note_leftovers();
        }
        if let Some(partial) = outputs.partial.take() {
            return self.run_shard(&opened, outputs, partial, &token, &watch, quiet);
        }
        let files = outputs.files.as_ref();
        let answer = run(&opened, files, &token, &watch, quiet, |options| {
            opened.run(options)
        });
        let partial = match (&outputs.files, &answer) {
            (Some(files), Ok(answer)) if answer.report.end.is_finished() => {
                if !files.finish()? {
                    watch.wait_for_the_end();
                }
                Ok(None)
            }
            // The scores file holds nothing but failures.
            (Some(files), Ok(answer)) if matches!(answer.report.end, End::AllFailed(_)) => {
                files.discard();
                Ok(None)
            }
            (Some(files), _) => files.keep_partial(),
            (None, _) => Ok(None),
        };
        watch.end_run();
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Ok(end_with(error.into(), partial)),
        };
        if let End::AllFailed(failure) = &answer.report.end {
            return Ok(end_all_failed(&answer, failure));
        }
        if let Some(files) = &outputs.files {
            answer.warnings.extend(left_out(files));
        }
        let page = outputs.page.take();
        let page = page.map(|file| file.write(&page::of_answer(&answer)));
        self.print_report(&opened, &answer)?;
        print_notes(&plan, &answer, quiet);
        print_warnings(&answer);
        print_end(&answer.report.end, partial?);
        page.transpose()?;
        Ok(Exit::of_report(&answer.report))
    }

    fn print_report(&self, opened: &Opened, answer: &Answer) -> Result<(), CommandError> {
        let report = match self.json {
            true => answer.to_json() + "\n",
            false => text::report(opened.plan(), answer, opened.bytes()),
        };
        print_report(&report, self.scores_on_stdout(), self.json)
            .map_err(CommandError::write("cannot write the report"))
    }

    fn scores_options(&self) -> Result<Option<ScoresOptions>, Error> {
        let options = self.scores.as_deref().map(ScoresOptions::of).transpose()?;
        Ok(options.map(|options| {
            let options = options.csv_safe(self.csv_safe);
            match &self.columns {
                Some(columns) => options.columns(FieldNames::all(columns)),
                None => options,
            }
        }))
    }

    fn scores_on_stdout(&self) -> bool {
        self.scores.as_deref() == Some(Path::new("-"))
    }

    /// Prints a note for each file that a killed run has left behind in the folder of the scores file.
    fn note_leftovers(&self) {
        let scores = self.scores.as_deref().filter(|_| !self.scores_on_stdout());
        for leftover in scores.map(leftovers).unwrap_or_default() {
            note(format_args!(
                "note: a run that was killed has left {} ({}); its last line may be incomplete; \
                 delete it if you do not need it",
                text::plain(leftover.path.display()),
                HumanBytes(leftover.bytes)
            ));
        }
    }
}

/// Runs the plan until the run ends or a signal stops it, and shows the progress of the run.
fn run<A>(
    opened: &Opened,
    files: Option<&Arc<RunFiles>>,
    token: &Cancel,
    watch: &SignalWatch,
    quiet: bool,
    run: impl FnOnce(RunOptions<'_>) -> Result<A, Error>,
) -> Result<A, Error> {
    /// Additional time that a run in worker processes may take to return, since it kills them first.
    const GRACE_OF_PROCESSES: Duration = Duration::from_secs(5);

    let plan = opened.plan();
    let grace = match plan.scores_in_processes() {
        true => GRACE + GRACE_OF_PROCESSES,
        false => GRACE,
    };
    let allowed = plan.deadline.and_then(|after| after.checked_add(grace));
    watch.begin_run(WatchedRun {
        token: token.clone(),
        give_up: allowed.and_then(|after| Instant::now().checked_add(after)),
        grace,
        scores: files.cloned(),
    });
    let bar = if opened.is_stream() {
        Progress::stream(quiet)
    } else {
        Progress::bytes(opened.bytes(), quiet)
    };
    let advance = |bytes| match opened.is_stream() {
        true => bar.move_to(opened.bytes()),
        false => bar.advance(bytes),
    };
    let command = arguments();
    let show_calls = |now| bar.show_calls(now);
    let mut options = RunOptions::default()
        .progress(&advance)
        .calls(&show_calls)
        .cancel(token)
        .command(&command);
    if let Some(files) = files {
        options = options.scores(files.as_ref());
    }
    let answer = run(options);
    bar.finish();
    answer
}
