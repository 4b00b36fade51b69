//! The thread that runs all calls of a run.
//!
//! One function, [`Driver::turn`], polls the calls that can make progress, starts others if the turnstile allows it, and
//! passes the outcomes to the window. No task is spawned for a record, and the futures need not be `Send`.

mod last_answers;
#[cfg(all(test, not(shuttle)))]
mod tests;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

use self::last_answers::LastAnswers;
use super::backoff::pause_before;
use super::memory::CallMemory;
use super::slots::CallSlots;
use super::tally::{CallTally, Held};
use super::turnstile::{CallCandidate, CallDecision, Turnstile};
use super::window::{CallWindow, Completion, WindowSight};
use super::{Again, CallError, RetryReason};
use crate::error::{Error, Panicked};
use crate::journal::KeptAt;
use crate::stop::Cancel;
use crate::sync::{Mutex, lock};

/// The longest time after which the thread looks again whether the run was stopped.
const TICK: Duration = Duration::from_millis(10);

/// The time between two reports about the calls.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// How often calls are polled and started before the runtime, the workers and the reader get a turn, if each new call is
/// answered at once.
const MOST_PASSES: usize = 4;

/// The longest pause before a record is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(365 * 86_400);

/// Number of fresh records that are taken from the window together.
const TOGETHER: usize = 64;

/// What a call came to.
type CallOutput<S> = Result<Result<S, CallError>, Box<Panicked>>;

/// Runs the calls of a run. `F` is the future of one call.
pub(super) struct Driver<'a, O, S, F, A> {
    window: &'a CallWindow<O, S>,
    turnstile: Turnstile<O>,
    slots: CallSlots<F>,
    /// What is in flight in each slot.
    in_flight: Vec<Option<InFlightCall<O>>>,
    /// Makes the future of a call.
    attempt: A,
    retries: u32,
    stop: &'a Cancel,
    completions: Vec<Completion<S>>,
    /// The calls that have ended in this turn; kept for its memory.
    done: Vec<(usize, CallOutput<S>)>,
    tally: &'a Mutex<CallTally>,
    /// The tally of this thread, which is published after each turn.
    own: CallTally,
    watch: &'a (dyn Fn(&CallTally) + Sync),
    memory: Option<&'a dyn CallMemory<O, S>>,
    last_answers: LastAnswers,
    watched: Instant,
    began: Instant,
    /// Why no call could be started at the end of the last turn, and when that was.
    held: Option<(Held, Instant)>,
    sight: WindowSight,
    sleep: Pin<Box<Sleep>>,
}

/// What a driver is made of.
pub(super) struct DriverParts<'a, O, S, F, A> {
    pub(super) window: &'a CallWindow<O, S>,
    pub(super) turnstile: Turnstile<O>,
    pub(super) slots: CallSlots<F>,
    /// Makes the future of a call.
    pub(super) attempt: A,
    pub(super) retries: u32,
    pub(super) stop: &'a Cancel,
    pub(super) tally: &'a Mutex<CallTally>,
    pub(super) watch: &'a (dyn Fn(&CallTally) + Sync),
    /// Keeps the answers.
    pub(super) memory: Option<&'a dyn CallMemory<O, S>>,
}

/// A call in flight.
struct InFlightCall<O> {
    candidate: CallCandidate<O>,
    began: Instant,
    halvings: u32,
}

impl<'a, O, S, F, A> Driver<'a, O, S, F, A>
where
    F: Future<Output = Result<S, CallError>>,
    A: Fn(Arc<O>, OwnedSemaphorePermit) -> F,
{
    pub(super) fn new(parts: DriverParts<'a, O, S, F, A>) -> Self {
        let now = Instant::now();
        Driver {
            window: parts.window,
            turnstile: parts.turnstile,
            slots: parts.slots,
            in_flight: Vec::new(),
            attempt: parts.attempt,
            retries: parts.retries,
            stop: parts.stop,
            completions: Vec::new(),
            done: Vec::new(),
            tally: parts.tally,
            own: CallTally::default(),
            watch: parts.watch,
            memory: parts.memory,
            last_answers: LastAnswers::default(),
            watched: now,
            began: now,
            held: None,
            sight: WindowSight {
                ended: false,
                is_full: false,
            },
            sleep: Box::pin(tokio::time::sleep(TICK)),
        }
    }

    /// Makes as much progress as possible without waiting. Ready if the run is over.
    pub(super) fn turn(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.count_held(Instant::now());
        if self.is_over() {
            return self.take_last_answers(context);
        }
        let mut passes = 0;
        let (held, again) = loop {
            self.poll_calls();
            if self.is_over() {
                return self.take_last_answers(context);
            }
            let started = self.start_calls();
            passes += 1;
            if passes == MOST_PASSES || !self.slots.can_poll_on() {
                break started;
            }
        };
        let is_idle = self.slots.len() == 0 && self.turnstile.waiting() == 0;
        // If the budget is spent, visits that are under way are completed before the token is cancelled, see
        // `CallWindow::take_done`.
        self.own.is_spent = is_idle && held.is_none();
        // This comes first: a worker that has seen all outcomes must find them in the tally.
        self.publish();
        self.window.complete(&mut self.completions);
        let is_read = self.sight.ended && self.turnstile.needs_fresh();
        if is_idle && (is_read || held.is_none()) {
            self.window.close(false);
            return Poll::Ready(());
        }
        self.held = Some((held.unwrap_or(Held::Budget), Instant::now()));
        self.wait(context, again.map_or(TICK, |time| time.min(TICK)))
    }

    /// Whether the run is over, so that no more calls are started.
    fn is_over(&self) -> bool {
        if self.stop.is_cancelled() {
            self.window.close(true);
        }
        self.window.is_closed()
    }

    /// Adds the time since the last turn to what the next call has waited for.
    fn count_held(&mut self, now: Instant) {
        if let Some((held, since)) = self.held.take() {
            let time = now.saturating_duration_since(since);
            self.own.held_up.add(held, time);
        }
    }

    fn poll_calls(&mut self) {
        let now = Instant::now();
        let mut done = std::mem::take(&mut self.done);
        self.slots.poll(|slot, output| done.push((slot, output)));
        for (slot, output) in done.drain(..) {
            self.settle(slot, output, now);
        }
        self.done = done;
    }

    /// Deals with a call that has ended.
    fn settle(&mut self, slot: usize, output: CallOutput<S>, now: Instant) {
        let Some(call) = self.in_flight.get_mut(slot).and_then(Option::take) else {
            return;
        };
        let took = now.saturating_duration_since(call.began);
        self.own.time_in_flight += took;
        self.own.in_flight -= 1;
        let mut candidate = call.candidate;
        candidate.in_flight += took;
        let mut kept = None;
        let outcome = match output {
            Ok(Ok(score)) => {
                self.turnstile.allowed().succeeded();
                kept = match self.keep(&candidate.record, &score) {
                    Ok(kept) => kept,
                    Err(error) => return self.window.fail(error),
                };
                Ok(score)
            }
            Ok(Err(error)) => {
                if error.reason == RetryReason::Throttled {
                    self.turnstile.allowed().throttled(call.halvings);
                }
                match self.pause_before_retry(&error, &candidate) {
                    Some(pause) => {
                        candidate.asked_once |= error.again == Again::Once;
                        *self.own.retries.entry(error.reason).or_default() += 1;
                        candidate.tries += 1;
                        self.turnstile
                            .add_waiting(candidate, now + pause.min(LONGEST_PAUSE));
                        return;
                    }
                    None => Err(error.cause),
                }
            }
            Err(panicked) => Err(panicked.into()),
        };
        self.own.failures += u64::from(outcome.is_err());
        self.completions.push(Completion {
            key: candidate.key,
            outcome,
            kept,
            in_flight: candidate.in_flight,
        });
    }

    /// Keeps an answer, if this run keeps its answers. Once there was an error of the memory, nothing more is kept.
    fn keep(&self, record: &O, score: &S) -> Result<Option<KeptAt>, Error> {
        match self.memory {
            Some(memory) if !self.window.has_failed() => memory.keep(record, score).map(Some),
            _ => Ok(None),
        }
    }

    /// The pause before a record is tried again. `None` if it is not tried again.
    fn pause_before_retry(
        &self,
        error: &CallError,
        candidate: &CallCandidate<O>,
    ) -> Option<Duration> {
        let is_allowed = match error.again {
            Again::Never => false,
            Again::Once => !candidate.asked_once,
            Again::AsUsual | Again::After(_) => true,
        };
        if !is_allowed || candidate.tries >= self.retries {
            return None;
        }
        let pause = pause_before(candidate.tries + 1);
        Some(match error.again {
            // A random part is added, so that calls that were told the same time are not repeated together.
            Again::After(time) => time.saturating_add(pause / 10),
            _ => pause,
        })
    }

    /// Starts calls until the turnstile holds them up. Returns the reason, and after which time it may be asked again;
    /// `None` if the budget is spent.
    fn start_calls(&mut self) -> (Option<Held>, Option<Duration>) {
        loop {
            if self.turnstile.needs_fresh() {
                let turnstile = &mut self.turnstile;
                let add = |key, record| turnstile.add_fresh(key, record);
                self.sight = self.window.take_fresh(TOGETHER, add);
            }
            let without = match self.sight.is_full {
                true => Held::Room,
                false => Held::Records,
            };
            let now = Instant::now();
            match self.turnstile.next(now, self.slots.len(), without) {
                CallDecision::Start(candidate, permit) => self.start(candidate, permit, now),
                CallDecision::Held(held, again) => return (Some(held), again),
                CallDecision::Spent => return (None, None),
            }
        }
    }

    fn start(&mut self, candidate: CallCandidate<O>, permit: OwnedSemaphorePermit, now: Instant) {
        let future = (self.attempt)(Arc::clone(&candidate.record), permit);
        let slot = self.slots.add(future);
        if slot >= self.in_flight.len() {
            self.in_flight.resize_with(slot + 1, || None);
        }
        self.in_flight[slot] = Some(InFlightCall {
            candidate,
            began: now,
            halvings: self.turnstile.allowed().halvings(),
        });
        self.own.calls += 1;
        self.own.in_flight += 1;
        self.own.most_in_flight = self.own.most_in_flight.max(self.own.in_flight);
    }

    /// Makes the thread be woken when a call can make progress, when records arrive, and after this time.
    fn wait(&mut self, context: &mut Context<'_>, time: Duration) -> Poll<()> {
        self.sleep.as_mut().reset(Instant::now() + time);
        if self.sleep.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
        self.slots.wake_later(context.waker());
        Poll::Pending
    }

    /// Publishes the tally.
    fn publish(&mut self) {
        let now = Instant::now();
        self.own.elapsed = now.saturating_duration_since(self.began);
        self.own.limit = self.turnstile.allowed().number();
        self.own.waiting = self.turnstile.waiting();
        if now.saturating_duration_since(self.watched) >= REPORT_INTERVAL {
            self.watched = now;
            (self.watch)(&self.own);
        }
        lock(self.tally).clone_from(&self.own);
    }
}
