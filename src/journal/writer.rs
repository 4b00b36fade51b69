//! The thread that writes a journal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::disk::{JournalDisk, write_all};
use super::fault::JournalFault;
use super::format::{BlockPlace, HEADER_BYTES, complete_block};
use super::keeping::{GatheredBlock, Keeping, WriterStep};
use crate::error::Error;
use crate::sync::thread::{Builder, JoinHandle};
use crate::sync::{Mutex, lock};
use crate::synced::OpenOutput;

/// How soon kept answers must be on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syncing {
    /// As soon as the disk allows: answers that were paid for.
    AtOnce,
    /// Seldom, so that syncing takes at most about 2 % of the time: answers that can be computed again.
    Seldom,
}

/// The shortest time between two syncs of a journal that is synced seldom.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// The time between two syncs, in durations of the last one.
const PAUSE_IN_SYNCS: u32 = 50;

impl Syncing {
    /// The time until the next sync. `since` is the time since the last one, which took `took`.
    fn pause(self, since: Duration, took: Duration) -> Duration {
        match self {
            Syncing::AtOnce => Duration::ZERO,
            Syncing::Seldom => {
                let pause = took.saturating_mul(PAUSE_IN_SYNCS).max(SHORTEST_PAUSE);
                pause.saturating_sub(since)
            }
        }
    }
}

/// Outputs that are synced with a journal, so that little is left to sync when they are complete.
#[derive(Default)]
pub(super) struct OutputsToSync(Mutex<Vec<Arc<OpenOutput>>>);

impl OutputsToSync {
    pub(super) fn add(&self, output: Arc<OpenOutput>) {
        lock(&self.0).push(output);
    }

    fn sync(&self) -> Result<(), JournalFault> {
        let outputs = lock(&self.0).clone();
        for output in outputs {
            let synced = output.file.sync_data();
            synced.map_err(|error| {
                JournalFault::of_system("synced to the disk", &error).of_file(&output.path)
            })?;
        }
        Ok(())
    }
}

/// Writes what is kept, and syncs it.
pub(super) struct JournalWriter {
    keeping: Arc<Keeping>,
    outputs: Arc<OutputsToSync>,
    disk: Arc<dyn JournalDisk>,
    syncing: Syncing,
    salt: u64,
    /// Where the next block begins.
    end: u64,
    /// Everything before this offset is on the disk.
    on_disk: u64,
    /// Whether an answer was written since the last sync.
    is_unsynced: bool,
    /// The end of the last sync of the journal and the outputs.
    synced: Instant,
    /// How long the last sync of the journal took.
    sync_took: Duration,
}

impl JournalWriter {
    /// Starts the thread. The blocks of the journal with this salt are written from `end` on, and everything before is on
    /// the disk.
    pub(super) fn start(
        keeping: Arc<Keeping>,
        outputs: Arc<OutputsToSync>,
        disk: Arc<dyn JournalDisk>,
        syncing: Syncing,
        (salt, end): (u64, u64),
    ) -> Result<JoinHandle<()>, Error> {
        let writer = JournalWriter {
            keeping,
            outputs,
            disk,
            syncing,
            salt,
            end,
            on_disk: end,
            is_unsynced: false,
            synced: Instant::now(),
            sync_took: Duration::ZERO,
        };
        let thread = Builder::new().name("manyhands-journal".to_owned());
        thread.spawn(move || writer.run()).map_err(Error::no_thread)
    }

    fn run(mut self) {
        let keeping = Arc::clone(&self.keeping);
        // If this thread panics, the threads that wait for it must not wait forever.
        let _end = EndOfWriter(&keeping);
        if let Err(fault) = self.write_until_end() {
            keeping.fail(fault);
        }
    }

    fn write_until_end(&mut self) -> Result<(), JournalFault> {
        loop {
            let step = self.keeping.next_step(self.is_unsynced, || {
                self.syncing.pause(self.synced.elapsed(), self.sync_took)
            });
            match step {
                WriterStep::Write => self.write(self.keeping.take_full())?,
                WriterStep::Sync => self.write_and_sync(false)?,
                WriterStep::End => return self.write_and_sync(true),
                WriterStep::Discard => return Ok(()),
            }
        }
    }

    fn write(&mut self, blocks: Vec<GatheredBlock>) -> Result<(), JournalFault> {
        for mut block in blocks {
            self.append(&mut block.bytes, block.entries)?;
            self.is_unsynced = true;
            self.keeping.has_written(block);
        }
        Ok(())
    }

    fn write_and_sync(&mut self, is_last: bool) -> Result<(), JournalFault> {
        let (generation, blocks) = self.keeping.take_all();
        self.write(blocks)?;
        let was_unsynced = self.is_unsynced;
        if was_unsynced {
            self.sync()?;
        }
        // The next block says what is on the disk. If none is to be written now, a block without entries says it, so that
        // damage to the last answers is noticed. It is written before the threads that wait go on, since one of them may be
        // about to rename the file.
        if was_unsynced && (self.keeping.is_idle() || is_last) {
            self.append(&mut [0; HEADER_BYTES], 0)?;
        }
        self.keeping.has_synced(generation);
        // A paid answer must not wait for the outputs, which are short compared with the time of such a run.
        if self.syncing == Syncing::Seldom && !is_last {
            self.outputs.sync()?;
        }
        self.synced = Instant::now();
        Ok(())
    }

    /// Completes and writes a block. A failed write is never made again.
    fn append(&mut self, block: &mut [u8], entries: u32) -> Result<(), JournalFault> {
        let place = BlockPlace {
            salt: self.salt,
            at: self.end,
        };
        complete_block(block, entries, self.on_disk, place);
        write_all(&*self.disk, block, self.end)
            .map_err(|error| JournalFault::of_system("written", &error))?;
        self.end += block.len() as u64;
        Ok(())
    }

    /// Syncs what was written. A failed sync is never made again, since the system may report success for bytes that it has
    /// given up. For the same reason, a later run must not find these bytes in the memory of the system and take them for
    /// bytes that are on the disk, so they are cut off.
    fn sync(&mut self) -> Result<(), JournalFault> {
        let began = Instant::now();
        if let Err(error) = self.disk.sync() {
            // If they cannot be cut off either, the error that is reported is still the first one.
            let _ = self.disk.truncate(self.on_disk);
            return Err(JournalFault::of_system("synced to the disk", &error));
        }
        self.sync_took = began.elapsed();
        self.on_disk = self.end;
        self.is_unsynced = false;
        Ok(())
    }
}

/// Wakes the threads that wait for the thread that writes when it ends.
struct EndOfWriter<'a>(&'a Keeping);

impl Drop for EndOfWriter<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(JournalFault::new(
                "the thread that writes it has panicked; run again with this journal",
            ));
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn syncs_are_seldom_if_they_take_long() {
        let ms = Duration::from_millis;
        assert_eq!(Syncing::AtOnce.pause(ms(0), ms(9)), ms(0));
        assert_eq!(Syncing::Seldom.pause(ms(30), ms(1)), ms(70));
        assert_eq!(Syncing::Seldom.pause(ms(30), ms(10)), ms(470));
        assert_eq!(Syncing::Seldom.pause(ms(600), ms(10)), ms(0));
    }
}
