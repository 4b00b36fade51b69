//! The laws of an executor, checked by watching the calls that it makes.

#[cfg(all(test, not(shuttle)))]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::{Executor, Flow, Work};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait_at_most};

/// Numbers of units to try: no unit, one, a few, about as many as in a portion, and many.
const UNITS: [usize; 7] = [0, 1, 2, 7, 64, 1_000, 20_000];
/// The number of units in each trial whose calls return `Pause`.
const PAUSING_UNITS: usize = 60;
/// The time for which a thread may be without a core before a broken law is reported. An executor that keeps
/// the laws never needs this time unless the machine is overloaded.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many times the earliest call checks whether another call has paused, and the time between two checks.
const LOOKS: usize = 4;
const LOOK: Duration = Duration::from_micros(50);
/// If an executor goes on after it has broken a law, a panic ends it after this many further calls.
const MOST_CALLS_AFTER: usize = 10_000;

/// Checks that an executor keeps the laws listed at [`Executor`], with many and few units, with cheap and
/// slow units, and with calls that stop, pause or may wait.
///
/// ```
/// use manyhands::execution::{Sequential, TaskQueue, WorkStealing, assert_laws};
///
/// assert_laws(&Sequential);
/// assert_laws(&WorkStealing::new(3));
/// assert_laws(&TaskQueue::new(3));
/// ```
///
/// # Panics
///
/// Panics if a law is broken. The message begins with the number of that law.
pub fn assert_laws(executor: &dyn Executor) {
    assert_laws_within(executor, PATIENCE);
}

fn assert_laws_within(executor: &dyn Executor, patience: Duration) {
    for units in UNITS {
        for stop_at in [None, Some(0), Some(units / 2)] {
            for (at_most, waits) in [(usize::MAX, false), (2, false), (usize::MAX, true)] {
                let trial = Trial {
                    units,
                    stop_at,
                    at_most,
                    waits,
                    cost: Duration::ZERO,
                    pauses: false,
                };
                check(executor, trial, patience);
                if units < 100 {
                    let cost = Duration::from_micros(200);
                    check(executor, Trial { cost, ..trial }, patience);
                }
                if stop_at.is_some() {
                    let units = usize::MAX;
                    check(executor, Trial { units, ..trial }, patience);
                }
            }
        }
    }
    for (at_most, waits) in [(usize::MAX, false), (2, false), (usize::MAX, true)] {
        let trial = Trial {
            units: PAUSING_UNITS,
            stop_at: None,
            at_most,
            waits,
            cost: Duration::from_micros(50),
            pauses: true,
        };
        check(executor, trial, patience);
    }
}

/// Work with which an executor is tried.
#[derive(Clone, Copy)]
struct Trial {
    /// The number of units; `usize::MAX` if it is unknown to the executor.
    units: usize,
    /// The unit whose call returns `Stop`, if there is one.
    stop_at: Option<usize>,
    at_most: usize,
    waits: bool,
    /// How long a unit takes.
    cost: Duration,
    /// Whether calls return `Pause` while an earlier unit is in flight.
    pauses: bool,
}

fn check(executor: &dyn Executor, trial: Trial, patience: Duration) {
    let watch = CallWatcher {
        trial,
        workers: executor.workers().min(trial.at_most),
        caller: thread::current().id(),
        patience,
        seen: Mutex::default(),
        changed: Condvar::new(),
    };
    let run = |worker, range| watch.call(worker, range);
    let work = Work::new(trial.units, &run);
    executor.execute(&work.at_most(trial.at_most).waiting(trial.waits));
    let mut seen = lock(&watch.seen);
    let broken = seen.broken.take().or_else(|| seen.broken_at_end(&trial));
    if let Some(broken) = broken {
        panic!("{broken}");
    }
}

/// Watches the calls of one run.
struct CallWatcher {
    trial: Trial,
    workers: usize,
    /// The thread that calls [`Executor::execute`].
    caller: ThreadId,
    patience: Duration,
    seen: Mutex<CallLog>,
    changed: Condvar,
}

/// What has been observed of a run so far.
#[derive(Default)]
struct CallLog {
    workers: Vec<WorkerLog>,
    /// All ranges that were started.
    ranges: Vec<Range<usize>>,
    /// The first units of the ranges in flight.
    in_flight: BTreeSet<usize>,
    /// The highest end of a range that was started.
    started: usize,
    /// How many calls have ended.
    ended: usize,
    /// How many calls have returned `Go`, and how many have returned `Pause`.
    went_on: usize,
    pauses: usize,
    /// When a call first returned `Stop`.
    stopped: Option<Instant>,
    /// The thread of a rayon pool that runs other work of its pool inside a call, see
    /// [`let_others_pause`](CallWatcher::let_others_pause).
    lender: Option<ThreadId>,
    /// Whether a call that this thread runs inside its first call, on the same stack, has paused.
    paused_on_lender: bool,
    /// The number of calls that stay in flight for as long as there is a lender.
    keepers: usize,
    /// A message that names the first law that was broken, and how it was broken.
    broken: Option<String>,
    calls_after: usize,
}

/// What has been observed of one worker.
#[derive(Clone, Default)]
struct WorkerLog {
    is_busy: bool,
    /// The highest end of a range that had been started when the worker's last call ended. The worker's next
    /// range must not begin before it.
    behind: usize,
    has_stopped: bool,
    /// Whether the last call returned `Go` and the worker may not have gone on since.
    goes_on: bool,
    /// Whether the last call returned `Pause`.
    is_paused: bool,
    /// What had been observed when the worker's last call ended, and when its call before that ended.
    at_end: GoingOn,
    at_end_before: GoingOn,
}

/// Which calls had returned `Go` by a certain moment.
#[derive(Clone, Copy, Default)]
struct GoingOn {
    /// Whether another worker's last call had returned `Go`, and the executor may not have noticed it yet.
    others: bool,
    /// The number of calls that had returned `Go`.
    calls: usize,
}

impl CallWatcher {
    fn call(&self, worker: usize, range: Range<usize>) -> Flow {
        if !self.begins(worker, &range) {
            return Flow::Stop;
        }
        if !self.trial.cost.is_zero() {
            thread::sleep(self.trial.cost * range.len() as u32);
        }
        if self.trial.pauses {
            self.let_others_pause(range.start);
        }
        self.ends(worker, &range)
    }

    /// Notes the beginning of a call. Returns false if a law is broken.
    fn begins(&self, worker: usize, range: &Range<usize>) -> bool {
        let mut seen = lock(&self.seen);
        seen.workers.resize(self.workers, WorkerLog::default());
        if let Some(broken) = &seen.broken {
            assert!(seen.calls_after < MOST_CALLS_AFTER, "{broken}");
            seen.calls_after += 1;
            return false;
        }
        if let Some(broken) = self.broken_at_begin(&seen, worker, range) {
            seen.broken = Some(broken);
            self.changed.notify_all();
            return false;
        }
        let one = &mut seen.workers[worker];
        (one.is_busy, one.goes_on, one.is_paused) = (true, false, false);
        seen.ranges.push(range.clone());
        seen.in_flight.insert(range.start);
        seen.started = seen.started.max(range.end);
        true
    }

    /// Returns a message about the law that this call breaks by being made, if it breaks one.
    fn broken_at_begin(
        &self,
        seen: &CallLog,
        worker: usize,
        range: &Range<usize>,
    ) -> Option<String> {
        let (workers, me) = (self.workers, thread::current().id());
        let Some(one) = seen.workers.get(worker) else {
            return Some(format!(
                "law 3: worker {worker} is beyond the {workers} workers there are"
            ));
        };
        if one.is_busy {
            return Some(format!("law 3: worker {worker} ran two ranges at once"));
        }
        if self.trial.waits && rayon::current_thread_index().is_some() && me != self.caller {
            return Some("law 6: a call that may wait was made on a thread of a rayon pool".into());
        }
        if one.has_stopped {
            return Some(format!(
                "law 4: worker {worker} was handed {range:?} after its own call had stopped"
            ));
        }
        if seen.stopped.is_some_and(|at| at.elapsed() > self.patience) {
            return Some(format!(
                "law 4: worker {worker} was handed {range:?} long after a call had stopped"
            ));
        }
        if range.start < one.behind {
            return Some(format!(
                "law 2: worker {worker} was handed {range:?} after unit {} had been started",
                one.behind - 1
            ));
        }
        // If another worker goes on just before the paused call or during it, the pause ends.
        let before = one.at_end_before;
        if one.is_paused && !before.others && seen.went_on == before.calls {
            return Some(format!(
                "law 5: worker {worker} was handed {range:?} although it was to pause"
            ));
        }
        None
    }

    /// Gives other calls the time to pause while the earliest one is in flight. If the earliest call is on a
    /// thread of a rayon pool, that thread runs other work of the pool meanwhile, as a task may do. If this
    /// work includes another call of the executor, on the same stack, that call pauses and must release the
    /// thread.
    fn let_others_pause(&self, start: usize) {
        let in_pool = rayon::current_thread_index().is_some();
        let mut seen = lock(&self.seen);
        if seen.lender == Some(thread::current().id()) || seen.in_flight.len() == 1 {
            return;
        }
        if seen.in_flight.first() != Some(&start) {
            if in_pool {
                self.keep_in_flight(seen);
            }
            return;
        }
        let pauses = seen.pauses;
        for _ in 0..LOOKS {
            // The thread is lent only while another call is kept in flight. If the executor breaks the law,
            // that call ends the pause.
            if in_pool && seen.keepers > 0 && seen.lender.is_none() {
                seen = self.lend_thread(seen);
            }
            drop(seen);
            thread::sleep(LOOK);
            seen = lock(&self.seen);
            if seen.pauses > pauses {
                break;
            }
        }
        drop(seen);
        thread::sleep(LOOK);
    }

    /// Runs other work of the rayon pool until a call in that work has paused, but checks at most [`LOOKS`] times.
    fn lend_thread<'a>(&'a self, mut seen: MutexGuard<'a, CallLog>) -> MutexGuard<'a, CallLog> {
        (seen.lender, seen.paused_on_lender) = (Some(thread::current().id()), false);
        self.changed.notify_all();
        for _ in 0..LOOKS {
            drop(seen);
            rayon::yield_now();
            thread::sleep(LOOK);
            seen = lock(&self.seen);
            if seen.paused_on_lender {
                break;
            }
        }
        seen.lender = None;
        self.changed.notify_all();
        seen
    }

    /// Keeps a call in flight while the earliest one lends its thread to the pool. If the earliest call never gets
    /// its thread back, this call goes on instead of pausing, so that the run ends and the law can be reported.
    fn keep_in_flight(&self, mut seen: MutexGuard<'_, CallLog>) {
        seen.keepers += 1;
        if seen.lender.is_none() {
            seen = wait_at_most(&self.changed, seen, LOOK * LOOKS as u32);
        }
        let began = Instant::now();
        while seen.lender.is_some() && seen.broken.is_none() {
            let Some(left) = self.patience.checked_sub(began.elapsed()) else {
                if seen.paused_on_lender {
                    let broken = "law 5: a paused worker keeps a thread whose pool needs it";
                    seen.broken = Some(broken.into());
                }
                break;
            };
            seen = wait_at_most(&self.changed, seen, left);
        }
        seen.keepers -= 1;
    }

    /// Notes the end of a call, and returns what the call asks for.
    fn ends(&self, worker: usize, range: &Range<usize>) -> Flow {
        let me = thread::current().id();
        let mut seen = lock(&self.seen);
        let seen = &mut *seen;
        seen.in_flight.remove(&range.start);
        seen.ended += 1;
        let one = &mut seen.workers[worker];
        (one.is_busy, one.behind) = (false, seen.started);
        let earlier = seen
            .in_flight
            .first()
            .is_some_and(|first| *first < range.start);
        let flow = if self.trial.stop_at.is_some_and(|unit| range.contains(&unit)) {
            one.has_stopped = true;
            seen.stopped.get_or_insert_with(Instant::now);
            Flow::Stop
        } else if self.trial.pauses && earlier && seen.broken.is_none() {
            one.is_paused = true;
            seen.pauses += 1;
            seen.paused_on_lender |= seen.lender == Some(me);
            Flow::Pause
        } else {
            one.goes_on = true;
            seen.went_on += 1;
            Flow::Go
        };
        let others = seen.workers.iter().enumerate();
        let others = others
            .into_iter()
            .any(|(n, one)| n != worker && one.goes_on);
        let calls = seen.went_on;
        let one = &mut seen.workers[worker];
        one.at_end_before = std::mem::replace(&mut one.at_end, GoingOn { others, calls });
        flow
    }
}

impl CallLog {
    /// Returns a message about the law that the run as a whole has broken, if it has broken one.
    fn broken_at_end(&self, trial: &Trial) -> Option<String> {
        if self.ended != self.ranges.len() {
            return Some("law 4: it returned before all calls had ended".into());
        }
        let mut ranges = self.ranges.clone();
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut next = 0;
        for range in ranges {
            if range.is_empty() || range.end > trial.units {
                return Some(format!("law 1: {range:?} is not a range of units"));
            }
            if range.start < next {
                return Some(format!("law 1: unit {} was run twice", range.start));
            }
            if range.start > next {
                return Some(format!("law 1: unit {next} was left out"));
            }
            next = range.end;
        }
        let stop_at = trial.stop_at.filter(|unit| *unit < trial.units);
        if next < stop_at.map_or(trial.units, |unit| unit + 1) {
            return Some(format!("law 1: unit {next} was left out"));
        }
        None
    }
}
