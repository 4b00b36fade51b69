//! The place of one worker: its process, the records that it has taken, and how far each of them is.
//!
//! The records of a slot are visited in their order, and each is visited only when its outcome is certain. They are
//! sent in their order too, but a record may be sent again: after a process died, to find the record of which it died,
//! or after a pause, if failed records are to be retried. So a record that is sent is named by its number in the slot.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use super::entry::Entry;
use super::process::ProgramProcess;
use super::window::Window;
use crate::journal::KeptAt;
use crate::remote::start_history::StartHistory;

/// A record of a slot: its place among all records that the slot has taken.
pub(super) type RecordNumber = u64;

/// The most records that a slot holds. It is larger than the largest number of records in flight.
const MOST_HELD: usize = 1 << 17;
/// The most bytes of records that a slot holds.
const MOST_HELD_BYTES: usize = 32 << 20;

/// The place of one worker.
#[derive(Debug)]
pub(super) struct WorkerSlot {
    /// The records that have not been visited, in order.
    entries: VecDeque<Entry>,
    /// The index in the dataset of the first of them, for other workers. If there are none, it is greater than any index.
    earliest: Arc<AtomicU64>,
    /// Number of bytes of these records.
    held: usize,
    /// Number of these records whose answers were taken over from an earlier run.
    taken_over: usize,
    /// What was kept up to there is on the disk, as far as is known.
    pub(super) on_disk: Option<KeptAt>,
    /// The number of the first of them.
    first: RecordNumber,
    /// The records that are to be sent, in order.
    pub(super) waiting: VecDeque<RecordNumber>,
    /// The records of which a process may have died. They are sent before the others.
    pub(super) suspects: VecDeque<RecordNumber>,
    /// How suspects are sent; `None` if there are none.
    pub(super) careful: Option<Careful>,
    /// Why a process has answered fewer records than it was sent, as long as no record was found to be the reason.
    pub(super) unexplained: Option<String>,
    /// Failed records that are tried again at a certain time.
    pub(super) retried: Vec<(Instant, RecordNumber)>,
    pub(super) window: Window,
    pub(super) process: Option<Box<UsedProcess>>,
    /// Whether the supply has no more records for this slot.
    pub(super) is_last: bool,
}

/// How the records are sent of which a process may have died.
#[derive(Clone, Copy, Debug)]
pub(super) struct Careful {
    /// Number of records that are sent at once.
    pub(super) at_once: usize,
    /// Whether the input is closed after these records, because the program buffers its answers.
    pub(super) closes: bool,
    /// Whether twice as many records are sent at once each time that all records which were sent have been answered.
    pub(super) grows: bool,
    /// Whether records have been sent since this number was set.
    pub(super) has_begun: bool,
}

impl Careful {
    /// Sends this number of suspects at once.
    pub(super) fn new(at_once: usize, closes: bool) -> Self {
        Careful {
            at_once,
            closes,
            grows: false,
            has_begun: false,
        }
    }
}

/// A running process, and what it has been sent.
#[derive(Debug)]
pub(super) struct UsedProcess {
    pub(super) pipes: ProgramProcess,
    /// The records that were sent and not answered, in the order of sending.
    pub(super) in_flight: VecDeque<RecordNumber>,
    /// Number of records in each line that was sent and not answered.
    pub(super) lines: VecDeque<usize>,
    /// Number of bytes of the records in flight.
    pub(super) bytes: usize,
    /// The records whose answers are not certain yet, since the process may write one line too many.
    pub(super) unverified: Vec<RecordNumber>,
    /// The time from which the oldest unverified answer is waiting.
    pub(super) unverified_since: Instant,
    /// Number of bytes of the unverified answers.
    pub(super) unverified_bytes: usize,
    /// Number of answers that were used although it was not certain to which records they belong, because the program
    /// buffers its answers.
    pub(super) trusted: u64,
    /// Since when the process has read everything that it was sent, and not answered. `None` if this is not known.
    pub(super) has_read_since: Option<Instant>,
    /// When the input was closed because further records could not be taken before the process has answered.
    pub(super) hurried: Option<Instant>,
    /// Whether the input was closed because the process had read everything and did not answer.
    pub(super) is_questioned: bool,
    pub(super) started: Instant,
    /// The time from which the oldest record in flight is the next to be answered.
    pub(super) front_since: Instant,
    pub(super) sent: u64,
    pub(super) has_answered: bool,
    /// Whether the process was silent after its last answer, although it had read everything, so that it may wait for more
    /// records before it answers.
    pub(super) is_silent: bool,
    /// How often this was so.
    pub(super) silences: u32,
    /// Whether the process has once not come to rest when it had no records.
    pub(super) is_restless: bool,
    pub(super) memory_checked: Instant,
    /// The history of the run from when the process was started.
    pub(super) before: StartHistory,
}

impl UsedProcess {
    pub(super) fn new(pipes: ProgramProcess, before: StartHistory, now: Instant) -> Self {
        UsedProcess {
            pipes,
            in_flight: VecDeque::new(),
            lines: VecDeque::new(),
            bytes: 0,
            unverified: Vec::new(),
            unverified_since: now,
            unverified_bytes: 0,
            trusted: 0,
            has_read_since: None,
            hurried: None,
            is_questioned: false,
            started: now,
            front_since: now,
            sent: 0,
            has_answered: false,
            is_silent: false,
            silences: 0,
            is_restless: false,
            memory_checked: now,
            before,
        }
    }
}

impl WorkerSlot {
    pub(super) fn new() -> Self {
        WorkerSlot {
            entries: VecDeque::new(),
            earliest: Arc::new(AtomicU64::new(u64::MAX)),
            held: 0,
            taken_over: 0,
            on_disk: None,
            first: 0,
            waiting: VecDeque::new(),
            suspects: VecDeque::new(),
            careful: None,
            unexplained: None,
            retried: Vec::new(),
            window: Window::new(Instant::now()),
            process: None,
            is_last: false,
        }
    }

    /// Adds a record that was taken from the supply.
    pub(super) fn add(&mut self, entry: Entry) {
        if !entry.is_done() {
            self.waiting
                .push_back(self.first + self.entries.len() as u64);
        }
        self.held += entry.held_bytes();
        self.taken_over += usize::from(entry.is_taken_over);
        self.entries.push_back(entry);
        self.tell_earliest();
    }

    fn tell_earliest(&self) {
        let first = self.first_index().unwrap_or(u64::MAX);
        self.earliest.store(first, SeqCst);
    }

    /// The index of the first record that has not been visited, which other workers can read while one uses the slot.
    pub(super) fn earliest(&self) -> &Arc<AtomicU64> {
        &self.earliest
    }

    /// The record with this number, which has not been visited.
    pub(super) fn entry(&mut self, number: RecordNumber) -> &mut Entry {
        &mut self.entries[(number - self.first) as usize]
    }

    /// The first records that have not been visited, in order.
    pub(super) fn first_entries(&self, count: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().take(count)
    }

    /// Number of records that are held and whose answers were taken over from an earlier run.
    pub(super) fn taken_over(&self) -> usize {
        self.taken_over
    }

    /// The index in the dataset of the first record that has not been visited.
    pub(super) fn first_index(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.at.index)
    }

    /// Number of records at the front that can be visited now and are consecutive, but at most `most`.
    pub(super) fn ready(&self, most: usize) -> usize {
        let Some(first) = self.first_index() else {
            return 0;
        };
        let indices = (first..).zip(&self.entries).take(most);
        let ready =
            indices.take_while(|(index, entry)| entry.at.index == *index && entry.is_done());
        ready.count()
    }

    /// Takes the first records, which are ready.
    pub(super) fn take(&mut self, count: usize) -> Vec<Entry> {
        self.first += count as u64;
        let taken: Vec<_> = self.entries.drain(..count).collect();
        self.held -= taken.iter().map(Entry::held_bytes).sum::<usize>();
        self.taken_over -= taken.iter().filter(|entry| entry.is_taken_over).count();
        self.tell_earliest();
        taken
    }

    /// Whether the slot holds as many records as it may. This is so if a record waits to be tried again
    /// while the program answers many others.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= MOST_HELD || self.held >= MOST_HELD_BYTES
    }

    /// Whether every record that was taken has been visited.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether nothing is left to be done, now or later.
    pub(super) fn is_finished(&self) -> bool {
        self.is_last && self.is_empty() && self.process.is_none()
    }

    /// Whether no record is left to be sent, now or later.
    pub(super) fn has_sent_all(&self) -> bool {
        self.waiting.is_empty() && self.suspects.is_empty() && self.retried.is_empty()
    }

    /// Whether the process is new and has not answered yet.
    pub(super) fn is_starting(&self) -> bool {
        let process = self.process.as_ref();
        process.is_some_and(|process| !process.has_answered)
    }

    /// Whether the process has answered all records that it was sent, and the answers are certain.
    pub(super) fn has_verified_all(&self) -> bool {
        let process = self.process.as_ref();
        process.is_none_or(|process| process.in_flight.is_empty() && process.unverified.is_empty())
    }

    /// Number of records in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.process
            .as_ref()
            .map_or(0, |process| process.in_flight.len())
    }

    /// Moves records whose time has come back to those that are sent. Returns the time until the next one.
    pub(super) fn release_retried(&mut self, now: Instant) -> Option<Duration> {
        let mut next: Option<Duration> = None;
        let mut due = Vec::new();
        self.retried.retain(|(at, number)| {
            let left = at.saturating_duration_since(now);
            if left.is_zero() {
                due.push(*number);
            } else {
                next = Some(next.map_or(left, |next| next.min(left)));
            }
            !left.is_zero()
        });
        for number in due {
            self.waiting.push_front(number);
        }
        next
    }
}
