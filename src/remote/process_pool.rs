//! The worker processes of a run, or of several.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use super::process::{PATIENCE, Process};
use crate::error::Error;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// Worker processes, which end with it.
///
/// Each is the same program, started with the argument `worker`, and makes ready what the pool was made
/// for: the scorer of a [`Plan`](crate::plan::Plan), see [`Plan::process_pool`]. Records are sent to them
/// over pipes, some at a time. A process that dies is started again; of the records it had in its hands
/// those that are to blame fail, and the others are scored.
///
/// [`Plan::process_pool`]: crate::plan::Plan::process_pool
#[derive(Debug)]
pub struct ProcessPool {
    program: PathBuf,
    setup: Vec<u8>,
    workers: usize,
    pinned: bool,
    idle: Mutex<Vec<Process>>,
    /// Whether one could not be kept in its place.
    displaced: AtomicBool,
    /// What they have told of their processor time, in nanoseconds.
    cpu: AtomicU64,
}

impl ProcessPool {
    /// A pool of so many processes of a program, told what to make ready; none is started yet.
    pub(crate) fn new(program: PathBuf, setup: Vec<u8>, workers: usize, pinned: bool) -> Self {
        ProcessPool {
            program,
            setup,
            workers: workers.max(1),
            pinned,
            idle: Mutex::default(),
            displaced: AtomicBool::new(false),
            cpu: AtomicU64::new(0),
        }
    }

    /// How many processes it has.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Starts those processes that are missing, side by side, and waits until all are ready. For when
    /// nobody uses the pool: a run does so at its beginning, and whoever did it before has paid what it
    /// costs.
    ///
    /// # Errors
    ///
    /// Where the program cannot be started, is no worker, or cannot make ready what it is asked for.
    pub fn start(&self) -> Result<(), Error> {
        let mut idle = lock(&self.idle);
        let there: HashSet<usize> = idle.iter().map(|process| process.number).collect();
        let missing = (0..self.workers).filter(|number| !there.contains(number));
        let spawn = |number| Process::spawn(&self.program, number);
        let mut started = missing.map(spawn).collect::<Result<Vec<_>, _>>()?;
        for process in &mut started {
            process.set_up(&self.program, &self.setup, self.pinned, PATIENCE)?;
        }
        for process in &mut started {
            self.await_ready(process)?;
        }
        idle.extend(started);
        Ok(())
    }

    fn await_ready(&self, process: &mut Process) -> Result<(), Error> {
        let ready = process.await_ready(&self.program)?;
        self.spend(ready.cpu);
        if !ready.in_place {
            self.displaced.store(true, Relaxed);
        }
        Ok(())
    }

    /// Starts a process with this number.
    pub(super) fn start_one(&self, number: usize) -> Result<Process, Error> {
        let mut process = Process::spawn(&self.program, number)?;
        process.set_up(&self.program, &self.setup, self.pinned, PATIENCE)?;
        self.await_ready(&mut process)?;
        Ok(process)
    }

    /// A process that nobody else uses; a new one where there is none.
    pub(super) fn check_out(&self) -> Result<Process, Error> {
        let idle = lock(&self.idle).pop();
        idle.map_or_else(|| self.start_one(self.workers), Ok)
    }

    /// Takes back a process that is as good as new.
    pub(super) fn check_in(&self, process: Process) {
        lock(&self.idle).push(process);
    }

    /// Counts processor time of one of them.
    pub(super) fn spend(&self, nanoseconds: u64) {
        self.cpu.fetch_add(nanoseconds, Relaxed);
    }

    /// Whether its processes could be kept in their places, as far as is known by now.
    pub(crate) fn is_in_place(&self) -> bool {
        !self.displaced.load(Relaxed)
    }

    /// The processor time of its processes so far, as far as they have told: each does when it is ready
    /// and with its answers.
    pub fn processor_time(&self) -> Duration {
        Duration::from_nanos(self.cpu.load(Relaxed))
    }
}
