//! Gates make tasks wait for each other, so that a failure occurs before, during or after the records next to it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// An event for which threads can wait.
#[derive(Default)]
pub struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub fn open(&self) {
        *self.is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }

    pub fn pass(&self) {
        const PATIENCE: Duration = Duration::from_secs(60);
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .opened
            .wait_timeout_while(is_open, PATIENCE, |is_open| !*is_open);
        let (is_open, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(*is_open, "the event never came");
    }
}

/// The moment at which the failure that halts the run occurs. Other workers score the previous and the next record.
#[derive(Clone, Copy, Debug)]
pub enum Fails {
    /// The failure occurs before the previous record is done.
    Early,
    /// The failure occurs after the next record has been started. That record is not done until the run is halted.
    Raced,
    /// The failure occurs after the next record is done.
    Late,
}

/// Index of the record whose failure halts the run in cases with gates.
pub const HALTING: u64 = 4;

/// Time that the first records take. It is longer than the longest portion, so executors hand out these records one
/// by one, and different workers score consecutive records.
const LONGER_THAN_A_PORTION: Duration = Duration::from_micros(300);

/// The gates of one run, which determine which record waits for which other record.
pub struct Gates {
    pub fails: Fails,
    /// The failing record or the record next to it opens this gate when it has reached the point for which the other
    /// record waits.
    pub neighbour: Gate,
}

impl Gates {
    pub fn pass(&self, number: u64, halted: &Gate) {
        if number <= HALTING + 1 {
            thread::sleep(LONGER_THAN_A_PORTION);
        }
        const BEFORE: u64 = HALTING - 1;
        const AFTER: u64 = HALTING + 1;
        match (self.fails, number) {
            (Fails::Early, BEFORE) | (Fails::Raced | Fails::Late, HALTING) => self.neighbour.pass(),
            (Fails::Early, HALTING) | (Fails::Late, AFTER) => self.neighbour.open(),
            (Fails::Raced, AFTER) => {
                self.neighbour.open();
                halted.pass();
            }
            _ => {}
        }
    }
}
