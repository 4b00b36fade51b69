//! Records that are scored by async functions: calls to services, databases, or anything else that is waited for.
//!
//! [`Calls`] limits how many calls are in flight at the same time, how many are started per second, how long each may take,
//! and how often a record is tried again. Its answers are a dataset, so everything else is as in every other
//! [`Pipeline`](crate::Pipeline): order, failures, stops, and aggregation to the same bits. For the records of an iterator,
//! [`stream(records).task_async(f)`](crate::stream::Untasked::task_async) is shorter.
//!
//! ```
//! use manyhands::Cancel;
//! use manyhands::calls::{Awaited, AwaitedRecord, Calls};
//! use manyhands::prelude::*;
//!
//! let words = vec!["many", "hands", "make", "light", "work"];
//! let length = async |word: &&str| {
//!     // A real task would wait for a service here.
//!     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
//!     word.len() as f64
//! };
//! let calls = Calls::in_flight(64);
//! let report = calls.answer(&words, |word: &&'static str| *word, &length, &Cancel::new(), |answers| {
//!     Pipeline::new(answers, fallible(AwaitedRecord::take)).aggregate(Sum::new())
//! })??;
//! assert_eq!((report.value, report.scored), (22.0, 5));
//! # Ok::<(), manyhands::Error>(())
//! ```
//!
//! # The way of a record
//!
//! A thread reads the records of the dataset ahead. Another thread runs all futures: it starts a call when the limits
//! allow it, and polls the calls that can make progress. Workers of the executor visit the records in order, each with its
//! answer. A step after the call that needs a processor core therefore belongs to the task of the pipeline, which runs on
//! the workers: a long computation inside the future would hold up all other calls.
//!
//! # Inside a runtime
//!
//! If the thread that starts the run belongs to a runtime of tokio, the timers, the sockets and the spawned tasks of the
//! futures belong to this runtime. Otherwise, a runtime is created for the run.
//!
//! A run blocks its thread until it ends. In async code, a runtime with several threads can spare this thread, so the run
//! can simply be called, although the other futures of the same task wait for it. A runtime with one thread cannot, so the
//! run returns an error that says so. It is then started inside `tokio::task::spawn_blocking`.

mod answering;
mod awaited;
mod backoff;
mod call_error;
mod control;
mod driver;
mod journalled;
mod memory;
mod rate;
mod renumbered;
mod slots;
mod surroundings;
mod tally;
mod task_async;
mod turnstile;
mod window;

use std::time::Duration;

pub use awaited::{Awaited, AwaitedRecord};
pub use call_error::{Again, CallError, RetryReason};
pub use control::CallControl;
pub use journalled::JournalledCalls;
pub use tally::{CallTally, HeldUpTally};
pub use task_async::{AsyncTask, FallibleAsync, fallible_async};

#[cfg(feature = "http")]
pub(crate) use memory::CallMemory;
pub(crate) use surroundings::CallSurroundings;

/// The largest number of calls in flight to which the adaptive limit of a plan grows, if the plan does not say it.
pub const MOST_ADAPTIVE: usize = 1_000;

/// The number of calls in flight with which an adaptive limit begins.
const FIRST_ADAPTIVE: usize = 16;

/// The smallest default number of outstanding records.
const LEAST_OUTSTANDING: usize = 1_024;

/// Limits on calls, and how often they are tried again.
///
/// See the [module](self) for an example.
#[derive(Clone, Debug)]
#[must_use]
pub struct Calls {
    in_flight: usize,
    is_adaptive: bool,
    per_second: Option<f64>,
    timeout: Option<Duration>,
    retries: u32,
    outstanding: Option<usize>,
    budget: Option<u64>,
    unordered: bool,
    control: CallControl,
}

impl Calls {
    /// At most this many calls in flight at the same time, and at least 1.
    pub fn in_flight(calls: usize) -> Self {
        Calls {
            in_flight: calls.max(1),
            is_adaptive: false,
            per_second: None,
            timeout: None,
            retries: 0,
            outstanding: None,
            budget: None,
            unordered: false,
            control: CallControl::default(),
        }
    }

    /// As many calls in flight as the service allows, but at most this many. The limit begins with 16. It is halved when a
    /// call fails because it was [throttled](RetryReason::Throttled), and grows by one after as many successful calls as
    /// it allows.
    pub fn adaptive(most: usize) -> Self {
        Calls {
            is_adaptive: true,
            ..Calls::in_flight(most)
        }
    }

    /// Sets how many calls may be in flight at the same time.
    pub(crate) fn most_in_flight(mut self, calls: usize) -> Self {
        self.in_flight = calls.max(1);
        self
    }

    /// Starts at most this many calls per second, including those that try a record again. See
    /// [`Limit::per_second`](crate::Limit::per_second).
    pub fn per_second(mut self, calls: f64) -> Self {
        self.per_second = Some(calls);
        self
    }

    /// Gives up a call after this time. The record may then be tried again.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }

    /// Tries a record whose call has failed again, up to this number of times. The longest pause before it is 0.5 s and
    /// doubles each time, up to a minute; the actual pause is a random part of it, so that calls that failed together are
    /// not repeated together. While a record pauses, another record takes its place in flight.
    pub fn retries(mut self, times: u32) -> Self {
        self.retries = times;
        self
    }

    /// Sets how many records may be taken from the dataset before they are visited with their answers. More records
    /// bridge slow calls, since records are visited in order. The default is 16 times the calls in flight, and at least
    /// 1,024.
    pub fn outstanding(mut self, records: usize) -> Self {
        self.outstanding = Some(records.max(1));
        self
    }

    /// Ends the run gracefully once this much has been [spent](CallControl::spend). A record is started only if what was
    /// spent, and the largest amount so far for each unfinished record and for this one, is within the budget. Records
    /// that have been started are finished. The run is then stopped for the reason
    /// [`StopReason::Budget`](crate::StopReason::Budget).
    pub fn budget(mut self, amount: u64) -> Self {
        self.budget = Some(amount);
        self
    }

    /// Visits records as soon as they are answered, and not in their order. Their indices say how many records were visited
    /// before, so they must not be used. A report names records as usual.
    pub(crate) fn unordered(mut self, unordered: bool) -> Self {
        self.unordered = unordered;
        self
    }

    /// A handle with which the calls can slow down all other calls, and say what they have spent.
    #[must_use]
    pub fn control(&self) -> CallControl {
        self.control.clone()
    }

    /// The number of records that may be outstanding.
    pub(crate) fn most_outstanding(&self) -> usize {
        let usual = (16 * self.in_flight).max(LEAST_OUTSTANDING);
        self.outstanding.unwrap_or(usual)
    }
}
