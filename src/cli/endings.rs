//! What `score` prints after the report: the failures, notes, and how the run ended.

use manyhands::Error;
use manyhands::exit::Exit;
use manyhands::output::PartialFile;
use manyhands::plan::{Answer, ExecutorName, Plan};
use manyhands::report::End;

use super::command_error::CommandError;
use super::text::{ERROR, paint};
use super::{failures, note, text};

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
    if report.records == 0 && report.end.is_finished() {
        note(format_args!("note: the input has no records"));
    }
    let groups = report.value.groups.as_ref();
    let has_none = |place: usize| {
        let mut names = groups.into_iter().flat_map(|groups| groups.keys());
        names.all(|name| name.get(place).is_some_and(Option::is_none))
    };
    let some = groups.is_some_and(|groups| !groups.is_empty()) && report.failed == 0;
    for (place, by) in plan.by.iter().enumerate().filter(|_| some) {
        if has_none(place) {
            let by = text::plain(format_args!("{by:?}"));
            note(format_args!(
                "note: no record has a value in the field {by}, so it makes no groups"
            ));
        }
    }
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
            "  scores of the first records are in {path}{replaced}; a write failed, so its compressed data is cut off"
        );
    }
    format!("  the scores of the first {records} in {path}{replaced}")
}
