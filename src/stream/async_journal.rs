//! Async functions with a journal.

use super::AsyncStream;
use crate::calls::JournalledCalls;
use crate::journal::{AnswerJournal, ByHash, RecordAnswers};

impl<'a, I, T, U> AsyncStream<'a, I, T, U> {
    /// Takes answers over from a journal, and keeps the others in it, so that a stream that is interrupted goes on. No call is
    /// made for a record whose answer is taken over. The records must be [`Hash`](std::hash::Hash), and the answers are
    /// written with serde, see [`Pipeline::journal`](crate::Pipeline::journal).
    ///
    /// What is kept is the answer of the async function. The step after it, see [`then`](AsyncStream::then), is done anew by
    /// each run, and may change between them.
    ///
    /// With [`Syncing::AtOnce`](crate::journal::Syncing::AtOnce), an answer is on the disk before it is passed on. All calls
    /// that are answered meanwhile share a sync, and no call waits for one.
    ///
    /// ```
    /// use manyhands::journal::{AnswerJournal, Syncing};
    /// use manyhands::prelude::*;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("answers.journal");
    /// let mut calls = std::sync::atomic::AtomicUsize::new(0);
    /// for _ in 0..2 {
    ///     let journal = AnswerJournal::open(&path, "the service, version 1", Syncing::AtOnce)?;
    ///     let lengths: Vec<usize> = stream(["many", "hands", "make", "light", "work"])
    ///         .task_async(async |word: &&str| {
    ///             // A real task would wait for a service here.
    ///             calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    ///             word.len()
    ///         })
    ///         .journal(&journal)
    ///         .collect()?;
    ///     assert_eq!(lengths, [4, 5, 4, 5, 4]);
    ///     journal.close()?;
    /// }
    /// assert_eq!(*calls.get_mut(), 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn journal<'j>(
        self,
        journal: &'j AnswerJournal,
    ) -> AsyncStream<'a, I, JournalledCalls<'j, T, ByHash>, U> {
        self.journal_by(journal, ByHash)
    }

    /// Takes answers over from a journal as [`journal`](AsyncStream::journal) does. `contents` adds everything of a record
    /// that determines its answer to the [`Contents`](crate::journal::Contents).
    pub fn journal_by<'j, C>(
        self,
        journal: &'j AnswerJournal,
        contents: C,
    ) -> AsyncStream<'a, I, JournalledCalls<'j, T, C>, U> {
        self.with_task(|task| JournalledCalls::new(task, RecordAnswers::new(journal, contents)))
    }
}
