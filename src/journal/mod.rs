//! Answers that are kept on the disk while a run goes on, so that a later run takes them over, whatever has ended the first.
//!
//! An [`AnswerJournal`] is for runs over tasks of your own: a [`Pipeline`](crate::Pipeline::journal) uses it, or a stream of
//! async calls (feature `async`). The run of a [`Plan`](crate::plan::Plan) has a [`RunJournal`](crate::plan::RunJournal).

// A `Journal` is a file that survives kills and power failures. It does not know what its answers mean: each is some bytes,
// with the index and the key of its record.
//
// - The threads of a run put answers into blocks in memory (`keeping`), and a thread writes the blocks and syncs the file
//   (`writer`). While it syncs, the next blocks are filled.
// - A block says up to which offset everything was on the disk when it was written (`format`). If bytes before that offset
//   are not valid, the file is damaged and is refused. What is not valid behind it was never on the disk, so it is cut
//   (`opening`).
// - Answers of earlier runs are found by the index of their record, and by its key if the records have moved (`earlier`,
//   `key_table`). The tables are in files without names, of which some pages are in memory (`paged`), so memory does not
//   grow with the number of answers.
// - A block may say which run the answers behind it belong to (`described`), for messages.
// - The key of an answer is made of the fingerprint of the run (`answers`) and the contents of its record (`contents`). A
//   task around the task of the user (`journalled`) finds answers before it scores, and keeps them (`record_answers`).

mod answers;
mod contents;
mod described;
mod disk;
mod earlier;
mod encoded;
mod fault;
mod format;
mod journalled;
mod keeping;
mod key_table;
mod memory;
mod opening;
mod paged;
mod reading;
mod record_answers;
mod sizes;
mod sorting;
mod threads;
mod writer;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use answers::{AnswerJournal, Resumed};
pub use contents::{ByHash, Contents, RecordContents};
pub(crate) use described::DescribedRun;
use described::EarlierRuns;
use disk::JournalDisk;
use earlier::{EarlierAnswers, EarlierBytes};
pub(crate) use encoded::{decode, encode};
use fault::cannot;
pub use journalled::JournalledTask;
use keeping::{Ending, Keeping};
pub(crate) use memory::{AnswerMemory, KeptAt};
use opening::{check_unused, create_file, open_file, recover};
pub(crate) use record_answers::RecordAnswers;
use sizes::TableSizes;
pub use writer::Syncing;
use writer::{JournalWriter, OutputsToSync};

use crate::error::Error;
use crate::sync::thread::JoinHandle;
use crate::synced::{OpenOutput, folder_of, sync_folder, to_disk};

#[cfg(all(test, not(shuttle)))]
mod damage_tests;
#[cfg(all(test, not(shuttle)))]
mod fault_tests;
#[cfg(all(test, not(shuttle)))]
mod file_tests;
#[cfg(all(test, not(shuttle)))]
mod history_tests;
#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod power_tests;
#[cfg(test)]
#[cfg_attr(shuttle, allow(dead_code, reason = "the model uses only a part of it"))]
mod simulated_tests;

/// A file of answers that survives kills and power failures. All threads of a run use it at once. No other run can use it
/// meanwhile.
pub(crate) struct Journal {
    path: PathBuf,
    /// `None` if there are no answers of earlier runs.
    earlier: Option<EarlierAnswers>,
    /// What these belong to.
    runs: EarlierRuns,
    keeping: Arc<Keeping>,
    outputs: Arc<OutputsToSync>,
    syncing: Syncing,
    /// The thread that writes. `None` once it has been asked to end.
    writer: Option<JoinHandle<()>>,
    /// The open file, which is locked until this value is dropped.
    _locked: Arc<dyn JournalDisk>,
}

/// Numbers of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JournalCounts {
    /// In the file when it was opened.
    pub(crate) earlier: u64,
    /// Of these, taken over by this run.
    pub(crate) taken_over: u64,
    /// Kept by this run.
    pub(crate) kept: u64,
}

impl Journal {
    /// Creates the journal of a run, and makes sure that its name is on the disk.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file exists or cannot be created.
    pub(crate) fn create(
        path: &Path,
        run: &DescribedRun,
        syncing: Syncing,
    ) -> Result<Journal, Error> {
        let salt = fastrand::u64(..);
        let disk: Arc<dyn JournalDisk> = Arc::new(create_file(path, salt, run)?);
        let begin = disk
            .length()
            .map_err(|error| cannot(path, "created", &error))?;
        let bytes = EarlierBytes {
            salt,
            begin,
            end: begin,
        };
        let earlier = (None, EarlierRuns::new(run));
        Self::start(path, disk, bytes, earlier, syncing)
    }

    /// Opens a journal of earlier runs, and goes on behind their answers. What a kill or a power failure has left incomplete
    /// at the end of the file is cut.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Input`] if the file does not exist, is no journal, has another format, or is damaged, and
    /// [`Error::Destination`] if another run uses it or if it cannot be opened. It is left as it is.
    pub(crate) fn open(
        path: &Path,
        run: &DescribedRun,
        syncing: Syncing,
    ) -> Result<Journal, Error> {
        let disk = Arc::new(open_file(path)?);
        Self::open_on(disk, path, run, syncing, TableSizes::USUAL)
    }

    fn open_on(
        disk: Arc<dyn JournalDisk>,
        path: &Path,
        run: &DescribedRun,
        syncing: Syncing,
        sizes: TableSizes,
    ) -> Result<Journal, Error> {
        let (bytes, earlier, runs) = recover(path, &disk, run, sizes)?;
        let earlier = (earlier.total() > 0).then_some(earlier);
        Self::start(path, disk, bytes, (earlier, runs), syncing)
    }

    fn start(
        path: &Path,
        disk: Arc<dyn JournalDisk>,
        bytes: EarlierBytes,
        (earlier, runs): (Option<EarlierAnswers>, EarlierRuns),
        syncing: Syncing,
    ) -> Result<Journal, Error> {
        let keeping = Arc::new(Keeping::new(path.to_owned()));
        let end = (bytes.salt, bytes.end);
        let outputs = Arc::default();
        let writer = JournalWriter::start(
            Arc::clone(&keeping),
            Arc::clone(&outputs),
            Arc::clone(&disk),
            syncing,
            end,
        )?;
        Ok(Journal {
            path: path.to_owned(),
            earlier,
            runs,
            keeping,
            outputs,
            syncing,
            writer: Some(writer),
            _locked: disk,
        })
    }

    /// Removes the journal of an earlier run, without reading it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if another run uses the journal, or if the file cannot be removed, and
    /// [`Error::Input`] if it cannot be opened.
    pub(crate) fn discard(path: &Path) -> Result<(), Error> {
        let locked = open_file(path)?;
        let removed = remove_file(path);
        drop(locked);
        removed
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file another name, and makes sure that this name is on the disk. A file that has this name is replaced.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file cannot be renamed, or its folder cannot be synced.
    pub(crate) fn rename(&mut self, to: &Path) -> Result<(), Error> {
        let failed = |error| cannot(&self.path, "renamed", &error);
        fs::rename(&self.path, to).map_err(failed)?;
        sync_folder(folder_of(to), to_disk).map_err(failed)?;
        self.path = to.to_owned();
        Ok(())
    }

    /// Whether the journal has answers of earlier runs.
    pub(crate) fn has_earlier(&self) -> bool {
        self.earlier.is_some()
    }

    /// If the journal has answers, but none that could fit this run: what the runs differ in.
    pub(crate) fn differences(&self) -> Option<Vec<String>> {
        self.runs.differences()
    }

    /// The number of answers of runs with another fingerprint that may have cost money.
    pub(crate) fn paid_by_others(&self) -> u64 {
        self.runs.paid_by_others()
    }

    /// Looks for an answer of an earlier run for a record with this key, first among those with this index. Puts it into
    /// `answer`, in place of what is there, and returns whether there is one. Each answer is found once.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Input`] if the journal cannot be read or was changed by another program, and
    /// [`Error::Destination`] if a temporary file in its folder cannot be written.
    pub(crate) fn find(&self, index: u64, key: u128, answer: &mut Vec<u8>) -> Result<bool, Error> {
        let Some(earlier) = &self.earlier else {
            return Ok(false);
        };
        let is_found = earlier.find(index, key, answer)?;
        if is_found && self.syncing == Syncing::Seldom {
            // The answer goes to the outputs, which are synced now and then also if nothing is kept.
            self.keeping.wants_sync();
        }
        Ok(is_found)
    }

    /// Notes what is known of the run now, and waits until it is on the disk.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the journal cannot be written or synced.
    pub(crate) fn describe(&self, run: &DescribedRun) -> Result<(), Error> {
        let at = self.keeping.describe(run.bytes());
        while !self.keeping.wait(at, Duration::from_secs(1))? {}
        Ok(())
    }

    /// Whether the last run that has used the journal had the fingerprint of this one.
    pub(crate) fn last_was_same(&self) -> bool {
        self.runs.last_was_same()
    }

    /// Whether an earlier run with the fingerprint of this one has completed the output with this hash.
    pub(crate) fn has_completed(&self, output: u128) -> bool {
        self.runs.have_completed(output)
    }

    /// Syncs an output of the run whenever the journal is synced seldom, so that little is left to sync when the output is
    /// complete. If this fails, the journal fails.
    pub(crate) fn sync_along(&self, output: Arc<OpenOutput>) {
        self.outputs.add(output);
    }

    /// Keeps an answer. This waits for the disk only if it is far behind.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the journal could not be written or synced, now or before.
    pub(crate) fn keep(&self, index: u64, key: u128, answer: &[u8]) -> Result<KeptAt, Error> {
        self.keeping.keep(index, key, answer)
    }

    /// Waits until what was kept up to there is on the disk, but at most this long. Returns whether it is.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if it is not on the disk, and the journal could not be written or synced.
    pub(crate) fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        self.keeping.wait(at, at_most)
    }

    /// The numbers of answers so far.
    pub(crate) fn counts(&self) -> JournalCounts {
        let earlier = self.earlier.as_ref();
        JournalCounts {
            earlier: earlier.map_or(0, EarlierAnswers::total),
            taken_over: earlier.map_or(0, EarlierAnswers::taken),
            kept: self.keeping.kept(),
        }
    }

    /// Closes the journal of a run that has not finished. Everything that was kept is then on the disk.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the journal could not be written or synced, now or before.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.end(Ending::Complete);
        self.keeping.fault().map_or(Ok(()), Err)
    }

    /// Removes the journal of a run whose output is complete.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the file cannot be removed, or its folder cannot be synced.
    pub(crate) fn remove(mut self) -> Result<(), Error> {
        self.end(Ending::Discard);
        // The file is still locked, so no other run can be using it.
        remove_file(&self.path)
    }

    /// Lets the thread that writes end, and waits for it.
    fn end(&mut self, ending: Ending) {
        if let Some(writer) = self.writer.take() {
            self.keeping.end(ending);
            // If the thread has panicked, the journal has a fault.
            let _ = writer.join();
        }
    }
}

/// Removes a journal, and makes sure that it is no longer on the disk.
fn remove_file(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(|error| cannot(path, "removed", &error))?;
    sync_folder(folder_of(path), to_disk)
        .map_err(|error| cannot(path, "removed from the disk", &error))
}

impl Drop for Journal {
    /// Writes what was kept, as [`close`](Journal::close) does, if a run ends without closing its journal.
    fn drop(&mut self) {
        self.end(Ending::Complete);
    }
}
