//! Exit codes that scripts can rely on.

use std::io;

use crate::error::Error;
use crate::report::{End, Report};
use crate::stop::StopReason;

/// How a command ends. Each variant has its own exit code. Every [`Error`] and every way in which a run can end
/// belongs to one variant.
///
/// | code | variant | meaning |
/// |---|---|---|
/// | 0 | [`Success`](Exit::Success) | every record has a score or was skipped, or the reader of the output has closed the output; or the [partial answer](crate::plan::PartialAnswer) of a shard is complete, even if records of the shard failed |
/// | 1 | [`SomeFailed`](Exit::SomeFailed) | the run finished; some records could not be scored |
/// | 2 | [`Usage`](Exit::Usage) | the command line or the plan is invalid |
/// | 3 | [`BadInput`](Exit::BadInput) | an input cannot be opened or read, or has invalid contents; for example, all of its first records failed for the same kind of reason, or a partial answer cannot be merged |
/// | 4 | [`Halted`](Exit::Halted) | the failure policy ended the run |
/// | 5 | [`NotWritten`](Exit::NotWritten) | an output could not be written |
/// | 6 | [`Disagree`](Exit::Disagree) | `bench`: an executor gave a different answer |
/// | 7 | [`Slower`](Exit::Slower) | `bench`: a time exceeds the baseline by more than the user allows |
/// | 8 | [`Workers`](Exit::Workers) | worker processes or threads could not be started, or could not be replaced |
/// | 9 | [`Budget`](Exit::Budget) | the budget of the run was spent before all records were scored |
/// | 124 | [`Deadline`](Exit::Deadline) | the deadline stopped the run; `timeout` uses the same code |
/// | 128 + n | [`Signal`](Exit::Signal) | signal n stopped the run: 129 HUP, 130 INT, 143 TERM |
///
/// ```
/// use manyhands::exit::Exit;
/// use manyhands::plan::{Plan, RunOptions};
///
/// let answer = Plan::new(["data/reviews.jsonl"]).open()?.run(RunOptions::default())?;
/// assert_eq!(Exit::of_report(&answer.report), Exit::Success);
///
/// let error = Plan::new(["data/no-such-file.jsonl"]).open().unwrap_err();
/// assert_eq!(Exit::of_error(&error).code(), 3);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Every record has a score or was skipped, or the reader of the output has closed the output.
    Success,
    /// The run finished; some records could not be scored.
    SomeFailed,
    /// The command line or the plan is invalid.
    Usage,
    /// An input cannot be opened or read, or has invalid contents.
    BadInput,
    /// The failure policy ended the run.
    Halted,
    /// An output could not be written.
    NotWritten,
    /// `bench`: an executor gave a different answer.
    Disagree,
    /// `bench`: a time exceeds the baseline by more than the user allows.
    Slower,
    /// Worker processes or threads could not be started, or could not be replaced.
    Workers,
    /// The budget of the run was spent before all records were scored.
    Budget,
    /// The deadline stopped the run, or the program that uses the library did.
    Deadline,
    /// The signal with this number stopped the run.
    Signal(i32),
}

impl Exit {
    /// Returns the exit code of this variant.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::SomeFailed => 1,
            Exit::Usage => 2,
            Exit::BadInput => 3,
            Exit::Halted => 4,
            Exit::NotWritten => 5,
            Exit::Disagree => 6,
            Exit::Slower => 7,
            Exit::Workers => 8,
            Exit::Budget => 9,
            Exit::Deadline => 124,
            // Shells use the same code for a process that a signal has ended. Signals have numbers from 1 to 64.
            Exit::Signal(number) => 128 | (number & 0x7f) as u8,
        }
    }

    /// Returns how a command ends if it fails with this error.
    pub fn of_error(error: &Error) -> Exit {
        match error {
            Error::Input { .. }
            | Error::Record { .. }
            | Error::Unusable { .. }
            | Error::Merge(_) => Exit::BadInput,
            Error::Output(error) => Exit::of_write(error),
            Error::Destination { .. } => Exit::NotWritten,
            Error::Halted { .. } => Exit::Halted,
            Error::Failed(_) => Exit::SomeFailed,
            Error::Skipped { .. } => Exit::Success,
            Error::Stopped { reason, .. } => Exit::of_stop(*reason),
            Error::Plan(_) | Error::Limit { .. } | Error::Measure(_) => Exit::Usage,
            Error::Executor { .. }
            | Error::Process { .. }
            | Error::Program { .. }
            | Error::Workers { .. } => Exit::Workers,
        }
    }

    /// Returns how a command ends if this error prevents it from writing its output.
    pub fn of_write(error: &io::Error) -> Exit {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // The reader has closed the pipe, as `head` does when it has read enough. The command then ends without
            // an error.
            Exit::Success
        } else {
            Exit::NotWritten
        }
    }

    /// Returns how a command ends if its run has this report.
    pub fn of_report<V>(report: &Report<V>) -> Exit {
        match &report.end {
            End::Finished if report.failed > 0 => Exit::SomeFailed,
            End::Finished => Exit::Success,
            End::Halted(_) => Exit::Halted,
            End::AllFailed(_) => Exit::BadInput,
            End::Stopped(reason) => Exit::of_stop(*reason),
        }
    }

    fn of_stop(reason: StopReason) -> Exit {
        match reason {
            StopReason::Signal(number) => Exit::Signal(number),
            StopReason::Deadline | StopReason::Cancelled => Exit::Deadline,
            StopReason::Budget => Exit::Budget,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_has_its_code() {
        let codes = [
            (Exit::Success, 0),
            (Exit::SomeFailed, 1),
            (Exit::Usage, 2),
            (Exit::BadInput, 3),
            (Exit::Halted, 4),
            (Exit::NotWritten, 5),
            (Exit::Disagree, 6),
            (Exit::Slower, 7),
            (Exit::Workers, 8),
            (Exit::Budget, 9),
            (Exit::Deadline, 124),
            (Exit::Signal(1), 129),
            (Exit::Signal(2), 130),
            (Exit::Signal(15), 143),
        ];
        for (exit, code) in codes {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
    }

    #[test]
    fn every_error_leads_to_its_exit() {
        let process = Error::Process {
            message: "out of file descriptors".to_owned(),
        };
        let workers = Error::Workers {
            threads: 2,
            source: "no thread left".into(),
        };
        let executor = Error::Executor { ran: 1, units: 2 };
        let stopped = |reason| Error::Stopped { reason, records: 0 };
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let gone = io::Error::from(io::ErrorKind::BrokenPipe);
        for (error, exit) in [
            (process, Exit::Workers),
            (workers, Exit::Workers),
            (executor, Exit::Workers),
            (stopped(StopReason::Deadline), Exit::Deadline),
            (stopped(StopReason::Cancelled), Exit::Deadline),
            (stopped(StopReason::Signal(15)), Exit::Signal(15)),
            (stopped(StopReason::Budget), Exit::Budget),
            (Error::Output(full), Exit::NotWritten),
            (Error::Output(gone), Exit::Success),
            (Error::Plan("no".to_owned()), Exit::Usage),
            (Error::Measure("no".to_owned()), Exit::Usage),
        ] {
            assert_eq!(Exit::of_error(&error), exit, "{error:?}");
        }
    }
}
