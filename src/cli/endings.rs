//! What `score` prints after the report: the failures, notes, and how the run ended.

use std::io::{self, Write as _};
use std::path::Path;

use manyhands::error::FailureKind;
use manyhands::exit::Exit;
use manyhands::output::{FailuresFile, PartialFile, RunFiles, ScoresFile};
use manyhands::plan::{Answer, ExecutorName, Plan};
use manyhands::report::End;
use manyhands::{Error, Failure};

use super::command_error::CommandError;
use super::text::{ERROR, paint};
use super::{failures, note, text};

/// Prints a report on standard output, or on standard error if the scores are on standard output.
pub(super) fn print_report(report: &str, scores_on_stdout: bool, is_json: bool) -> io::Result<()> {
    if scores_on_stdout {
        return anstream::stderr().write_all(report.as_bytes());
    }
    if is_json {
        // The report is written without anstream, which would remove text from the data that looks like a color code.
        let mut stdout = io::stdout().lock();
        stdout.write_all(report.as_bytes())?;
        return stdout.flush();
    }
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(report.as_bytes())?;
    stdout.flush()
}

/// Prints the failures, and notes about facts that the report does not show.
pub(super) fn print_notes(plan: &Plan, answer: &Answer, quiet: bool) {
    let report = &answer.report;
    failures::print(report);
    if quiet {
        return;
    }
    if answer.pinned == Some(false) {
        let why = match plan.executor {
            ExecutorName::Sequential => {
                "the executor sequential has no workers, only the calling thread"
            }
            _ => "this system does not allow threads to be kept on a core",
        };
        note(format_args!("note: --pin had no effect: {why}"));
    }
    let has_threads = plan.threads.is_some_and(|threads| threads.here() > 1);
    if plan.executor == ExecutorName::Sequential && has_threads {
        note(format_args!(
            "note: -j had no effect: the executor sequential has no workers, only the calling thread"
        ));
    }
    let mut kinds = report.failures.iter().map(Failure::kind);
    if plan.missing.is_none() && kinds.any(|kind| kind == FailureKind::Missing) {
        note(format_args!(
            "note: --missing skip skips records without a value"
        ));
    }
    let summary = &report.value;
    let is_default = plan.rank.is_none() && plan.scorer.outside().is_some();
    if is_default
        && summary.main().is_none()
        && let Some(name) = summary.scores.keys().next()
    {
        note(format_args!(
            "note: no answer has a number named \"score\", so the records are not ranked; --rank {} ranks them",
            text::plain(name)
        ));
    }
    if report.records == 0 && report.end.is_finished() {
        note(format_args!("note: the input has no records"));
    }
}

/// Prints the warnings of a run.
pub(super) fn print_warnings(answer: &Answer) {
    for warning in &answer.warnings {
        note(format_args!("warning: {}", text::plain(warning)));
    }
}

/// Warnings about values and fields that the scores file lacks, and about failed records that the file of failures
/// lacks.
pub(super) fn left_out(files: &RunFiles) -> Vec<String> {
    let failures = failures_left_out(files.failures().map_or(0, FailuresFile::left_out));
    let unfit = files.scores().and_then(ScoresFile::unfit).map(|unfit| {
        let (several, fit) = match unfit.values {
            1 => ("value", "does"),
            _ => ("values", "do"),
        };
        format!(
            "{} {several} {fit} not fit the type that the first 1,000 records give a column, such as {:?} in record {}; \
             they are left out; write JSON lines or CSV, which hold values of any type",
            unfit.values, unfit.name, unfit.first,
        )
    });
    let fields = files.scores().and_then(ScoresFile::left_out).map(|left_out| {
        let (several, have) = match left_out.records {
            1 => ("record", "has"),
            _ => ("records", "have"),
        };
        format!(
            "{} {several} {have} fields without a column in the table of scores, such as {:?} in record {}; they are \
             left out; name the columns with --columns, or write JSON lines",
            left_out.records, left_out.name, left_out.first,
        )
    });
    failures.into_iter().chain(unfit).chain(fields).collect()
}

/// A warning about failed records that the file of failures lacks, if there are any.
pub(super) fn failures_left_out(left_out: u64) -> Option<String> {
    (left_out > 0).then(|| {
        format!(
            "{left_out} of the failed records are not in the file of failures, because they are too long, or their \
             format or header is not that of the first one; the file of the reasons marks them"
        )
    })
}

/// Prints the reason why a run ended early, and the path of the file that keeps its scores.
pub(super) fn print_end(end: &End, partial: Option<PartialFile>) {
    match end {
        End::Halted(failure) => note(format_args!(
            "{} too many failures; the run was halted by {}",
            paint(ERROR, "error:"),
            text::plain(failure)
        )),
        End::Stopped(reason) => note(format_args!(
            "{} stopped before the end: {reason}",
            paint(ERROR, "error:")
        )),
        _ => return,
    }
    if let Some(partial) = partial {
        note(format_args!("{}", partial_note(&partial)));
    }
}

/// Prints the error of a run, and the path of the file that keeps its scores.
pub(super) fn end_with(error: CommandError, partial: Result<Option<PartialFile>, Error>) -> Exit {
    let exit = super::print_error(&error);
    match partial {
        // The reader of the scores has closed the pipe, so no file keeps the scores.
        _ if exit == Exit::Success => {}
        Ok(Some(partial)) => note(format_args!("{}", partial_note(&partial))),
        Ok(None) => {}
        Err(error) => _ = super::print_error(&error.into()),
    }
    exit
}

/// Prints why all records failed, and which option is probably wrong. Returns the exit code.
pub(super) fn end_all_failed(answer: &Answer, first: &Failure) -> Exit {
    let error = Error::all_failed(first.clone(), answer.report.records);
    let exit = super::print_error(&error.into());
    if first.kind() == FailureKind::Missing {
        let (names, plan) = (&answer.field_names, &answer.plan);
        for field in plan.fields.iter().filter(|field| !names.contains(field)) {
            if let Some(similar) = answer.similar_field(field) {
                let similar = text::plain(similar);
                note(format_args!("  did you mean --field {similar}?"));
            }
        }
    }
    note(format_args!("  to go on regardless, use --on-failure skip"));
    exit
}

/// Returns a note that names the journal that a run which has ended early has left.
pub(super) fn journal_note(path: &Path) -> String {
    format!(
        "note: the answers are kept in {}; the same command with --resume goes on from there",
        text::plain(path.display())
    )
}

/// Returns a note that names the file in which the scores of a run that ended early are kept.
pub(super) fn partial_note(partial: &PartialFile) -> String {
    let records = match partial.records {
        1 => "record are".to_owned(),
        several => format!("{several} records are"),
    };
    let path = text::plain(partial.path.display());
    let replaced = match partial.replaced {
        true => ", in place of the scores of an earlier run",
        false => "",
    };
    if partial.is_cut {
        return format!(
            "  scores of the first records are in {path}{replaced}; a write failed, so the end of the file is missing"
        );
    }
    format!("  the scores of the first {records} in {path}{replaced}")
}
