//! Runs the plan of `score`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use manyhands::output::RunFiles;
use manyhands::plan::{Opened, RunJournal, RunOptions};
use manyhands::{Cancel, Error};

use crate::cli::command_words::arguments;
use crate::cli::progress::Progress;
use crate::cli::signals::{GRACE, SignalWatch, WatchedRun};

/// What every run of the command has.
#[derive(Clone, Copy)]
pub(super) struct CommandRun<'a> {
    pub(super) opened: &'a Opened,
    pub(super) token: &'a Cancel,
    pub(super) watch: &'a SignalWatch,
    pub(super) quiet: bool,
}

impl CommandRun<'_> {
    /// Runs the plan until the run ends or a signal stops it, and shows the progress of the run.
    pub(super) fn start<A>(
        self,
        files: Option<&Arc<RunFiles>>,
        journal: Option<&RunJournal>,
        run: impl FnOnce(RunOptions<'_>) -> Result<A, Error>,
    ) -> Result<A, Error> {
        /// Additional time that a run in worker processes may take to return, since it kills them first.
        const GRACE_OF_PROCESSES: Duration = Duration::from_secs(5);

        let CommandRun {
            opened,
            token,
            watch,
            quiet,
        } = self;
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
            journal: journal.map(|journal| journal.path().to_owned()),
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
        if let Some(journal) = journal {
            options = options.journal(journal);
        }
        if let Some((files, journal)) = files.zip(journal) {
            files.sync_with(journal);
        }
        let answer = run(options);
        bar.finish();
        answer
    }
}
