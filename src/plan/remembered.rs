//! Scores that are taken over from a journal.

use std::time::Duration;

use super::Plan;
use super::kept_answer::{decode_cells, encode_cells};
use super::run_journal::JournalledAnswers;
use super::scored::{Scored, ScoredAssembly};
use super::scorer::PreparedScorer;
use crate::dataset::TextRecord;
use crate::error::{Cause, EndsRun, Error};
use crate::journal::{AnswerMemory, KeptAt};
use crate::task::Task;

/// The scores of the records of a run in its journal.
pub(super) struct RememberedScores<'a> {
    answers: &'a JournalledAnswers<'a>,
    assembly: ScoredAssembly,
    scorer: &'a dyn PreparedScorer,
    /// Number of cells of a record that are kept. The others can be looked up.
    columns: usize,
}

impl<'a> RememberedScores<'a> {
    pub(super) fn new(
        answers: &'a JournalledAnswers<'a>,
        assembly: ScoredAssembly,
        plan: &Plan,
        scorer: &'a dyn PreparedScorer,
    ) -> Self {
        RememberedScores {
            answers,
            assembly,
            scorer,
            columns: plan.scorer.for_worker().columns(plan).known().len(),
        }
    }
}

impl AnswerMemory<Scored> for RememberedScores<'_> {
    fn find(&self, record: &TextRecord<'_>) -> Result<Option<Scored>, Error> {
        let cells = |bytes: &[u8]| decode_cells(bytes, self.scorer);
        let cells = self.answers.find(record, cells)?;
        // If the record cannot have a result, it is scored once more, and fails for the same reason.
        Ok(cells.and_then(|cells| self.assembly.with_cells(record, cells).ok()))
    }

    fn keep(&self, record: &TextRecord<'_>, scored: &Scored) -> Result<KeptAt, Error> {
        let encode = |to: &mut Vec<u8>| encode_cells(&scored.cells, self.columns, to);
        self.answers.keep(record, encode)
    }

    fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        self.answers.wait(at, at_most)
    }
}

/// A task that scores only records for which no score is kept, and keeps the scores of these. If the journal fails, the run
/// ends with its error.
pub(super) struct RememberedTask<'a, T> {
    task: T,
    memory: &'a RememberedScores<'a>,
}

impl<'a, T> RememberedTask<'a, T> {
    pub(super) fn new(task: T, memory: &'a RememberedScores<'a>) -> Self {
        RememberedTask { task, memory }
    }
}

impl<'r, T> Task<TextRecord<'r>> for RememberedTask<'_, T>
where
    T: Task<TextRecord<'r>, Score = Scored>,
{
    type Score = Scored;
    type Error = Cause;

    fn score(&self, record: &TextRecord<'r>) -> Result<Scored, Cause> {
        match self.recall(record.position().index, record) {
            Some(known) => known,
            None => self.score_at(record.position().index, record),
        }
    }

    fn recall(&self, _: u64, record: &TextRecord<'r>) -> Option<Result<Scored, Cause>> {
        let known = self.memory.find(record);
        known.map_err(|error| EndsRun(error).into()).transpose()
    }

    fn score_at(&self, index: u64, record: &TextRecord<'r>) -> Result<Scored, Cause> {
        let scored = self.task.score_at(index, record).map_err(Into::into)?;
        self.memory.keep(record, &scored).map_err(EndsRun)?;
        Ok(scored)
    }
}
