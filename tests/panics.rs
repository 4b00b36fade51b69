//! A panic in a task prints nothing, and its record fails. All other panics are printed once and reach the caller.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind, panic_any};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::Duration;

use manyhands::aggregation::Aggregator;
use manyhands::error::Panicked;
use manyhands::execution::{Flow, Work};
use manyhands::prelude::*;

/// The messages that the panic hook has received. The hook is set before the first run.
static PRINTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn message_of(panic: &PanicHookInfo<'_>) -> String {
    panic.payload_as_str().unwrap_or("no text").to_owned()
}

/// Sets the panic hook once. All tests of a process share the hook, so each test looks for words of its own.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            PRINTED.lock().unwrap().push(message_of(panic))
        }));
    });
}

fn printed(words: &str) -> usize {
    let printed = PRINTED.lock().unwrap();
    printed.iter().filter(|line| line.contains(words)).count()
}

fn executors() -> Vec<Box<dyn Executor>> {
    vec![
        Box::new(Sequential),
        Box::new(WorkStealing::new(1)),
        Box::new(WorkStealing::new(4)),
        Box::new(WorkStealing::ambient()),
        Box::new(TaskQueue::new(4)),
    ]
}

/// Returns the text of a panic that has reached the caller, if there was one.
fn caught(run: impl FnOnce()) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(run)).err()?;
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    Some(text.unwrap_or_else(|| payload.downcast_ref::<String>().cloned().unwrap()))
}

/// Runs a task over 200 records, and returns the panic of record 77, which must be the only failure.
fn panicked<T>(executor: &dyn Executor, task: T) -> Panicked
where
    T: Task<usize, Score = ()>,
{
    let report = Pipeline::new(&(0..200), task)
        .executor(executor)
        .aggregate(Count::new())
        .unwrap();
    assert_eq!((report.scored, report.failed), (199, 1));
    let failure = &report.failures[0];
    assert_eq!(failure.index, 77);
    failure.cause.downcast_ref::<Panicked>().unwrap().clone()
}

fn take_a_while() {
    thread::sleep(Duration::from_micros(50));
}

#[test]
fn a_task_that_panics_prints_nothing() {
    listen();
    for executor in executors() {
        let panicked_with = panicked(&*executor, |n: &usize| {
            take_a_while();
            assert!(*n != 77, "quietly");
        });
        assert_eq!(panicked_with.message, "quietly");
        assert!(panicked_with.place.unwrap().contains("panics.rs:"));
    }
    assert_eq!(printed("quietly"), 0);
    let loudly = caught(|| panic!("loudly, outside of tasks"));
    assert_eq!(loudly.unwrap(), "loudly, outside of tasks");
    assert_eq!(printed("loudly, outside of tasks"), 1);
}

/// An aggregator that panics when it observes the score of record 77.
#[derive(Clone)]
struct Panics(&'static str);

impl<S> Aggregator<S> for Panics {
    type Output = ();
    const COMMUTATIVE: bool = true;
    fn observe(&mut self, index: u64, _: &S) {
        assert!(index != 77, "{}", self.0);
    }
    fn merge(&mut self, _: Self) {}
    fn finish(self) {}
}

#[test]
fn an_aggregator_that_panics_prints_once_and_reaches_the_caller() {
    listen();
    for (executor, words) in executors().iter().zip([
        "aggregator one",
        "aggregator two",
        "aggregator three",
        "aggregator four",
        "aggregator five",
    ]) {
        let said = caught(|| {
            let run = Pipeline::new(&(0..200), |_: &usize| take_a_while()).executor(&**executor);
            let _ = run.aggregate(Panics(words));
        });
        assert_eq!(said.unwrap(), words);
        assert_eq!(printed(words), 1, "{words}");
    }
}

#[test]
fn an_aggregator_that_panics_on_a_thread_inside_a_task_reaches_the_caller() {
    listen();
    // Most of the time, the threads of the pool wait inside tasks. They score other records while they wait.
    let executor = WorkStealing::new(3);
    let task = |n: &usize| {
        rayon::join(take_a_while, take_a_while);
        *n
    };
    for round in 0..20 {
        let words: &'static str = format!("waiting {round}.").leak();
        let said = caught(|| {
            let run = Pipeline::new(&(0..200), task).executor(&executor);
            let _ = run.aggregate(Panics(words));
        });
        assert_eq!(said.unwrap(), words);
        assert_eq!(printed(words), 1, "{words}");
    }
}

#[test]
fn an_aggregator_that_panics_inside_a_task_is_a_failure_of_the_task() {
    listen();
    for inner in executors() {
        let nested = |n: &usize| {
            if *n == 77 {
                let run = Pipeline::new(&(0..200), |_: &usize| take_a_while()).executor(&*inner);
                let _ = run.aggregate(Panics("nested aggregator"));
            }
        };
        for outer in executors() {
            assert_eq!(panicked(&*outer, nested).message, "nested aggregator");
        }
    }
    assert_eq!(printed("nested aggregator"), 0);
}

#[test]
fn a_task_inside_a_task_prints_nothing_either() {
    listen();
    for inner in executors() {
        let nested = |n: &usize| {
            if *n == 77 {
                panicked(&*inner, |n: &usize| assert!(*n != 77, "deep inside"));
                panic!("not so deep");
            }
        };
        for outer in executors() {
            assert_eq!(panicked(&*outer, nested).message, "not so deep");
        }
    }
    assert_eq!(printed("deep"), 0);
}

#[test]
fn a_panic_on_a_thread_of_the_task_is_reported_without_a_place() {
    listen();
    for executor in executors() {
        let panicked_with = panicked(&*executor, |n: &usize| {
            if *n == 77 {
                // The place of this panic in the source must not be reported as the place of a failure.
                let _ = catch_unwind(|| panic!("caught inside the task"));
                let other = thread::spawn(|| panic!("on another thread"));
                panic::resume_unwind(other.join().unwrap_err());
            }
        });
        assert_eq!(panicked_with.message, "on another thread");
        assert_eq!(panicked_with.place, None);
    }
    assert_eq!(printed("caught inside the task"), 0);
    // This panic is printed, because nothing shows that its thread belongs to a task.
    assert_eq!(printed("on another thread"), executors().len());
}

#[test]
fn the_payload_of_a_panic_may_panic_when_it_is_dropped() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("the payload was dropped");
        }
    }
    listen();
    for executor in executors() {
        let panicked_with = panicked(&*executor, |n: &usize| {
            if *n == 77 {
                panic_any(PanicsWhenDropped);
            }
        });
        assert_eq!(panicked_with.message, "with a value that is not text");
    }
    assert_eq!(printed("the payload was dropped"), 0);
}

#[test]
fn a_score_that_panics_when_dropped_reaches_the_caller() {
    struct Score(usize);
    impl Drop for Score {
        fn drop(&mut self) {
            assert!(self.0 != 77, "a score was dropped");
        }
    }
    listen();
    for executor in executors() {
        let said = caught(|| {
            let task = |n: &usize| {
                take_a_while();
                Score(*n)
            };
            let run = Pipeline::new(&(0..200), task).executor(&*executor);
            let _ = run.aggregate(Count::new());
        });
        assert_eq!(said.unwrap(), "a score was dropped");
    }
    assert_eq!(printed("a score was dropped"), executors().len());
}

#[test]
fn a_hook_that_is_set_later_may_call_ours() {
    static LATER: Mutex<Vec<String>> = Mutex::new(Vec::new());
    listen();
    let panicked_with = panicked(&WorkStealing::new(2), |n: &usize| {
        if *n == 77 {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                LATER.lock().unwrap().push(message_of(panic));
                before(panic);
            }));
            panic!("under a later hook");
        }
    });
    assert_eq!(panicked_with.message, "under a later hook");
    assert!(panicked_with.place.is_some());
    assert_eq!(printed("under a later hook"), 0);
    let later = LATER.lock().unwrap();
    let calls = later.iter().filter(|line| *line == "under a later hook");
    assert_eq!(calls.count(), 1);
}

#[test]
fn a_run_while_its_thread_unwinds_does_not_abort() {
    struct RunsWhenDropped;
    impl Drop for RunsWhenDropped {
        fn drop(&mut self) {
            panicked(&Sequential, |n: &usize| {
                assert!(*n != 77, "while unwinding")
            });
        }
    }
    listen();
    let said = caught(|| {
        let _runs = RunsWhenDropped;
        panic!("unwinding begins");
    });
    assert_eq!(said.unwrap(), "unwinding begins");
}

#[test]
fn paused_workers_do_not_wait_for_one_that_panics() {
    listen();
    for executor in executors() {
        let workers = executor.workers();
        let run = |_, units: std::ops::Range<usize>| {
            if units.contains(&30) {
                thread::sleep(Duration::from_millis(20));
                panic!("while others pause");
            }
            take_a_while();
            if units.start > 30 {
                Flow::Pause
            } else {
                Flow::Go
            }
        };
        let said = caught(|| executor.execute(&Work::new(100_000, &run).at_most(workers)));
        assert_eq!(said.unwrap(), "while others pause");
    }
}
