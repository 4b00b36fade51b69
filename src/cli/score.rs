//! `manyhands score`: a plan from the arguments, its run, its report.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args};
use indicatif::HumanBytes;
use manyhands::execution::Threads;
use manyhands::exit::Exit;
use manyhands::output::{Destination, Kept, Output, PageFile, ScoresFile, ScoresFormat, leftovers};
use manyhands::page;
use manyhands::plan::arguments::{WITH, from_one};
use manyhands::plan::{Answer, AnyScorer, ExecutorName, NO_GROUP, Opened, Plan, RunOptions};
use manyhands::report::End;
use manyhands::{Cancel, Error, Limit, OnFailure};

use super::fault::Fault;
use super::page::Page;
use super::progress::Progress;
use super::scoring::{Scoring, endpoints, scorers};
use super::text::{ERROR, paint};
use super::watch::{GRACE, Watch, Watched};
use super::{failures, note, text};

/// The arguments of `score`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("output").args(["scores", "html"]).multiple(true)))]
pub struct Score {
    /// Files of JSON lines: one JSON object a line. Several are one dataset, in this order. Pipes are
    /// read as they are written to; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[arg(id = WITH, long = "with", value_name = "SCORER", help = scorers(),
        value_parser = AnyScorer::known_name)]
    scorer: &'static str,

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

    /// Overwrite the scores file, what a run that ended early has left of it (OUT.partial), and the
    /// page, if there are any. The new file has the mode and the owner of the old one.
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
    fn plan(&self) -> Result<Plan, Fault> {
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
        plan.limit.check()?;
        plan.deadline = self.deadline;
        plan.timeout = self.timeout;
        Ok(plan)
    }

    pub(super) fn run(self, quiet: bool) -> Result<Exit, Fault> {
        let plan = self.plan()?;
        let format = self.scores.as_deref().map(ScoresFormat::of).transpose()?;
        if let Some(format) = format {
            ScoresFile::check(&plan, format)?;
        }
        let opened = plan.open()?;
        let token = Cancel::new();
        let watch = Watch::start(quiet)?;
        let mut outputs = self.open_outputs(&plan, format, &token, &watch)?;
        if !quiet {
            self.tell_leftovers();
        }
        let answer = run(&opened, outputs.scores.as_ref(), &token, &watch, quiet);
        let kept = match (&outputs.scores, &answer) {
            (Some(scores), Ok(answer)) if answer.report.end.is_finished() => {
                if !scores.finish()? {
                    watch.wait_for_the_end();
                }
                Ok(None)
            }
            (Some(scores), _) => scores.keep_so_far(),
            (None, _) => Ok(None),
        };
        watch.over();
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Ok(end_by(error.into(), kept)),
        };
        let page = outputs.page.take();
        let page = page.map(|file| file.write(&page::of_answer(&plan, &answer)));
        let report = if self.json {
            answer.to_json() + "\n"
        } else {
            text::report(&plan, &answer, opened.bytes())
        };
        self.print(&report)
            .map_err(Fault::write("cannot write the report"))?;
        tell_what_is_odd(&plan, &answer, quiet);
        tell_end(&answer.report.end, kept?);
        page.transpose()?;
        Ok(Exit::of_report(&answer.report))
    }

    /// Opens the outputs, no two of which are one file, nor one of the inputs.
    fn open_outputs(
        &self,
        plan: &Plan,
        format: Option<ScoresFormat>,
        token: &Cancel,
        watch: &Watch,
    ) -> Result<Outputs, Fault> {
        let mut endpoints = endpoints(plan);
        if !self.scores_on_stdout() {
            endpoints.standard_output("the report")?;
        }
        let destination = match self.scores.as_ref().zip(format) {
            Some((path, format)) => {
                let output = Output::new("the scores", path).force(self.force);
                let output = output.keeping_partial();
                let open = || Ok(endpoints.open(&output)?);
                Some((watch.opening(open, Destination::unfinished)?, format))
            }
            None => None,
        };
        let unfinished = |page: &Option<PageFile>| page.as_ref().and_then(PageFile::unfinished);
        let page = || self.page.open(&mut endpoints, self.force);
        let page = watch.opening(page, unfinished)?;
        watch.unfinished(unfinished(&page));
        // From the first byte of the scores on, a signal stops the run and its report is printed.
        watch.running(Watched {
            token: token.clone(),
            give_up: None,
            grace: GRACE,
            scores: None,
        });
        let scores = destination.map(|(to, format)| ScoresFile::new(to, format, plan));
        let scores = scores.transpose()?.map(Arc::new);
        Ok(Outputs { scores, page })
    }

    fn scores_on_stdout(&self) -> bool {
        self.scores.as_deref() == Some(Path::new("-"))
    }

    /// Tells of files that killed runs have left beside the scores.
    fn tell_leftovers(&self) {
        let scores = self.scores.as_deref().filter(|_| !self.scores_on_stdout());
        for leftover in scores.map(leftovers).unwrap_or_default() {
            note(format_args!(
                "note: a run that was killed has left {} ({}); its last line may be cut; \
                 delete it if you do not need it",
                text::plain(leftover.path.display()),
                HumanBytes(leftover.bytes)
            ));
        }
    }

    fn print(&self, report: &str) -> io::Result<()> {
        if self.scores_on_stdout() {
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

/// Where the results go, besides the report.
struct Outputs {
    scores: Option<Arc<ScoresFile>>,
    page: Option<PageFile>,
}

/// Runs the plan, with its progress shown, until it ends or a signal stops it.
fn run(
    opened: &Opened,
    scores: Option<&Arc<ScoresFile>>,
    token: &Cancel,
    watch: &Watch,
    quiet: bool,
) -> Result<Answer, Error> {
    /// How much longer a process pool may take: it kills its workers first, and comes back then.
    const GRACE_OF_PROCESSES: Duration = Duration::from_secs(5);

    let plan = opened.plan();
    let grace = match plan.executor {
        ExecutorName::ProcessPool => GRACE + GRACE_OF_PROCESSES,
        _ => GRACE,
    };
    let allowed = plan.deadline.and_then(|after| after.checked_add(grace));
    watch.running(Watched {
        token: token.clone(),
        give_up: allowed.and_then(|after| Instant::now().checked_add(after)),
        grace,
        scores: scores.cloned(),
    });
    let bar = if opened.is_stream() {
        Progress::stream(quiet)
    } else {
        Progress::bytes(opened.bytes(), quiet)
    };
    let advance = |bytes| match opened.is_stream() {
        true => bar.reach(opened.bytes()),
        false => bar.advance(bytes),
    };
    let mut options = RunOptions::default().progress(&advance).cancel(token);
    if let Some(scores) = scores {
        options = options.scores(scores.as_ref());
    }
    let answer = opened.run(options);
    bar.finish();
    answer
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

/// Why a run is not finished, and what it has left behind.
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
        note(format_args!("{}", told(&kept)));
    }
}

/// Tells what has ended a run before its end, and what it has left behind.
fn end_by(fault: Fault, kept: Result<Option<Kept>, Error>) -> Exit {
    let exit = super::tell(&fault);
    match kept {
        // The reader of the scores has had enough, and they are kept nowhere else.
        _ if exit == Exit::Success => {}
        Ok(Some(kept)) => note(format_args!("{}", told(&kept))),
        Ok(None) => {}
        Err(error) => _ = super::tell(&error.into()),
    }
    exit
}

/// Says where the scores are of a run that ended early.
pub(super) fn told(kept: &Kept) -> String {
    let records = match kept.records {
        1 => "record are".to_owned(),
        several => format!("{several} records are"),
    };
    let path = text::plain(kept.path.display());
    let replaced = match kept.replaced {
        true => ", in place of what an earlier run had left there",
        false => "",
    };
    format!("  the scores of the first {records} in {path}{replaced}")
}
