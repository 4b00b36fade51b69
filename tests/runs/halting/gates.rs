//! Tasks that wait for each other, so that a failure falls before, beside or behind its neighbours.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Something that other threads wait for.
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
        assert!(*is_open, "the other worker never came that far");
    }
}

/// When the record whose failure halts the run fails, if other workers have the records beside it.
#[derive(Clone, Copy, Debug)]
pub enum Fails {
    /// Before the record in front of it is done.
    Early,
    /// After the record behind it has been started, which is done only once the run is halted.
    Raced,
    /// After the record behind it is done.
    Late,
}

/// The record whose failure halts the run in cases with gates.
pub const HALTING: u64 = 4;

/// Longer than a portion lasts at most, so that executors hand out records of this length one by one,
/// and neighbours have workers of their own.
const UNHURRIED: Duration = Duration::from_micros(300);

/// Who waits for whom.
pub struct Gates {
    pub fails: Fails,
    /// The record beside the failing one, or the failing one, has come as far as the other waits for.
    pub beside: Gate,
}

impl Gates {
    pub fn pass(&self, number: u64, halted: &Gate) {
        if number <= HALTING + 1 {
            thread::sleep(UNHURRIED);
        }
        const BEFORE: u64 = HALTING - 1;
        const AFTER: u64 = HALTING + 1;
        match (self.fails, number) {
            (Fails::Early, BEFORE) | (Fails::Raced | Fails::Late, HALTING) => self.beside.pass(),
            (Fails::Early, HALTING) | (Fails::Late, AFTER) => self.beside.open(),
            (Fails::Raced, AFTER) => {
                self.beside.open();
                halted.pass();
            }
            _ => {}
        }
    }
}
