//! `manyhands score`: makes a plan from the arguments, runs it, and prints its report.

mod journal;
mod outputs;
mod run;
mod shard;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args};
use indicatif::HumanBytes;
use manyhands::execution::Threads;
use manyhands::exit::Exit;
use manyhands::output::{ScoresFile, ScoresOptions, leftovers, remove_leftovers_of};
use manyhands::page;
use manyhands::plan::arguments::{
    FieldNames, MostInFlight, WITH, count, duration, in_flight, rate,
};
use manyhands::plan::{
    Answer, AnyScorer, ExecutorName, Opened, Outside, Plan, RunJournal, Sampling,
};
use manyhands::report::End;
use manyhands::{Cancel, Error, Limit, OnFailure};

use super::command_error::CommandError;
use super::endings::{
    end_all_failed, end_with, left_out, print_end, print_notes, print_report, print_warnings,
};
use super::failures_arguments::FailuresArguments;
use super::on_failure::parse_on_failure;
use super::output_rules::OutputRules;
use super::page_arguments::PageArguments;
use super::scoring_arguments::{ScoringArguments, scorers, standard_input_has_data};
use super::shard_arguments::{EarlierAttempt, ShardArguments};
use super::signals::SignalWatch;
use super::{note, text};
use outputs::ScoreOutputs;
use run::CommandRun;

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

    /// Go on where the same command has ended, whatever has ended it: take its answers over from OUT.journal, and score only
    /// the records that have none there. Records that have changed, and those that have failed, are scored again, also if
    /// the command has written its outputs. Without a journal, the run starts anew. The answers of --with exec and --with http are always kept beside OUT, those of
    /// the other scorers with this option.
    #[arg(long)]
    resume: bool,

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
            return self.end_done_shard(&opened, quiet);
        }
        let token = Cancel::new();
        let watch = SignalWatch::start(quiet)?;
        self.failures.check(&opened)?;
        let path = self.journal_path(&opened, quiet)?;
        // A journal that exists is opened first, since it says which outputs this run may replace. It is locked, so no other run
        // changes that.
        let open = |path: &Path| RunJournal::open(path, &opened);
        let is_left = |path: &&Path| self.resume && RunJournal::exists(path);
        let left = path.as_deref().filter(is_left).map(open).transpose()?;
        let rules = OutputRules {
            // An attempt that was killed while it renamed its files has left some of those that this run writes.
            force: self.force || earlier == EarlierAttempt::Incomplete,
            is_shard: self.shard.is_wanted(),
            has_journal: path.is_some(),
            resumes: self.resume,
            journal: left.as_ref(),
        };
        let mut outputs =
            self.open_outputs(&plan, format, rules, path.as_deref(), &token, &watch)?;
        self.discard_journal()?;
        let journal = match left {
            Some(left) => Some(left),
            None => path.as_deref().map(open).transpose()?,
        };
        // What such a run takes over is in the journal too.
        if self.resume && journal.as_ref().is_some_and(RunJournal::goes_on) {
            self.remove_leftovers();
        }
        if !quiet {
            journal.iter().for_each(journal::note_other_command);
            self.note_leftovers();
        }
        let run = CommandRun {
            opened: &opened,
            token: &token,
            watch: &watch,
            quiet,
        };
        match outputs.partial.take() {
            Some(partial) => self.run_shard(run, outputs, partial, journal),
            None => self.run_whole(run, outputs, journal),
        }
    }

    /// Runs the plan over the whole dataset, and prints its report.
    fn run_whole(
        &self,
        run: CommandRun<'_>,
        mut outputs: ScoreOutputs,
        mut journal: Option<RunJournal>,
    ) -> Result<Exit, CommandError> {
        let CommandRun { opened, quiet, .. } = run;
        let files = outputs.files.as_ref();
        let answer = run.start(files, journal.as_ref(), |options| opened.run(options));
        let partial = match (&outputs.files, &answer) {
            (Some(files), Ok(answer)) if answer.report.end.is_finished() => {
                let Some(complete) = files.complete()? else {
                    run.watch.wait_for_the_end();
                };
                self.publish(|| complete.publish(), journal.as_mut())?;
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
        run.watch.end_run();
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let said = error.to_string();
                let exit = end_with(error.into(), partial);
                journal::close_after(journal, &said, quiet)?;
                return Ok(exit);
            }
        };
        if let End::AllFailed(failure) = &answer.report.end {
            journal::close(journal, quiet)?;
            return Ok(end_all_failed(&answer, failure));
        }
        if let Some(files) = &outputs.files {
            answer.warnings.extend(left_out(files));
        }
        let page = outputs.page.take();
        // The page is written also if the run has ended early. The run that goes on replaces it. If the run is complete, the
        // journal names the page already.
        if let (Some(journal), Some(page)) = (&journal, self.page.path())
            && !answer.report.end.is_finished()
        {
            journal.completes([page])?;
        }
        let page = page.map(|file| file.write(&page::of_answer(&answer)));
        self.print_report(opened, &answer)?;
        print_notes(opened.plan(), &answer, quiet);
        print_warnings(&answer);
        print_end(&answer.report.end, partial?);
        page.transpose()?;
        match answer.report.end.is_finished() {
            true => journal::end(journal, answer.report.failed, quiet)?,
            false => journal::close(journal, quiet)?,
        }
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

    /// Removes what killed runs have left behind of the outputs. The journal, which is locked, has everything that is in them.
    fn remove_leftovers(&self) {
        let failures = self.failures.paths();
        let failures = failures.iter().flatten().map(PathBuf::as_path);
        let outputs = self.scores.as_deref().into_iter().chain(self.shard.path());
        outputs.chain(failures).for_each(remove_leftovers_of);
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
