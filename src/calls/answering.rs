//! Starts the threads of a run whose records are scored by async functions.

use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::block_in_place;

use super::awaited::Awaited;
use super::call_error::CallTimedOut;
use super::driver::{Driver, DriverParts};
use super::memory::CallMemory;
use super::slots::{CallSlots, ReadyList};
use super::surroundings::CallSurroundings;
use super::tally::CallTally;
use super::turnstile::Turnstile;
use super::window::{CallWindow, ReadRecord};
use super::{AsyncTask, CallError, Calls, RetryReason};
use crate::dataset::{Dataset, reading_ranges};
use crate::error::{BadRecord, Error};
use crate::panics::caught;
use crate::stop::Cancel;
use crate::sync::Mutex;

/// Number of records that are read together.
const TOGETHER: usize = 64;

impl Calls {
    /// Calls `run` with these records, each with the answer of `task` for what `own` makes of it. The futures of the task
    /// are dropped when `run` returns, and soon after `stop` is cancelled.
    ///
    /// # Errors
    ///
    /// Returns an error if the limits allow no call, if a thread or a runtime cannot be started, or if this is the only
    /// thread of a runtime of tokio, see [Inside a runtime](crate::calls#inside-a-runtime). Other errors are those of `run`.
    ///
    /// # Panics
    ///
    /// Panics if reading the records panics, or `own`, or `run`.
    pub fn answer<D, O, T, R>(
        &self,
        records: &D,
        own: impl Fn(&D::Record<'_>) -> O + Sync,
        task: &T,
        stop: &Cancel,
        run: impl FnOnce(&Awaited<'_, D, O, T::Score>) -> R,
    ) -> Result<R, Error>
    where
        D: Dataset,
        O: Send + Sync,
        T: AsyncTask<O> + Sync,
        T::Score: Send,
    {
        let around = CallSurroundings::default();
        let answered = self.answer_in(around, records, own, task, stop, run);
        answered.map(|(result, _)| result)
    }

    /// Like [`answer`](Self::answer), but with the surroundings of a plan. Also returns the numbers of all calls. If the run
    /// was stopped, some may have been answered after `run` returned.
    ///
    /// # Errors
    ///
    /// Returns the errors of `answer`, and those of the memory, even if `run` has returned none.
    pub(crate) fn answer_in<D, O, T, R>(
        &self,
        around: CallSurroundings<'_, O, T::Score>,
        records: &D,
        own: impl Fn(&D::Record<'_>) -> O + Sync,
        task: &T,
        stop: &Cancel,
        run: impl FnOnce(&Awaited<'_, D, O, T::Score>) -> R,
    ) -> Result<(R, CallTally), Error>
    where
        D: Dataset,
        O: Send + Sync,
        T: AsyncTask<O> + Sync,
        T::Score: Send,
    {
        let runtime = CallRuntime::of_this_thread()?;
        runtime.waiting(|runtime| self.answer_on(runtime, around, records, &own, task, stop, run))
    }

    /// Starts the threads of a run, and calls `run`.
    #[expect(clippy::too_many_arguments)]
    fn answer_on<D, O, T, R>(
        &self,
        runtime: CallRuntime,
        around: CallSurroundings<'_, O, T::Score>,
        records: &D,
        own: &(impl Fn(&D::Record<'_>) -> O + Sync),
        task: &T,
        stop: &Cancel,
        run: impl FnOnce(&Awaited<'_, D, O, T::Score>) -> R,
    ) -> Result<(R, CallTally), Error>
    where
        D: Dataset,
        O: Send + Sync,
        T: AsyncTask<O> + Sync,
        T::Score: Send,
    {
        let window = CallWindow::new(self.most_outstanding(), self.in_flight, self.unordered);
        let tally = Mutex::new(CallTally::default());
        let awaited = Awaited {
            records,
            window: &window,
            around,
            stop,
            tally: &tally,
            control: self.control(),
            renumbered: self.unordered.then(Mutex::default),
        };
        let ready = Arc::new(ReadyList::default());
        let turnstile = Turnstile::new(self)?;
        let (window, tally) = (&window, &tally);
        std::thread::scope(|scope| {
            // When the run is over, or panics, both threads must end.
            let closing = Closing(&awaited);
            let wake = Arc::clone(&ready);
            let reader = std::thread::Builder::new().name("manyhands-reader".to_owned());
            let reader = reader.spawn_scoped(scope, move || {
                let read = Reading {
                    window,
                    own,
                    bytes: around.bytes,
                    memory: around.memory,
                    wake: &wake,
                };
                read.all(records);
            });
            let reader = reader.map_err(Error::no_thread)?;
            let caller = std::thread::Builder::new().name("manyhands-calls".to_owned());
            let caller = caller.spawn_scoped(scope, move || {
                let _closed = ClosedWindow(window);
                runtime.block_on(async {
                    let attempt = |record, permit| attempt(task, self.timeout, record, permit);
                    let mut driver = Driver::new(DriverParts {
                        window,
                        turnstile,
                        slots: CallSlots::new(ready),
                        attempt,
                        retries: self.retries,
                        stop,
                        tally,
                        watch: around.watch,
                        memory: around.memory,
                    });
                    poll_fn(|context| driver.turn(context)).await;
                });
            });
            let caller = caller.map_err(Error::no_thread)?;
            let result = run(&awaited);
            drop(closing);
            for ended in [reader.join(), caller.join()] {
                ended.unwrap_or_else(|panic| resume_unwind(panic));
            }
            // An answer that arrived after the last visit may have been the one that could not be kept.
            match window.take_failure() {
                Some(error) => Err(error),
                None => Ok((result, awaited.tally())),
            }
        })
    }
}

/// Makes one call. The permit is held while it is in flight.
pub(super) async fn attempt<O, T: AsyncTask<O>>(
    task: &T,
    timeout: Option<Duration>,
    record: Arc<O>,
    permit: OwnedSemaphorePermit,
) -> Result<T::Score, CallError> {
    let _permit = permit;
    let call = task.score(&record);
    let Some(after) = timeout else {
        return call.await.map_err(Into::into);
    };
    match tokio::time::timeout(after, call).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_) => Err(CallError::new(CallTimedOut { after }).reason(RetryReason::Timeout)),
    }
}

/// The runtime on which the calls wait.
enum CallRuntime {
    Own(Runtime),
    OfUser(Handle),
}

impl CallRuntime {
    /// The runtime that this thread belongs to, or a new one.
    ///
    /// # Errors
    ///
    /// Returns an error if this thread cannot wait for the runtime, because it is the one that drives it.
    fn of_this_thread() -> Result<Self, Error> {
        let Ok(handle) = Handle::try_current() else {
            let runtime = Builder::new_current_thread().enable_all().build();
            return runtime.map(CallRuntime::Own).map_err(Error::no_thread);
        };
        let runtime = CallRuntime::OfUser(handle.clone());
        // Only tokio knows whether the thread may wait, and says it by a panic.
        let may_wait = caught(|| {
            runtime.waiting(|_| handle.block_on(std::future::ready(())));
        });
        match may_wait {
            Ok(()) => Ok(CallRuntime::OfUser(Handle::current())),
            Err(_) => Err(Error::no_thread(io::Error::other(
                "this thread drives a runtime of tokio; start the run inside tokio::task::spawn_blocking",
            ))),
        }
    }

    /// Calls `run`, which waits for the runtime. If this thread is one of several that drive it, another thread takes over.
    fn waiting<R>(self, run: impl FnOnce(Self) -> R) -> R {
        let hands_over = match &self {
            CallRuntime::Own(_) => false,
            CallRuntime::OfUser(handle) => handle.runtime_flavor() == RuntimeFlavor::MultiThread,
        };
        match hands_over {
            true => block_in_place(|| run(self)),
            false => run(self),
        }
    }

    fn block_on(self, future: impl Future<Output = ()>) {
        match self {
            CallRuntime::Own(runtime) => {
                runtime.block_on(future);
                // A task that the futures have started may block, for example while it looks up the name of a host.
                runtime.shutdown_background();
            }
            CallRuntime::OfUser(handle) => handle.block_on(future),
        }
    }
}

/// Ends the threads of a run.
struct Closing<'c, 'a, D: Dataset, O: Send + Sync, S: Send>(&'c Awaited<'a, D, O, S>);

impl<D: Dataset, O: Send + Sync, S: Send> Drop for Closing<'_, '_, D, O, S> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Closes the window when no more calls are made, also if the thread panics, so that no worker waits for them.
struct ClosedWindow<'w, O, S>(&'w CallWindow<O, S>);

impl<O, S> Drop for ClosedWindow<'_, O, S> {
    fn drop(&mut self) {
        self.0.close(false);
    }
}

/// Reads the records of a dataset into the window.
struct Reading<'r, O, S, W> {
    window: &'r CallWindow<O, S>,
    own: &'r W,
    bytes: &'r (dyn Fn(&O) -> usize + Sync),
    memory: Option<&'r dyn CallMemory<O, S>>,
    wake: &'r ReadyList,
}

impl<O, S, W> Reading<'_, O, S, W> {
    /// Reads all records.
    fn all<D>(&self, records: &D)
    where
        D: Dataset,
        W: Fn(&D::Record<'_>) -> O,
    {
        /// Ends the window, also if reading panics, so that neither the calls nor the workers wait for a record.
        struct Ending<'e, O, S>(&'e CallWindow<O, S>, &'e ReadyList, Option<Error>);

        impl<O, S> Drop for Ending<'_, O, S> {
            fn drop(&mut self) {
                self.0.end(self.2.take());
                self.1.wake();
            }
        }

        let mut ending = Ending(self.window, self.wake, None);
        ending.2 = self.parts(records).err();
    }

    fn parts<D>(&self, records: &D) -> Result<(), Error>
    where
        D: Dataset,
        W: Fn(&D::Record<'_>) -> O,
    {
        for parts in reading_ranges(records, TOGETHER) {
            let mut read = Vec::new();
            let mut is_open = true;
            let outcome = records.read(parts, |at, record| {
                let record = record.map(self.own);
                let bytes = record.as_ref().map_or(0, self.bytes);
                let answer = match self.find(&record) {
                    Ok(answer) => answer,
                    Err(error) => {
                        self.window.fail(error);
                        is_open = false;
                        return ControlFlow::Break(());
                    }
                };
                read.push(ReadRecord {
                    at,
                    record,
                    bytes,
                    answer,
                });
                if read.len() >= TOGETHER {
                    is_open = self.push(&mut read);
                }
                match is_open {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })?;
            if !is_open || !self.push(&mut read) || outcome.ended {
                break;
            }
        }
        Ok(())
    }

    /// Looks for the answer that an earlier run has kept.
    fn find(&self, record: &Result<O, BadRecord>) -> Result<Option<S>, Error> {
        match (self.memory, record) {
            (Some(memory), Ok(record)) => memory.find(record),
            _ => Ok(None),
        }
    }

    fn push(&self, read: &mut Vec<ReadRecord<O, S>>) -> bool {
        self.window.push(read, || self.wake.wake())
    }
}
