//! The worker processes of a run, or of several.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::process::{PATIENCE, Process, Unready, cannot_start};
use super::slot::Slot;
use super::starts::Starts;
use super::supervisor::{InUse, Supervisor};
use crate::error::Error;
use crate::stop::Cancel;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// Worker processes, which end with it.
///
/// Each is the same program, started with the argument `worker`, and makes ready what the pool was made
/// for: the scorer of a [`Plan`](crate::plan::Plan), see [`Plan::process_pool`]. Records are sent to them
/// over pipes, some at a time. A process that dies is replaced by another; of the records it had in its
/// hands those that are to blame fail, and the others are scored. A process that dies before it is ready
/// is replaced too, until three have died one after another without any process of the pool ever having
/// been ready, or five since one was.
///
/// [`Plan::process_pool`]: crate::plan::Plan::process_pool
#[derive(Debug)]
pub struct ProcessPool {
    program: PathBuf,
    setup: Vec<u8>,
    workers: usize,
    pinned: bool,
    /// The places that no run uses now.
    idle: Mutex<Vec<Slot>>,
    starts: Mutex<Starts>,
    /// Whether one could not be kept in its place.
    displaced: AtomicBool,
    /// What they have told of their processor time, in nanoseconds.
    cpu: AtomicU64,
}

impl ProcessPool {
    /// A pool of so many processes of a program, told what to make ready; none is started yet.
    pub(crate) fn new(program: PathBuf, setup: Vec<u8>, workers: usize, pinned: bool) -> Self {
        let workers = workers.max(1);
        ProcessPool {
            program,
            setup,
            workers,
            pinned,
            idle: Mutex::new((0..workers).map(Slot::new).collect()),
            starts: Mutex::default(),
            displaced: AtomicBool::new(false),
            cpu: AtomicU64::new(0),
        }
    }

    /// How many processes it has.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Starts those processes that are missing, side by side, and waits until all are ready. A run does
    /// so at its beginning; call this before to keep what it costs out of the run. No run may use the
    /// pool meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Process`] if the program cannot be started, is no worker, cannot make ready what it is
    /// asked for, or dies again and again.
    pub fn start(&self) -> Result<(), Error> {
        self.start_for(&InUse::new(Cancel::new()))
    }

    /// The same for a run, which may be stopped meanwhile: then some stay missing.
    fn start_for(&self, in_use: &InUse) -> Result<(), Error> {
        if in_use.is_stopped() {
            return Ok(());
        }
        let mut idle = lock(&self.idle);
        let before = *lock(&self.starts);
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
                Err(unready) => {
                    drop(process);
                    match self.may_start_again(unready, before, in_use)? {
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

    /// Starts a process with this number for a run, and another if it dies before it is ready; none if
    /// the run is to stop.
    fn start_one(&self, number: usize, in_use: &InUse) -> Result<Option<Process>, Error> {
        while !in_use.is_stopped() {
            let before = *lock(&self.starts);
            let mut process = Process::spawn(&self.program, in_use)?;
            let ready = self.set_up(&mut process, number);
            match ready.and_then(|()| self.await_ready(&mut process)) {
                Ok(()) => return Ok(Some(process)),
                Err(unready) => {
                    if !self.may_start_again(unready, before, in_use)? {
                        break;
                    }
                }
            }
        }
        Ok(None)
    }

    fn set_up(&self, process: &mut Process, number: usize) -> Result<(), Unready> {
        let place = self.pinned.then_some(number);
        process.set_up(&self.program, &self.setup, place, PATIENCE)
    }

    fn await_ready(&self, process: &mut Process) -> Result<(), Unready> {
        let ready = process.await_ready(&self.program)?;
        self.spend(ready.cpu);
        if !ready.in_place {
            self.displaced.store(true, Relaxed);
        }
        lock(&self.starts).ready();
        Ok(())
    }

    /// Whether another process is to be started after one that did not get ready: not if the run is to
    /// stop. `before` is how the starts had gone when that one was started.
    ///
    /// # Errors
    ///
    /// If the next one would not fare better.
    fn may_start_again(
        &self,
        unready: Unready,
        before: Starts,
        in_use: &InUse,
    ) -> Result<bool, Error> {
        if in_use.is_stopped() {
            return Ok(false);
        }
        let mut starts = lock(&self.starts);
        let why = match unready {
            Unready::Refused(error) => return Err(error),
            Unready::Silent(_) if !starts.have_succeeded() => {
                let message = "it does not answer as a worker does";
                return Err(cannot_start(&self.program, message));
            }
            Unready::Silent(time) => format!("no answer within {} s", time.as_secs()),
            Unready::Died(died) => died.how,
        };
        starts.died(before);
        if starts.are_hopeless() {
            let deaths = starts.deaths();
            let message =
                format!("{deaths} died one after another before they were ready; the last: {why}");
            return Err(cannot_start(&self.program, message));
        }
        Ok(true)
    }

    /// Takes the pool into the service of a run that is stopped by this token. A process that gives no
    /// answer about a record for the time `timeout` is killed.
    ///
    /// # Errors
    ///
    /// [`Error::Workers`] if the thread that watches the processes cannot be started.
    pub(crate) fn supervised(
        &self,
        stop: &Cancel,
        timeout: Option<Duration>,
    ) -> Result<Supervised<'_>, Error> {
        let in_use = Arc::new(InUse::new(stop.clone()));
        let supervisor = Supervisor::start(Arc::clone(&in_use), timeout);
        Ok(Supervised {
            pool: self,
            in_use,
            timeout,
            _supervisor: supervisor.map_err(Error::no_thread)?,
        })
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

/// A process pool in the service of one run, and the thread that kills those of its processes that hold
/// the run up.
pub(crate) struct Supervised<'p> {
    pool: &'p ProcessPool,
    in_use: Arc<InUse>,
    timeout: Option<Duration>,
    _supervisor: Supervisor,
}

impl Supervised<'_> {
    /// Starts the processes that are missing, unless the run is stopped meanwhile.
    ///
    /// # Errors
    ///
    /// As [`ProcessPool::start`].
    pub(crate) fn start(&self) -> Result<(), Error> {
        self.pool.start_for(&self.in_use)
    }

    /// The pool.
    pub(super) fn pool(&self) -> &ProcessPool {
        self.pool
    }

    /// Time that a process may take to answer about a record.
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Whether the run is to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.in_use.is_stopped()
    }

    /// Stops the run.
    pub(super) fn stop(&self) {
        self.in_use.stop();
    }

    #[cfg(test)]
    pub(super) fn in_use(&self) -> &InUse {
        &self.in_use
    }

    /// Starts a process with this number; none if the run is to stop.
    pub(super) fn start_one(&self, number: usize) -> Result<Option<Process>, Error> {
        self.pool.start_one(number, &self.in_use)
    }

    /// A place that no other thread uses, if possible one with a process.
    pub(super) fn check_out(&self) -> Slot {
        let mut idle = lock(&self.pool.idle);
        let ready = idle.iter().rposition(|slot| slot.process.is_some());
        let slot = match ready {
            Some(place) => Some(idle.swap_remove(place)),
            None => idle.pop(),
        };
        drop(idle);
        // More threads than places are no fault: two runs may share a pool.
        let slot = slot.unwrap_or_else(|| Slot::new(self.pool.workers));
        if let Some(process) = &slot.process {
            self.in_use.add(process.handle());
        }
        slot
    }

    /// Takes back a place, whose process is as good as new.
    pub(super) fn check_in(&self, slot: Slot) {
        if let Some(process) = &slot.process {
            self.in_use.remove(process.handle());
        }
        lock(&self.pool.idle).push(slot);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::remote::frame::Frame;
    use crate::remote::process::WELCOME;
    use crate::remote::scripted::Scripted;

    fn error_of(pool: &ProcessPool) -> String {
        match pool.start() {
            Err(error @ Error::Process { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn processes_that_die_side_by_side_while_starting_are_replaced() {
        let scripted = Scripted::new();
        // All of the first three die, each at another word.
        let words = scripted.words(&[]);
        for (number, said) in [(1, 0), (2, WELCOME.len()), (3, words.len() - 1)] {
            scripted.says_only(number, &words[..said]).dies(number);
        }
        for number in 4..7 {
            scripted.says(number, &[]);
        }
        let pool = scripted.pool(3);
        pool.start().expect("the next ones work");
        assert_eq!(scripted.started(), 6);
        let ready = |pool: &ProcessPool| {
            let idle = lock(&pool.idle);
            idle.iter().filter(|slot| slot.process.is_some()).count()
        };
        assert_eq!(ready(&pool), 3);
        pool.start().expect("none is missing");
        assert_eq!(scripted.started(), 6);
    }

    #[test]
    fn a_program_that_always_dies_is_given_up_soon() {
        for workers in [1, 4] {
            let scripted = Scripted::new();
            for number in 1..20 {
                scripted.says_only(number, WELCOME).dies(number);
            }
            let told = error_of(&scripted.pool(workers));
            assert!(told.contains("3 died one after another"), "{told}");
            assert!(told.contains("exit status 7"), "{told}");
            assert_eq!(scripted.started(), workers + 2);
        }
    }

    #[test]
    fn a_process_that_says_what_is_wrong_is_not_replaced() {
        let said = |text: &str| {
            let mut said = WELCOME.to_vec();
            let mut frame = Frame::new();
            let refusal = Err::<(), _>(text);
            frame.write(&refusal, &mut said).expect("memory takes it");
            said
        };
        let foreign = [WELCOME, b"0123456789abcdef".as_slice()].concat();
        for (words, told) in [
            (
                said("reference.txt: no such file"),
                "reference.txt: no such file",
            ),
            (foreign, "no message of a worker"),
            (
                b"y\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\ny\n".to_vec(),
                "it is no worker",
            ),
        ] {
            let scripted = Scripted::new();
            scripted.says_only(1, &words).dies(1);
            let error = error_of(&scripted.pool(1));
            assert!(error.contains(told), "{error}");
            assert_eq!(scripted.started(), 1);
        }
    }

    #[test]
    fn places_with_a_process_are_used_first_and_each_by_one_thread() {
        let scripted = Scripted::new();
        for number in 1..4 {
            scripted.says(number, &[]);
        }
        let pool = scripted.pool(2);
        let service = pool.supervised(&Cancel::new(), None).expect("a thread");
        let numbers = |slots: &[&Slot]| slots.iter().map(|slot| slot.number()).collect::<Vec<_>>();
        let mut first = service.check_out();
        let second = service.check_out();
        let third = service.check_out();
        assert_eq!(numbers(&[&first, &second, &third]), [1, 0, 2]);
        assert!(first.process(&service).expect("it starts").is_some());
        for slot in [first, second, third] {
            service.check_in(slot);
        }
        let again = service.check_out();
        assert_eq!(numbers(&[&again]), [1]);
        assert!(again.process.is_some());
        assert_eq!(scripted.started(), 1);
    }
}
