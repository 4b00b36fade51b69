//! A memory for tests. The test says when its disk has what was kept, and whether it fails.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::CallMemory;
use crate::error::Error;
use crate::journal::KeptAt;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use crate::sync::{Mutex, lock};

/// What the disk of a notebook does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum NotebookDisk {
    #[default]
    Prompt,
    /// Only every third wait is long enough, and what is kept meanwhile is not on the disk.
    Slow,
    /// What is kept is on the disk after this time.
    Late(Duration),
    Silent,
}

/// The method of a notebook that returns errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BrokenPart {
    Find,
    Keep,
    Wait,
}

/// Keeps scores of numbers in memory.
#[derive(Default)]
pub(super) struct Notebook {
    pub(super) earlier: BTreeMap<u64, u64>,
    pub(super) disk: NotebookDisk,
    /// What is broken, and after how many calls that were successful.
    pub(super) broken: Option<(BrokenPart, u64)>,
    /// The records that were looked up, in this order.
    pub(super) looked_up: Mutex<Vec<u64>>,
    /// The answers that were kept, in this order.
    pub(super) kept: Mutex<Vec<(u64, u64)>>,
    /// When they were kept.
    times: Mutex<Vec<Instant>>,
    /// How many of them are on the disk.
    pub(super) on_disk: AtomicU64,
    pub(super) waits: AtomicU64,
    has_failed: AtomicBool,
}

impl Notebook {
    /// The notebook that a later run finds.
    pub(super) fn reopened(self) -> Self {
        let mut earlier = self.earlier;
        earlier.extend(lock(&self.kept).drain(..));
        Notebook {
            earlier,
            ..Notebook::default()
        }
    }

    /// How many answers were kept before this record was, and with it.
    pub(super) fn place(&self, record: u64) -> Option<u64> {
        let kept = lock(&self.kept);
        let place = kept.iter().position(|(other, _)| *other == record);
        place.map(|place| place as u64 + 1)
    }

    fn check(&self, part: BrokenPart, calls: u64) -> Result<(), Error> {
        assert!(
            part != BrokenPart::Keep || !self.has_failed.load(SeqCst),
            "an answer is kept after an error"
        );
        if self.broken != Some((part, calls)) {
            return Ok(());
        }
        self.has_failed.store(true, SeqCst);
        Err(Error::Plan(format!("the notebook is broken: {part:?}")))
    }
}

impl CallMemory<u64, u64> for Notebook {
    fn find(&self, record: &u64) -> Result<Option<u64>, Error> {
        let mut looked_up = lock(&self.looked_up);
        self.check(BrokenPart::Find, looked_up.len() as u64)?;
        looked_up.push(*record);
        Ok(self.earlier.get(record).copied())
    }

    fn keep(&self, record: &u64, answer: &u64) -> Result<KeptAt, Error> {
        let mut kept = lock(&self.kept);
        self.check(BrokenPart::Keep, kept.len() as u64)?;
        kept.push((*record, *answer));
        lock(&self.times).push(Instant::now());
        Ok(KeptAt(kept.len() as u64))
    }

    fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        assert!(at.0 > 0 && at.0 <= lock(&self.kept).len() as u64);
        let waits = self.waits.fetch_add(1, SeqCst);
        self.check(BrokenPart::Wait, waits)?;
        let is_confirmed = match self.disk {
            NotebookDisk::Prompt => true,
            NotebookDisk::Slow => {
                sleep(at_most.min(Duration::from_millis(1)));
                waits % 3 == 2
            }
            NotebookDisk::Late(time) => {
                let kept = lock(&self.times)[at.0 as usize - 1];
                let left = time.saturating_sub(kept.elapsed());
                sleep(left.min(at_most));
                left <= at_most
            }
            NotebookDisk::Silent => {
                sleep(at_most);
                false
            }
        };
        if is_confirmed {
            self.on_disk.fetch_max(at.0, SeqCst);
        }
        Ok(is_confirmed)
    }
}
