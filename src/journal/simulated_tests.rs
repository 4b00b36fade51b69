//! A disk in memory that remembers every write and sync, so that power can fail after each of them, and that fails on
//! request.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use super::disk::JournalDisk;
use super::opening::write_beginning;
use super::{DescribedRun, EarlierBytes, Journal, Syncing, TableSizes};
use crate::error::Error;

/// What was done to a disk.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Write {
        at: u64,
        bytes: Vec<u8>,
    },
    /// A write that never reaches the disk, because a sync has failed. The system still shows it until it stops.
    GivenUp,
    Truncate(u64),
    Sync,
    /// The test was told that everything before this number is on the disk.
    Confirmed(u64),
}

/// What happens at a write or a sync instead of success.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Error(ErrorKind),
    /// The write writes only this number of bytes, and succeeds.
    Short(usize),
    /// The write writes only this number of bytes, and the next one fails.
    ShortThenError(usize, ErrorKind),
}

#[derive(Default)]
struct Memory {
    bytes: Vec<u8>,
    /// The bytes before the first event.
    before: Vec<u8>,
    events: Vec<Event>,
    /// The number of writes and syncs so far.
    calls: usize,
    /// The number of the call at which there is trouble.
    trouble: Option<(usize, Trouble)>,
}

#[derive(Default)]
pub(super) struct SimulatedDisk(Mutex<Memory>);

pub(super) const PATH: &str = "out.jsonl.journal";

/// Sizes with which few answers need many pages and sorted runs.
pub(super) const SIZES: TableSizes = TableSizes {
    stripes: 2,
    journal_page: 256,
    slots_of_page: 16,
    sorted_at_once: 50,
    merged_at_once: 7,
    filter_bits: 1 << 12,
};

impl SimulatedDisk {
    pub(super) fn new(bytes: Vec<u8>) -> Arc<Self> {
        let memory = Memory {
            before: bytes.clone(),
            bytes,
            ..Memory::default()
        };
        Arc::new(SimulatedDisk(Mutex::new(memory)))
    }

    /// A disk with a journal without answers.
    pub(super) fn with_journal() -> Arc<Self> {
        let disk = Self::default();
        write_beginning(&disk, 42, &some_run()).unwrap();
        assert!(matches!(disk.memory().events.last(), Some(Event::Sync)));
        Self::new(disk.bytes())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.memory().bytes.clone()
    }

    pub(super) fn confirm(&self, before: u64) {
        self.memory().events.push(Event::Confirmed(before));
    }

    /// Makes trouble at the write or sync after this number of others.
    pub(super) fn trouble_after(&self, calls: usize, trouble: Trouble) {
        let mut memory = self.memory();
        memory.trouble = Some((memory.calls + calls, trouble));
    }

    /// Makes no more trouble.
    pub(super) fn repair(&self) {
        self.memory().trouble = None;
    }

    pub(super) fn events(&self) -> usize {
        self.memory().events.len()
    }

    /// What is on the disk if power fails now, and everything that was not synced is lost.
    #[cfg(shuttle)]
    pub(super) fn synced(&self) -> Vec<u8> {
        let memory = self.memory();
        let is_sync = |event: &Event| matches!(event, Event::Sync);
        let synced = memory.events.iter().rposition(is_sync).unwrap_or(0);
        let mut bytes = memory.before.clone();
        for event in &memory.events[..synced] {
            match event {
                Event::Write { at, bytes: new } => put(&mut bytes, *at as usize, new),
                Event::Truncate(length) => bytes.truncate(*length as usize),
                Event::Sync | Event::GivenUp | Event::Confirmed(_) => {}
            }
        }
        bytes
    }

    /// The disk as the next process sees it if the process is killed after this number of events. What was not synced is
    /// still in the memory of the system.
    pub(super) fn after_kill(&self, events: usize) -> Arc<Self> {
        let memory = self.memory();
        let killed = SimulatedDisk::new(memory.before.clone());
        let mut after = killed.memory();
        for event in &memory.events[..events] {
            match event {
                Event::Write { at, bytes } => put(&mut after.bytes, *at as usize, bytes),
                Event::Truncate(length) => after.bytes.truncate(*length as usize),
                Event::Sync | Event::GivenUp | Event::Confirmed(_) => {}
            }
        }
        after.events = memory.events[..events].to_vec();
        drop(after);
        killed
    }

    /// What is on the disk if power fails after this number of events, and the number before which all is confirmed.
    pub(super) fn after_power_failure(
        &self,
        events: usize,
        random: &mut fastrand::Rng,
    ) -> (Vec<u8>, u64) {
        let memory = self.memory();
        let events = &memory.events[..events];
        let synced = events
            .iter()
            .rposition(|event| matches!(event, Event::Sync));
        let synced = synced.map_or(0, |sync| sync + 1);
        let mut bytes = memory.before.clone();
        let mut confirmed = 0;
        let way = random.u8(..4);
        for (number, event) in events.iter().enumerate() {
            let is_lost = number >= synced && (way == 0 || way > 1 && random.bool());
            match event {
                Event::Confirmed(before) => confirmed = *before,
                Event::Sync | Event::GivenUp => {}
                _ if is_lost && random.bool() => {}
                Event::Truncate(length) if !is_lost => bytes.truncate(*length as usize),
                Event::Truncate(_) => {}
                Event::Write { at, bytes: new } if is_lost && way != 0 => {
                    tear(&mut bytes, *at as usize, new, random);
                }
                Event::Write { .. } if is_lost => {}
                Event::Write { at, bytes: new } => put(&mut bytes, *at as usize, new),
            }
        }
        (bytes, confirmed)
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    let end = at + new.len();
    bytes.resize(bytes.len().max(end), 0);
    bytes[at..end].copy_from_slice(new);
}

/// Writes some pieces of `new`, and zeros or garbage in place of others.
fn tear(bytes: &mut Vec<u8>, at: usize, new: &[u8], random: &mut fastrand::Rng) {
    let piece = random.usize(1..64);
    for (number, part) in new.chunks(piece).enumerate() {
        let at = at + number * piece;
        match random.u8(..4) {
            0 => {}
            1 => put(bytes, at, part),
            2 => put(bytes, at, &vec![0; part.len()]),
            _ => {
                let garbage: Vec<u8> = part.iter().map(|_| random.u8(..)).collect();
                put(bytes, at, &garbage);
            }
        }
    }
}

impl JournalDisk for SimulatedDisk {
    fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        let memory = self.memory();
        let rest = memory.bytes.get(at as usize..).unwrap_or_default();
        let length = rest.len().min(room.len());
        room[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        let mut memory = self.memory();
        let length = match memory.trouble_now() {
            None => bytes.len(),
            Some(Trouble::Error(kind)) => return Err(kind.into()),
            Some(Trouble::Short(length) | Trouble::ShortThenError(length, _)) => {
                length.min(bytes.len())
            }
        };
        let bytes = &bytes[..length];
        put(&mut memory.bytes, at as usize, bytes);
        let bytes = bytes.to_vec();
        memory.events.push(Event::Write { at, bytes });
        Ok(length)
    }

    fn sync(&self) -> io::Result<()> {
        let mut memory = self.memory();
        if let Some(Trouble::Error(kind)) = memory.trouble_now() {
            memory.give_up();
            return Err(kind.into());
        }
        memory.events.push(Event::Sync);
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let mut memory = self.memory();
        memory.bytes.truncate(length as usize);
        memory.events.push(Event::Truncate(length));
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.memory().bytes.len() as u64)
    }

    fn scratch(&self) -> io::Result<Arc<dyn JournalDisk>> {
        Ok(Arc::new(SimulatedDisk::default()))
    }
}

impl Memory {
    /// Forgets the writes since the last sync, as a system does whose sync has failed.
    fn give_up(&mut self) {
        let is_sync = |event: &Event| matches!(event, Event::Sync);
        let begin = self.events.iter().rposition(is_sync).unwrap_or(0);
        for event in &mut self.events[begin..] {
            if matches!(event, Event::Write { .. }) {
                *event = Event::GivenUp;
            }
        }
    }

    /// The trouble of this write or sync.
    fn trouble_now(&mut self) -> Option<Trouble> {
        self.calls += 1;
        let (_, trouble) = self.trouble.filter(|(call, _)| *call < self.calls)?;
        self.trouble = match trouble {
            Trouble::ShortThenError(_, kind) => Some((self.calls, Trouble::Error(kind))),
            _ => None,
        };
        Some(trouble)
    }
}

/// Opens the journal on a disk.
pub(super) fn open(disk: &Arc<SimulatedDisk>, syncing: Syncing) -> Result<Journal, Error> {
    open_for(disk, &some_run(), syncing)
}

/// Opens the journal of another run.
pub(super) fn open_for(
    disk: &Arc<SimulatedDisk>,
    run: &DescribedRun,
    syncing: Syncing,
) -> Result<Journal, Error> {
    let disk: Arc<dyn JournalDisk> = Arc::clone(disk) as _;
    Journal::open_on(disk, Path::new(PATH), run, syncing, SIZES)
}

/// What the answers of most tests belong to.
pub(super) fn some_run() -> DescribedRun {
    DescribedRun {
        is_paid: false,
        parts: vec![("the scorer".to_owned(), 7)],
        outputs: Vec::new(),
    }
}

/// Recovers the journal on a disk with these bytes, without a thread that writes. The result finds answers.
pub(super) fn recover(
    bytes: Vec<u8>,
) -> Result<(Arc<SimulatedDisk>, super::EarlierAnswers), Error> {
    let disk = SimulatedDisk::new(bytes);
    let shared: Arc<dyn JournalDisk> = Arc::clone(&disk) as _;
    let (EarlierBytes { .. }, answers, _) =
        super::recover(Path::new(PATH), &shared, &some_run(), SIZES)?;
    Ok((disk, answers))
}

/// The answer that tests keep for a number: its bytes say which one it is.
pub(super) fn answer_of(number: u64) -> Vec<u8> {
    let length = (number * 7 % 40) as usize;
    let mut answer = number.to_le_bytes().to_vec();
    answer.resize(8 + length, number as u8);
    answer
}
