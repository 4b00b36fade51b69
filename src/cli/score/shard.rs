//! Runs a shard, and writes its partial answer.

use manyhands::exit::Exit;
use manyhands::output::{CompleteFile, CompleteRunFiles, Destination, Output, PageFile};
use manyhands::page;
use manyhands::plan::{Answer, Opened, RunJournal};

use super::outputs::ScoreOutputs;
use super::run::CommandRun;
use super::{Score, journal};
use crate::cli::command_error::CommandError;
use crate::cli::endings::{end_with, left_out, print_notes, print_warnings};
use crate::cli::note;
use crate::cli::scoring_arguments::endpoints;
use crate::cli::shard_arguments::EarlierAttempt;

impl Score {
    /// Runs the plan of a shard, and writes its partial answer.
    pub(super) fn run_shard(
        &self,
        run: CommandRun<'_>,
        outputs: ScoreOutputs,
        mut to: Destination,
        mut journal: Option<RunJournal>,
    ) -> Result<Exit, CommandError> {
        let ScoreOutputs { files, page, .. } = outputs;
        let CommandRun { opened, quiet, .. } = run;
        let ran = run.start(files.as_ref(), journal.as_ref(), |options| {
            opened.run_partial(options)
        });
        run.watch.end_run();
        let (mut answer, mut partial) = match ran {
            Ok(ran) => ran,
            Err(error) => {
                files.iter().for_each(|files| files.discard());
                let said = error.to_string();
                let exit = end_with(error.into(), Ok(None));
                journal::close_after(journal, &said, quiet)?;
                return Ok(exit);
            }
        };
        // Engines run a shard twice at the same time. The first attempt that ends has written the files.
        let earlier = self
            .shard
            .earlier(opened, self.scores.as_deref(), self.failures.paths());
        if !self.force && earlier == EarlierAttempt::Whole {
            files.iter().for_each(|files| files.discard());
            journal::end(journal, 0, quiet)?;
            self.shard.note_done_meanwhile();
            return Ok(Exit::Success);
        }
        // If the command is killed between the renames, a file of scores or failures is missing, and the shard is scored
        // again. If these files were renamed first, they would be in the way of the next attempt.
        let complete = files.as_ref().map(|files| files.complete()).transpose()?;
        let complete = complete.flatten();
        let scores = complete.as_ref().and_then(CompleteRunFiles::scores);
        if let Some(written) = scores.and_then(CompleteFile::written) {
            partial.set_scores(written);
        }
        if let Some(written) = complete.as_ref().and_then(CompleteRunFiles::failures) {
            partial.set_failures(written);
        }
        partial
            .write(&mut to)
            .map_err(CommandError::write("cannot write the partial answer"))?;
        let publish = || {
            to.finish()?;
            complete.map_or(Ok(()), CompleteRunFiles::publish)
        };
        self.publish(publish, journal.as_mut())?;
        if let Some(files) = &files {
            answer.warnings.extend(left_out(files));
        }
        self.report_shard(opened, &answer, page, quiet)?;
        journal::end(journal, 0, quiet)?;
        Ok(Exit::Success)
    }

    /// Ends the command for a shard whose outputs are all there. If the journal of an earlier attempt is left, that was killed
    /// before it had printed its report, so its report is printed from its partial answer.
    pub(super) fn end_done_shard(
        &self,
        opened: &Opened,
        quiet: bool,
    ) -> Result<Exit, CommandError> {
        self.shard.note_done();
        let Some(journal) = self.journal_left() else {
            return Ok(Exit::Success);
        };
        if let Some(answer) = self.shard.earlier_answer(opened)? {
            let mut endpoints = endpoints(opened.plan());
            let [records, reasons] = self
                .failures
                .paths()
                .map_or([None, None], |paths| paths.map(Some));
            let files = [
                self.shard.path(),
                self.scores.as_deref(),
                records.as_deref(),
                reasons.as_deref(),
            ];
            files
                .into_iter()
                .flatten()
                .for_each(|file| endpoints.input(file));
            // The attempt may have written its page already.
            let of_page = |output: Output| output.force(true).replace_partial(true);
            let page = self.page.open_set(&mut endpoints, of_page)?;
            self.report_shard(opened, &answer, page, quiet)?;
        }
        // If the journal cannot be opened, for example because another attempt is about to remove it, nothing is wrong with the
        // shard.
        journal::end(RunJournal::open(&journal, opened).ok(), 0, quiet)?;
        Ok(Exit::Success)
    }

    /// Prints the report of a shard, and writes its page.
    fn report_shard(
        &self,
        opened: &Opened,
        answer: &Answer,
        page: Option<PageFile>,
        quiet: bool,
    ) -> Result<(), CommandError> {
        let page = page.map(|file| file.write(&page::of_answer(answer)));
        self.print_report(opened, answer)?;
        print_notes(opened.plan(), answer, quiet);
        if !quiet && let Some(shard) = opened.renumbered_shard() {
            note(format_args!(
                "note: records and lines are counted from the beginning of shard {shard}; merge counts them from that of \
                 the whole"
            ));
        }
        print_warnings(answer);
        page.transpose()?;
        Ok(())
    }
}
