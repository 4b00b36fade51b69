//! Answers on their way from the threads that keep them to the thread that writes them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::fault::JournalFault;
use super::format::{HEADER_BYTES, push_entry};
use super::memory::KeptAt;
use super::threads::{PARTS, ThreadsApart, apart, part_of_thread};
use crate::error::Error;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use crate::sync::{Condvar, Mutex, lock, wait, wait_at_most};

/// The length at which a block is handed to the thread that writes it.
const FULL_BLOCK_BYTES: usize = 64 << 10;

/// The number of written blocks whose memory is kept for other blocks. More than these are rarely on their way at once.
const SPARE_BLOCKS: usize = 8;

/// The most bytes that may wait to be written. Threads that keep more wait until there is room.
const MOST_WAITING_BYTES: usize = 16 << 20;

/// The longest answer that can be kept, in bytes.
const MOST_ANSWER_BYTES: usize = 1 << 30;

/// Entries that become a block of the journal. The bytes begin with room for the header.
#[derive(Default)]
pub(super) struct GatheredBlock {
    pub(super) bytes: Vec<u8>,
    pub(super) entries: u32,
}

impl GatheredBlock {
    /// Memory for a full block, which is a little longer than its least length.
    fn room() -> Vec<u8> {
        Vec::with_capacity(FULL_BLOCK_BYTES + FULL_BLOCK_BYTES / 8)
    }
}

/// What the threads of one part have kept.
#[derive(Default)]
struct KeptInPart {
    block: GatheredBlock,
    /// The number of answers since the run began.
    kept: u64,
}

/// How the thread that writes ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Everything that was kept is written and synced before.
    Complete,
    /// What is not written is given up, since the file is about to be removed.
    Discard,
}

/// What the thread that writes does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriterStep {
    /// It writes the full blocks.
    Write,
    /// It writes everything that was kept, and syncs.
    Sync,
    /// It does the same, and ends.
    End,
    /// It ends at once.
    Discard,
}

/// What the threads that keep and the thread that writes know of each other.
#[derive(Default)]
struct WriterState {
    full: Vec<GatheredBlock>,
    /// The memory of blocks that were written.
    spare: Vec<Vec<u8>>,
    /// What was kept before this generation is on the disk.
    on_disk: u64,
    is_sync_wanted: bool,
    ending: Option<Ending>,
    fault: Option<JournalFault>,
}

/// Answers that are not written yet, and what the threads of a run wait for.
///
/// Time is divided into *generations*. Each sync begins a new one, and everything that was kept in the generations before
/// is on the disk once it succeeds.
pub(super) struct Keeping {
    path: PathBuf,
    parts: Box<[ThreadsApart<Mutex<KeptInPart>>]>,
    generation: AtomicU64,
    /// Whether something is to be synced that the last sync may have missed.
    is_pending: AtomicBool,
    waiting_bytes: AtomicUsize,
    has_failed: AtomicBool,
    state: Mutex<WriterState>,
    /// Wakes the thread that writes.
    work: Condvar,
    /// Wakes the threads that wait for the disk or for room.
    done: Condvar,
}

impl Keeping {
    pub(super) fn new(path: PathBuf) -> Self {
        let state = WriterState {
            on_disk: 1,
            ..WriterState::default()
        };
        Keeping {
            path,
            parts: apart(PARTS),
            // What has the place 0 was never kept, so a thread that waits for it returns at once.
            generation: AtomicU64::new(1),
            is_pending: AtomicBool::new(false),
            waiting_bytes: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
            state: Mutex::new(state),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    /// Takes an answer that is to be written.
    pub(super) fn keep(&self, index: u64, key: u128, answer: &[u8]) -> Result<KeptAt, Error> {
        if answer.len() > MOST_ANSWER_BYTES {
            let reason = "an answer has more than 1 GiB, and cannot be kept; run without a journal";
            return Err(JournalFault::new(reason).error(&self.path));
        }
        if self.has_failed.load(SeqCst) || self.waiting_bytes.load(SeqCst) > MOST_WAITING_BYTES {
            self.wait_for_room()?;
        }
        let at = {
            let mut part = lock(&self.parts[part_of_thread()].0);
            if part.block.bytes.is_empty() {
                part.block.bytes.resize(HEADER_BYTES, 0);
            }
            push_entry(&mut part.block.bytes, index, key, answer);
            part.block.entries += 1;
            part.kept += 1;
            // The generation is read, and a full block handed on, before the part is released: a sync that begins later
            // finds the entry either here or among the full blocks.
            let at = KeptAt(self.generation.load(SeqCst));
            if part.block.bytes.len() >= FULL_BLOCK_BYTES {
                let full = std::mem::take(&mut part.block);
                self.waiting_bytes.fetch_add(full.bytes.len(), SeqCst);
                let mut state = lock(&self.state);
                state.full.push(full);
                let spare = state.spare.pop();
                drop(state);
                self.work.notify_one();
                part.block.bytes = spare.unwrap_or_else(GatheredBlock::room);
            }
            at
        };
        self.wants_sync();
        Ok(at)
    }

    /// Takes a block that says something of the run. Returns the place at which it is on the disk.
    pub(super) fn describe(&self, bytes: Vec<u8>) -> KeptAt {
        self.waiting_bytes.fetch_add(bytes.len(), SeqCst);
        let at = {
            let mut state = lock(&self.state);
            state.full.push(GatheredBlock { bytes, entries: 0 });
            KeptAt(self.generation.load(SeqCst))
        };
        self.wants_sync();
        at
    }

    /// Notes that something is to be synced when a sync is due: kept answers, or the outputs of the run.
    pub(super) fn wants_sync(&self) {
        if !self.is_pending.load(SeqCst) && !self.is_pending.swap(true, SeqCst) {
            // The lock makes sure that the thread that writes either sees the flag or already waits.
            drop(lock(&self.state));
            self.work.notify_one();
        }
    }

    /// Waits until fewer bytes wait to be written.
    fn wait_for_room(&self) -> Result<(), Error> {
        let mut state = lock(&self.state);
        loop {
            if let Some(fault) = &state.fault {
                return Err(fault.error(&self.path));
            }
            if self.waiting_bytes.load(SeqCst) <= MOST_WAITING_BYTES {
                return Ok(());
            }
            state = wait(&self.done, state);
        }
    }

    /// Waits until what was kept up to there is on the disk, but at most this long. Returns whether it is.
    pub(super) fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        let began = Instant::now();
        let mut state = lock(&self.state);
        loop {
            if at.0 < state.on_disk {
                return Ok(true);
            }
            if let Some(fault) = &state.fault {
                return Err(fault.error(&self.path));
            }
            let left = at_most.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            if !state.is_sync_wanted {
                state.is_sync_wanted = true;
                self.work.notify_one();
            }
            state = wait_at_most(&self.done, state, left);
        }
    }

    /// The number of answers that this run has kept.
    pub(super) fn kept(&self) -> u64 {
        self.parts.iter().map(|part| lock(&part.0).kept).sum()
    }

    /// Asks the thread that writes to end.
    pub(super) fn end(&self, ending: Ending) {
        lock(&self.state).ending = Some(ending);
        self.work.notify_one();
    }

    /// The error of the thread that writes, if it has failed.
    pub(super) fn fault(&self) -> Option<Error> {
        let state = lock(&self.state);
        state.fault.as_ref().map(|fault| fault.error(&self.path))
    }

    /// Waits until there is something to do. A sync is due after the pause that `pause` returns, which is called again
    /// after each wait. `is_unsynced` says whether something was written since the last sync.
    pub(super) fn next_step(&self, is_unsynced: bool, pause: impl Fn() -> Duration) -> WriterStep {
        let mut state = lock(&self.state);
        loop {
            match state.ending {
                Some(Ending::Complete) => return WriterStep::End,
                Some(Ending::Discard) => return WriterStep::Discard,
                None => {}
            }
            let is_pending = is_unsynced || !state.full.is_empty() || self.is_pending.load(SeqCst);
            let left = pause();
            if state.is_sync_wanted || is_pending && left.is_zero() {
                state.is_sync_wanted = false;
                return WriterStep::Sync;
            }
            if !state.full.is_empty() {
                return WriterStep::Write;
            }
            state = match is_pending {
                true => wait_at_most(&self.work, state, left),
                false => wait(&self.work, state),
            };
        }
    }

    /// Takes the full blocks.
    pub(super) fn take_full(&self) -> Vec<GatheredBlock> {
        std::mem::take(&mut lock(&self.state).full)
    }

    /// Begins a generation, and takes everything that was kept before. Returns the generation.
    pub(super) fn take_all(&self) -> (u64, Vec<GatheredBlock>) {
        self.is_pending.store(false, SeqCst);
        let generation = self.generation.fetch_add(1, SeqCst) + 1;
        let mut gathered = Vec::new();
        let mut open = GatheredBlock::default();
        for part in &self.parts {
            let mut part = lock(&part.0);
            if part.block.entries == 0 {
                continue;
            }
            if open.bytes.is_empty() {
                open = std::mem::take(&mut part.block);
            } else {
                open.bytes
                    .extend_from_slice(&part.block.bytes[HEADER_BYTES..]);
                open.entries += part.block.entries;
                part.block.bytes.truncate(HEADER_BYTES);
                part.block.entries = 0;
            }
            if open.bytes.len() >= FULL_BLOCK_BYTES {
                gathered.push(std::mem::take(&mut open));
            }
        }
        if open.entries > 0 {
            gathered.push(open);
        }
        let bytes = gathered.iter().map(|block| block.bytes.len()).sum();
        self.waiting_bytes.fetch_add(bytes, SeqCst);
        // The full blocks are taken last: a thread may hand one on until its part has been looked at.
        let mut all = self.take_full();
        all.append(&mut gathered);
        (generation, all)
    }

    /// Notes that a block was written, so that there is room for others, and takes its memory for one of them.
    pub(super) fn has_written(&self, block: GatheredBlock) {
        let GatheredBlock { mut bytes, .. } = block;
        let before = self.waiting_bytes.fetch_sub(bytes.len(), SeqCst);
        let is_usual = bytes.capacity() <= 2 * FULL_BLOCK_BYTES;
        let mut state = lock(&self.state);
        if is_usual && state.spare.len() < SPARE_BLOCKS {
            bytes.clear();
            state.spare.push(bytes);
        }
        drop(state);
        if before > MOST_WAITING_BYTES {
            self.done.notify_all();
        }
    }

    /// Whether nothing was kept since the last sync began.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_pending.load(SeqCst)
    }

    /// Notes that everything before this generation is on the disk.
    pub(super) fn has_synced(&self, generation: u64) {
        lock(&self.state).on_disk = generation;
        self.done.notify_all();
    }

    /// Notes that the journal cannot be written any more.
    pub(super) fn fail(&self, fault: JournalFault) {
        let mut state = lock(&self.state);
        state.fault.get_or_insert(fault);
        state.full = Vec::new();
        self.has_failed.store(true, SeqCst);
        drop(state);
        self.done.notify_all();
    }
}
