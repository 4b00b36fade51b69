//! The worker processes of one run or of several runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::process::{GREETING_TIMEOUT, NotReady, Process};
use super::protocol::Coordinator;
use super::slot::PoolSlot;
use super::supervisor::{ProcessesInUse, Supervisor};
use crate::error::Error;
use crate::remote::spawn::cannot_start;
use crate::remote::start_history::StartHistory;
use crate::stop::Cancel;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// Worker processes. They end when the pool is dropped.
///
/// Each process runs the same program with the argument `worker`, and prepares the scorer of a
/// [`Plan`](crate::plan::Plan), see [`Plan::process_pool`]. Records are sent to the processes over pipes, in
/// blocks. If a process dies, another one takes its place and is sent the unanswered records of the block one by
/// one. A record fails if two processes die that had been sent only this record, or five if the signal KILL ends them. A
/// process that dies before it is ready is replaced too. The pool gives up after three such deaths in succession, or after
/// five if a process of the pool has been ready before.
///
/// [`Plan::process_pool`]: crate::plan::Plan::process_pool
#[derive(Debug)]
pub struct ProcessPool {
    program: PathBuf,
    setup: Vec<u8>,
    workers: usize,
    pinned: bool,
    /// The places that no run is using.
    idle: Mutex<Vec<PoolSlot>>,
    history: Mutex<StartHistory>,
    /// Whether a process could not be kept on its hardware thread.
    displaced: AtomicBool,
    /// The processor time that the processes have reported, in nanoseconds.
    cpu: AtomicU64,
}

impl ProcessPool {
    /// Creates a pool of `workers` processes of a program. Each process is sent `setup` when it starts. No process
    /// is started yet.
    pub(crate) fn new(program: PathBuf, setup: Vec<u8>, workers: usize, pinned: bool) -> Self {
        let workers = workers.max(1);
        ProcessPool {
            program,
            setup,
            workers,
            pinned,
            idle: Mutex::new((0..workers).map(PoolSlot::new).collect()),
            history: Mutex::default(),
            displaced: AtomicBool::new(false),
            cpu: AtomicU64::new(0),
        }
    }

    /// The setup message that each process is sent when it starts.
    pub(crate) fn setup(&self) -> &[u8] {
        &self.setup
    }

    /// Number of worker processes of the pool.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Starts the missing processes at the same time, and waits until all are ready. A run does this at its
    /// beginning. To exclude this time from the run, call this before the run, while no run uses the pool.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Process`] if the program cannot be started, is not a worker, cannot prepare its scorer, or
    /// dies repeatedly.
    pub fn start(&self) -> Result<(), Error> {
        self.start_for(&ProcessesInUse::new(Cancel::new()))
    }

    /// Starts the missing processes for a run. If the run is stopped in the meantime, some processes stay missing.
    fn start_for(&self, in_use: &ProcessesInUse) -> Result<(), Error> {
        if in_use.is_stopped() {
            return Ok(());
        }
        let mut idle = lock(&self.idle);
        let before = *lock(&self.history);
        let mut starting = Vec::new();
        for slot in idle.iter_mut().filter(|slot| slot.process.is_none()) {
            starting.push((slot, Process::spawn(&self.program, in_use)?, Ok(())));
        }
        for (slot, process, done) in &mut starting {
            *done = self.set_up(process, slot.number());
        }
        for (slot, mut process, done) in starting {
            slot.process = match done.and_then(|()| self.await_ready(&mut process)) {
                Ok(()) => Some(process),
                Err(not_ready) => {
                    drop(process);
                    match self.may_start_again(not_ready, before, in_use)? {
                        true => self.start_one(slot.number(), in_use)?,
                        false => None,
                    }
                }
            };
            if let Some(process) = &slot.process {
                in_use.remove(process.handle());
            }
        }
        Ok(())
    }

    /// Starts a process for the place with this number, and another process if this one dies before it is ready.
    /// Returns `None` if the run has been stopped.
    fn start_one(&self, number: usize, in_use: &ProcessesInUse) -> Result<Option<Process>, Error> {
        while !in_use.is_stopped() {
            let before = *lock(&self.history);
            let mut process = Process::spawn(&self.program, in_use)?;
            let ready = self.set_up(&mut process, number);
            match ready.and_then(|()| self.await_ready(&mut process)) {
                Ok(()) => return Ok(Some(process)),
                Err(not_ready) => {
                    if !self.may_start_again(not_ready, before, in_use)? {
                        break;
                    }
                }
            }
        }
        Ok(None)
    }

    fn set_up(&self, process: &mut Process, number: usize) -> Result<(), NotReady> {
        let place = self.pinned.then_some(number);
        process.set_up(&self.program, &self.setup, place, GREETING_TIMEOUT)
    }

    fn await_ready(&self, process: &mut Process) -> Result<(), NotReady> {
        let ready = process.await_ready(&self.program)?;
        self.add_processor_time(ready.cpu);
        if !ready.in_place {
            self.displaced.store(true, Relaxed);
        }
        lock(&self.history).add_ready();
        Ok(())
    }

    /// Whether to start another process after a process that did not become ready: `false` if the run has been
    /// stopped. `before` is a copy of the history from when that process was started.
    ///
    /// # Errors
    ///
    /// Returns an error if another process would fail, too.
    fn may_start_again(
        &self,
        not_ready: NotReady,
        before: StartHistory,
        in_use: &ProcessesInUse,
    ) -> Result<bool, Error> {
        if in_use.is_stopped() {
            return Ok(false);
        }
        let mut history = lock(&self.history);
        let why = match not_ready {
            NotReady::Refused(error) => return Err(error),
            NotReady::Silent(_) if !history.has_succeeded() => {
                let message = "the program does not answer as a worker does";
                return Err(cannot_start(&self.program, message));
            }
            NotReady::Silent(time) => format!("no answer within {} s", time.as_secs()),
            NotReady::Died(died) => died.how,
        };
        history.add_death(before);
        if history.is_hopeless() {
            let deaths = history.deaths();
            let message = format!(
                "{deaths} processes in succession died before they were ready; the last: {why}"
            );
            return Err(cannot_start(&self.program, message));
        }
        Ok(true)
    }

    /// Starts to use the pool for a run, which the token `stop` can stop. A process that gives no answer for a
    /// record within the time `timeout` is killed.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Workers`] if the supervisor thread cannot be started.
    pub(crate) fn begin_run<'p, C: Coordinator>(
        &'p self,
        coordinator: &'p C,
        stop: &Cancel,
        timeout: Option<Duration>,
    ) -> Result<PoolRun<'p, C>, Error> {
        let in_use = Arc::new(ProcessesInUse::new(stop.clone()));
        let supervisor = Supervisor::start(Arc::clone(&in_use), timeout);
        Ok(PoolRun {
            pool: self,
            coordinator,
            in_use,
            timeout,
            _supervisor: supervisor.map_err(Error::no_thread)?,
        })
    }

    /// Adds processor time of a process.
    fn add_processor_time(&self, nanoseconds: u64) {
        self.cpu.fetch_add(nanoseconds, Relaxed);
    }

    /// Whether every process that has started so far could be kept on its hardware thread.
    pub(crate) fn is_in_place(&self) -> bool {
        !self.displaced.load(Relaxed)
    }

    /// The processor time that the processes have reported so far. Each process reports its processor time when it
    /// is ready, and again with its answers.
    pub fn processor_time(&self) -> Duration {
        Duration::from_nanos(self.cpu.load(Relaxed))
    }
}

/// A process pool that a run is using, and the supervisor of its processes.
pub(crate) struct PoolRun<'p, C> {
    pool: &'p ProcessPool,
    coordinator: &'p C,
    in_use: Arc<ProcessesInUse>,
    timeout: Option<Duration>,
    _supervisor: Supervisor,
}

impl<C> PoolRun<'_, C> {
    /// Starts the missing processes, unless the run is stopped in the meantime.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`ProcessPool::start`].
    pub(crate) fn start(&self) -> Result<(), Error> {
        self.pool.start_for(&self.in_use)
    }

    /// The run's side of the protocol.
    pub(super) fn coordinator(&self) -> &C {
        self.coordinator
    }

    /// The time that a process may take to answer for a record.
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Whether the run has been stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.in_use.is_stopped()
    }

    /// Stops the run.
    pub(super) fn stop_run(&self) {
        self.in_use.stop();
    }

    /// Adds processor time of a process.
    pub(super) fn add_processor_time(&self, nanoseconds: u64) {
        self.pool.add_processor_time(nanoseconds);
    }

    #[cfg(test)]
    pub(super) fn in_use(&self) -> &ProcessesInUse {
        &self.in_use
    }

    /// Returns the process of a place, and starts it if it is missing. Returns `None` if the run has been stopped.
    pub(super) fn process_of<'s>(
        &self,
        slot: &'s mut PoolSlot,
    ) -> Result<Option<&'s mut Process>, Error> {
        if slot.process.is_none() {
            slot.process = self.pool.start_one(slot.number(), &self.in_use)?;
        }
        Ok(slot.process.as_mut())
    }

    /// Takes a place that no other thread uses, if possible one with a process.
    pub(super) fn check_out(&self) -> PoolSlot {
        let mut idle = lock(&self.pool.idle);
        let ready = idle.iter().rposition(|slot| slot.process.is_some());
        let slot = match ready {
            Some(place) => Some(idle.swap_remove(place)),
            None => idle.pop(),
        };
        drop(idle);
        // Two runs may share the pool, so there may be more threads than places.
        let slot = slot.unwrap_or_else(|| PoolSlot::new(self.pool.workers));
        if let Some(process) = &slot.process {
            self.in_use.add(process.handle());
        }
        slot
    }

    /// Puts a place back. Its process, if there is one, must have answered for all records that it was sent.
    pub(super) fn check_in(&self, slot: PoolSlot) {
        if let Some(process) = &slot.process {
            self.in_use.remove(process.handle());
        }
        lock(&self.pool.idle).push(slot);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::remote::process_pool::message::Message;
    use crate::remote::process_pool::protocol::WELCOME;
    use crate::remote::process_pool::scripted::{Numbers, Scripted};

    fn error_of(pool: &ProcessPool) -> String {
        match pool.start() {
            Err(error @ Error::Process { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn processes_that_die_together_while_starting_are_replaced() {
        let scripted = Scripted::new();
        // The first three processes die, each while it sends a different message.
        let words = scripted.words(&[]);
        for (number, said) in [(1, 0), (2, WELCOME.len()), (3, words.len() - 1)] {
            scripted.says_only(number, &words[..said]).dies(number);
        }
        for number in 4..7 {
            scripted.says(number, &[]);
        }
        let pool = scripted.pool(3);
        pool.start().expect("the next three start");
        assert_eq!(scripted.started(), 6);
        let ready = |pool: &ProcessPool| {
            let idle = lock(&pool.idle);
            idle.iter().filter(|slot| slot.process.is_some()).count()
        };
        assert_eq!(ready(&pool), 3);
        pool.start().expect("no process is missing");
        assert_eq!(scripted.started(), 6);
    }

    #[test]
    fn the_pool_gives_up_a_program_that_always_dies() {
        for workers in [1, 4] {
            let scripted = Scripted::new();
            for number in 1..20 {
                scripted.says_only(number, WELCOME).dies(number);
            }
            let error = error_of(&scripted.pool(workers));
            assert!(error.contains("3 processes in succession died"), "{error}");
            assert!(error.contains("exit status 7"), "{error}");
            assert_eq!(scripted.started(), workers + 2);
        }
    }

    #[test]
    fn a_process_that_reports_an_error_is_not_replaced() {
        let refusal = |text: &str| {
            let mut said = WELCOME.to_vec();
            let mut message = Message::new();
            message
                .write(&Err::<(), _>(text), &mut said)
                .expect("memory takes it");
            said
        };
        let foreign = [WELCOME, b"0123456789abcdef".as_slice()].concat();
        for (words, expected) in [
            (
                refusal("reference.txt: no such file"),
                "reference.txt: no such file",
            ),
            (foreign, "not a message of a worker"),
            (
                b"y\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\n".to_vec(),
                "is no worker",
            ),
        ] {
            let scripted = Scripted::new();
            scripted.says_only(1, &words).dies(1);
            let error = error_of(&scripted.pool(1));
            assert!(error.contains(expected), "{error}");
            assert_eq!(scripted.started(), 1);
        }
    }

    #[test]
    fn each_thread_gets_a_place_of_its_own_and_places_with_a_process_come_first() {
        let scripted = Scripted::new();
        for number in 1..4 {
            scripted.says(number, &[]);
        }
        let pool = scripted.pool(2);
        let run = pool
            .begin_run(&Numbers, &Cancel::new(), None)
            .expect("a thread");
        let numbers =
            |slots: &[&PoolSlot]| slots.iter().map(|slot| slot.number()).collect::<Vec<_>>();
        let mut first = run.check_out();
        let second = run.check_out();
        let third = run.check_out();
        assert_eq!(numbers(&[&first, &second, &third]), [1, 0, 2]);
        assert!(run.process_of(&mut first).expect("it starts").is_some());
        for slot in [first, second, third] {
            run.check_in(slot);
        }
        let again = run.check_out();
        assert_eq!(numbers(&[&again]), [1]);
        assert!(again.process.is_some());
        assert_eq!(scripted.started(), 1);
    }

    /// The supervisor may kill every process that a thread of the run is using, even if an earlier run started it, and
    /// no other process.
    #[test]
    fn a_process_that_was_started_before_is_supervised_while_it_is_in_use() {
        let scripted = Scripted::new();
        scripted.says(1, &[]);
        let pool = scripted.pool(1);
        let run = pool.begin_run(&Numbers, &Cancel::new(), None);
        let run = run.expect("a thread");
        run.start().expect("it starts");
        let supervised = || {
            let count = std::cell::Cell::new(0);
            run.in_use().for_each(|_| count.set(count.get() + 1));
            count.get()
        };
        assert_eq!(
            supervised(),
            0,
            "the process is ready, and no thread uses it"
        );
        for _ in 0..2 {
            let slot = run.check_out();
            assert!(slot.process.is_some());
            assert_eq!(supervised(), 1);
            run.check_in(slot);
            assert_eq!(supervised(), 0);
        }
        // A process that has ended is forgotten.
        let slot = run.check_out();
        drop(slot);
        assert_eq!(supervised(), 0);
        assert_eq!(scripted.started(), 1);
    }
}
