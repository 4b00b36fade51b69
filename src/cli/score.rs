//! `manyhands score`: a plan from the arguments, its run, its report.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use manyhands::OnFailure;
use manyhands::execution::Threads;
use manyhands::plan::{Answer, ExecutorName, NO_GROUP, Plan, ScorerName};

use super::destination::Destination;
use super::matching::Match;
use super::progress::Progress;
use super::scores::ScoreLines;
use super::{Usage, exit, failures, note, signals, text};

/// The arguments of `score`.
#[derive(Debug, Args)]
pub struct Score {
    /// Files of JSON lines: one JSON object a line. Several are one dataset, in this order.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The scorer: sentiment, match.
    #[arg(long = "with", value_name = "SCORER")]
    scorer: ScorerName,

    /// The field that holds the text to score.
    #[arg(long, default_value = "text")]
    field: String,

    /// The field to group the scores by.
    #[arg(long, value_name = "FIELD")]
    by: Option<String>,

    /// How many of the best and of the worst records to show.
    #[arg(long, value_name = "K", default_value_t = 3)]
    top: usize,

    /// Fields to copy to the scores file.
    #[arg(
        long,
        value_name = "FIELD,...",
        value_delimiter = ',',
        requires = "scores"
    )]
    keep: Vec<String>,

    /// Write every score to this file, in the order of the records: .jsonl or .csv, or - for JSON
    /// lines on standard output (the report then goes to standard error).
    #[arg(long, value_name = "OUT")]
    scores: Option<PathBuf>,

    /// Overwrite the scores file if there is one.
    #[arg(long, requires = "scores")]
    force: bool,

    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,

    /// How many worker threads: a number, or a share of the cores this process may use, such as
    /// 50%; without, as many as there are such cores.
    #[arg(long, short = 'j', value_name = "N|P%")]
    threads: Option<Threads>,

    /// Keep each worker on a hardware thread of its own, on different cores as far as they go.
    #[arg(long)]
    pin: bool,

    /// How to run: sequential, work-stealing, task-queue. The answer is the same.
    #[arg(long, value_name = "NAME", default_value_t = ExecutorName::WorkStealing)]
    executor: ExecutorName,

    /// What to do about a record that cannot be scored: skip it and go on, or stop.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = FailurePolicy::Skip)]
    on_failure: FailurePolicy,

    #[command(flatten)]
    matching: Match,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FailurePolicy {
    Skip,
    Stop,
}

impl Score {
    fn plan(&self) -> Result<Plan, Usage> {
        let mut plan = Plan::new(&self.files);
        plan.scorer = self.matching.scorer(self.scorer)?;
        plan.field.clone_from(&self.field);
        plan.by.clone_from(&self.by);
        plan.top = self.top;
        plan.keep.clone_from(&self.keep);
        plan.executor = self.executor;
        plan.threads = self.threads;
        plan.pin = self.pin;
        plan.on_failure = match self.on_failure {
            FailurePolicy::Skip => OnFailure::SKIP,
            FailurePolicy::Stop => OnFailure::Stop,
        };
        Ok(plan)
    }

    pub(super) fn run(self, quiet: bool) -> Result<ExitCode, anyhow::Error> {
        if self.files.iter().any(|file| file == Path::new("-")) {
            let reason = "standard input cannot be read by all workers at once";
            return Err(Usage(format!("{reason}; save it to a file first")).into());
        }
        let plan = self.plan()?;
        let opened = plan.open()?;
        let scores = self.scores.as_deref();
        let mut inputs = self.files.clone();
        inputs.extend(self.matching.input().map(Path::to_owned));
        let destination = scores
            .map(|path| Destination::open(path, self.force, &inputs))
            .transpose()?;
        let to_stdout = matches!(destination, Some(Destination::Stdout(_)));
        signals::remove_when_stopped(destination.as_ref().and_then(Destination::unfinished));
        let lines = destination
            .map(|to| ScoreLines::new(to, scores, &plan))
            .transpose()?;
        let bar = Progress::bytes(opened.bytes(), quiet);
        let answer = opened.run(
            &|bytes| bar.advance(bytes),
            lines.as_ref().map(|lines| lines as _),
        );
        bar.finish();
        let answer = answer?;
        if let Some(lines) = lines {
            lines.finish()?;
        }
        let report = if self.json {
            answer.to_json() + "\n"
        } else {
            text::report(&plan, &answer, opened.bytes())
        };
        self.print(&report, to_stdout)
            .context("cannot write the report")?;
        tell_what_is_odd(&plan, &answer, quiet);
        Ok(ExitCode::from(if answer.report.failed > 0 {
            exit::SOME_FAILED
        } else {
            0
        }))
    }

    fn print(&self, report: &str, scores_on_stdout: bool) -> io::Result<()> {
        if scores_on_stdout {
            return anstream::stderr().write_all(report.as_bytes());
        }
        if self.json {
            // Not through anstream, which would take from texts what looks like colour.
            let mut stdout = io::stdout().lock();
            stdout.write_all(report.as_bytes())?;
            return stdout.flush();
        }
        let mut stdout = anstream::stdout().lock();
        stdout.write_all(report.as_bytes())?;
        stdout.flush()
    }
}

/// Failures, and what the report alone would not show.
fn tell_what_is_odd(plan: &Plan, answer: &Answer, quiet: bool) {
    let report = &answer.report;
    failures::tell(report);
    if quiet {
        return;
    }
    if answer.pinned == Some(false) {
        let why = match plan.executor {
            ExecutorName::Sequential => "sequential has no workers, only the calling thread",
            _ => "this system does not let threads be kept on a core",
        };
        note(format_args!("note: --pin did nothing: {why}"));
    }
    if report.records == 0 {
        note(format_args!("note: there are no records in the input"));
    }
    let groups = report.value.groups.as_ref();
    let nameless = report.failed == 0 && groups.is_some_and(|groups| groups.keys().eq([NO_GROUP]));
    if let (Some(by), true) = (&plan.by, nameless) {
        let by = text::plain(format_args!("{by:?}"));
        note(format_args!(
            "note: no record has a value in the field {by} to group by"
        ));
    }
}
