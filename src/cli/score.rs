//! `manyhands score`: a plan from the arguments, its run, its report.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use manyhands::execution::Threads;
use manyhands::page;
use manyhands::plan::{Answer, Beside, ExecutorName, NO_GROUP, Plan, ScorerName};
use manyhands::report::End;
use manyhands::{Cancel, Limit, OnFailure, StopReason};

use super::destination::{Destination, Kept};
use super::page::Page;
use super::progress::Progress;
use super::scores::ScoreLines;
use super::scoring::Scoring;
use super::text::{ERROR, paint};
use super::{Usage, exit, failures, from_one, note, signals, text};

/// The arguments of `score`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("output").args(["scores", "html"]).multiple(true)))]
pub struct Score {
    /// Files of JSON lines: one JSON object a line. Several are one dataset, in this order. Pipes are
    /// read as they are written to; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The scorer: sentiment, match.
    #[arg(long = "with", value_name = "SCORER")]
    scorer: ScorerName,

    #[command(flatten)]
    scoring: Scoring,

    /// Fields to copy to the scores file.
    #[arg(
        long,
        value_name = "FIELD,...",
        value_delimiter = ',',
        requires = "scores"
    )]
    keep: Vec<String>,

    /// Write every score to this file, in the order of the records: .jsonl or .csv, or - for JSON
    /// lines on standard output (the report then goes to standard error). A run that ends early keeps
    /// what it has in OUT.partial.
    #[arg(long, value_name = "OUT")]
    scores: Option<PathBuf>,

    #[command(flatten)]
    page: Page,

    /// Overwrite the scores file, and the page, if there are any.
    #[arg(long, requires = "output")]
    force: bool,

    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,

    /// How many workers: a number, or a share of the cores this process may use, such as
    /// 50%; without, as many as there are such cores.
    #[arg(long, short = 'j', value_name = "N|P%")]
    threads: Option<Threads>,

    /// Keep each worker on a hardware thread of its own, on different cores as far as they go.
    #[arg(long)]
    pin: bool,

    /// How to run: sequential, work-stealing, task-queue, process-pool (in processes of their own, so
    /// that a record that takes its process down costs no other). The answer is the same.
    #[arg(long, value_name = "NAME", default_value_t = ExecutorName::WorkStealing)]
    executor: ExecutorName,

    /// What to do about records that cannot be scored: skip them and go on (skip), until more than so
    /// many have failed (skip:100) or more than such a share (skip:1%), or stop at the first (stop).
    #[arg(long, value_name = "WHAT", default_value = "skip", value_parser = parse_on_failure)]
    on_failure: OnFailure,

    /// How many records may be in work at the same time; without, as many as there are workers.
    #[arg(long, value_name = "N", value_parser = from_one)]
    limit: Option<usize>,

    /// How many records may be started in a second.
    #[arg(long, value_name = "RECORDS")]
    per_second: Option<f64>,

    /// Stop after so long, and report what is done by then.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    deadline: Option<Duration>,

    /// Time allowed for one record, with --executor process-pool: a record that takes longer fails, and
    /// its worker process is killed and replaced.
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    timeout: Option<Duration>,
}

/// `skip`, `skip:100`, `skip:1%` or `stop`.
fn parse_on_failure(text: &str) -> Result<OnFailure, String> {
    let expected = || "expected skip, skip:100, skip:1% or stop".to_owned();
    match text.split_once(':') {
        None if text == "skip" => Ok(OnFailure::SKIP),
        None if text == "stop" => Ok(OnFailure::Stop),
        Some(("skip", share)) if share.ends_with('%') => {
            let percent: f64 = share[..share.len() - 1].parse().map_err(|_| expected())?;
            if !(0.0..=100.0).contains(&percent) {
                return Err("expected a share from 0% to 100%".to_owned());
            }
            let at_most = percent / 100.0;
            Ok(OnFailure::SkipShare { at_most })
        }
        Some(("skip", count)) => {
            let at_most = count.parse().map_err(|_| expected())?;
            Ok(OnFailure::Skip { at_most })
        }
        _ => Err(expected()),
    }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| "expected a number of seconds, such as 90 or 0.5".to_owned())
}

impl Score {
    fn plan(&self) -> Result<Plan, Usage> {
        let mut plan = self.scoring.plan(&self.files, self.scorer)?;
        plan.keep.clone_from(&self.keep);
        plan.executor = self.executor;
        plan.threads = self.threads;
        plan.pin = self.pin;
        plan.on_failure = self.on_failure;
        plan.limit = self.limit.map_or_else(Limit::none, Limit::in_flight);
        if let Some(records) = self.per_second {
            plan.limit = plan.limit.per_second(records);
        }
        plan.limit
            .check()
            .map_err(|error| Usage(error.to_string()))?;
        plan.deadline = self.deadline;
        plan.timeout = self.timeout;
        Ok(plan)
    }

    pub(super) fn run(self, quiet: bool) -> Result<ExitCode, anyhow::Error> {
        let plan = self.plan()?;
        let token = Cancel::new();
        let opened = plan.open()?;
        let scores = self.scores.as_deref();
        let mut inputs = self.files.clone();
        inputs.extend(self.scoring.input().map(Path::to_owned));
        self.page.check(self.force, &inputs, scores)?;
        let destination = scores
            .map(|path| Destination::open(path, self.force, &inputs))
            .transpose()?;
        let to_stdout = matches!(destination, Some(Destination::Stdout(_)));
        let unfinished = destination.as_ref().and_then(Destination::unfinished);
        let at_work = signals::stop_on_signals(token.clone(), unfinished, quiet);
        let lines = destination
            .map(|to| ScoreLines::new(to, scores, &plan))
            .transpose()?;
        let bar = if opened.is_stream() {
            Progress::stream(quiet)
        } else {
            Progress::bytes(opened.bytes(), quiet)
        };
        let advance = |bytes| match opened.is_stream() {
            true => bar.reach(opened.bytes()),
            false => bar.advance(bytes),
        };
        let mut beside = Beside::default().progress(&advance).cancel(&token);
        if let Some(lines) = &lines {
            beside = beside.scores(lines);
        }
        let answer = opened.run(beside);
        bar.finish();
        let answer = answer?;
        let end = &answer.report.end;
        let kept = match lines {
            Some(lines) if end.is_finished() => Ok(lines.finish().map(|()| None)?),
            Some(lines) => lines.finish_so_far(),
            None => Ok(None),
        };
        let page = || page::of_answer(&plan, &answer);
        let page = self.page.write(self.force, &inputs, page);
        at_work.end();
        let report = if self.json {
            answer.to_json() + "\n"
        } else {
            text::report(&plan, &answer, opened.bytes())
        };
        self.print(&report, to_stdout)
            .context("cannot write the report")?;
        tell_what_is_odd(&plan, &answer, quiet);
        match kept {
            Ok(kept) => tell_end(end, kept),
            Err(lost) => {
                tell_end(end, None);
                return Err(lost);
            }
        }
        page?;
        Ok(ExitCode::from(code_of(&answer)))
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
    if report.records == 0 && report.end.is_finished() {
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

/// What a run that is not finished has left behind.
fn tell_end(end: &End, kept: Option<Kept>) {
    match end {
        End::Halted(failure) => note(format_args!(
            "{} too many failures: halted by {}",
            paint(ERROR, "error:"),
            text::plain(failure)
        )),
        End::Stopped(reason) => note(format_args!(
            "{} stopped before the end: {reason}",
            paint(ERROR, "error:")
        )),
        _ => return,
    }
    if let Some(kept) = kept {
        let records = match kept.records {
            1 => "record are".to_owned(),
            several => format!("{several} records are"),
        };
        let path = text::plain(kept.path.display());
        let replaced = match kept.replaced {
            true => ", in place of what an earlier run had left there",
            false => "",
        };
        note(format_args!(
            "  the scores of the first {records} in {path}{replaced}"
        ));
    }
}

fn code_of(answer: &Answer) -> u8 {
    match answer.report.end {
        End::Halted(_) => exit::HALTED,
        // As a shell tells it.
        End::Stopped(StopReason::Signal(number)) => 128_u8.wrapping_add(number as u8),
        End::Stopped(_) => exit::OUT_OF_TIME,
        _ if answer.report.failed > 0 => exit::SOME_FAILED,
        _ => 0,
    }
}
